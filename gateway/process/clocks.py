"""The clocks of a case: what is to be done by when, by whom, and where that comes from. Pure.

Laws count calendar days, agreements working days; both are counted in Sweden. A clock that has run out never blocks
anything: it is shown, and goes to the next in line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.clock import STOCKHOLM
from gateway.grace import Grace
from gateway.messages import TYPES
from gateway.messages.deadline import Deadline, calendar_days, working_days
from gateway.process.case import OPEN, MeetingState, SipCase
from gateway.process.states import CaseState
from gateway.working_time import end_of_day


class Awaited(StrEnum):
    """What a clock of a case waits for."""

    CONSENT = "consent"
    REPLY = "reply"
    MEETING = "meeting"
    PLAN = "plan"
    FOLLOW_UP = "follow-up"
    FIXED_CONTACT = "fixed-contact"
    SIP_CALL = "sip-call"
    PAYMENT = "payment"
    """Nothing is to be done: from then on the municipality pays for the stay."""


_CONSENT = working_days(3)
_MEETING = calendar_days(21)
_PLAN = working_days(3)
_SIP_CALL = calendar_days(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDeadline:
    """One clock: what is awaited, since when and by when, from which unit (HSA-id), and the source of the time.

    ``remind_at`` is when the unit is reminded, where that is agreed.
    """

    awaited: Awaited
    case_number: str
    unit: str
    since: datetime
    due_at: datetime
    source: str
    remind_at: datetime | None = None


def deadlines(case: SipCase) -> list[CaseDeadline]:
    """Return the clocks of ``case`` that run, the first to run out first."""
    found = [*_consent(case), *_replies(case), *_meeting(case), *_plan(case), *_follow_up(case), *_stay(case)]
    return sorted(found, key=lambda one: one.due_at)


def _clock(
    case: SipCase, awaited: Awaited, unit: str, since: datetime, deadline: Deadline, source: str
) -> CaseDeadline:
    return CaseDeadline(
        awaited=awaited,
        case_number=case.number,
        unit=unit,
        since=since,
        due_at=deadline.after(since),
        source=source,
        remind_at=deadline.reminder_after(since),
    )


def _consent(case: SipCase) -> Iterator[CaseDeadline]:
    if case.state is CaseState.DRAFT:
        source = "SFS 2009:981: work begins without delay; agreed: three working days"
        yield _clock(case, Awaited.CONSENT, case.leader.unit, case.opened_at, _CONSENT, source)


def _replies(case: SipCase) -> Iterator[CaseDeadline]:
    """Yield the replies that are owed. A unit that has been redirected to owes none until it has been called itself."""
    reply = TYPES["meetingBooking"].contract.deadline
    assert reply is not None  # an invitation is to be answered
    if case.meeting is not MeetingState.BOOKED:
        return
    for one in case.called:
        if one.state in OPEN and one.since is not None:
            owes = one.unit if one.ref is not None else one.instead_of or one.unit
            yield _clock(case, Awaited.REPLY, owes, one.since, reply, "agreed: three working days, reminder after two")


def _meeting(case: SipCase) -> Iterator[CaseDeadline]:
    if case.state in (CaseState.PREPARING, CaseState.INVITED) and case.consent is not None and not case.plan_version:
        source = "Riktlinje för SIP i Västra Götaland: should be held within three weeks, counted from the consent"
        yield _clock(case, Awaited.MEETING, case.leader.unit, case.consent.taken_at, _MEETING, source)


def _plan(case: SipCase) -> Iterator[CaseDeadline]:
    if case.state is CaseState.MEETING_DONE and case.held_at is not None:
        source = "agreed: three working days after the meeting"
        yield _clock(case, Awaited.PLAN, case.leader.unit, case.held_at, _PLAN, source)


def _follow_up(case: SipCase) -> Iterator[CaseDeadline]:
    if case.state not in (CaseState.ACTIVE, CaseState.FOLLOW_UP_CALLED) or case.follow_up_on is None:
        return
    day = datetime.combine(case.follow_up_on, datetime.min.time(), STOCKHOLM)
    yield CaseDeadline(
        awaited=Awaited.FOLLOW_UP,
        case_number=case.number,
        unit=case.responsible_unit or case.leader.unit,
        since=case.opened_at,
        due_at=end_of_day(day),
        source="the day that the plan sets",
        remind_at=day.astimezone(case.opened_at.tzinfo) - timedelta(days=7),
    )


def _stay(case: SipCase) -> Iterator[CaseDeadline]:
    stay = case.stay
    if stay is None or case.state not in (CaseState.ADMITTED, CaseState.DISCHARGE_READY):
        return
    if stay.fixed_contact_unit is None:
        day = datetime.combine(stay.expected_discharge, datetime.min.time(), STOCKHOLM)
        yield CaseDeadline(
            awaited=Awaited.FIXED_CONTACT,
            case_number=case.number,
            unit=case.leader.unit,
            since=case.opened_at,
            due_at=end_of_day(day),
            source="2017:612, 2 kap. 5 §: before the discharge",
        )
    if case.state is CaseState.DISCHARGE_READY and stay.ready_sent_at is not None:
        unit, sent_at = stay.fixed_contact_unit or case.leader.unit, stay.ready_sent_at
        if stay.sip_needed:
            yield _clock(case, Awaited.SIP_CALL, unit, sent_at, _SIP_CALL, "2017:612, 4 kap. 3 §: three days")
        yield CaseDeadline(
            awaited=Awaited.PAYMENT,
            case_number=case.number,
            unit=case.leader.unit,
            since=sent_at,
            due_at=Grace().begins_at(sent_at),
            source="2017:612, 5 kap. 4 §: three days, four when sent after noon",
        )
