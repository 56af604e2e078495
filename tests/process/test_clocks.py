"""The clocks of a case: what is awaited, from whom, by when. Three weeks pass in no time at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    PSYCHIATRY,
    WARD,
    booking,
    cancellation,
    change,
    closure,
    consent,
    follow_up,
    follow_up_call,
    held,
    message,
    need,
    plan,
    reply,
)
from build_discharge import contact, notice, of_stay, ready, recall
from cases import case_in

from gateway.clock import STOCKHOLM, local_date
from gateway.grace import Grace
from gateway.messages import FollowUpOutcome, InvitationAnswer, MeetingOutcome, Message
from gateway.messages.deadline import calendar_days, hours, working_days
from gateway.process import TERMINAL, Awaited, CaseDeadline, CaseState, SipCase, apply, deadlines
from gateway.times import USUAL, CountedFrom, Times
from gateway.working_time import OpeningHours


def after(*messages: Message) -> SipCase:
    case: SipCase | None = None
    for one in messages:
        case = apply(case, one)
    assert case is not None
    return case


def clocks(case: SipCase, times: Times = USUAL) -> dict[Awaited, CaseDeadline]:
    return {one.awaited: one for one in deadlines(case, times)}


def sweden(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)


def invited() -> tuple[SipCase, Message]:
    call = message(booking(CLINIC, PSYCHIATRY), CLINIC, PSYCHIATRY)
    return after(message(need(), CLINIC), message(consent(), CLINIC, PSYCHIATRY), call), call


def test_a_need_awaits_the_persons_decision() -> None:
    clock = clocks(after(message(need(), CLINIC)))[Awaited.CONSENT]
    assert (clock.unit, clock.due_at) == (OFFICE, sweden("2026-11-05T12:00"))


def test_the_meeting_should_be_held_within_three_weeks_of_the_consent() -> None:
    clock = clocks(after(message(need(), CLINIC), message(consent(), CLINIC)))[Awaited.MEETING]
    assert (clock.unit, clock.due_at) == (OFFICE, NOON + timedelta(days=21))


def test_each_unit_that_is_called_owes_a_reply_in_three_working_days_and_is_reminded_after_two() -> None:
    case, _ = invited()
    replies = [one for one in deadlines(case) if one.awaited is Awaited.REPLY]
    assert {one.unit for one in replies} == {CLINIC, PSYCHIATRY}
    assert {one.due_at for one in replies} == {sweden("2026-11-05T12:00")}
    assert {one.remind_at for one in replies} == {sweden("2026-11-04T12:00")}


def test_who_has_answered_owes_no_reply_and_whoever_is_not_sure_still_does() -> None:
    case, call = invited()
    answers = {CLINIC: InvitationAnswer.CONFIRM, PSYCHIATRY: InvitationAnswer.TENTATIVE}
    for unit, answer in answers.items():
        case = apply(case, message(reply(answer), OFFICE, sender=unit, in_reply_to=call.header.message_id))
    assert [one.unit for one in deadlines(case) if one.awaited is Awaited.REPLY] == [PSYCHIATRY]


def test_a_unit_that_redirects_is_owed_for_until_the_right_one_is_called() -> None:
    call = message(booking(CLINIC), CLINIC)
    case = after(message(need(), CLINIC), message(consent(), CLINIC), call)
    redirect = reply(InvitationAnswer.REDIRECT, to=PSYCHIATRY)
    case = apply(case, message(redirect, OFFICE, sender=CLINIC, in_reply_to=call.header.message_id))
    assert [one.unit for one in deadlines(case) if one.awaited is Awaited.REPLY] == [CLINIC]


def test_the_plan_is_awaited_three_working_days_after_the_meeting() -> None:
    case, _ = invited()
    case = apply(case, message(held(at=NOON + timedelta(days=7))))
    clock = clocks(case)[Awaited.PLAN]
    assert clock.unit == OFFICE
    assert case.held_at is not None
    assert clock.due_at.astimezone(STOCKHOLM).date() == (case.held_at + timedelta(days=3)).astimezone(STOCKHOLM).date()


def test_the_follow_up_is_awaited_until_the_end_of_the_day_the_plan_sets() -> None:
    case, _ = invited()
    established = plan()
    clock = clocks(apply(case, message(established, CLINIC)))[Awaited.FOLLOW_UP]
    day = established.follow_up.on
    assert (clock.unit, clock.due_at.astimezone(STOCKHOLM)) == (
        OFFICE,
        datetime.combine(day + timedelta(days=1), datetime.min.time(), STOCKHOLM),
    )


@pytest.mark.parametrize(
    ("sent", "call_by", "pays_from"),
    [
        ("2026-11-17T11:59", "2026-11-20T11:59", "2026-11-20T00:00"),
        ("2026-11-17T12:00:00", "2026-11-20T12:00:00", "2026-11-20T00:00"),
        ("2026-11-17T12:00:01", "2026-11-20T12:00:01", "2026-11-21T00:00"),
        ("2026-10-23T09:00", "2026-10-26T09:00", "2026-10-26T00:00"),  # over a weekend, and the end of summer time
    ],
)
def test_ready_for_discharge_starts_the_clocks_of_the_law_in_calendar_days(
    sent: str, call_by: str, pays_from: str
) -> None:
    at = sweden(sent)
    told = replace(ready(at=at), sip_needed=True)
    case = after(of_stay(notice(at=at), OFFICE, at=at), of_stay(contact(at=at), OFFICE, at=at))
    running = clocks(apply(case, of_stay(told, OFFICE, at=at)))
    assert (running[Awaited.SIP_CALL].unit, running[Awaited.SIP_CALL].due_at) == (CLINIC, sweden(call_by))
    assert running[Awaited.PAYMENT].due_at == sweden(pays_from)


def test_a_recall_stops_the_clocks_and_a_second_notice_starts_them_anew() -> None:
    first = of_stay(ready(), OFFICE)
    case = after(of_stay(notice(), OFFICE), first, of_stay(recall(first.header.message_id), OFFICE))
    assert Awaited.PAYMENT not in clocks(case)
    later = NOON + timedelta(days=2)
    case = apply(case, of_stay(ready(at=later), OFFICE, at=later))
    assert clocks(case)[Awaited.PAYMENT].since == later


def test_a_fixed_contact_is_awaited_before_the_discharge_until_there_is_one() -> None:
    case = after(of_stay(notice(), OFFICE))
    assert clocks(case)[Awaited.FIXED_CONTACT].unit == WARD
    assert Awaited.FIXED_CONTACT not in clocks(apply(case, of_stay(contact(), OFFICE)))


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_an_ended_case_has_no_clock(state: CaseState) -> None:
    assert deadlines(case_in(state)) == []


@pytest.mark.parametrize("state", sorted(set(CaseState) - TERMINAL))
def test_every_case_that_goes_on_has_a_clock_and_each_a_unit_that_owns_it(state: CaseState) -> None:
    running: list[Any] = deadlines(case_in(state))
    assert running
    assert all(one.unit and one.source for one in running)


def test_a_closed_case_awaits_no_reply() -> None:
    case, _ = invited()
    assert deadlines(apply(case, message(closure(), CLINIC, PSYCHIATRY))) == []


# --- the times in force ---------------------------------------------------------------------------------------------


def test_the_clocks_run_for_as_long_as_is_set_and_say_so() -> None:
    times = Times(
        agreed={
            "consent": working_days(1, remind=0),
            "meeting": calendar_days(14, remind=10),
            "plan": working_days(5),
            "sip-call": calendar_days(2),
            "meetingBooking": hours(48, remind=24),
        }
    )
    need_told = after(message(need(), CLINIC))
    assert clocks(need_told, times)[Awaited.CONSENT].due_at == sweden("2026-11-03T12:00")
    case, _ = invited()
    running = clocks(case, times)
    assert (running[Awaited.MEETING].due_at, running[Awaited.MEETING].remind_at) == (
        NOON + timedelta(days=14),
        NOON + timedelta(days=10),
    )
    assert running[Awaited.MEETING].source.startswith("set here: 14 calendar days, reminder after 10; usually: ")
    assert (running[Awaited.REPLY].due_at, running[Awaited.REPLY].remind_at) == (
        NOON + timedelta(hours=48),
        NOON + timedelta(hours=24),
    )
    met = apply(case, message(held(at=NOON + timedelta(days=7))))
    assert clocks(met, times)[Awaited.PLAN].due_at - clocks(met)[Awaited.PLAN].due_at == timedelta(days=4)
    stay = after(of_stay(notice(), OFFICE), of_stay(replace(ready(), sip_needed=True), OFFICE))
    assert clocks(stay, times)[Awaited.SIP_CALL].due_at == NOON + timedelta(days=2)


def test_each_kind_of_call_has_a_time_of_its_own() -> None:
    times = Times(agreed={"meetingChange": hours(10), "followUpInvitation": hours(20)})
    case, _ = invited()
    assert clocks(case, times)[Awaited.REPLY].due_at == sweden("2026-11-05T12:00")
    moved = apply(case, message(change(), CLINIC, PSYCHIATRY))
    assert clocks(moved, times)[Awaited.REPLY].due_at == NOON + timedelta(hours=10)
    followed = apply(apply(case, message(plan(), CLINIC)), message(follow_up_call(CLINIC), CLINIC))
    assert clocks(followed, times)[Awaited.REPLY].due_at == NOON + timedelta(hours=20)


@pytest.mark.parametrize(("counted_from", "days"), [(CountedFrom.CONSENT, 26), (CountedFrom.NEED, 21)])
def test_the_three_weeks_are_counted_from_the_consent_or_the_need_and_a_cancelled_meeting_moves_neither(
    counted_from: CountedFrom, days: int
) -> None:
    times = Times(meeting_counted_from=counted_from)
    later = NOON + timedelta(days=5)
    case = after(message(need(), CLINIC), message(consent(at=later), CLINIC, at=later))
    clock = clocks(case, times)[Awaited.MEETING]
    assert clock.due_at == NOON + timedelta(days=days)
    assert clock.source.endswith(f"counted from the {counted_from}")
    called = apply(case, message(booking(CLINIC, at=later), CLINIC, at=later))
    off = apply(called, message(cancellation(called.slot), CLINIC, at=later + timedelta(days=1)))
    assert clocks(off, times)[Awaited.MEETING].due_at == clock.due_at


def test_the_clocks_of_agreements_begin_when_the_unit_opens_and_those_of_the_law_at_once() -> None:
    evening = sweden("2026-11-06T20:00")  # a Friday
    office = OpeningHours.parse("mon-fri 08:00-16:30")
    times = Times(opening_hours={OFFICE: office, CLINIC: office})
    need_told = after(message(need(), CLINIC, at=evening))
    assert clocks(need_told, times)[Awaited.CONSENT].due_at == sweden("2026-11-12T08:00")
    stay = after(
        of_stay(notice(at=evening), OFFICE, at=evening),
        of_stay(contact(at=evening), OFFICE, at=evening),
        of_stay(replace(ready(at=evening), sip_needed=True), OFFICE, at=evening),
    )
    assert clocks(stay, times)[Awaited.SIP_CALL].due_at == sweden("2026-11-09T20:00")


def test_payment_begins_as_the_parties_have_agreed() -> None:
    stay = after(of_stay(notice(), OFFICE), of_stay(ready(), OFFICE))
    usual = clocks(stay)[Awaited.PAYMENT]
    assert usual.due_at == sweden("2026-11-05T00:00")
    agreed = clocks(stay, Times(grace=Grace(days=5, cutoff=time(11, 30))))[Awaited.PAYMENT]
    assert agreed.due_at == sweden("2026-11-08T00:00")
    assert agreed.source == f"set here: 5 days, 6 when sent after 11:30; usually: {usual.source}"


# --- whatever goes on has a clock -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(set(CaseState) - TERMINAL))
def test_every_state_that_is_not_the_end_has_a_deadline_and_an_owner(state: CaseState) -> None:
    first = deadlines(case_in(state))[0]
    assert (first.unit != "", first.due_at > first.since) == (True, True)


def test_a_reply_is_awaited_when_the_call_asks_for_it() -> None:
    asked = NOON + timedelta(days=6)
    call = message(replace(booking(CLINIC), reply_by=asked), CLINIC)
    case = after(message(need(), CLINIC), message(consent(), CLINIC), call)
    assert clocks(case)[Awaited.REPLY].due_at == asked
    moved = apply(case, message(replace(change(), reply_by=asked + timedelta(days=1)), CLINIC))
    assert clocks(moved)[Awaited.REPLY].due_at == asked + timedelta(days=1)
    assert clocks(apply(case, message(change(), CLINIC)))[Awaited.REPLY].due_at == sweden("2026-11-05T12:00")


def test_a_reply_asked_for_before_the_reminder_is_not_reminded_of() -> None:
    call = message(replace(booking(CLINIC), reply_by=NOON + timedelta(days=1)), CLINIC)
    clock = clocks(after(message(need(), CLINIC), message(consent(), CLINIC), call))[Awaited.REPLY]
    assert (clock.due_at, clock.remind_at) == (NOON + timedelta(days=1), None)


def test_a_consent_that_is_renewed_or_narrowed_does_not_begin_the_three_weeks_anew() -> None:
    case = after(message(need(), CLINIC), message(consent(), CLINIC))
    later = apply(case, message(consent(CLINIC, at=NOON + timedelta(days=9)), CLINIC))
    assert clocks(later)[Awaited.MEETING].due_at == NOON + timedelta(days=21)


def test_a_consent_that_runs_out_is_to_be_asked_for_anew_a_week_before() -> None:
    until = local_date(NOON) + timedelta(days=30)
    clock = clocks(after(message(need(), CLINIC), message(consent(until=until), CLINIC)))[Awaited.CONSENT]
    assert (clock.unit, clock.due_at) == (OFFICE, sweden("2026-12-03T00:00"))
    assert clock.remind_at == sweden("2026-11-26T00:00")


@pytest.mark.parametrize(
    ("outcome", "awaited", "since"),
    [
        (MeetingOutcome.PLAN, Awaited.PLAN, held().meeting.end),
        (MeetingOutcome.NO_PLAN, Awaited.CLOSURE, held().meeting.end),
        (MeetingOutcome.NEW_MEETING, Awaited.MEETING, NOON),  # the three weeks go on
    ],
)
def test_what_is_awaited_after_a_meeting_is_what_it_led_to(
    outcome: MeetingOutcome, awaited: Awaited, since: datetime
) -> None:
    case, _ = invited()
    (clock,) = deadlines(apply(case, message(held(outcome))))
    assert (clock.awaited, clock.unit, clock.since) == (awaited, OFFICE, since)


@pytest.mark.parametrize("outcome", [FollowUpOutcome.CLOSE, FollowUpOutcome.CLOSE_AND_NEW])
def test_the_closure_is_awaited_after_the_last_follow_up(outcome: FollowUpOutcome) -> None:
    case = apply(case_in(CaseState.FOLLOW_UP_CALLED), message(follow_up(1, outcome), CLINIC))
    clock = clocks(case)[Awaited.CLOSURE]
    assert (clock.unit, clock.due_at) == (OFFICE, sweden("2026-11-05T12:00"))


def test_another_follow_up_is_awaited_on_the_day_it_is_called_to() -> None:
    case = apply(case_in(CaseState.FOLLOW_UP_CALLED), message(follow_up(1, FollowUpOutcome.CLOSE), CLINIC))
    case = apply(case, message(follow_up_call(), CLINIC))
    assert clocks(case)[Awaited.FOLLOW_UP].due_at == sweden("2026-11-10T00:00")


def test_a_stay_awaits_the_day_of_the_discharge_until_the_patient_is_ready() -> None:
    case = after(of_stay(notice(), OFFICE), of_stay(contact(), OFFICE, sender=CLINIC))
    clock = clocks(case)[Awaited.DISCHARGE]
    assert (clock.unit, clock.due_at) == (WARD, sweden("2026-11-10T00:00"))
    assert Awaited.DISCHARGE not in clocks(apply(case, of_stay(ready(), OFFICE)))
