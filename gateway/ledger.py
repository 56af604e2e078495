"""The ledger's two kinds of rows, and how an event moves them. Pure: what is written is the store's affair.

A :class:`Dispatch` is one outgoing message to one unit, an :class:`Inbound` one incoming message for one unit. Each
move goes through the table of transitions and takes the deadline and the owner of the new state with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import (
    FAILED,
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
from gateway.messages import Duty
from gateway.times import USUAL, Times

_NOTHING_DUE: dict[str, Any] = {"due_at": None, "owner": None, "look_at": None}
_FAILED_HERE = frozenset({InState.REJECTED, InState.WAITING_FOR_SYSTEM})
"""States of an incoming message that needs a person: at once when it is refused, else when it has waited too long."""
_NOT_FAILED: dict[str, Any] = {"failed_at": None, "failed_code": None}


def _due(row: Dispatch | Inbound, now: datetime, times: Times) -> dict[str, Any]:
    """Return the deadline and the owner of a row that is registered now: the recipient has to do what it owes."""
    due_at = times.owed(row.type, row.duty, row.unit, now)
    if due_at is None:
        return _NOTHING_DUE
    look_at = times.remind_at(row.type, row.unit, now) or due_at
    return {"due_at": due_at, "owner": Owner.RECIPIENT, "look_at": look_at}


def _out_deadline(row: Dispatch, now: datetime, times: Times) -> dict[str, Any]:
    """Return the deadline and the owner of an outgoing row that comes to its state now, and when to look at it."""
    if row.state is OutState.REGISTERED:
        return _due(row, now, times)
    if row.state is OutState.LETTER:  # its sender is told at once that there is a letter to send
        return {"due_at": times.clock("letter").after(now), "owner": Owner.CONVENER, "look_at": now}
    clock = out_clock(row.state, answered=row.type != ACKNOWLEDGEMENT)
    told = now if row.state in FAILED and row.type != ACKNOWLEDGEMENT else None
    if clock is None:
        return {**_NOTHING_DUE, "look_at": told}
    since = row.queued_at or now if row.state is OutState.RETRYING else now
    due_at = since + clock[0]
    return {"due_at": due_at, "owner": clock[1], "look_at": due_at if row.state is OutState.HELD else told}


def _in_deadline(row: Inbound, now: datetime, times: Times) -> dict[str, Any]:
    """Return the deadline and the owner of an incoming row that comes to its state now."""
    if row.state is InState.REGISTERED:
        return _due(row, now, times)
    clock = in_clock(row.state)
    return {"due_at": now + clock[0], "owner": clock[1], "look_at": None} if clock is not None else _NOTHING_DUE


class Dispatch(NamedTuple):
    """One outgoing message to one unit: its state, its tries, its deadline, and the clock of each level."""

    message_id: str
    type: str
    case_number: str
    party: str
    unit: str
    duty: Duty
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
    look_at: datetime | None = None
    """When to look whether somebody is to be told about it, ``None`` when nobody will be."""
    failed_at: datetime | None = None
    """Since when it needs a person, ``None`` while it does not; ``failed_code`` says why."""
    failed_code: str | None = None
    discarded_at: datetime | None = None
    """Since when nobody need look at it any more, though it has failed."""
    own_unit: str = ""
    """The unit (HSA-id) that sends it: whoever sees that unit sees the row."""
    id: int = 0
    """Given by the store."""

    @classmethod
    def begin(cls, now: datetime, **values: Any) -> Dispatch:
        """Return a new row with the deadline and owner of its state, counted from ``now``."""
        row = cls(**values, created_at=now)
        return row._replace(**_out_deadline(row, now, USUAL))

    def after(self, event: OutEvent, now: datetime, times: Times = USUAL, /, **changes: Any) -> Dispatch:
        """Return the row after ``event`` with ``changes``; the clock starts again only when the state is new.

        ``times`` are the gateway's own; they count from when the message is registered, and not before. A
        ``failed_code`` among the changes says why it has failed, if that is what its new state means.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
        """
        state = after(self.state, event)
        why = changes.pop("failed_code", None) or state.value
        if state is not self.state:
            failed = {"failed_at": now, "failed_code": why} if state in FAILED else _NOT_FAILED
            changes |= {"state": state, **_out_deadline(self._replace(state=state), now, times)}
            changes |= {**failed, "discarded_at": None}
        return self._replace(**changes)

    def may_not_leave(self, now: datetime) -> bool:
        """Tell whether the consent it was to leave under has run out."""
        return self.leave_by is not None and now >= self.leave_by

    def is_spent(self, now: datetime) -> bool:
        """Tell whether tries have gone on for so long that they are given up."""
        return self.queued_at is not None and now >= self.queued_at + GIVE_UP_AFTER


class Inbound(NamedTuple):
    """One incoming message for one unit: its state, the tries to deliver it, its deadline and its clocks."""

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
    duty: Duty = Duty.NOTIFY
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
    look_at: datetime | None = None
    """When to look whether somebody is to be told about it, ``None`` when nobody will be."""
    failed_at: datetime | None = None
    """Since when it needs a person, ``None`` while it does not; ``failed_code`` says why."""
    failed_code: str | None = None
    discarded_at: datetime | None = None
    """Since when nobody need look at it any more, though it has failed."""
    id: int = 0
    """Given by the store."""

    @classmethod
    def begin(cls, now: datetime, **values: Any) -> Inbound:
        """Return a new row with the deadline and owner of its state, counted from ``now``."""
        row = cls(**values, received_at=now)
        return row._replace(**_in_deadline(row, now, USUAL))

    def after(self, event: InEvent, now: datetime, times: Times = USUAL, /, **changes: Any) -> Inbound:
        """Return the row after ``event`` with ``changes``, and the clock of its new state, as :class:`Dispatch` does.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
        """
        state = after_incoming(self.state, event)
        why = changes.pop("failed_code", None) or state.value
        failed = {"failed_at": now, "failed_code": why} if state in _FAILED_HERE else _NOT_FAILED
        changes |= {**failed, "discarded_at": self.discarded_at if state is self.state else None}
        return self._replace(**{"state": state, **changes, **_in_deadline(self._replace(state=state), now, times)})
