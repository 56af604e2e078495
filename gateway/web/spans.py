"""How long something took, to two figures, for figures and axes: ``8 s``, ``12 min``, ``1,5 h``, ``3 dygn``."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from gateway.web.language import Language

_UNITS: Final = (
    (86_400, "dygn", "day", "days"),
    (3_600, "h", "h", "h"),
    (60, "min", "min", "min"),
    (1, "s", "s", "s"),
)


def about(span: timedelta | None, language: Language) -> str:
    """Return how long ``span`` is in the largest unit it fills, with one decimal below ten; a dash where there is none.

    What is less than a second, or negative, is ``< 1 s``.
    """
    if span is None:
        return "–"
    # Rounded before the unit is chosen: 59.7 seconds are a minute, not sixty seconds.
    seconds = round(span.total_seconds())
    for size, sv, one, many in _UNITS:
        if seconds >= size:
            tenths = round(seconds * 10 / size)
            number = str(tenths // 10) if tenths >= 100 or tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
            text = language.say(number.replace(".", ","), number)
            return f"{text} {language.say(sv, one if tenths == 10 else many)}"
    return "< 1 s"


def count(number: int, language: Language) -> str:
    """Return a whole number with its thousands apart: ``12 345`` in Swedish, ``12,345`` in English."""
    return language.say(f"{number:,}".replace(",", "\N{NO-BREAK SPACE}"), f"{number:,}")
