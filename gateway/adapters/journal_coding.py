"""How the regional journal says what something is: coded values (``system`` and ``code``) and identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from gateway.adapters.kinds import Kind, addressee, one_of, party, staff_id, unit, word_for
from gateway.adapters.outline import SYSTEMS, Outline, all_of, outline_of, outlined
from gateway.adapters.reading import Reader
from gateway.adapters.shape import required, within
from gateway.identifiers import HSA_ID_OID

T = TypeVar("T")

HSA: Final = f"urn:oid:{HSA_ID_OID}"
"""The ``system`` of an HSA-id."""
PARTY: Final = "urn:journal:parties"
"""The ``system`` of the name of a party on the exchange."""


class CodeList(dict[str, T]):
    """The codes of one list and their meanings; :attr:`system` names the list."""

    def __init__(self, name: str, codes: Mapping[str, T]) -> None:
        super().__init__(codes)
        self.name = name
        self.system = f"urn:journal:codes:{name}"
        self._system = one_of({self.system: self.system})
        self._code = one_of(self)

    def __call__(self, reader: Reader, name: str) -> T:
        """Read a coded value: an object with the ``system`` of this list and a ``code`` in it."""
        coded = reader.inside(name)
        self._system(coded, "system")
        return self._code(coded, "code")

    def outline(self) -> Outline:
        """Return what stands in a coded value."""
        code = replace(outline_of(self._code), list_name=self.name)
        return Outline(codes={self.system: self.name}, list_name=SYSTEMS).inside("system") | code.inside("code")

    def written(self, meaning: T) -> dict[str, str]:
        """Return the coded value that means ``meaning``."""
        return {"system": self.system, "code": word_for(self, meaning)}


def _identifier(kinds: Mapping[str, Kind[str]]) -> Kind[str]:
    """Return the kind of an identifier: its ``system`` tells how its ``value`` is read."""
    kind_by = one_of(kinds)

    def read(reader: Reader, name: str) -> str:
        identifier = reader.inside(name)
        return kind_by(identifier, "system")(identifier, "value")

    systems = Outline(codes={system: system for system in kinds}, list_name=SYSTEMS)
    return outlined(read, lambda: systems.inside("system") | all_of(*kinds.values()).inside("value"))


_ACTING = _identifier({HSA: unit})
_NAMED = _identifier({HSA: addressee})
_NAMED_OR_PARTY = _identifier({HSA: addressee, PARTY: party})
practitioner_id: Final = _identifier({HSA: staff_id})
"""An identifier that is the HSA-id of a member of staff."""


organization: Final = within(required("identifier", _NAMED))
"""An organization: the HSA-id, in its identifier, of a unit that is valid on the day of the event."""
acting_organization: Final = within(required("identifier", _ACTING))
"""An organization that acts, and therefore has an inbox for the answers."""
organization_or_party: Final = within(required("identifier", _NAMED_OR_PARTY))
"""An organization whose identifier is the HSA-id of a unit, or the name of a party."""


def written_organization(hsa_id: str) -> dict[str, Any]:
    """Return the organization with ``hsa_id``."""
    return {"identifier": {"system": HSA, "value": hsa_id}}
