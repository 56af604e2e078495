"""How the gateway writes parts of FHIR resources: references, codes, times, and the entries of a transaction.

What is written follows from the message alone: the same message gives the same bytes, and every resource an identifier
of its own by which a server sees that it has it already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from gateway.adapters.fhir_identifiers import CASE_SYSTEM, ENTRY_SYSTEM, MESSAGE_SYSTEM, hsa
from gateway.clock import STOCKHOLM
from gateway.messages import User

_ENTRIES: Final = UUID("1d9f5f0e-6a0b-5c3e-8a51-6b7f2f0c9a44")
"""Namespace of the ids of what is written: the same message for the same unit gives the same ids."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource to be created, unless the server has it: ``known_by`` is the identifier that tells."""

    resource: Json
    key: str
    known_by: Mapping[str, str]

    @property
    def full_url(self) -> str:
        """What the other resources of the transaction call it."""
        return f"urn:uuid:{self.key}"

    @property
    def reference(self) -> Json:
        """A Reference to it."""
        return {"reference": self.full_url}

    def written(self) -> Json:
        """Return the entry of a transaction that creates the resource once."""
        kind = self.resource["resourceType"]
        return {
            "fullUrl": self.full_url,
            "resource": self.resource,
            "request": {
                "method": "POST",
                "url": kind,
                "ifNoneExist": f"identifier={_escaped(self.known_by['system'])}|{_escaped(self.known_by['value'])}",
            },
        }


def _escaped(text: str) -> str:
    """Return ``text`` for a search parameter in a URL (FHIR search, and RFC 3986 for the signs that end a value)."""
    for sign, code in (
        ("%", "%25"),
        ("\\", "%5C%5C"),
        ("|", "%5C%7C"),
        (",", "%5C,"),
        ("$", "%5C$"),
        ("&", "%26"),
        ("+", "%2B"),
        ("#", "%23"),
        (" ", "%20"),
    ):
        text = text.replace(sign, code)
    return text


def key_of(*parts: str) -> str:
    """Return the id (a UUID) of what ``parts`` name."""
    return str(uuid5(_ENTRIES, json.dumps(parts)))


def entry(kind: str, key: str, members: Mapping[str, Any], *, identifiers: Sequence[Json] = ()) -> Entry:
    """Return the entry of a resource of a ``kind``; members that are ``None`` or empty lists are left out."""
    known_by = {"system": ENTRY_SYSTEM, "value": key}
    resource: Json = {"resourceType": kind, "identifier": [known_by, *identifiers]}
    resource.update((name, value) for name, value in members.items() if value is not None and value != [])
    return Entry(resource, key, known_by)


def transaction(key: str, at: datetime, entries: Sequence[Entry]) -> Json:
    """Return a transaction Bundle of ``entries``."""
    return {
        "resourceType": "Bundle",
        "identifier": {"system": ENTRY_SYSTEM, "value": key},
        "type": "transaction",
        "timestamp": time(at),
        "entry": [one.written() for one in entries],
    }


def as_bytes(resource: Json) -> bytes:
    """Return a resource as JSON, the same bytes each time."""
    # A lone surrogate has no form in UTF-8: it stays the escape that it came as.
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode(
        "utf-8", "backslashreplace"
    )


def time(at: datetime) -> str:
    """Return a point in time, with its offset and, as FHIR wants it, with seconds."""
    return at.astimezone(STOCKHOLM).isoformat()


def maybe_time(at: datetime | None) -> str | None:
    """Return a point in time where there is one."""
    return time(at) if at is not None else None


def period(start: datetime, end: datetime) -> Json:
    """Return a Period."""
    return {"start": time(start), "end": time(end)}


def concept(system: str, code: str, text: str | None = None) -> Json:
    """Return a CodeableConcept of one code."""
    written: Json = {"coding": [{"system": system, "code": code}]}
    return written | ({"text": text} if text is not None else {})


def unit(hsa_id: str) -> Json:
    """Return a Reference to a unit, by its HSA-id."""
    return {"type": "Organization", "identifier": hsa(hsa_id)}


def maybe_unit(hsa_id: str | None) -> Json | None:
    """Return a Reference to a unit where there is one."""
    return unit(hsa_id) if hsa_id is not None else None


def staff(user: User) -> Json:
    """Return a Reference to a member of staff: name, and HSA-id where it is known; never a telephone number."""
    known = {"identifier": hsa(user.hsa_id)} if user.hsa_id is not None else {}
    return {"type": "Practitioner", **known, "display": user.name}


def message(message_id: str) -> Json:
    """Return the identifier of a message."""
    return {"system": MESSAGE_SYSTEM, "value": message_id}


def case(case_number: str) -> Json:
    """Return the identifier of a case."""
    return {"system": CASE_SYSTEM, "value": case_number}
