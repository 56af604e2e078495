"""How a simulated case system behaves, well or badly: the same words for a file, an HTTP answer and a FHIR server."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from gateway.errors import Fault, InvalidDocumentError

UNKNOWN_WORD = Fault(
    "simulate.word-unknown",
    "Det simulerade systemet förstår inte det; det förstår {known}.",
    "The simulated system does not understand that; it understands {known}.",
)
SLOW_UNREADABLE = Fault(
    "simulate.slow",
    "Efter slow ska stå ett antal sekunder, 0 till {most}.",
    "After slow there should be a number of seconds, 0 to {most}.",
)

REFUSAL: Final = {"code": "simulated.refuses", "reason": "Systemet är inställt på att säga nej."}
"""What a system says that refuses."""
GARBAGE: Final = b"<html><title>Driftstopp</title>Vi jobbar p\xe5 det.</html>"
"""What a system answers instead of a receipt: neither JSON nor UTF-8."""
LONGEST_SLOW: Final = 3600.0
"""Seconds."""

_SWITCHES: Final = ("down", "refuse", "twice", "garbage")
_KNOWN: Final = "slow N, down, refuse, twice, garbage, well, status, quit"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a simulated system does wrong; as it is made, nothing. Several may hold at once.

    ``slow``: it commits, and answers so many seconds later. ``down``: it takes nothing, answers nothing, and its staff
    do nothing. ``refuse``: it says no to everything that it has not committed. ``twice``: it gives each answer twice,
    and its staff say twice that they take charge, in the same bytes. ``garbage``: it commits, and answers what is no
    receipt.
    """

    slow: float = 0.0
    down: bool = False
    refuse: bool = False
    twice: bool = False
    garbage: bool = False

    def turned(self, line: str) -> Self:
        """Return the behaviour after a line such as ``slow 3``, ``down`` or ``well``, which ends all of it.

        Raises:
            InvalidDocumentError: the line is none of them.
        """
        word, _, rest = line.strip().partition(" ")
        if word == "slow":
            return replace(self, slow=_seconds(rest))
        if word in _SWITCHES and not rest:
            return replace(self, **{word: True})
        if word == "well" and not rest:
            return type(self)()
        raise InvalidDocumentError(UNKNOWN_WORD.at(known=_KNOWN))

    def as_json(self) -> dict[str, Any]:
        """Return each switch and how it stands."""
        return asdict(self)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_SLOW:
        raise InvalidDocumentError(SLOW_UNREADABLE.at(most=f"{LONGEST_SLOW:g}"))
    return seconds
