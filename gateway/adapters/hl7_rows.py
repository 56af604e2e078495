"""Rows of the tables: which place feeds which member of an event.

A member is named by its path, ``admission.contact.name``. A row reads the first of its places where a value stands;
where there is none the member is left out, and whoever needs it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.adapters.hl7_kinds import SKIPPED, Kind, Names, text
from gateway.adapters.hl7_message import Hl7Message, Segment
from gateway.adapters.hl7_places import Found, Place, said_at, segments_of, values_at
from gateway.errors import Finding, InvalidDocumentError

_NO: Final = frozenset({"N"})


@dataclass(frozen=True, slots=True)
class One:
    """A member with one value: the first that is not skipped, at the first of ``places`` that has one.

    Where one of ``unless`` says anything but no (N), nothing is read.
    """

    places: tuple[str, ...]
    kind: Kind
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Every:
    """A member that is a list: every value at ``place``."""

    place: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Lines:
    """A member that is one text: every value at ``place``, each a line of it; ``otherwise`` where there is none."""

    place: str
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class EachSegment:
    """A member that is a list: an object for every segment called like one of ``tables``, read by its rows.

    Segments that are about one of ``but`` are not among them.
    """

    tables: Mapping[str, Rows]
    but: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """A member that is the same in every event of its kind."""

    value: Any


Row = One | Every | Lines | EachSegment | Fixed
Rows = Mapping[str, Row]


def one(*places: str, kind: Kind, unless: tuple[str, ...] = ()) -> One:
    """Return the row of a member with one value, at the first of ``places`` that has one."""
    for place in (*places, *unless):
        Place.of(place)
    return One(places, kind, unless)


def every(place: str, kind: Kind) -> Every:
    """Return the row of a member that lists every value at ``place``."""
    Place.of(place)
    return Every(place, kind)


def lines(place: str, *, otherwise: str | None = None) -> Lines:
    """Return the row of a text whose lines are the values at ``place``."""
    Place.of(place)
    return Lines(place, otherwise)


@dataclass(slots=True)
class Filled:
    """An event being filled by rows: its members, from which place each came or would come, and what is wrong."""

    message: Hl7Message
    names: Names
    members: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def fill(self, rows: Rows) -> None:
        """Read ``rows`` into the members."""
        self._fill(rows, self.members, "", None)

    def _fill(self, rows: Rows, members: dict[str, Any], above: str, group: Segment | None) -> None:
        for path, row in rows.items():
            *outer, name = path.split(".")
            inner = members
            pointer = f"{above}/{path.replace('.', '/')}"
            value = self._value(row, pointer, group)
            if outer and group is None:
                members.setdefault(outer[0], {})  # so that each member is missed by itself, and not all of them as one
            if value is not None:
                for step in outer:
                    inner = inner.setdefault(step, {})
                inner[name] = value

    def _value(self, row: Row, pointer: str, group: Segment | None) -> Any:
        match row:
            case Fixed():
                return row.value
            case One():
                return self._one(row, pointer, group)
            case Every():
                return self._every(row, pointer, group)
            case Lines():
                return "\n".join(self._every(Every(row.place, text), pointer, group)) or row.otherwise
            case EachSegment():
                return self._each(row, pointer)

    def _one(self, row: One, pointer: str, group: Segment | None) -> Any:
        self.places[pointer] = _place_in(row.places[0], group)
        if any(said_at(self.message, place) - _NO for place in row.unless):
            return None
        for place in row.places:
            for found in values_at(self.message, place, group):
                value = self._read(row.kind, found)
                if value is not SKIPPED:
                    self.places[pointer] = found.here
                    return value
        return None

    def _every(self, row: Every, pointer: str, group: Segment | None) -> list[Any]:
        self.places[pointer] = _place_in(row.place, group)
        values: list[Any] = []
        for found in values_at(self.message, row.place, group):
            value = self._read(row.kind, found)
            if value is not None and value is not SKIPPED:
                self.places[f"{pointer}/{len(values)}"] = found.here
                values.append(value)
        return values

    def _each(self, row: EachSegment, pointer: str) -> list[Any]:
        self.places[pointer] = next(iter(row.tables))
        items: list[dict[str, Any]] = []
        for segment, rows in self._segments(row):
            item: dict[str, Any] = {}
            at = f"{pointer}/{len(items)}"
            self.places[at] = segment.place
            self._fill(rows, item, at, segment)
            items.append(item)
        return items

    def _segments(self, row: EachSegment) -> Iterator[tuple[Segment, Rows]]:
        """Yield the segments in the order of the message, each with its table."""
        but = {id(one) for about in row.but for one in segments_of(self.message, Place.of(f"{about}-1"))}
        for segment in self.message.segments:
            if segment.name in row.tables and id(segment) not in but:
                yield segment, row.tables[segment.name]

    def _read(self, kind: Kind, found: Found) -> Any:
        try:
            return kind(found, self.names)
        except InvalidDocumentError as error:
            self.findings += error.findings
            return None

    def place_of(self, pointer: str) -> str | None:
        """Return the place that ``pointer`` (a JSON pointer into the members) was read from, or would be."""
        if pointer in self.places:
            return self.places[pointer]
        inside = next((place for at, place in self.places.items() if at.startswith(f"{pointer}/")), None)
        if inside is not None:
            return inside
        above = pointer.rpartition("/")[0]
        return self.place_of(above) if above else None


def _place_in(place: str, group: Segment | None) -> str:
    """Return ``place`` as it is in the ``group``, whose segment may be one of several."""
    if group is None or Place.of(place).segment != group.name:
        return place
    return f"{group.place}-{place.partition('-')[2]}" if "(" not in place else place
