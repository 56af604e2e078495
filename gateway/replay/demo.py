"""The demo: a scenario played live, and the ledger it ends in.

Shown are types, units, states and times; nothing about the person leaves the stores.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from gateway.clock import STOCKHOLM
from gateway.directory import Directory
from gateway.ledger import Dispatch
from gateway.lifecycle import OutState
from gateway.messages import TYPES
from gateway.progress import Hop, Observer, Passage
from gateway.replay.narrator import Narrator
from gateway.replay.scenario import Scenario
from gateway.replay.stage import CAST, Places, Stage, set_up
from gateway.resources import demo_directory
from gateway.store import events, ledger

_LEVELS = (
    ("sent", "sent_at"),
    ("received", "received_at"),
    ("registered", "registered_at"),
    ("acknowledged", "acknowledged_at"),
)

_STYLES = {
    OutState.ACKNOWLEDGED: "green",
    OutState.REGISTERED: "green",
    OutState.REJECTED: "red",
    OutState.EXPIRED: "red",
    OutState.STOPPED: "yellow",
    OutState.HELD: "yellow",
    OutState.LETTER: "yellow",
    OutState.MAILED: "green",
}

_COUNTED_STATES = {OutState.REJECTED: "rejected", OutState.HELD: "held", OutState.STOPPED: "stopped"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a play ended in: every message to every unit, and the counts."""

    scenario: Scenario
    messages: tuple[Dispatch, ...]
    counts: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as one JSON object with ``messages`` and ``counts``."""
        return {
            "scenario": self.scenario.name,
            "messages": [_message_json(row) for row in self.messages],
            "counts": self.counts,
        }


def _message_json(row: Dispatch) -> dict[str, Any]:
    reached = [name for name, clock in _LEVELS if getattr(row, clock) is not None]
    times = {f"{name}At": _iso(getattr(row, clock)) for name, clock in _LEVELS}
    return {
        "id": row.message_id,
        "type": row.type,
        "recipient": row.unit,
        "state": row.state.value,
        "level": reached[-1] if reached else None,
        "outcome": row.outcome.value if row.outcome else None,
        "recordId": row.record_id,
        **times,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(STOCKHOLM).isoformat(timespec="milliseconds") if moment else None


async def play(
    scenario: Scenario,
    folder: Path,
    console: Console,
    *,
    places: Places | None = None,
    kill_at: Hop | None = None,
    nth: int = 1,
    stay: Callable[[Stage, Outcome], Awaitable[None]] | None = None,
) -> Outcome:
    """Play ``scenario`` in ``folder``, telling ``console`` what happens, and return what it ended in.

    With ``kill_at`` the process kills itself, as ``kill -9`` would, when a message passes that hop for the ``nth``
    time; started again on the same folder, the play goes on. When all has been told, the gateways stay at work until
    ``stay`` returns.

    Raises:
        UnsettledError: a step did not come to its end in time.
    """
    narrator = Narrator(console, Directory.load(demo_directory()))
    observe = narrator.observe if kill_at is None else _assassin(kill_at, nth, narrator.observe)
    with narrator.telling():
        async with set_up(scenario, folder, observe, places or Places()) as stage:
            for step in scenario.steps:
                narrator.step(step)
                await stage.play(step)
            outcome = await _outcome(scenario, stage)
            if stay is not None:
                await stay(stage, outcome)
            return outcome


def _assassin(hop: Hop, nth: int, observe: Observer) -> Observer:
    left = nth

    def watch(passage: Passage) -> None:
        nonlocal left
        observe(passage)
        if passage.hop is hop:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


async def _outcome(scenario: Scenario, stage: Stage) -> Outcome:
    rows: list[Dispatch] = []
    counts = dict.fromkeys((*(name for name, _ in _LEVELS), *_COUNTED_STATES.values(), "lost", "refused"), 0)
    for party in CAST.values():
        async with stage.gateways[party].context.store.reading() as tx:
            sent = await ledger.sent_messages(tx)
            hashes = {row.message_id: await ledger.hash_of(tx, row.message_id) for row in sent}
            counts["refused"] += len(await events.refused(tx))
        rows.extend(sent)
        for row in sent:
            for level, clock in _LEVELS:
                counts[level] += getattr(row, clock) is not None
            if row.state in _COUNTED_STATES:
                counts[_COUNTED_STATES[row.state]] += 1
            if row.sent_at is not None and row.attempts:  # a letter was never on the exchange
                # Asked of the receiver's own store: what left here and is nowhere there is lost.
                async with stage.gateways[row.party].context.store.reading() as tx:
                    counts["lost"] += not await ledger.held_by_receiver(tx, row, hashes[row.message_id])
    return Outcome(scenario, tuple(rows), counts)


def ledger_table(outcome: Outcome, title_of: Callable[[str], str]) -> Table:
    """Return the ledger as a table: one row per message and recipient, each level with its own clock.

    It fits a terminal of 80 columns. ``title_of`` turns a unit's HSA-id into its name.
    """
    headings = {
        "Skickat": "sent",
        "Mottaget": "received",
        "Registr.": "registered",
        "Kvitterat": "acknowl.",
        "Post-id": "record id",
        "Utfall": "outcome",
    }
    table = Table(
        "Meddelande → mottagare\n[dim]type, message id, day[/]",
        *(f"{swedish}\n[dim]{english}[/]" for swedish, english in headings.items()),
        title=f"{outcome.scenario.title_sv}\n[dim]{outcome.scenario.title_en}[/]",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for row in outcome.messages:
        style = _STYLES.get(row.state, "default")
        shown = row.outcome.value if row.outcome else row.state.value
        day = (row.sent_at or row.created_at).astimezone(STOCKHOLM).date()
        table.add_row(
            f"{TYPES[row.type].title_sv} → {title_of(row.unit)}\n[dim]{row.type} {row.message_id[:8]} {day}[/]",
            *(_clock(getattr(row, clock)) for _, clock in _LEVELS),
            row.record_id or "–",
            f"[{style}]{shown}[/]",
        )
    return table


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(STOCKHOLM):%H:%M:%S}" if moment is not None else "–"
