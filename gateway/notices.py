"""Notices (bevakningar): what the gateway tells a unit of its own party about a case, without being asked. Pure.

A notice is no message: it never leaves the party. It names a case, units and ids, and nothing about the person; whoever
is told opens the case to see whom it is about. A unit is told while it is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from gateway.directory import Directory
from gateway.duties import Duty
from gateway.ledger import Dispatch
from gateway.process import Awaited, SipCase

_NAMESPACE = UUID("6f1c5a0e-9a1b-4e58-9d6e-3c0f6f0b7d21")


class NoticeKind(StrEnum):
    """What a unit is told."""

    REMINDER = "reminder"
    """Something is to be done before long."""
    OVERDUE = "overdue"
    """Something has not been done in time; whoever is told is the next in line, or the one who waits for it."""
    NOT_TAKEN = "not-taken"
    """A message of the unit was refused, taken in part, or given up: a person decides what to do."""
    LETTER = "letter"
    """A message of the unit is to be sent by letter: its recipient has no inbox."""
    PAYMENT_BEGINS = "payment-begins"
    """From now on the municipality pays for the stay (2017:612, 5 kap.)."""
    REVIEW_NEEDED = "review-needed"
    """The protection of the person's identity has changed, and the case waits for a review."""
    MEETINGS_OVERLAP = "meetings-overlap"
    """The person, or who leads the meeting, is called to another at the same time. A warning; nothing is stopped."""
    READMITTED = "readmitted"
    """A person with an open SIP has been admitted to hospital; the follow-up may have to move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What ``unit`` (HSA-id) is told about a case, from ``at`` on.

    ``occasion`` tells apart what happens twice: a unit is told once for each. ``awaited`` is what is to be done, by
    ``owed_by`` until ``due_at``. ``message_id`` and ``type`` are those of the message it is about, ``code`` the reason
    why that was not taken, and ``other_case`` the case that this one has to do with.
    """

    kind: NoticeKind
    unit: str
    case_number: str
    at: datetime
    occasion: str
    awaited: str | None = None
    owed_by: str | None = None
    due_at: datetime | None = None
    message_id: str | None = None
    type: str | None = None
    code: str | None = None
    other_case: str | None = None

    @property
    def notice_id(self) -> str:
        """A UUID that follows from what is told, to whom, about what: told again, it is the same notice."""
        said = (self.kind, self.unit, self.case_number, self.awaited, self.owed_by, self.message_id, self.other_case)
        return str(uuid5(_NAMESPACE, "/".join([*(part or "" for part in said), self.occasion])))


def of_duty(duty: Duty, directory: Directory, *, party: str, awaiting: str | None) -> Iterator[Notice]:
    """Yield what ``party`` tells its units about a duty, if nobody acts.

    An own unit that owes is reminded; then the next in line is told, and who is after. About a unit of another party,
    ``awaiting`` is told when the time has passed: the other party reminds its own.
    """
    told = Notice(
        kind=NoticeKind.OVERDUE,
        unit=duty.unit,
        case_number=duty.case_number,
        at=duty.due_at,
        occasion=duty.due_at.isoformat(),  # a day that is set anew, or a time that begins anew, is told anew
        awaited=duty.awaited,
        owed_by=duty.unit,
        due_at=duty.due_at,
        message_id=duty.message_id,
        type=duty.type,
    )
    if duty.party != party:
        if awaiting is not None:
            yield _when_open(replace(told, unit=awaiting), directory)
        return
    if duty.remind_at is not None:
        reminder = _when_open(replace(told, kind=NoticeKind.REMINDER, at=duty.remind_at), directory)
        if reminder.at < duty.due_at:
            yield reminder
    for at, unit in duty.line(directory):
        yield _when_open(replace(told, unit=unit, at=at), directory)


def _when_open(notice: Notice, directory: Directory) -> Notice:
    unit = directory.units.get(notice.unit)
    return replace(notice, at=unit.opening_hours.next_opening(notice.at)) if unit is not None else notice


