"""The clocks of a case: what is to be done by when, by whom, and where that comes from. Pure.

Laws count calendar days, agreements working days; both are counted in Sweden. A clock that has run out never blocks
anything: it is shown, and goes to the next in line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gateway.clock import STOCKHOLM, local_date
from gateway.grace import Grace
from gateway.messages import Deadline, MeetingOutcome
from gateway.process.case import OPEN, MeetingState, Participation, SipCase
from gateway.process.states import TERMINAL, CaseState
from gateway.times import USUAL, CountedFrom, Times
from gateway.working_time import end_of_day

ADVANCE = timedelta(days=7)
"""How long before a day that has been set in advance a unit is reminded of it."""


class Awaited(StrEnum):
    """What a clock of a case waits for."""

    CONSENT = "consent"
    REPLY = "reply"
    MEETING = "meeting"
    PLAN = "plan"
    FOLLOW_UP = "follow-up"
    CLOSURE = "closure"
    """It has been decided that the case ends, and the others have not been told."""
    DISCHARGE = "discharge"
    """That the patient is ready for discharge or leaves, or that another day is expected."""
    FIXED_CONTACT = "fixed-contact"
    SIP_CALL = "sip-call"
    PAYMENT = "payment"
    """Nothing is to be done: from then on the municipality pays for the stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDeadline:
    """One clock: what is awaited, since when and by when, from which unit (HSA-id) of which party, and the source.

    ``remind_at`` is when the unit is reminded, where that is agreed. ``depends_on`` are the other parties without whose
    reply it cannot be done.
    """

    awaited: Awaited
    case_number: str
    party: str
    unit: str
    since: datetime
    due_at: datetime
    source: str
    remind_at: datetime | None = None
    depends_on: tuple[str, ...] = ()


def deadlines(case: SipCase, times: Times = USUAL) -> list[CaseDeadline]:
    """Return the clocks of ``case`` that run, for as long as ``times`` say, the first to run out first."""
    found = [
        *_consent(case, times),
        *_replies(case, times),
        *_meeting(case, times),
        *_plan(case, times),
        *_follow_up(case, times),
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
        party=_party_of(case, unit),
        unit=unit,
        since=since,
        due_at=span.deadline.after(since, opening),
        source=times.source(span.name, span.source),
        remind_at=span.deadline.reminder_after(since, opening),
    )


def _party_of(case: SipCase, unit: str) -> str:
    """Return the party of a unit that has something to do in ``case``; that of the lead where the case does not say."""
    known = {one.unit: one.party for one in case.participants} | {one.unit: one.party for one in case.called}
    return known.get(unit, case.convener if unit == case.convening_unit else case.leader.party)


def _silent(case: SipCase) -> tuple[str, ...]:
    """Return the parties that are called to the meeting and have not said whether they come."""
    return tuple(dict.fromkeys(one.party for one in case.called if one.state in OPEN))


def _own(awaited: Awaited, source: str, times: Times) -> _Span:
    """Return the span of a clock that goes by its own name in the settings."""
    return _Span(awaited, times.clock(awaited), source)


