"""Places in HL7 v2 messages, as tables name them, and what stands there.

A place is ``PV1-44``, ``PID-11.5`` or ``PID-3.4.2``. Of segments that repeat and say themselves what they are about,
``OBX(CARE-NEED)-5`` picks those that are about it: by the code in OBX-3, ROL-3 or AIP-4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from gateway.adapters.hl7_message import Hl7Message, Repetition, Segment, part_of
from gateway.errors import InvalidDocumentError
from gateway.messages.binding import NOT_ALLOWED

SAYS_WHAT: Final[dict[str, int]] = {"OBX": 3, "ROL": 3, "AIP": 4}
"""The field in which a segment of a name says what it is about."""

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\(([A-Za-z0-9-]+)\))?-([0-9]{1,2})(?:\.([0-9]{1,2})(?:\.([0-9]{1,2}))?)?")


@dataclass(frozen=True, slots=True)
class Place:
    """A place, parted. ``component`` is ``None`` where the place is the whole field."""

    segment: str
    about: str | None
    field: int
    component: int | None
    subcomponent: int

    @classmethod
    @lru_cache(maxsize=1024)  # the places of the tables, again for every message
    def of(cls, written: str) -> Place:
        """Return the place that is ``written``. Raises :class:`ValueError` for what is none: a slip in a table."""
        found = _PLACE.fullmatch(written)
        if found is None:
            raise ValueError(f"{written} is no place in an HL7 message")
        segment, about, number, component, subcomponent = found.groups()
        return cls(segment, about, int(number), int(component) if component else None, int(subcomponent or 1))


@dataclass(frozen=True, slots=True)
class Found:
    """One value of a field, and the place where it stands."""

    repetition: Repetition
    place: str
    component: int | None
    subcomponent: int
    words: Mapping[str, str] | None = None
    """The sender's own codes there, where it has some."""

    def part(self, component: int | None = None, subcomponent: int | None = None) -> str | None:
        """Return a part of the value: the one its place names, or the first, unless told otherwise.

        Raises:
            InvalidDocumentError: it is none of the sender's own codes, where it has some there.
        """
        if component is None:
            return self._in_our_words(part_of(self.repetition, self.component or 1, self.subcomponent))
        return part_of(self.repetition, component, subcomponent or 1)

    def _in_our_words(self, written: str | None) -> str | None:
        if self.words is None or written is None:
            return written
        if written not in self.words:
            raise InvalidDocumentError(NOT_ALLOWED.at(self.here, allowed=", ".join(self.words)))
        return self.words[written]

    def at(self, component: int, subcomponent: int | None = None) -> str:
        """Return the place of a part of the value."""
        return f"{self.place}.{component}" + (f".{subcomponent}" if subcomponent else "")

    @property
    def here(self) -> str:
        """The place of the part that its place names."""
        return self.place if self.component is None else self.at(self.component)

    @property
    def has_parts(self) -> bool:
        """Whether there is more than one part, which a text has only when its delimiters are not escaped."""
        parts = self.repetition[self.component - 1 :][:1] if self.component else self.repetition
        return len(parts) > 1 or any(len(one) > 1 for one in parts)


def segments_of(message: Hl7Message, place: Place, group: Segment | None = None) -> Iterator[Segment]:
    """Yield the segments that ``place`` is in: the ``group`` or its notes, where they are, or of the whole message."""
    if group is not None and place.segment == group.name:
        yield group
        return
    among = group.notes if group is not None and place.segment == "NTE" else message.named(place.segment)
    for segment in among:
        if place.about is None or segment.value(SAYS_WHAT[place.segment]) == place.about:
            yield segment


def values_at(message: Hl7Message, written: str, group: Segment | None = None) -> Iterator[Found]:
    """Yield the values at a place: each repetition in each of its segments, none of them empty."""
    place = Place.of(written)
    for segment in segments_of(message, place, group):
        for number, repetition in enumerate(segment.repetitions(place.field), 1):
            at = f"{segment.place}-{place.field}" + (f"[{number}]" if number > 1 else "")
            found = Found(repetition, at, place.component, place.subcomponent, message.words.get(written))
            if place.component is None or part_of(repetition, place.component, place.subcomponent) is not None:
                yield found


def said_at(message: Hl7Message, written: str) -> frozenset[str]:
    """Return the codes that stand at a place: the first part of each value, or the part that the place names."""
    return frozenset(part for found in values_at(message, written) if (part := found.part()) is not None)
