"""How far a message got with one recipient: the four levels, each with its clock, and what is awaited next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState, Level, OutState
from gateway.messages import Duty
from gateway.web.state_words import LEVEL_WORDS, OUT_WORDS, StateWord

_AWAITED: Final = {
    OutState.QUEUED: OutState.SENT,
    OutState.RETRYING: OutState.SENT,
    OutState.SENT: Level.RECEIVED,
    OutState.RECEIVED: Level.REGISTERED,
    OutState.REGISTERED: Level.ACKNOWLEDGED,
    OutState.LETTER: OutState.SENT,
    InState.STORED: Level.REGISTERED,
    InState.VALIDATED: Level.REGISTERED,
    InState.DELIVERING: Level.REGISTERED,
    InState.WAITING_FOR_SYSTEM: Level.REGISTERED,
    InState.REGISTERED: Level.ACKNOWLEDGED,
}
"""The level that a message waits for in a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelShown:
    """A level: reached ``at`` a time, or else awaited until ``due_at``; ``is_owed`` is false where nobody has to."""

    word: StateWord
    at: datetime | None
    due_at: datetime | None = None
    is_late: bool = False
    is_owed: bool = True


def levels_of(row: Dispatch | Inbound, now: datetime) -> tuple[LevelShown, ...]:
    """Return the levels of a message for one recipient, in order; what came has no level *sent* here."""
    clocks: dict[Level | OutState, datetime | None] = {}
    if isinstance(row, Dispatch):
        clocks[OutState.SENT] = row.sent_at
    clocks[Level.RECEIVED] = row.received_at
    clocks[Level.REGISTERED] = row.registered_at
    clocks[Level.ACKNOWLEDGED] = row.acknowledged_at
    awaited = _AWAITED.get(row.state) if row.due_at is not None else None
    return tuple(
        LevelShown(
            word=LEVEL_WORDS[level] if isinstance(level, Level) else OUT_WORDS[level],
            at=at,
            due_at=row.due_at if level == awaited and at is None else None,
            is_late=level == awaited and at is None and row.due_at is not None and row.due_at < now,
            is_owed=level is not Level.ACKNOWLEDGED or at is not None or row.duty is not Duty.NOTIFY,
        )
        for level, at in clocks.items()
    )