def _consent(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    """Yield the time to the person's decision, and to when the one that is in force runs out."""
    unit, ends_at = case.leader.unit, case.consent_ends_at
    if case.state is CaseState.DRAFT:
        source = "SFS 2009:981: work begins without delay; agreed: three working days"
        yield _clock(case, Awaited.CONSENT, unit, case.opened_at, _own(Awaited.CONSENT, source, times), times)
    elif case.state not in TERMINAL and case.consent is not None and ends_at is not None:
        yield CaseDeadline(
            awaited=Awaited.CONSENT,
            case_number=case.number,
            party=_party_of(case, unit),
            unit=unit,
            since=case.consent.taken_at,
            due_at=ends_at,
            source="the last day of the consent, or of the custody; nothing more leaves after it",
            remind_at=ends_at - ADVANCE,
        )


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
            yield _asked_for(one, _clock(case, Awaited.REPLY, owes, one.since, span, times))


def _asked_for(one: Participation, agreed: CaseDeadline) -> CaseDeadline:
    """Return the time to reply as whoever calls has asked for it, else as it is agreed."""
    if one.reply_by is None:
        return agreed
    earlier = agreed.remind_at if agreed.remind_at is not None and agreed.remind_at < one.reply_by else None
    return replace(agreed, due_at=one.reply_by, remind_at=earlier, source="asked for by whoever calls to the meeting")


def _call_of(case: SipCase, one: Participation) -> str:
    """Return the type of the message that a unit has to answer."""
    if one.ref is not None and one.ref == case.change_ref:
        return "meetingChange"
    return "followUpInvitation" if case.state is CaseState.FOLLOW_UP_CALLED else "meetingBooking"


def _meeting(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    """Yield the time left to the meeting. It goes on from where it began when a meeting is moved or cancelled.

    After a meeting that led to no plan, the end of the case is awaited instead.
    """
    if case.state is CaseState.PREPARING and case.held_outcome is MeetingOutcome.NO_PLAN and case.held_at is not None:
        yield _closure(case, case.held_at, times)
    elif case.state in (CaseState.PREPARING, CaseState.INVITED) and case.consent is not None and not case.plan_version:
        counted_from = times.meeting_counted_from
        since = case.opened_at if counted_from is CountedFrom.NEED else case.consented_at or case.consent.taken_at
        source = (
            f"Riktlinje för SIP i Västra Götaland: should be held within three weeks, counted from the {counted_from}"
        )
        clock = _clock(case, Awaited.MEETING, case.leader.unit, since, _own(Awaited.MEETING, source, times), times)
        yield replace(clock, depends_on=_silent(case))


def _plan(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    if case.state is CaseState.MEETING_DONE and case.held_at is not None:
        span = _own(Awaited.PLAN, "agreed: three working days after the meeting", times)
        yield _clock(case, Awaited.PLAN, case.leader.unit, case.held_at, span, times)


def _closure(case: SipCase, since: datetime, times: Times) -> CaseDeadline:
    span = _own(Awaited.CLOSURE, "agreed: three working days after it was decided", times)
    return _clock(case, Awaited.CLOSURE, case.leader.unit, since, span, times)


def _follow_up(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    """Yield the follow-up that the plan sets; after the last one, the end of the case."""
    if case.state not in (CaseState.ACTIVE, CaseState.FOLLOW_UP_CALLED):
        return
    if case.follow_up_on is None and case.slot is None:
        yield _closure(case, case.followed_up_at or case.opened_at, times)
        return
    # A day was set, or the call to another follow-up than the last one has set one.
    day = case.follow_up_on or local_date(case.slot.end if case.slot is not None else case.opened_at)
    begins = datetime.combine(day, datetime.min.time(), STOCKHOLM)
    yield CaseDeadline(
        awaited=Awaited.FOLLOW_UP,
        case_number=case.number,
        party=_party_of(case, case.responsible_unit or case.leader.unit),
        unit=case.responsible_unit or case.leader.unit,
        since=case.opened_at,
        due_at=end_of_day(begins),
        source="the day that the plan sets",
        remind_at=begins.astimezone(UTC) - ADVANCE,
        depends_on=_silent(case),
    )


def _stay(case: SipCase, times: Times) -> Iterator[CaseDeadline]:
    stay = case.stay
    if stay is None or case.state not in (CaseState.ADMITTED, CaseState.DISCHARGE_READY):
        return
    expected = end_of_day(datetime.combine(stay.expected_discharge, datetime.min.time(), STOCKHOLM))
    ahead = CaseDeadline(
        awaited=Awaited.DISCHARGE,
        case_number=case.number,
        party=_party_of(case, case.leader.unit),
        unit=case.leader.unit,
        since=case.opened_at,
        due_at=expected,
        source="2017:612, 2 kap. 4 §: another day is told as soon as possible",
    )
    if case.state is CaseState.ADMITTED:
        yield ahead
    if stay.fixed_contact_unit is None:
        yield replace(ahead, awaited=Awaited.FIXED_CONTACT, source="2017:612, 2 kap. 5 §: before the discharge")
    if case.state is CaseState.DISCHARGE_READY and stay.ready_sent_at is not None:
        unit, sent_at = stay.fixed_contact_unit or case.leader.unit, stay.ready_sent_at
        if stay.sip_needed:
            span = _own(Awaited.SIP_CALL, "2017:612, 4 kap. 3 §: three days", times)
            yield _clock(case, Awaited.SIP_CALL, unit, sent_at, span, times)
        yield CaseDeadline(
            awaited=Awaited.PAYMENT,
            case_number=case.number,
            party=_party_of(case, case.leader.unit),
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
