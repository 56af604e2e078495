"""An HL7 v2 message as it is parted: segments, fields, repetitions, components and subcomponents, with their places.

Everything is read at once, escapes undone, so that whoever reads a value meets no fault any more. Places are written
as HL7 people do: ``PID-3.1``, ``PV1-44``, ``OBX[3]-5`` for the third segment of its name, ``PID-3[2].4.2`` for the
second repetition. A finding never repeats what stands there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from gateway.adapters.hl7_text import ESCAPE, NOT_HL7, Delimiters, beginning, text_of
from gateway.errors import Fault, Finding, InvalidDocumentError

TOO_LARGE: Final = Fault(
    "hl7.too-large", "Meddelandet är större än {limit} byte.", "The message is larger than {limit} bytes."
)
TOO_MANY: Final = Fault(
    "hl7.too-many-parts",
    "Meddelandet har fler än {limit} fält och delar av fält.",
    "The message has more than {limit} fields and parts of fields.",
)
FRAME: Final = Fault(
    "hl7.frame",
    "Meddelandet är inte omslutet av VT och FS CR, eller avbrutet av nästa.",
    "The message does not stand between VT and FS CR, or was interrupted by the next.",
)
SEGMENT: Final = Fault(
    "hl7.segment-name",
    "Raden börjar inte med namnet på ett segment: tre tecken, följda av fältavgränsaren.",
    "The line does not begin with the name of a segment: three characters, followed by the field separator.",
)
SEVERAL: Final = Fault(
    "hl7.several-messages",
    "Flera meddelanden i samma block ska stå i en batch (BHS).",
    "Several messages in one block must stand in a batch (BHS).",
)
CONTROL: Final = Fault(
    "hl7.control-character",
    "Fältet har ett styrtecken, som inte får finnas i text.",
    "The field has a control character, which text may not have.",
)

MAX_BYTES: Final = 1024 * 1024
"""The largest message unless told otherwise, 1 MB: ADT and SIU have a few kilobytes."""
MAX_PARTS: Final = 20_000
"""Most delimiters in a message: memory that a hostile message can take is bounded by it."""
NULL: Final = '""'
"""A value that is told to be none (§2.5.3): as good as no value here."""

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

Repetition = tuple[tuple[str, ...], ...]
"""One value of a field: components, each of subcomponents."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: its name, which of its name it is (from 1), its fields, and the notes (NTE) that follow it."""

    name: str
    number: int
    fields: tuple[tuple[Repetition, ...], ...]
    notes: tuple[Segment, ...] = field(default=(), repr=False)

    @property
    def place(self) -> str:
        """Where it is: ``PV1``, or ``OBX[3]``."""
        return self.name if self.number == 1 else f"{self.name}[{self.number}]"

    def repetitions(self, number: int) -> tuple[Repetition, ...]:
        """Return the values of field ``number`` that are none of them empty or null."""
        found = self.fields[number - 1] if 0 < number <= len(self.fields) else ()
        return tuple(one for one in found if any(part not in ("", NULL) for parts in one for part in parts))

    def value(self, number: int, component: int = 1, subcomponent: int = 1) -> str | None:
        """Return a part of the first value of field ``number``; ``None`` where it is empty, null or left out."""
        found = self.repetitions(number)
        return part_of(found[0], component, subcomponent) if found else None


def part_of(repetition: Repetition, component: int = 1, subcomponent: int = 1) -> str | None:
    """Return a part of a value; ``None`` where it is empty, null or left out."""
    parts = repetition[component - 1] if component <= len(repetition) else ()
    part = parts[subcomponent - 1].strip() if subcomponent <= len(parts) else ""
    return part if part not in ("", NULL) else None


