"""How the regional journal says what something is: coded values (``system`` and ``code``) and identifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from gateway.adapters.kinds import Kind, addressee, one_of, party, staff_id, unit, word_for
from gateway.adapters.reading import Reader
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
        self.system = f"urn:journal:codes:{name}"

    def __call__(self, reader: Reader, name: str) -> T:
        """Read a coded value: an object with the ``system`` of this list and a ``code`` in it."""
        coded = reader.inside(name)
        one_of({self.system: self.system})(coded, "system")
        return one_of(self)(coded, "code")

    def written(self, meaning: T) -> dict[str, str]:
        """Return the coded value that means ``meaning``."""
        return {"system": self.system, "code": word_for(self, meaning)}


def organization(reader: Reader, name: str) -> str:
    """Read an organization: the HSA-id, in its identifier, of a unit that is valid on the day of the event."""
    return _identifier({HSA: addressee})(reader.inside(name), "identifier")


def acting_organization(reader: Reader, name: str) -> str:
    """Read an organization that acts, and therefore has an inbox for the answers."""
    return _identifier({HSA: unit})(reader.inside(name), "identifier")


def organization_or_party(reader: Reader, name: str) -> str:
    """Read an organization whose identifier is the HSA-id of a unit, or the name of a party."""
    return _identifier({HSA: addressee, PARTY: party})(reader.inside(name), "identifier")


def practitioner_id(reader: Reader, name: str) -> str:
    """Read an identifier that is the HSA-id of a member of staff."""
    return _identifier({HSA: staff_id})(reader, name)


def _identifier(kinds: Mapping[str, Kind[str]]) -> Kind[str]:
    """Return the kind of an identifier: its ``system`` tells how its ``value`` is read."""

    def read(reader: Reader, name: str) -> str:
        identifier = reader.inside(name)
        return one_of(kinds)(identifier, "system")(identifier, "value")

    return read


def written_organization(hsa_id: str) -> dict[str, Any]:
    """Return the organization with ``hsa_id``."""
    return {"identifier": {"system": HSA, "value": hsa_id}}
