"""The promise that nothing is lost and nothing is doubled, kept by a process that is killed at every hop.

Each test plays the whole journey in a process of its own, kills it with SIGKILL, starts it again on the same folder,
and then looks into every database and folder it has left.
"""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from demo_process import command, outcome_of, rows, run, table

from gateway.progress import Hop
from gateway.replay.scenario import Scenario

STEPS = Scenario.load("journey").steps
UNITS = 2
MESSAGES = len(STEPS) * UNITS

PASSAGES = {
    Hop.EVENT_STORED: 5,
    Hop.EVENT_ANSWERED: 15,
    Hop.PUBLISHED: 40,
    Hop.SENT: 40,
    Hop.TAKEN: 10,
    Hop.RECEIVED: 10,
    Hop.SETTLED: 40,
    Hop.HANDED_OVER: 10,
    Hop.REGISTERED: 10,
    Hop.ACKNOWLEDGED: 10,
    Hop.VERDICT: 30,
    Hop.NOTED: 10,
}
"""How often each hop is passed in the journey, when nothing goes wrong."""

KILLS = [
    (Hop.EVENT_STORED, 2),
    (Hop.EVENT_ANSWERED, 1),
    (Hop.PUBLISHED, 1),
    (Hop.SENT, 3),
    (Hop.TAKEN, 3),
    (Hop.RECEIVED, 1),
    (Hop.SETTLED, 38),
    (Hop.HANDED_OVER, 1),
    (Hop.REGISTERED, 5),
    (Hop.ACKNOWLEDGED, 8),
    (Hop.VERDICT, 17),
    (Hop.NOTED, 9),
]


def play_to_the_end(folder: Path) -> None:
    """Play on, and look at everything the journey has left behind: it must be as if nothing had happened."""
    outcome = outcome_of(run(folder))
    _every_message_has_come_to_its_end(outcome)
    _the_case_system_holds_each_message_once(folder, outcome["messages"])
    _the_gateways_hold_each_message_once(folder)
    _every_event_is_answered_once(folder)
    _nothing_is_left_on_the_way(folder)


def _every_message_has_come_to_its_end(outcome: dict[str, Any]) -> None:
    counts, messages = outcome["counts"], outcome["messages"]
    assert {name: counts[name] for name in ("lost", "held", "rejected", "stopped")} == dict.fromkeys(
        ("lost", "held", "rejected", "stopped"), 0
    )
    assert {counts[level] for level in ("sent", "received", "registered", "acknowledged")} == {MESSAGES}
    assert len({(row["id"], row["recipient"]) for row in messages}) == len(messages) == MESSAGES
    assert {(row["state"], row["level"], row["outcome"]) for row in messages} == {
        ("acknowledged", "acknowledged", "accepted")
    }
    assert len({row["recordId"] for row in messages} - {None}) == MESSAGES


def _the_case_system_holds_each_message_once(folder: Path, messages: list[dict[str, Any]]) -> None:
    query = "SELECT file_id, record_id FROM record WHERE file_id LIKE '{}-%'"
    held = rows(folder / "journal" / "system.sqlite", query.format("message"))
    assert sorted(held) == sorted((f"message-{row['id']}-{row['recipient']}", row["recordId"]) for row in messages)
    noted = rows(folder / "treserva" / "system.sqlite", query.format("note"))
    assert sorted(file_id for file_id, _ in noted) == sorted({f"note-{row['id']}" for row in messages})


def _the_gateways_hold_each_message_once(folder: Path) -> None:
    received = rows(folder / "region.sqlite", "SELECT message_id, unit, state FROM inbound")
    assert len({(message_id, unit) for message_id, unit, _ in received}) == len(received) == MESSAGES
    assert {state for _, _, state in received} == {"acknowledged"}
    for party in ("kommun", "region"):
        for name in ("parked", "unexpected"):
            assert table(folder / f"{party}.sqlite", name) == []
    verdicts = rows(folder / "kommun.sqlite", "SELECT level, outcome FROM verdict")
    assert Counter(verdicts) == dict.fromkeys(
        (("received", "accepted"), ("registered", "accepted"), ("acknowledged", "accepted")), MESSAGES
    )


def _every_event_is_answered_once(folder: Path) -> None:
    for system, party, expected in (("treserva", "kommun", len(STEPS)), ("journal", "region", MESSAGES)):
        kept = rows(folder / f"{party}.sqlite", "SELECT event_id, state FROM event")
        assert len({event_id for event_id, _ in kept}) == len(kept) == expected
        assert {state for _, state in kept} == {"accepted"}
        events = {path.name for path in (folder / system / "archive").iterdir()}
        receipts = {path.name for path in (folder / system / "to_gateway").iterdir() if path.name[0] != "."}
        assert len(events) == expected
        assert receipts == {f"{name}.ok" for name in events}
        assert list((folder / system / "quarantine").iterdir()) == []


def _nothing_is_left_on_the_way(folder: Path) -> None:
    for name in ("delivery", "dead_letter"):
        assert table(folder / "exchange.sqlite", name) == []


def test_every_hop_of_the_journey_is_killed_at() -> None:
    assert {hop for hop, _ in KILLS} == set(PASSAGES) == set(Hop) - {Hop.EVENT_REFUSED}
    assert all(nth <= PASSAGES[hop] for hop, nth in KILLS)


@pytest.mark.long
@pytest.mark.parametrize(("hop", "nth"), KILLS, ids=[f"{hop}-{nth}" for hop, nth in KILLS])
def test_a_process_killed_at_a_hop_loses_nothing_and_doubles_nothing(tmp_path: Path, hop: Hop, nth: int) -> None:
    killed = run(tmp_path, "--kill-at", hop, "--nth", str(nth))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    play_to_the_end(tmp_path)


@pytest.mark.long
def test_a_journey_killed_from_outside_in_every_step_ends_as_if_nothing_had_happened_and_stays_so(
    tmp_path: Path,
) -> None:
    chance = random.Random(20261102)  # noqa: S311 -- the same moments every time
    for step in STEPS:
        with subprocess.Popen(
            command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as killed:
            assert killed.stderr is not None
            assert any(step.file_name in line for line in killed.stderr)
            for _ in range(chance.randint(1, 6)):
                killed.stderr.readline()
            killed.kill()
        assert killed.returncode == -signal.SIGKILL
    for _ in range(2):
        play_to_the_end(tmp_path)
