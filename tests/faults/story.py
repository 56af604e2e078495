"""What the sending case system tells: many cases, each with a need, a consent, and then meetings booked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from gateway.replay.people import invented
from gateway.resources import scenario_folder

PRIMARY_CARE = "SE2321000131-E000000000101"
PSYCHIATRY = "SE2321000131-E000000000202"

EACH = 10
"""How many events are told about a case."""

ABREAST = 25
"""How many cases are told about at the same time."""

TO_BOTH_UNITS = 5
"""Every so manyth case is told to two units."""


@cache
def _told(name: str) -> dict[str, Any]:
    content = (scenario_folder() / "journey" / f"{name}.json").read_text(encoding="utf-8")
    members: dict[str, Any] = json.loads(content)
    return members


def units(case: int) -> list[str]:
    """Return the units that take part in a case."""
    return [PRIMARY_CARE, PSYCHIATRY] if case % TO_BOTH_UNITS == 0 else [PRIMARY_CARE]


def events(number: int) -> Iterator[tuple[str, bytes, int]]:
    """Yield ``number`` events in the order they are told: the case, the bytes, and how many messages it makes.

    A message to two units counts twice: each of them has a ledger of its own.
    """
    told = 0
    first = 0
    while told < number:
        for step in range(EACH):
            for case in range(first, first + ABREAST):
                if told < number:
                    told += 1
                    yield f"FAULTS-{case}", _step(case, step), len(units(case))
        first += ABREAST


def _step(case: int, step: int) -> bytes:
    if step == 0:
        return _event("01-behov", case, step, mottagare=units(case))
    if step == 1:
        return _event(
            "02-samtycke", case, step, omfattning={**_told("02-samtycke")["omfattning"], "enheter": units(case)}
        )
    others = {PRIMARY_CARE, PSYCHIATRY} - set(units(case))
    return _event(
        "03-kallelse",
        case,
        step,
        kallade=[one for one in _told("03-kallelse")["kallade"] if one.get("enhet") not in others],
        motesledare={"namn": f"Mötesledare {case}"},  # one of its own: nobody is called to two meetings at once
    )


def _event(name: str, case: int, step: int, **changes: Any) -> bytes:
    person = invented(case)
    identity = {
        "handelseId": f"FAULTS-{case}-{step}",
        "arendeId": f"FAULTS-{case}",
        "person": {"personnummer": person.number, "namn": person.name, "skydd": "Ingen"},
    }
    return json.dumps({**_told(name), **identity, **changes}, ensure_ascii=False).encode()
