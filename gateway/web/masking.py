"""Masks: a person's number and name are not shown until somebody has said why they need to see them. Pure.

Who has a protected identity is never shown in a list, whatever somebody has been let see elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.identifiers import InvalidPersonIdError
from gateway.messages import Person, ProtectedLevel

MASK: Final = "••••••"
"""Stands in place of what is not shown. It is always as long, so that it tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShown:
    """Whom something is about, as far as it may be shown. ``number`` and ``name`` are ``None`` behind a mask.

    ``is_known`` is false where a message names no person, as an acknowledgement.
    """

    number: str | None = None
    name: str | None = None
    is_protected: bool = False
    is_known: bool = True

    @property
    def is_masked(self) -> bool:
        """Whether there is a person who is not shown."""
        return self.is_known and self.name is None


def in_list(person: Person | None, *, is_shown: bool, is_protected: bool = False) -> PersonShown:
    """Return a person as they stand in a list. ``is_protected`` tells what the message itself may not: their case does.

    ``is_shown`` tells that somebody has been let see them.
    """
    return _shown(person, is_shown, is_protected, may_be_protected=False)


def in_full(person: Person | None, *, is_shown: bool, is_protected: bool = False) -> PersonShown:
    """Return a person as they stand beside the one message or case that is looked at; see :func:`in_list`.

    There whoever has a protected identity is shown too, to somebody who was let see them.
    """
    return _shown(person, is_shown, is_protected, may_be_protected=True)


def is_protected(person: Person | None) -> bool:
    """Tell whether a message says that the identity of its person is protected, of any grade."""
    return person is not None and person.protected_level is not ProtectedLevel.NONE


def number_of(person: Person) -> str:
    """Return the number in use as staff read it; one that is of no series, as it stands."""
    try:
        return person.person_id.display()
    except InvalidPersonIdError:
        return person.identifiers[0].extension


def _shown(person: Person | None, is_shown: bool, protected: bool, *, may_be_protected: bool) -> PersonShown:
    protected = protected or is_protected(person)
    if person is None:
        return PersonShown(is_protected=protected, is_known=False)
    if not is_shown or (protected and not may_be_protected):
        return PersonShown(is_protected=protected)
    return PersonShown(number=number_of(person), name=person.name, is_protected=protected)
