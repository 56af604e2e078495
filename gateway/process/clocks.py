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
from gateway.messages import Deadline
from gateway.process.case import OPEN, MeetingState, Participation, SipCase
from gateway.process.states import CaseState
from gateway.times import USUAL, CountedFrom, Times
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


def deadlines(case: SipCase, times: Times = USUAL) -> list[CaseDeadline]:
    """Return the clocks of ``case`` that run, for as long as ``times`` say, the first to run out first."""
    found = [
        *_consent(case, times),
        *_replies(case, times),
        *_meeting(case, times),
        *_plan(case, times),
        *_follow_up(case),
        *_stay(case, times),
    ]
    return sorted(found, key=lambda one: one.due_at)


@dataclass(frozen=True, slots=True)
class _Span:
    """How long one clock runs: the ``deadline`` called ``name``, and what is the ``source`` of the usual one."""

    name: str
    deadline: Deadline
    source: str


def _clock(case: SipCase, awaited: Awaited, unit: str, since: datetime, span: _Span, times: Times) -> CaseDeadline:
    opening = times.opening(unit)
    return CaseDeadline(
        awaited=awaited,
        case_number=case.number,
        unit=unit,
        since=since,
        due_at=span.deadline.after(since, opening),
        source=times.source(span.name, span.source),
        remind_at=span.deadline.reminder_after(since, opening),
    )


def _own(awaited: Awaited, source: str, times: Times) -> _Span:
    """Return the span of a clock that goes by its own name in the settings."""
    return _Span(awaited, times.clock(awaited), source)


def _consent(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    if case.state is CaseState.DRAFT:
        source = "SFS 2009:981: work begins without delay; agreed: three working days"
        span = _own(Awaited.CONSENT, source, times)
        yield _clock(case, Awaited.CONSENT, case.leader.unit, case.opened_at, span, times)


def _replies(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    """Yield the replies that are owed. A unit that has been redirected to owes none until it has been called itself."""
    if case.meeting is not MeetingState.BOOKED:
        return
    for one in case.called:
        if one.state in OPEN and one.since is not None:
            owes = one.unit if one.ref is not None else one.instead_of or one.unit
            call = _call_of(case, one)
            deadline = times.deadline(call)
            assert deadline is not None  # an invitation is to be answered
            span = _Span(call, deadline, "agreed: three working days, reminder after two")
            yield _clock(case, Awaited.REPLY, owes, one.since, span, times)


def _call_of(case: SipCase, one: Participation) -> str:
    """Return the type of the message that a unit has to answer."""
    if one.ref is not None and one.ref == case.change_ref:
        return "meetingChange"
    return "followUpInvitation" if case.state is CaseState.FOLLOW_UP_CALLED else "meetingBooking"


def _meeting(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    """Yield the time left to the meeting. It goes on from where it began when a meeting is moved or cancelled."""
    if case.state in (CaseState.PREPARING, CaseState.INVITED) and case.consent is not None and not case.plan_version:
        counted_from = times.meeting_counted_from
        since = case.opened_at if counted_from is CountedFrom.NEED else case.consent.taken_at
        source = (
            f"Riktlinje för SIP i Västra Götaland: should be held within three weeks, counted from the {counted_from}"
        )
        yield _clock(case, Awaited.MEETING, case.leader.unit, since, _own(Awaited.MEETING, source, times), times)


def _plan(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    if case.state is CaseState.MEETING_DONE and case.held_at is not None:
        span = _own(Awaited.PLAN, "agreed: three working days after the meeting", times)
        yield _clock(case, Awaited.PLAN, case.leader.unit, case.held_at, span, times)


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


def _stay(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
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
            span = _own(Awaited.SIP_CALL, "2017:612, 4 kap. 3 §: three days", times)
            yield _clock(case, Awaited.SIP_CALL, unit, sent_at, span, times)
        yield CaseDeadline(
            awaited=Awaited.PAYMENT,
            case_number=case.number,
            unit=case.leader.unit,
            since=sent_at,
            due_at=times.grace.begins_at(sent_at),
            source=_payment_source(times.grace),
        )


def _payment_source(grace: Grace) -> str:
    law = "2017:612, 5 kap. 4 §: three days, four when sent after noon"
    if grace == Grace():
        return law
    return f"set here: {grace.days} days, {grace.days + 1} when sent after {grace.cutoff:%H:%M}; usually: {law}"
