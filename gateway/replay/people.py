"""Invented people for plays and tests: numbers of the Swedish Tax Agency's test series, and names that nobody has."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

FIRST_BIRTH_NUMBER = 980
"""Birth numbers from here to 999 are set aside for tests (Skatteverket)."""
_OF_A_DAY = 20
FIRST_DAY = date(1940, 1, 1)
"""The first birthday of anyone here, unless another is asked for."""


class Invented(NamedTuple):
    """A person who does not exist: the number with a hyphen before its last four digits, and the name."""

    number: str
    name: str


def invented(count: int, *, first_day: date = FIRST_DAY) -> Invented:
    """Return person number ``count``, from 0, of those born from ``first_day`` on; two counts are never the same."""
    day, series = divmod(count, _OF_A_DAY)
    born = first_day + timedelta(days=day)
    nine = f"{born:%y%m%d}{FIRST_BIRTH_NUMBER + series}"
    doubled = (int(digit) * (2 - position % 2) for position, digit in enumerate(nine))
    check = -sum(sum(divmod(number, 10)) for number in doubled) % 10
    return Invented(f"{born:%Y%m%d}-{FIRST_BIRTH_NUMBER + series}{check}", f"Prov Provsson-{count}")
