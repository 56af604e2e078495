"""The ledger's two kinds of rows, and how an event moves them. Pure: what is written is the store's affair.

A :class:`Dispatch` is one outgoing message to one unit, an :class:`Inbound` one incoming message for one unit. Each
move goes through the table of transitions and takes the deadline and the owner of the new state with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import (
    GIVE_UP_AFTER,
    InEvent,
    InState,
    Outcome,
    OutEvent,
    OutState,
    Owner,
    after,
    after_incoming,
    in_clock,
    out_clock,
)
from gateway.messages import TYPES


def _duty(type_name: str) -> timedelta | None:
    """Return how long a recipient has to do what it owes for a type, ``None`` when it owes nothing."""
    kind = TYPES.get(type_name)  # what cannot be read may name any type
    return kind.contract.time_owed if kind is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One outgoing message to one unit: its state, its tries, its deadline, and the clock of each level."""

    id: int = 0  # given by the store
    message_id: str
    type: str
    case_number: str
    party: str
    unit: str
    duty: str
    state: OutState
    created_at: datetime
    queued_at: datetime | None = None
    leave_by: datetime | None = None
    position: int | None = None
    sequence: int | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    lease_until: datetime | None = None
    due_at: datetime | None = None
    owner: Owner | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    registered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    record_id: str | None = None
    outcome: Outcome | None = None

    def timed(self, now: datetime) -> Dispatch:
        """Return the row with the deadline and owner of its state, counted from ``now``."""
        answered = self.type != ACKNOWLEDGEMENT
        clock = out_clock(self.state, answered=answered, duty=_duty(self.type))
        if clock is None:
            return self if self.due_at is None else replace(self, due_at=None, owner=None)
        since = self.queued_at or now if self.state is OutState.RETRYING else now
        return replace(self, due_at=since + clock[0], owner=clock[1])

    def after(self, event: OutEvent, now: datetime, **changes: Any) -> Dispatch:
        """Return the row after ``event`` with ``changes``; the clock starts again only when the state is new.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
        """
        state = after(self.state, event)
        moved = replace(self, state=state, **changes)
        return moved if state is self.state else moved.timed(now)

    def may_not_leave(self, now: datetime) -> bool:
        """Tell whether the consent it was to leave under has run out."""
        return self.leave_by is not None and now >= self.leave_by

    def is_spent(self, now: datetime) -> bool:
        """Tell whether tries have gone on for so long that they are given up."""
        return self.queued_at is not None and now >= self.queued_at + GIVE_UP_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One incoming message for one unit: its state, the tries to deliver it, its deadline and its clocks."""

    id: int = 0  # given by the store
    party: str
    type: str
    message_id: str
    unit: str
    case_number: str
    sequence: int | None
    sender_unit: str
    content_hash: str
    xml: bytes
    state: InState
    received_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    lease_until: datetime | None = None
    due_at: datetime | None = None
    owner: Owner | None = None
    registered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    record_id: str | None = None
    findings: list[dict[str, Any]] | None = None
    duplicates: int = 0

    def timed(self, now: datetime) -> Inbound:
        """Return the row with the deadline and owner of its state, counted from ``now``."""
        clock = in_clock(self.state, duty=_duty(self.type))
        if clock is None:
            return replace(self, due_at=None, owner=None)
        return replace(self, due_at=now + clock[0], owner=clock[1])

    def after(self, event: InEvent, now: datetime, **changes: Any) -> Inbound:
        """Return the row after ``event`` with ``changes``, and the clock of its new state.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
        """
        return replace(self, state=after_incoming(self.state, event), **changes).timed(now)
