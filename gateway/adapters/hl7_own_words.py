"""What is particular to one sender of HL7 v2, from the settings: its codes, its locations, and its own places.

``codes`` are named by the place they stand in (``PV1-36``, ``OBX(CARE-NEED)-5``), or are ``units`` and ``authorities``;
``fields`` name a member of the tables and the place it is read from instead (``"discharge.transport" = "ZPV-4"``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from gateway.adapters.hl7_kinds import Coded, yes_no
from gateway.adapters.hl7_mapping import TRIGGERS, Hl7Mapping, Step, Trigger
from gateway.adapters.hl7_places import Place
from gateway.adapters.hl7_rows import EachSegment, Every, Fixed, Lines, One, Row, Rows
from gateway.adapters.words import MEANS_NOTHING, NO_PLACE, Codes, Fields, MappingTable, unknown_name
from gateway.errors import ConfigurationError, Finding
from gateway.identifiers import PersonIdKind, is_hsa_id

UNITS: Final = "units"
"""The list of the sender's locations: each code, and the HSA-id it stands for."""
AUTHORITIES: Final = "authorities"
"""The list of what the sender calls those who number persons: each, and the OID of its numbers."""
_NAMED: Final = {UNITS: "HSA-ids", AUTHORITIES: "OIDs"}
_YES_NO: Final = {"Y": "yes", "N": "no"}


def own_mapping(codes: Codes, fields: Fields) -> Hl7Mapping:
    """Return the mapping of a sender.

    Raises:
        ConfigurationError: with every list, code, member and place that does not exist.
    """
    findings = [*_of_codes(codes), *_of_fields(fields)]
    if findings:
        raise ConfigurationError(findings)
    places = members()
    moved = {place: there for path, there in fields.items() for place in places[path]}
    return Hl7Mapping(
        triggers={name: _moved(trigger, fields) for name, trigger in TRIGGERS.items()},
        units=codes.get(UNITS, {}),
        authorities=codes.get(AUTHORITIES, {}),
        codes={moved.get(name, name): words for name, words in codes.items() if name not in (UNITS, AUTHORITIES)},
    )


def lists() -> dict[str, dict[str, str]]:
    """Return every place with a code of a list, and the codes that are understood there, each with what it means."""
    found: dict[str, dict[str, str]] = {}
    for row in _rows():
        if isinstance(row, One | Every):
            known = row.kind.known if isinstance(row.kind, Coded) else _YES_NO if row.kind is yes_no else {}
            for place in _places(row) if known else ():
                found.setdefault(place, {}).update(known)
    for trigger in TRIGGERS.values():
        for place, codes in ((place, codes) for step in trigger.steps for place, codes in step.said.items()):
            others = codes if place in found else _YES_NO
            there = found.setdefault(place, {})
            there.update({code: code for code in others if code not in there})
    return dict(sorted(found.items()))


def members() -> dict[str, tuple[str, ...]]:
    """Return every member that is read from a place, and the places, of which the first with a value counts."""
    found: dict[str, dict[str, None]] = {}
    for trigger in TRIGGERS.values():
        for step in trigger.steps:
            for path, row in step.rows.items():
                if not isinstance(row, Fixed | EachSegment):
                    found.setdefault(path, {}).update(dict.fromkeys(_places(row)))
    return {path: tuple(places) for path, places in sorted(found.items())}


def table_of(codes: Codes, fields: Fields) -> MappingTable:
    """Return the table that is in force for a sender with ``codes`` and ``fields`` of its own, which come first."""
    known = lists()
    shown = {name: dict(words) for name, words in codes.items()}
    shown |= {name: {code: code for code in means} for name, means in known.items() if name not in codes}
    places = {path: places for path, places in members().items() if path not in fields}
    notes = {f"codes.{name}": kinds for name, kinds in _NAMED.items() if name not in codes}
    notes |= {f"fields.{path}": ", or else ".join(there) for path, there in places.items() if len(there) > 1}
    return MappingTable(
        codes=shown,
        fields=dict(fields) | {path: there[0] for path, there in places.items() if len(there) == 1},
        meanings={
            name: {own: known.get(name, {}).get(ours, ours) for own, ours in words.items()}
            for name, words in shown.items()
        },
        notes=notes,
    )


def _of_codes(codes: Codes) -> Iterator[Finding]:
    known = lists()
    for name, words in codes.items():
        if name == UNITS:
            yield from (MEANS_NOTHING.at(list=name, meaning=to) for to in words.values() if not is_hsa_id(to))
        elif name == AUTHORITIES:
            oids = {kind.oid for kind in PersonIdKind}
            yield from (MEANS_NOTHING.at(list=name, meaning=to) for to in words.values() if to not in oids)
        elif name in known:
            yield from (MEANS_NOTHING.at(list=name, meaning=to) for to in words.values() if to not in known[name])
        else:
            yield unknown_name("codes", name, (UNITS, AUTHORITIES, *known))


def _of_fields(fields: Fields) -> Iterator[Finding]:
    known = members()
    for path, place in fields.items():
        if path not in known:
            yield unknown_name("fields", path, known)
        try:
            Place.of(place)
        except ValueError:
            yield NO_PLACE.at(member=path)


def _rows() -> Iterator[Row]:
    for trigger in TRIGGERS.values():
        for step in trigger.steps:
            yield from _all(step.rows)


def _all(rows: Rows) -> Iterator[Row]:
    for row in rows.values():
        yield row
        if isinstance(row, EachSegment):
            for table in row.tables.values():
                yield from _all(table)


def _places(row: Row) -> tuple[str, ...]:
    return row.places if isinstance(row, One) else (row.place,) if isinstance(row, Every | Lines) else ()


def _moved(trigger: Trigger, fields: Fields) -> Trigger:
    """Return ``trigger`` with what ``fields`` name read elsewhere, and whatever depends on it too."""
    moved = {
        place: fields[path]
        for step in trigger.steps
        for path, row in step.rows.items()
        if path in fields
        for place in _places(row)
    }
    return replace(
        trigger,
        steps=tuple(_step_moved(step, fields, moved) for step in trigger.steps),
        needs=tuple(moved.get(place, place) for place in trigger.needs),
    )


def _step_moved(step: Step, fields: Fields, moved: Mapping[str, str]) -> Step:
    return replace(
        step,
        rows={path: _row_at(row, fields[path]) if path in fields else row for path, row in step.rows.items()},
        given=tuple(moved.get(place, place) for place in step.given),
        said={moved.get(place, place): codes for place, codes in step.said.items()},
    )


def _row_at(row: Row, place: str) -> Row:
    match row:
        case One():
            return replace(row, places=(place,))
        case Every() | Lines():
            return replace(row, place=place)
        case _:
            return row
