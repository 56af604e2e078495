"""What the case system tells in the benchmark: many cases, each with a need, a consent, and then bookings.

A booking is the message that is measured: 3 kB of XML, with a person, a place, times, questions and invitees in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from gateway.replay.people import invented
from gateway.resources import scenario_folder

BEGINS = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
"""When the story is told: after the consent of the scenario it is made from, and before its meeting."""

RECIPIENT = "SE2321000131-E000000000101"
_NOT_CALLED = "SE2321000131-E000000000202"


@cache
def _told(name: str) -> dict[str, Any]:
    content = (scenario_folder() / "journey" / f"{name}.json").read_text(encoding="utf-8")
    members: dict[str, Any] = json.loads(content)
    return members


def opening(case: int) -> Iterator[bytes]:
    """Yield the events that bring a case to where meetings are booked."""
    yield _event("01-behov", case, "need", mottagare=[RECIPIENT])
    scope = {**_told("02-samtycke")["omfattning"], "enheter": [RECIPIENT]}
    yield _event("02-samtycke", case, "consent", omfattning=scope)


def booking(case: int, number: int) -> bytes:
    """Return the event in which a meeting is booked for the ``number``-th time."""
    called = [one for one in _told("03-kallelse")["kallade"] if one.get("enhet") != _NOT_CALLED]
    chair = {"namn": f"Mötesledare {case}"}  # one of its own: nobody is called to two meetings at once
    return _event("03-kallelse", case, f"booking-{number}", kallade=called, motesledare=chair)


def _event(name: str, case: int, step: str, **changes: Any) -> bytes:
    identity = {"handelseId": f"BENCH-{case}-{step}", "arendeId": f"BENCH-{case}", "person": _person(case)}
    return json.dumps({**_told(name), **identity, **changes}, ensure_ascii=False).encode()


def _person(case: int) -> dict[str, str]:
    person = invented(case)
    return {"personnummer": person.number, "namn": person.name, "skydd": "Ingen"}
