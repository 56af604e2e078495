"""Claims: what an identity provider says of somebody, and who that is to the gateway.

A person is known by the HSA-id in the claim that the settings name; whoever has none is a program, known by what it is
called at the provider. Somebody with several of the values in ``oidc_roles`` has the role of the first that the
settings list. Only units of the own party are seen by anybody: those of others also stand in the ledger.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from gateway.access import AccessRefusedError, Actor, Role
from gateway.by_hand import holds_person_number
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import Fault
from gateway.identifiers import HsaId, InvalidHsaIdError
from gateway.web.oidc_rules import roles_of

NO_NAME = Fault(
    "login.no-name",
    "Inloggningstjänsten säger inte vem du är: {claim} saknas eller är inget HSA-id.",
    "The identity provider does not say who you are: {claim} is missing or is no HSA-id.",
)
NO_ROLE = Fault(
    "login.no-role",
    "Du har ingen behörighet till gatewayen; be den som delar ut behörigheter (oidc_roles).",
    "You have no authorization for the gateway; ask whoever hands them out (oidc_roles).",
)
NO_UNIT = Fault(
    "login.no-unit",
    "Du har inget uppdrag på någon av partens enheter ({claim}).",
    "You have no assignment at any unit of the party ({claim}).",
)

PROGRAM: Final = "oidc:"
"""What the name of a program begins with that shows a token of the provider: no HSA-id and no own token does."""

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST = 26  # behind what it begins with, a name is then no longer than an HSA-id


@dataclass(frozen=True, slots=True)
class Claims:
    """Reads claims for one gateway: the names they have, the roles they give, and which units are its own."""

    settings: Settings
    roles: Mapping[str, tuple[Role, bool]]
    units: frozenset[str]

    @classmethod
    def read_by(cls, settings: Settings, directory: Directory) -> Self:
        """Return what reads claims as the settings say. Raises :class:`~gateway.errors.ConfigurationError`."""
        own = frozenset(hsa_id for hsa_id, unit in directory.units.items() if unit.party == settings.party)
        return cls(settings, roles_of(settings), own)

    def has_all(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether everything is there that could be asked for elsewhere."""
        asked = (self.settings.oidc_name_claim, self.settings.oidc_role_claim, self.settings.oidc_units_claim)
        return all(_found(claims, name) is not None for name in asked)

    def name_of_person(self, claims: Mapping[str, Any]) -> str:
        """Return the HSA-id of a person. Raises :class:`AccessRefusedError`, ``login.no-name``."""
        name = self._hsa_id(claims, self.settings.oidc_name_claim)
        if name is None:
            raise AccessRefusedError(NO_NAME.at(claim=self.settings.oidc_name_claim))
        return name

    def name_of_any(self, claims: Mapping[str, Any]) -> str:
        """Return the HSA-id of a person, or what a program is called, cut short where it is long.

        Raises:
            AccessRefusedError: ``login.no-name``.
        """
        if _found(claims, self.settings.oidc_name_claim) is not None:
            return self.name_of_person(claims)
        said = next((claims[name] for name in ("client_id", "azp", "sub") if name in claims), None)
        if not isinstance(said, str) or _CLIENT.fullmatch(said) is None or holds_person_number(said):
            raise AccessRefusedError(NO_NAME.at(claim="client_id"))
        if len(said) > _LONGEST:
            said = f"{said[: _LONGEST - 9]}~{hashlib.sha256(said.encode('ascii')).hexdigest()[:8]}"
        return PROGRAM + said

    def actor_of(self, name: str, claims: Mapping[str, Any]) -> Actor:
        """Return who ``name`` is to the gateway.

        Raises:
            AccessRefusedError: ``login.no-role``, ``login.no-unit``.
        """
        held = set(_texts(claims, self.settings.oidc_role_claim))
        role, sees_all = next((found for value, found in self.roles.items() if value in held), (None, False))
        if role is None:
            raise AccessRefusedError(NO_ROLE.at())
        claim = self.settings.oidc_units_claim
        units = None if sees_all else self.units & {text.strip() for text in _texts(claims, claim)}
        if units is not None and not units:
            raise AccessRefusedError(NO_UNIT.at(claim=claim))
        assignment = self._hsa_id(claims, self.settings.oidc_assignment_claim)
        return Actor(name=name, role=role, units=units, assignment=assignment)

    def _hsa_id(self, claims: Mapping[str, Any], name: str) -> str | None:
        texts = _texts(claims, name)
        try:
            return HsaId.parse(texts[0]).value if len(texts) == 1 else None
        except InvalidHsaIdError:
            return None


def _found(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, which may hold dots itself, or else by a path; ``None`` where there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    found = _found(claims, name)
    values = found if isinstance(found, list) else [found]
    return [value for value in values if isinstance(value, str)]
