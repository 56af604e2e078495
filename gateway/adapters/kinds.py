"""Kinds of values in an event: texts, days, codes, units. Each reads one member and notes what is wrong with it.

After a fault a kind returns a stand-in of its type; :mod:`gateway.adapters.reading` tells why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from gateway.adapters.outline import UNITS, Outline, outlined
from gateway.adapters.reading import Reader
from gateway.clock import in_zone
from gateway.directory import Unit
from gateway.errors import Fault, InvalidDocumentError
from gateway.identifiers import HsaId
from gateway.messages.binding import BAD_FORM, NOT_ALLOWED

T = TypeVar("T")
Kind = Callable[[Reader, str], T]
"""Reads a member, by its name, from the object a reader stands at."""
Glance = Callable[[Any, Reader], T | None]
"""Returns the value of an item that is right beyond doubt, and ``None`` for one that its kind has to look at."""

TEXT_TOO_LONG: Final = Fault(
    "event.text-too-long", "Texten är längre än {limit} tecken.", "The text is longer than {limit} characters."
)
LINE_BREAK: Final = Fault(
    "event.line-break", "Texten ska stå på en enda rad.", "The text must stand on one single line."
)

_MOMENT = re.compile(
    r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+\-][0-9]{2}:[0-9]{2})?"
)
_DAY = re.compile(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_FARTHEST_OFFSET = timedelta(hours=14)  # XML Schema 1.0 part 2 §3.2.7.3
_STAND_IN = datetime(2000, 1, 1, tzinfo=UTC)


def _at_a_glance(kind: Kind[T], glance: Glance[T]) -> Kind[T]:
    """Return ``kind``, for which ``glance`` spares most of the work where nothing is wrong."""
    cast(Any, kind).glance = glance
    return kind


def glance_of(kind: Kind[T]) -> Glance[T] | None:
    """Return what reads most right values of ``kind`` at a glance, or ``None`` where the kind has to look at all."""
    return getattr(kind, "glance", None)


def _text_of(longest: int, *, one_line: bool) -> Kind[str]:
    def read(reader: Reader, name: str) -> str:
        found = reader.text(name) or ""
        if len(found) > longest:
            reader.note(TEXT_TOO_LONG.at(reader.place(name), limit=longest))
        if one_line and not found.isprintable() and len(found.splitlines()) > 1:  # no line break can be printed
            reader.note(LINE_BREAK.at(reader.place(name)))
        return found

    def glance(item: Any, _: Reader) -> str | None:
        is_right = type(item) is str and item.isprintable() and 0 < len(item) <= longest and not item.isspace()
        return item if is_right else None

    return _at_a_glance(read, glance)


line: Final = _text_of(200, one_line=True)
"""One line of text, at most 200 characters."""
LONGEST_PROSE: Final = 4000
prose: Final = _text_of(LONGEST_PROSE, one_line=False)
"""Free text, at most 4 000 characters."""


def shaped(pattern: str, expected: str) -> Kind[str]:
    """Return the kind of a text that matches ``pattern`` in full; ``expected`` says its form to people."""
    compiled = re.compile(pattern)

    def read(reader: Reader, name: str) -> str:
        found = reader.text(name)
        if found is not None and not compiled.fullmatch(found):
            reader.note(BAD_FORM.at(reader.place(name), expected=expected))
        return found or ""

    def glance(item: Any, _: Reader) -> str | None:
        is_right = type(item) is str and item.isprintable() and compiled.fullmatch(item) and not item.isspace()
        return item if is_right else None

    return _at_a_glance(read, glance)


phone: Final = shaped(r"\+?[0-9][0-9 \-]{4,24}", "telefonnummer/telephone number")
message_id: Final = shaped(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID")
plan_item: Final = shaped(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,15}", "id (A–Z, 0–9)")
municipality: Final = shaped(r"[0-9]{4}", "kommunkod/municipality code (nnnn)")
"""SCB's code of a municipality."""
case_number: Final = shaped(r"SIP[0-9]{6}", "SIPnnnnnn")


def flag(reader: Reader, name: str) -> bool:
    """Read true or false."""
    return bool(reader.value(name, bool, expected="true/false"))


_at_a_glance(flag, lambda item, _: item if type(item) is bool else None)


def mark(reader: Reader, name: str) -> bool | None:
    """Read true or false, where false says no more than a member that is not there."""
    return flag(reader, name) or None


def count(reader: Reader, name: str) -> int:
    """Read a whole number from 1."""
    found: int | None = reader.value(name, int, expected="heltal/integer")
    if found is not None and not 1 <= found <= 9999:
        reader.note(BAD_FORM.at(reader.place(name), expected="1–9999"))
    return found or 1