@dataclass(frozen=True, slots=True)
class Hl7Message:
    """A message: its segments, in order, the first of which is its header (MSH).

    ``words`` are the sender's own codes, by the place they stand in.
    """

    delimiters: Delimiters
    codec: str
    segments: tuple[Segment, ...]
    _named: Mapping[str, tuple[Segment, ...]] = field(repr=False)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    def named(self, name: str) -> tuple[Segment, ...]:
        """Return the segments called ``name``, in order."""
        return self._named.get(name, ())

    @classmethod
    def parse(
        cls, content: bytes, *, limit: int = MAX_BYTES, words: Mapping[str, Mapping[str, str]] | None = None
    ) -> Hl7Message:
        """Part one message, without its frame, of ``limit`` bytes at most.

        Raises:
            InvalidDocumentError: with every fault and its place.
        """
        if len(content) > limit:
            raise InvalidDocumentError(TOO_LARGE.at(limit=limit))
        if b"\x0b" in content or b"\x1c" in content:
            raise InvalidDocumentError(FRAME.at())
        header = beginning(content)
        if not header.startswith("MSH"):
            raise InvalidDocumentError(NOT_HL7.at())
        delimiters = Delimiters.of_header(header)
        text, codec = text_of(content, _stated_charset(header, delimiters))
        if sum(map(text.count, delimiters.field + delimiters.encoding + "\r\n")) > MAX_PARTS:
            raise InvalidDocumentError(TOO_MANY.at(limit=MAX_PARTS))
        parting = _Parting(delimiters, codec)
        segments = tuple(parting.segments(text))
        if parting.findings:
            raise InvalidDocumentError(parting.findings)
        named: dict[str, list[Segment]] = {}
        for segment in segments:
            named.setdefault(segment.name, []).append(segment)
        return cls(delimiters, codec, segments, {name: tuple(found) for name, found in named.items()}, words or {})


class _Parting:
    """One message being parted: what is wrong with it is noted, and the rest is read on."""

    def __init__(self, delimiters: Delimiters, codec: str) -> None:
        self._delimiters = delimiters
        self._codec = codec
        self._seen: Counter[str] = Counter()
        self.findings: list[Finding] = []

    def segments(self, text: str) -> Iterator[Segment]:
        """Yield the segments; a note belongs to the one before it as well."""
        waiting: Segment | None = None
        notes: list[Segment] = []
        for line, written in enumerate(_LINE_BREAK.split(text.lstrip("\r\n")), 1):
            segment = self._segment(written, line) if written.strip() else None
            if segment is None:
                continue
            if segment.name == "NTE" and waiting is not None:
                notes.append(segment)
                continue
            if waiting is not None:
                yield Segment(waiting.name, waiting.number, waiting.fields, tuple(notes))
                yield from notes
            waiting, notes = segment, []
        if waiting is not None:
            yield Segment(waiting.name, waiting.number, waiting.fields, tuple(notes))
            yield from notes

    def _segment(self, written: str, line: int) -> Segment | None:
        name, *fields = written.split(self._delimiters.field)
        if not _NAME.fullmatch(name):
            self.findings.append(SEGMENT.at(line=line))
            return None
        self._seen[name] += 1
        if name == "MSH":
            if self._seen[name] > 1:
                self.findings.append(SEVERAL.at(line=line))
                return None
            signs = (((self._delimiters.field,),),), (((self._delimiters.encoding,),),)
            return Segment(name, 1, signs + tuple(self._field(one, f"MSH-{n}") for n, one in enumerate(fields[1:], 3)))
        segment = Segment(name, self._seen[name], ())
        parted = tuple(self._field(one, f"{segment.place}-{number}") for number, one in enumerate(fields, 1))
        return Segment(name, segment.number, parted)

    def _field(self, written: str, place: str) -> tuple[Repetition, ...]:
        if not written:
            return ()
        signs = self._delimiters
        try:
            parted = tuple(
                tuple(
                    tuple(signs.plain(part, self._codec) for part in _split(component, signs.subcomponent))
                    for component in _split(repetition, signs.component)
                )
                for repetition in _split(written, signs.repetition)
            )
        except ValueError:
            self.findings.append(ESCAPE.at(place))
            return ()
        if any(_CONTROL.search(part) for repetition in parted for parts in repetition for part in parts):
            self.findings.append(CONTROL.at(place))
        return parted


def _split(text: str, sign: str) -> list[str]:
    return text.split(sign) if sign else [text]


def _stated_charset(header: str, delimiters: Delimiters) -> str:
    """Return the first code in MSH-18; the others are those that escapes may change to, and none may here."""
    fields = header.split(delimiters.field)
    stated = fields[17].strip() if len(fields) > 17 else ""
    first = stated.split(delimiters.repetition)[0].strip() if delimiters.repetition else stated
    with suppress(ValueError):  # where it has an unknown escape, it is the name of no character set
        first = delimiters.plain(first, "ascii")
    return first
