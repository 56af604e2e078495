"""Duties: everything that is awaited, from whom, by when, and who is told when it does not come. Pure.

A duty is a ledger row with a deadline, or a clock of a case. When a unit does not act in time, it is reminded where
that is agreed; when the deadline has passed, the duty goes to the intake unit of its party, and a working day later to
the unit whose manager decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from gateway.clock import local_date
from gateway.directory import Directory
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState, OutState, Owner
from gateway.process import Awaited, CaseDeadline
from gateway.times import USUAL, Times
from gateway.working_time import add_working_days

ESCALATES_AFTER = 1
"""Working days from one unit of the line to the next, once the deadline has passed."""


class Urgency(StrEnum):
    """How a duty stands."""

    WAITING = "waiting"
    REMINDED = "reminded"
    """The time to remind the unit has come, and the deadline has not."""
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What is awaited about a case or a message, from which unit (HSA-id) or from whom else, and by when.

    ``awaited`` is the level of a message (received, registered, acknowledged), or what the clock of a case waits for.
    ``message_id`` and ``type`` are absent for a clock of a case. ``party`` is who has to do it, ``since`` when the time
    began, and ``depends_on`` the other parties without whose reply it cannot be done.
    """

    awaited: str
    case_number: str
    party: str
    unit: str
    owner: str
    due_at: datetime
    remind_at: datetime | None = None
    since: datetime | None = None
    message_id: str | None = None
    type: str | None = None
    source: str | None = None
    depends_on: tuple[str, ...] = ()

    def urgency(self, now: datetime) -> Urgency:
        """Return how the duty stands at ``now``."""
        if now > self.due_at:
            return Urgency.OVERDUE
        return Urgency.REMINDED if self.remind_at is not None and now >= self.remind_at else Urgency.WAITING

    @property
    def quiet_until(self) -> datetime:
        """Until when nobody is told of it."""
        return self.remind_at if self.remind_at is not None else self.due_at

    def breaks_without(self, party: str | None, own: str) -> bool:
        """Tell whether it is not done for as long as ``party`` is silent, or any party but the ``own`` one."""
        if self.owner == Owner.CONVENER:  # what waits for a consent waits for nobody else
            return False
        others = {self.party, *self.depends_on} - {own}
        return bool(others) if party is None else party in others

    def line(self, directory: Directory) -> list[tuple[datetime, str]]:
        """Return who is told when the deadline passes, and when: the next in line, and a working day later who follows.

        A unit that nobody stands behind is told itself.
        """
        first, *others = self._in_line(directory, local_date(self.due_at))
        return [
            (add_working_days(self.due_at, step * ESCALATES_AFTER) if step else self.due_at, unit)
            for step, unit in enumerate(others or [first])
        ]

    def told(self, directory: Directory, now: datetime) -> str:
        """Return the unit that is told of the duty at ``now``: its own, and once it is overdue the next in line."""
        if now <= self.due_at:
            return self._in_line(directory, local_date(now))[0]
        return next(unit for at, unit in reversed(self.line(directory)) if now > at)

    def _in_line(self, directory: Directory, on: date) -> tuple[str, ...]:
        """Return the units that the duty goes to, in order; one that has closed hands it to the one that takes over.

        A unit that is not in the directory has its party's intake and manager units behind it all the same.
        """
        if self.unit in directory.units:
            return directory.escalation(self.unit, on=on) or (self.unit,)
        party = directory.parties.get(self.party)
        behind = (next(iter(party.intake.values()), None), party.manager) if party is not None else ()
        return (self.unit, *dict.fromkeys(unit for unit in behind if unit is not None))


_AWAITED_OUT = {
    OutState.HELD: "consent",
    OutState.LETTER: "letter",
    OutState.QUEUED: "sent",
    OutState.RETRYING: "sent",
    OutState.SENT: "received",
    OutState.RECEIVED: "registered",
    OutState.REGISTERED: "acknowledged",
    OutState.PARTIAL: "decision",
    OutState.EXPIRED: "decision",
}
_AWAITED_IN = {
    InState.STORED: "earlier message",
    InState.VALIDATED: "registered",
    InState.DELIVERING: "registered",
    InState.WAITING_FOR_SYSTEM: "registered",
    InState.REGISTERED: "acknowledged",
}

AWAITING = {
    awaited: frozenset(state for state, what in _AWAITED_OUT.items() if what == awaited)
    for awaited in _AWAITED_OUT.values()
}
"""In which states a message that was sent waits for what."""

AWAITED = frozenset({*_AWAITED_OUT.values(), *_AWAITED_IN.values(), *Awaited} - {Awaited.PAYMENT})
"""Everything that can be awaited from somebody. Nobody does anything for the payment responsibility to begin."""


def of_sent(row: Dispatch, times: Times = USUAL) -> Duty:
    """Return what is awaited about an outgoing message; it must have a deadline."""
    assert row.due_at is not None
    return Duty(
        awaited=_AWAITED_OUT[row.state],
        case_number=row.case_number,
        party=row.party,
        unit=row.unit,
        owner=str(row.owner),
        due_at=row.due_at,
        remind_at=_reminder(row, times) if row.state is OutState.REGISTERED else None,
        since=row.registered_at or row.created_at,
        message_id=row.message_id,
        type=row.type,
    )


def of_letter(row: Dispatch, party: str, sender_unit: str) -> Duty:
    """Return that the letter of ``row`` is to be sent: by the unit of ``party``, this one, that wrote it."""
    return replace(of_sent(row), party=party, unit=sender_unit)


def of_received(row: Inbound, party: str, times: Times = USUAL) -> Duty:
    """Return what ``party``, this one, owes about an incoming message; it must have a deadline."""
    assert row.due_at is not None
    return Duty(
        awaited=_AWAITED_IN[row.state],
        case_number=row.case_number,
        party=party,
        unit=row.unit,
        owner=str(row.owner),
        due_at=row.due_at,
        remind_at=_reminder(row, times) if row.state is InState.REGISTERED else None,
        since=row.registered_at or row.received_at,
        message_id=row.message_id,
        type=row.type,
    )


def of_case(clock: CaseDeadline, directory: Directory) -> Duty:
    """Return what a clock of a case awaits."""
    unit = directory.units.get(clock.unit)
    return Duty(
        awaited=clock.awaited.value,
        case_number=clock.case_number,
        party=unit.party if unit is not None else clock.party,
        unit=clock.unit,
        owner="unit",
        due_at=clock.due_at,
        remind_at=clock.remind_at,
        since=clock.since,
        depends_on=clock.depends_on,
        source=clock.source,
    )


def _reminder(row: Dispatch | Inbound, times: Times) -> datetime | None:
    return times.remind_at(row.type, row.unit, row.registered_at) if row.registered_at is not None else None


def in_order(duties: Iterable[Duty]) -> list[Duty]:
    """Return duties, the first to be due first."""
    return sorted(duties, key=lambda duty: (duty.due_at, duty.case_number, duty.unit))
