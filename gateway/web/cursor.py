"""Where a page begins: a place in the log, written so that nobody counts on what it looks like."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from datetime import UTC, datetime, timedelta

from gateway.errors import UsageError
from gateway.web.refusals import CURSOR

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def written(place: int | None) -> str | None:
    """Return the cursor of a place in the log; ``None`` where there is no more."""
    return written_of(place) if place is not None else None


def place_of(cursor: str | None) -> int | None:
    """Return the place that a cursor tells; ``None`` for the beginning. Raises :class:`UsageError`."""
    return places_of(cursor, 1)[0] if cursor is not None else None


def written_of(*places: int) -> str:
    """Return the cursor of a place that takes several numbers to tell."""
    return urlsafe_b64encode(":".join(["v1", *map(str, places)]).encode()).decode().rstrip("=")


def places_of(cursor: str, count: int) -> list[int]:
    """Return the ``count`` numbers that a cursor tells. Raises :class:`UsageError`."""
    try:
        mark, *told = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").split(":")
        numbers = [int(one) if one.isascii() and one.isdigit() else -1 for one in told]
    except (ValueError, NotBase64Error):
        raise UsageError(CURSOR.at("cursor")) from None
    if mark != "v1" or len(numbers) != count or not all(0 <= number < 2**62 for number in numbers):
        raise UsageError(CURSOR.at("cursor"))
    return numbers


def number_of(at: datetime) -> int:
    """Return a time as a number to tell a place by."""
    return (at - _BEGINNING) // _MICROSECOND


def time_of(number: int) -> datetime:
    """Return the time that such a number tells. Raises :class:`UsageError`."""
    try:
        return _BEGINNING + number * _MICROSECOND
    except OverflowError:
        raise UsageError(CURSOR.at("cursor")) from None
