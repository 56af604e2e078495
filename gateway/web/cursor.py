"""Where a page begins: a place in the log, written so that nobody counts on what it looks like."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error

from gateway.errors import UsageError
from gateway.web.refusals import CURSOR


def written(place: int | None) -> str | None:
    """Return the cursor of a place in the log; ``None`` where there is no more."""
    return urlsafe_b64encode(f"v1:{place}".encode()).decode().rstrip("=") if place is not None else None


def place_of(cursor: str | None) -> int | None:
    """Return the place that a cursor tells; ``None`` for the beginning. Raises :class:`UsageError`."""
    if cursor is None:
        return None
    try:
        mark, _, place = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(":")
        number = int(place) if mark == "v1" and place.isascii() and place.isdigit() else -1
    except (ValueError, NotBase64Error):
        number = -1
    if not 0 <= number < 2**62:
        raise UsageError(CURSOR.at("cursor"))
    return number