def moment(reader: Reader, name: str) -> datetime:
    """Read a point in time; one without an offset is Swedish time."""
    text = reader.text(name)
    if text is None:
        return _STAND_IN
    try:
        return _moment_of(text)
    except ValueError:
        reader.note(BAD_FORM.at(reader.place(name), expected="YYYY-MM-DDThh:mm:ss+hh:mm"))
        return _STAND_IN


def _moment_at_a_glance(item: Any, _: Reader) -> datetime | None:
    try:
        return _moment_of(item) if type(item) is str else None
    except ValueError:
        return None


_at_a_glance(moment, _moment_at_a_glance)


@lru_cache(maxsize=1024)  # an event says when it happened in several places, and many events say when a meeting is
def _moment_of(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError
    found = in_zone(datetime.fromisoformat(text))
    if abs(found.utcoffset() or timedelta()) > _FARTHEST_OFFSET:
        raise ValueError
    return found


def day(reader: Reader, name: str) -> date:
    """Read a calendar day."""
    text = reader.text(name)
    try:
        if text is not None:
            return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        reader.note(BAD_FORM.at(reader.place(name), expected="YYYY-MM-DD"))
    return _STAND_IN.date()


def one_of(codes: Mapping[str, T]) -> Kind[T]:
    """Return the kind of a code that stands in the table ``codes``; an unknown code is refused, never guessed."""

    def read(reader: Reader, name: str) -> T:
        found = reader.text(name)
        if found is not None:
            if found in codes:
                return codes[found]
            reader.note(NOT_ALLOWED.at(reader.place(name), allowed=", ".join(codes)))
        return next(iter(codes.values()))

    outlined(read, lambda: Outline(codes={code: str(meaning) for code, meaning in codes.items()}))
    return _at_a_glance(read, lambda item, _: codes.get(item) if type(item) is str else None)


def word_for(codes: Mapping[str, T], meaning: T) -> str:
    """Return the code that means ``meaning``: the table of :func:`one_of`, read the other way."""
    return next(word for word, means in codes.items() if means == meaning)


def _known_unit(reader: Reader, name: str, known_on: Callable[..., Unit]) -> str:
    """Read the HSA-id of a unit that ``known_on``, of the directory, knows on the day of the event."""
    hsa_id = reader.text(name)
    if hsa_id is not None and hsa_id not in reader.directory.always_reachable:
        try:
            known_on(hsa_id, on=reader.today)
        except InvalidDocumentError as error:
            reader.place_of(error, name)
    return hsa_id or ""


def unit(reader: Reader, name: str) -> str:
    """Read the HSA-id of a unit that can be sent to on the day of the event."""
    return _known_unit(reader, name, reader.directory.unit)


def addressee(reader: Reader, name: str) -> str:
    """Read the HSA-id of a unit that is valid on the day of the event; one without an inbox gets a letter."""
    return _known_unit(reader, name, reader.directory.addressee)


for _kind in (unit, addressee):
    _at_a_glance(
        _kind, lambda item, reader: item if type(item) is str and item in reader.directory.always_reachable else None
    )


def addressee_or_party(reader: Reader, name: str) -> str:
    """Read a unit as :func:`addressee` does, or the name of a party, which never looks like an HSA-id."""
    found = reader.text(name)
    return found if found is not None and found in reader.directory.parties else addressee(reader, name)


def party(reader: Reader, name: str) -> str:
    """Read the name of a party that stands in the directory."""
    found = reader.text(name)
    if found is not None and found not in reader.directory.parties:
        reader.note(NOT_ALLOWED.at(reader.place(name), allowed=", ".join(reader.directory.parties)))
    return found or ""


def staff_id(reader: Reader, name: str) -> str:
    """Read the HSA-id of a member of staff."""
    text = reader.text(name)
    try:
        return HsaId.parse(text).value if text is not None else ""
    except InvalidDocumentError as error:
        reader.place_of(error, name)
        return ""


def _staff_id_at_a_glance(item: Any, _: Reader) -> str | None:
    try:
        return HsaId.parse(item).value if type(item) is str else None
    except InvalidDocumentError:
        return None


_at_a_glance(staff_id, _staff_id_at_a_glance)

for _kind in (unit, addressee):
    outlined(_kind, lambda: Outline(list_name=UNITS, has_hsa_id=True))
outlined(staff_id, lambda: Outline(has_hsa_id=True))
outlined(addressee_or_party, lambda: Outline(list_name=UNITS, has_hsa_id=True, has_party=True))
outlined(party, lambda: Outline(has_party=True))