def own_units(case: SipCase, party: str) -> list[str]:
    """Return the units of ``party`` that have to do with ``case``: the one that leads it, else those that take part."""
    if case.leader.party == party:
        return [case.leader.unit]
    units = [one.unit for one in case.participants if one.party == party]
    return units or ([case.convening_unit] if case.convener == party else [])


def of_clock(case: SipCase, duty: Duty, directory: Directory, *, party: str) -> Iterator[Notice]:
    """Yield what ``party`` tells its units about an open case as time goes, by ``duty``, one of its clocks."""
    if duty.awaited == Awaited.PAYMENT:
        yield from _payment_begins(case, duty, directory, party)
    else:
        leader = case.leader.unit if case.leader.party == party else None
        yield from of_duty(duty, directory, party=party, awaiting=leader)


def review_needed(case: SipCase, *, party: str, at: datetime) -> Iterator[Notice]:
    """Yield what ``party`` tells its units about a case that is frozen; nothing about others."""
    if case.is_frozen:
        # One for each change of the level: a case that was reviewed may be frozen anew.
        occasion = f"{case.protected_level}/{len(case.reviews)}"
        for unit in own_units(case, party):
            yield Notice(kind=NoticeKind.REVIEW_NEEDED, unit=unit, case_number=case.number, at=at, occasion=occasion)


def _payment_begins(case: SipCase, duty: Duty, directory: Directory, party: str) -> Iterator[Notice]:
    for unit in own_units(case, party):
        begins = Notice(
            kind=NoticeKind.PAYMENT_BEGINS,
            unit=unit,
            case_number=case.number,
            at=duty.due_at,
            occasion=duty.due_at.isoformat(),
            due_at=duty.due_at,
        )
        yield _when_open(begins, directory)


def of_message(kind: NoticeKind, row: Dispatch, *, unit: str, code: str | None, at: datetime) -> Notice:
    """Return what the unit that sent a message is told: it was not taken (``code`` says why), or goes by letter."""
    return Notice(
        kind=kind,
        unit=unit,
        case_number=row.case_number,
        at=at,
        occasion=row.state,
        awaited="letter" if kind is NoticeKind.LETTER else "decision",
        owed_by=row.unit,
        message_id=row.message_id,
        type=row.type,
        code=code,
    )


def overlap(case: SipCase, other: SipCase, *, party: str, travel: timedelta, at: datetime) -> list[Notice]:
    """Return what who leads either of two meetings at the same time is told about the other; none where they fit.

    They are about the same person, or have the same chair; ``travel`` is the time it takes from one to the other. Of a
    person with a protected identity nothing is told from one case to another.
    """
    if case.slot is None or other.slot is None or case.is_protected or other.is_protected:
        return []
    same = case.person == other.person or (case.chair_name is not None and case.chair_name == other.chair_name)
    if not same or case.slot.start >= other.slot.end + travel or other.slot.start >= case.slot.end + travel:
        return []
    first, second = sorted((case, other), key=lambda one: one.number)
    occasion = f"{first.booking_version}/{second.booking_version}"
    return [
        Notice(
            kind=NoticeKind.MEETINGS_OVERLAP,
            unit=mine.leader.unit,
            case_number=mine.number,
            at=at,
            occasion=occasion,
            other_case=its.number,
        )
        for mine, its in ((first, second), (second, first))
        if mine.leader.party == party
    ]


def readmitted(sip: SipCase, stay: SipCase, *, party: str, at: datetime) -> list[Notice]:
    """Return what who leads an open SIP is told when the person is admitted to hospital.

    Of a person with a protected identity nothing is told from one case to another.
    """
    if sip.leader.party != party or sip.is_protected or stay.is_protected:
        return []
    admitted = Notice(
        kind=NoticeKind.READMITTED,
        unit=sip.leader.unit,
        case_number=sip.number,
        at=at,
        occasion=stay.opened_at.isoformat(),
        other_case=stay.number,
    )
    return [admitted]
