"""Kinds of values in HL7 v2 fields, and how each is told to the reader of events (:mod:`gateway.adapters.reading`).

A kind turns the data type of a field (HL7 v2.5 chapter 2A) into a member in the form of the journal's events. What it
cannot make sense of it refuses, with the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import hl7

from gateway.adapters.hl7_places import Found
from gateway.adapters.journal_coding import HSA, CodeList
from gateway.clock import in_zone, local_date
from gateway.errors import Fault, InvalidDocumentError
from gateway.identifiers import HSA_ID_OIDS, HsaId, PersonIdKind
from gateway.messages.binding import NOT_ALLOWED

TIME: Final = Fault(
    "hl7.time",
    "Värdet är ingen tidpunkt på minuten när (ÅÅÅÅMMDDTTMM[SS][+/-ZZZZ]).",
    "The value is no point in time to the minute (YYYYMMDDHHMM[SS][+/-ZZZZ]).",
)
DAY: Final = Fault("hl7.day", "Värdet är ingen dag (ÅÅÅÅMMDD).", "The value is no day (YYYYMMDD).")
UNESCAPED: Final = Fault(
    "hl7.unescaped-delimiter",
    "Texten har en avgränsare som inte är skriven som escapesekvens; resten av texten går inte att skilja ut.",
    "The text has a delimiter that is not written as an escape; the rest of the text cannot be told apart.",
)
UNIT: Final = Fault(
    "hl7.unit-unknown",
    "Platsen är varken ett HSA-id eller en av de koder som kopplats till en enhet.",
    "The location is neither an HSA-id nor one of the codes that are mapped to a unit.",
)

SKIPPED: Final = object()
"""What a kind returns for a value that is about something else, such as a hospital's own number of a patient."""

_TIME = re.compile(
    r"[12][0-9]{3}(0[1-9]|1[0-2])[0-3][0-9][0-2][0-9][0-5][0-9]([0-5][0-9](\.[0-9]{1,4})?)?([+-][0-9]{4})?"
)
_DAY = re.compile(r"[12][0-9]{3}(0[1-9]|1[0-2])[0-3][0-9]")
_ADDRESS_TYPES: Final = ("L", "P", "H", None)
"""Types of an address (HL7 table 0190) that may be the registered one: legal, permanent, home, or not told."""
_PERSON_SYSTEMS: Final = frozenset(kind.oid for kind in PersonIdKind)
_LMA: Final = PersonIdKind.LMA_NUMMER.oid


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a sender calls things, where it does not tell HSA-ids and OIDs themselves.

    ``units`` are its codes of locations, for HSA-ids; ``authorities`` its names of who numbers persons, for OIDs.
    """

    units: Mapping[str, str]
    authorities: Mapping[str, str]


Kind = Callable[[Found, Names], Any]
"""Turns a value into a member. Raises :class:`InvalidDocumentError` with the place of what is wrong."""


def word(found: Found, _: Names) -> str | None:
    """Read an id or a code (ST, ID, IS, EI): the one part."""
    return found.part()


def text(found: Found, _: Names) -> str | None:
    """Read free text (ST, TX, FT): all of it, so that a delimiter in it is refused, and cuts nothing off."""
    if found.has_parts:
        raise InvalidDocumentError(UNESCAPED.at(found.here))
    return found.part()


def _time_of(found: Found) -> datetime:
    """Read a time (TS, DTM) with an offset; one without is Swedish time, and one without minutes is none."""
    written = found.part() or ""
    try:
        moment = hl7.parse_datetime(written) if _TIME.fullmatch(written) else None
        if moment is None:
            raise ValueError
        moment = in_zone(moment)
        moment.astimezone()  # an offset of a day or more, or a year that the offset leaves, is no time
    except (ValueError, OverflowError):
        raise InvalidDocumentError(TIME.at(found.here)) from None
    return moment


def moment(found: Found, _: Names) -> str:
    """Read a point in time (TS, DTM)."""
    return _time_of(found).isoformat()


def day(found: Found, _: Names) -> str:
    """Read a day (TS, DTM, DT); of a point in time the day in Sweden."""
    written = found.part() or ""
    if len(written) > 8 and _TIME.fullmatch(written):
        return local_date(_time_of(found)).isoformat()
    try:
        if _DAY.fullmatch(written):
            return datetime(int(written[:4]), int(written[4:6]), int(written[6:])).date().isoformat()  # noqa: DTZ001 – a day
    except ValueError:
        pass
    raise InvalidDocumentError(DAY.at(found.here))


def yes_no(found: Found, _: Names) -> bool:
    """Read yes or no (HL7 table 0136)."""
    return bool(_meaning({"Y": True, "N": False}, found))


@dataclass(frozen=True, slots=True)
class Coded:
    """The kind of a code (CE, CWE, IS): ``known`` are those that are understood, and each a code of the journal's."""

    system: str
    known: Mapping[str, str]

    def __call__(self, found: Found, _: Names) -> dict[str, str]:
        """Read it."""
        return {"system": self.system, "code": _meaning(self.known, found)}


