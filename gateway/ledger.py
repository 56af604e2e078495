"""The ledger's two kinds of rows, and how an event moves them. Pure: what is written is the store's affair.

A :class:`Dispatch` is one outgoing message to one unit, an :class:`Inbound` one incoming message for one unit. Each
move goes through the table of transitions and takes the deadline and the owner of the new state with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

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
from gateway.messages import TYPES, Duty
from gateway.messages.deadline import working_days

LETTER_WITHIN = working_days(2)
"""How soon a letter is to be sent, once it may leave. Ours to decide, no agreement says it: the post takes two more of
the 21 days until the meeting."""

_NOTHING_DUE: dict[str, Any] = {"due_at": None, "owner": None}


def _due(type_name: str, duty: Duty, now: datetime) -> dict[str, Any]:
    """Return the deadline and the owner of a row that is registered now: the recipient has to do what it owes."""
    kind = TYPES.get(type_name)  # what cannot be read may name any type
    owed = kind.contract.owed(duty) if kind is not None else None
    return {"due_at": owed.after(now), "owner": Owner.RECIPIENT} if owed is not None else _NOTHING_DUE


def _out_deadline(
    type_name: str, duty: Duty, state: OutState, now: datetime, queued_at: datetime | None
) -> dict[str, Any]:
    """Return the deadline and the owner of an outgoing row that comes to ``state``."""
    if state is OutState.REGISTERED:
        return _due(type_name, duty, now)
    if state is OutState.LETTER:
        return {"due_at": LETTER_WITHIN.after(now), "owner": Owner.CONVENER}
    clock = out_clock(state, answered=type_name != ACKNOWLEDGEMENT)
    if clock is None:
        return _NOTHING_DUE
    since = queued_at or now if state is OutState.RETRYING else now
    return {"due_at": since + clock[0], "owner": clock[1]}


def _in_deadline(type_name: str, duty: Duty, state: InState, now: datetime) -> dict[str, Any]:
    """Return the deadline and the owner of an incoming row that comes to ``state``."""
    if state is InState.REGISTERED:
        return _due(type_name, duty, now)
    clock = in_clock(state)
    return {"due_at": now + clock[0], "owner": clock[1]} if clock is not None else _NOTHING_DUE


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
    id: int = 0
    """Given by the store."""

    @classmethod
    def begin(cls, now: datetime, **values: Any) -> Dispatch:
        """Return a new row with the deadline and owner of its state, counted from ``now``."""
        return cls(**values, created_at=now, **_out_deadline(values["type"], values["duty"], values["state"], now, now))

    def after(self, event: OutEvent, now: datetime, **changes: Any) -> Dispatch:
        """Return the row after ``event`` with ``changes``; the clock starts again only when the state is new.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
        """
        state = after(self.state, event)
        if state is not self.state:
            changes |= {"state": state, **_out_deadline(self.type, self.duty, state, now, self.queued_at)}
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
    id: int = 0
    """Given by the store."""

    @classmethod
    def begin(cls, now: datetime, **values: Any) -> Inbound:
        """Return a new row with the deadline and owner of its state, counted from ``now``."""
        return cls(
            **values,
            received_at=now,
            **_in_deadline(values["type"], values.get("duty", Duty.NOTIFY), values["state"], now),
        )

    def after(self, event: InEvent, now: datetime, **changes: Any) -> Inbound:
        """Return the row after ``event`` with ``changes``, and the clock of its new state.

        Raises:
            IllegalTransitionError: the event cannot happen in this state.
        """
        state = after_incoming(self.state, event)
        return self._replace(**{"state": state, **changes, **_in_deadline(self.type, self.duty, state, now)})
