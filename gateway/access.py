"""Who may do what: roles, the rights each has, and whoever acts with the units they see.

*Behörighet* (authorization) is what somebody's role allows; *uppdrag* (assignment) is on whose behalf they act, as the
national directory knows it (medarbetaruppdrag). Nothing is allowed that is not in the one table here. An operator does
not hand out tokens, an administrator does not read about people, and an auditor does nothing but look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from gateway.errors import Fault, GatewayError
from gateway.identifiers import HsaId

REFUSED = Fault(
    "access.refused",
    "Behörigheten räcker inte för detta ({right}).",
    "The authorization does not cover this ({right}).",
)


class AccessRefusedError(GatewayError):
    """Somebody may not do what they ask for. Trying again will not help."""

    exit_code: ClassVar[int] = 5


class Right(StrEnum):
    """Something that not everybody may do."""

    SEE_LEDGER = "see-ledger"
    """See what was sent and received and how far it got; no person is shown."""
    SEE_CONTENT = "see-content"
    """Read what a message or an event says about a person."""
    RESEND = "resend"
    DISCARD = "discard"
    ACKNOWLEDGE = "acknowledge"
    PAUSE = "pause"
    """Let an adapter rest, and work again."""
    LETTERS = "letters"
    """State what became of a letter."""
    REVIEW = "review"
    """Let a case go on that was frozen."""
    ADMINISTER_TOKENS = "administer-tokens"
    ADMINISTER_ADAPTERS = "administer-adapters"
    READ_AUDIT = "read-audit"


class Role(StrEnum):
    """What somebody is to the gateway."""

    READER = "reader"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.READER: frozenset({Right.SEE_LEDGER}),
    Role.OPERATOR: frozenset(
        {
            Right.SEE_LEDGER,
            Right.SEE_CONTENT,
            Right.RESEND,
            Right.DISCARD,
            Right.ACKNOWLEDGE,
            Right.PAUSE,
            Right.LETTERS,
            Right.REVIEW,
        }
    ),
    Role.ADMINISTRATOR: frozenset({Right.SEE_LEDGER, Right.ADMINISTER_TOKENS, Right.ADMINISTER_ADAPTERS}),
    Role.AUDITOR: frozenset({Right.SEE_LEDGER, Right.READ_AUDIT}),
}
"""The rights of each role; there are no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever acts: a person, known by their HSA-id, or a program, known by the name of its token.

    ``units`` are the HSA-ids of the units whose messages they see, ``None`` for all units of the party; ``assignment``
    is the uppdrag they act in, where it is known.
    """

    name: str
    role: Role
    units: frozenset[str] | None = None
    assignment: str | None = None

    @classmethod
    def at_the_machine(cls, by: str, right: Right) -> Actor:
        """Return who says they are ``by`` on the command line, in the role that has ``right``.

        There the operating system says who may run commands over the database, and all units are theirs. Raises
        :class:`~gateway.identifiers.InvalidHsaIdError`.
        """
        return cls(name=HsaId.parse(by).value, role=next(role for role in Role if right in RIGHTS[role]))

    @property
    def only_unit(self) -> str | None:
        """The unit (HSA-id) that the actor acts for, when it can be no other."""
        return next(iter(self.units)) if self.units is not None and len(self.units) == 1 else None

    def may(self, right: Right) -> bool:
        """Tell whether the role has a right."""
        return right in RIGHTS[self.role]

    def sees(self, unit: str | None) -> bool:
        """Tell whether what a unit (HSA-id) sends and receives is for the actor to see.

        What is no single unit's, such as an adapter or an event that was refused, is for those who see all units.
        """
        return self.units is None or unit in self.units

    def check(self, right: Right) -> None:
        """Return when the actor has ``right``, for whichever units.

        Raises:
            AccessRefusedError: ``access.refused``.
        """
        if not self.may(right):
            raise AccessRefusedError(REFUSED.at(right=right.value))

    def check_for(self, right: Right, unit: str | None) -> None:
        """Return when the actor has ``right`` over what is a unit's (HSA-id), or no single unit's.

        Raises:
            AccessRefusedError: ``access.refused``, the same for a right that is missing and a unit that is not theirs.
        """
        if not self.may(right) or not self.sees(unit):
            raise AccessRefusedError(REFUSED.at(right=right.value))