def coded(codes: CodeList[Any], meanings: Mapping[str, str] | None = None) -> Coded:
    """Return the kind of a code: one of ``codes`` itself, or one that ``meanings`` translates to one."""
    known = meanings if meanings is not None else {code: code for code in codes}
    unknown = set(known.values()) - set(codes)
    if unknown:
        raise ValueError(f"{codes.system}: {sorted(unknown)}")
    return Coded(codes.system, known)


def _meaning(codes: Mapping[str, Any], found: Found) -> Any:
    written = found.part() or ""
    if written not in codes:
        raise InvalidDocumentError(NOT_ALLOWED.at(found.here, allowed=", ".join(codes)))
    return codes[written]


def unit(found: Found, names: Names) -> dict[str, Any]:
    """Read a unit from a location (PL), a resource (CE) or a text: an HSA-id, or a code that is mapped to one.

    A location may tell its HSA-id in PL.10, with the OID; else it is the point of care in PL.1.
    """
    written = found.part()
    if found.component is None and found.part(10, 3) in HSA_ID_OIDS:
        written = found.part(10)
    hsa_id = names.units.get(written or "", written or "")
    try:
        return {"identifier": {"system": HSA, "value": HsaId.parse(hsa_id).value}}
    except InvalidDocumentError:
        raise InvalidDocumentError(UNIT.at(found.here)) from None


def staff_name(found: Found, _: Names) -> str | None:
    """Read the name of a member of staff (XCN): given name and family name."""
    return _full_name(found.part(3), found.part(2))


def staff_id(found: Found, _: Names) -> object:
    """Read the HSA-id of a member of staff (XCN.1), where XCN.9 says that it is one; else it is an id of its own."""
    if found.part(9, 2) not in HSA_ID_OIDS:
        return SKIPPED
    return {"system": HSA, "value": found.part(1)}


def phone(found: Found, _: Names) -> str | None:
    """Read a telephone number (XTN), as it is written: in XTN.1, or unformatted in XTN.12."""
    return found.part(1) or found.part(12)


def person_name(found: Found, _: Names) -> str | None:
    """Read the name of a person (XPN): given name and family name."""
    return _full_name(found.part(2), found.part(1))


def _full_name(given: str | None, family: str | None) -> str | None:
    return " ".join(name for name in (given, family) if name) or None


def person_number(found: Found, names: Names) -> object:
    """Read a number of a person (CX), whose OID stands in CX.4, or is what CX.4 is mapped to; skip other numbers."""
    oid = found.part(4, 2) or names.authorities.get(found.part(4) or "")
    if oid not in _PERSON_SYSTEMS:
        return SKIPPED
    return {"system": oid if oid == _LMA else f"urn:oid:{oid}", "value": found.part() or ""}


def registered_address(found: Found, _: Names) -> object:
    """Read an address (XAD) that may be the registered one, on one line; one of another type is skipped."""
    if found.part(7) not in _ADDRESS_TYPES:
        return SKIPPED
    place = " ".join(part for part in (found.part(5), found.part(3)) if part)
    return ", ".join(part for part in (found.part(1), found.part(2), place) if part) or None


def fixed(value: Any) -> Kind:
    """Return the kind that is ``value`` whatever stands there."""
    return lambda _, __: value
