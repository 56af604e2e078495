"""The indicators: what each counts, what is left out, and that no small number can be seen or computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    PERSON,
    PSYCHIATRY,
    WARD,
    added,
    booking,
    change,
    closure,
    consent,
    declined,
    follow_up,
    follow_up_call,
    forward,
    held,
    message,
    misdirected,
    need,
    plan,
    reply,
    retraction,
    revised,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.case_log import Period, Told, cases_of
from gateway.clock import local_date
from gateway.figures import Disclosure, Unit, figures
from gateway.indicators import Indicators, indicators
from gateway.messages import (
    ClosureReason,
    CrisisAction,
    CrisisPlan,
    Identifier,
    InvitationAnswer,
    Invitee,
    InviteeKind,
    LifeArea,
    MeetingOutcome,
    Message,
    Plan,
    ProtectedLevel,
    SharedCaseState,
)

YEAR = Period(date(2026, 1, 1), date(2027, 12, 31))
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
DISCLOSURE = Disclosure(5)
REACHED = frozenset({CLINIC, PSYCHIATRY, WARD})


def after(days: float) -> datetime:
    return NOON + timedelta(days=days)


def told(body: Any, *, at: datetime = NOON, sender: str = OFFICE, units: frozenset[str] = REACHED, **more: Any) -> Told:
    """Return ``body`` as a message that has reached every unit it is for."""
    to = [unit for unit in (CLINIC, PSYCHIATRY, WARD) if unit != sender]
    return Told(message(body, *to, at=at, sender=sender, **more), units)


def of(*log: Told, period: Period = YEAR) -> Indicators:
    return indicators([log], period)


# --- meetings, offers, lead time ------------------------------------------------------------------------------------


def test_a_note_and_a_plan_tell_of_one_meeting() -> None:
    found = of(told(held(at=after(7))), told(plan(at=after(7)), at=after(8)))
    assert (found.meetings, found.follow_ups) == (1, 0)


def test_a_meeting_without_a_plan_is_a_meeting_too() -> None:
    noted = [told(held(MeetingOutcome.NEW_MEETING, at=after(day)), at=after(day)) for day in (7, 14)]
    assert of(*noted).meetings == 2


def test_meetings_after_the_plan_are_follow_ups_and_each_is_counted_once() -> None:
    found = of(
        told(plan(at=after(1)), at=after(1)),
        told(held(at=after(60)), at=after(60)),
        told(follow_up(at=after(60)), at=after(61)),
        told(revised(at=after(60)), at=after(62)),
    )
    assert (found.meetings, found.follow_ups) == (1, 1)


def test_a_plan_that_is_revised_without_a_meeting_is_no_follow_up() -> None:
    again = replace(revised(), meeting=plan().meeting)
    assert of(told(plan()), told(again, at=after(30))).follow_ups == 0


def test_to_a_unit_that_joins_a_case_with_a_plan_what_is_held_is_a_follow_up() -> None:
    joins = told(added(state=SharedCaseState.ACTIVE))
    found = of(joins, told(follow_up(at=after(30)), at=after(30)))
    assert (found.meetings, found.follow_ups) == (0, 1)


def test_a_meeting_counts_on_the_day_it_was_held_and_both_ends_of_the_period_are_in_it() -> None:
    noted = told(held(at=after(7)), at=after(30))
    day = local_date(after(7))
    assert of(noted, period=Period(day, day)).meetings == 1
    for outside in (day - timedelta(days=1), day + timedelta(days=1)):
        assert of(noted, period=Period(outside, outside)).meetings == 0


def test_the_day_is_the_swedish_one() -> None:
    late = datetime.fromisoformat("2026-11-30T23:30:00+00:00")  # half past midnight in Sweden
    assert of(told(need(), at=late), period=NOVEMBER).offered == 0


def test_offers_and_what_was_decided() -> None:
    said = of(told(need()), told(consent(), at=after(1)), told(consent(CLINIC), at=after(2)))
    assert (said.offered, said.accepted, said.declined) == (1, 1, 0)
    refused = of(told(need(), units=frozenset()), told(declined(), at=after(1), units=frozenset()))
    assert (refused.offered, refused.accepted, refused.declined) == (1, 0, 1)


def test_a_consent_that_is_renewed_is_no_new_yes() -> None:
    log = (told(consent()), told(consent(), at=after(40)))
    assert of(*log, period=Period(local_date(after(30)), local_date(after(50)))).accepted == 0


def test_the_lead_time_runs_from_the_need_to_the_first_meeting() -> None:
    log = (told(need()), told(held(at=after(20)), at=after(20)), told(plan(at=after(25)), at=after(25)))
    assert of(*log).lead_times == [20]
    assert of(told(need(), at=after(5)), told(plan(at=NOON), at=after(6))).lead_times == [0]
    assert of(told(need())).lead_times == []


# --- replies --------------------------------------------------------------------------------------------------------


def answer(call: Told, said: InvitationAnswer, sender: str = CLINIC, *, to: str | None = None, day: int = 1) -> Told:
    body = reply(said, to=to)
    return told(body, at=after(day), sender=sender, in_reply_to=call.message.header.message_id)


@pytest.mark.parametrize(
    ("said", "replied"),
    [
        (InvitationAnswer.CONFIRM, 1),
        (InvitationAnswer.DECLINE, 1),
        (InvitationAnswer.REDIRECT, 1),
        (InvitationAnswer.TENTATIVE, 0),
    ],
)
def test_only_a_final_reply_counts(said: InvitationAnswer, replied: int) -> None:
    call = told(booking(CLINIC, PSYCHIATRY))
    target = PSYCHIATRY if said is InvitationAnswer.REDIRECT else None
    found = of(call, answer(call, said, to=target))
    assert (found.summoned, found.replied) == (2, replied)


def test_a_unit_that_the_call_has_not_reached_owes_nothing() -> None:
    call = told(booking(CLINIC, PSYCHIATRY), units=frozenset({CLINIC}))
    assert of(call).summoned == 1


def test_whoever_is_only_invited_is_not_counted() -> None:
    whole = booking(CLINIC)
    invited = Invitee(kind=InviteeKind.INVITE, unit=PSYCHIATRY)
    assert of(told(replace(whole, invitees=(*whole.invitees, invited)))).summoned == 1


def test_a_reply_to_a_moved_meeting_answers_the_call() -> None:
    call = told(booking(CLINIC))
    moved = told(change(), at=after(1))
    found = of(call, moved, answer(moved, InvitationAnswer.CONFIRM, day=2))
    assert (found.summoned, found.replied) == (1, 1)


def test_each_call_is_answered_by_itself() -> None:
    first, second = told(booking(CLINIC)), told(follow_up_call(CLINIC), at=after(30))
    found = of(first, second, answer(first, InvitationAnswer.CONFIRM))
    assert (found.summoned, found.replied) == (2, 1)


def test_a_unit_that_was_called_by_mistake_is_not_counted() -> None:
    call = told(booking(CLINIC))
    assert of(call, told(misdirected(call.message), at=after(1), sender=CLINIC)).summoned == 0


def test_a_redirect_is_counted_once_however_it_is_told() -> None:
    call = told(booking(CLINIC))
    answers = call.message.header.message_id
    found = of(
        call,
        answer(call, InvitationAnswer.REDIRECT, to=PSYCHIATRY),
        told(forward(), at=after(2), sender=CLINIC, in_reply_to=answers),
    )
    assert (found.redirects, found.replied) == (1, 1)


# --- plans, follow-ups, closures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "timely"), [(59, 1), (60, 1), (61, 0)])
def test_a_follow_up_is_timely_up_to_the_day_the_plan_set(day: int, timely: int) -> None:
    found = of(told(plan()), told(follow_up(at=after(day)), at=after(day)))
    assert (found.dated_follow_ups, found.timely_follow_ups) == (1, timely)


def test_a_later_follow_up_is_compared_with_the_day_the_earlier_one_set() -> None:
    log = [told(plan()), *(told(follow_up(at=after(day)), at=after(day)) for day in (60, 151))]
    found = of(*log)
    assert (found.dated_follow_ups, found.timely_follow_ups) == (2, 1)


def test_a_follow_up_of_a_plan_that_is_not_known_is_not_compared() -> None:
    assert of(told(follow_up())).dated_follow_ups == 0


def with_crisis_plan(*known_by: str) -> Plan:
    actions = (CrisisAction(sign="Sömnlöshet.", who="Boendestödet", what="Ringer."),)
    return replace(plan(), crisis_plan=CrisisPlan(early_signs=("Sömnlöshet.",), actions=actions, known_by=known_by))


def test_a_crisis_plan_is_known_when_everyone_who_was_present_is_named() -> None:
    names = [attendee.name for attendee in plan().attendees]
    whole = of(told(with_crisis_plan(*(name.upper() for name in names), "Annan Person")))
    part = of(told(with_crisis_plan(names[0])))
    assert (whole.plans, whole.crisis_plans, whole.known_crisis_plans) == (1, 1, 1)
    assert (part.crisis_plans, part.known_crisis_plans) == (1, 0)
    assert of(told(plan())).crisis_plans == 0


def test_who_was_called_and_did_not_come_need_not_know() -> None:
    made = with_crisis_plan("Karin Övningsson")
    absent = tuple(replace(one, present=one.name == "Karin Övningsson") for one in made.attendees)
    assert of(told(replace(made, attendees=absent))).known_crisis_plans == 1


def test_a_plan_counts_once_in_each_area_it_has_a_measure_in_and_by_its_latest_version() -> None:
    later = revised(at=after(5))
    goals = (*later.sub_goals, replace(later.sub_goals[0], id="D2", life_area=LifeArea.HOUSING))
    measures = (*later.measures, replace(later.measures[0], id="I2"))
    found = of(told(plan()), told(replace(later, sub_goals=goals, measures=measures), at=after(5)))
    assert found.plans == 1
    assert dict(found.life_areas) == {LifeArea.PHYSICAL_HEALTH: 1}


def test_a_case_is_closed_once() -> None:
    log = [told(closure(ClosureReason.MOVED)), told(closure(ClosureReason.DIED), at=after(1))]
    assert dict(of(*log).closures) == {ClosureReason.MOVED: 1}


# --- who is left out ------------------------------------------------------------------------------------------------


def test_what_was_taken_back_does_not_count() -> None:
    call = told(booking(CLINIC))
    assert of(call, told(retraction(call.message), at=after(1))).summoned == 0
    by_another = told(retraction(call.message), at=after(1), sender=CLINIC)
    assert of(call, by_another).summoned == 1


@pytest.mark.parametrize("level", [level for level in ProtectedLevel if level is not ProtectedLevel.NONE])
def test_one_word_of_protection_in_any_case_leaves_the_person_out_of_everything(level: ProtectedLevel) -> None:
    call = told(booking(CLINIC), at=after(1))
    log = [told(need()), told(consent()), call, answer(call, InvitationAnswer.REDIRECT, to=WARD, day=2)]
    log += [told(with_crisis_plan("A"), at=after(3)), told(follow_up(), at=after(4)), told(closure(), at=after(5))]
    elsewhere = told(need(), person=replace(PERSON, protected_level=level), number="SIP100009", at=after(900))
    assert of(*log) != Indicators()
    assert of(*log, elsewhere) == Indicators()


def test_cases_are_chosen_by_who_convened_them() -> None:
    log = [told(need()), told(need(), sender=CLINIC, number="SIP200001")]
    assert indicators([log], YEAR).offered == 2
    assert indicators([log], YEAR, conveners={CLINIC}).offered == 1
    assert indicators([[told(plan())]], YEAR, conveners={OFFICE}).plans == 0


def test_a_joined_case_is_convened_by_whom_it_says() -> None:
    joins = told(added(), sender=CLINIC)
    assert [case.convening_unit for case in cases_of([joins])] == [OFFICE]


def test_messages_are_weighed_in_the_order_they_were_sent() -> None:
    log = [told(follow_up(at=after(60)), at=after(60)), told(plan())]
    assert of(*log).timely_follow_ups == 1


# --- small numbers --------------------------------------------------------------------------------------------------


def shown(found: Indicators) -> dict[tuple[str, str], tuple[float | None, bool, str]]:
    lines = figures(found, target_days=21, disclosure=DISCLOSURE)
    return {(one.name, one.detail): (one.shown.value, one.shown.suppressed, DISCLOSURE.text(one)) for one in lines}


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (1200, "1200")])
def test_a_count_is_shown_from_five_and_when_it_is_zero(number: int, text: str) -> None:
    assert shown(Indicators(meetings=number))["meetings.held", ""][2] == text


def test_a_median_over_four_is_hidden_and_over_five_shown() -> None:
    assert shown(Indicators(lead_times=[7] * 4))["lead-time.median", ""] == (None, True, "..")
    assert shown(Indicators(lead_times=[3, 7, 9, 20, 40]))["lead-time.median", ""] == (9, False, "9")
    assert shown(Indicators())["lead-time.median", ""] == (None, False, "")


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, ""),
        (4, 4, ".."),
        (5, 5, "100"),
        (0, 5, "0"),
        (5, 10, "50"),
        (4, 10, ".."),
        (6, 10, ".."),
        (20, 30, "66.7"),
    ],
)
def test_a_share_is_hidden_when_those_in_it_or_outside_it_are_few(part: int, whole: int, text: str) -> None:
    assert shown(Indicators(summoned=whole, replied=part))["calls.replied", ""][2] == text


def test_every_area_and_every_reason_has_its_line() -> None:
    names = [name for name, _ in shown(Indicators())]
    assert names.count("plans.life-area") == len(LifeArea) == 10
    assert names.count("closures") == len(ClosureReason)


def test_what_a_reader_must_know_is_said_with_the_number_that_is_set() -> None:
    note = Disclosure(10).note()
    assert "<10" in note["sv"]
    assert "skyddade personuppgifter" in note["sv"]
    assert "protected identity" in note["en"]


numbers = st.integers(0, 12)


@given(
    plain=st.fixed_dictionaries(dict.fromkeys(("meetings", "offered", "accepted", "plans", "redirects"), numbers)),
    pairs=st.lists(st.tuples(numbers, numbers), min_size=3, max_size=3),
    waits=st.lists(st.integers(0, 60), max_size=12),
)
def test_nothing_that_is_shown_is_a_small_number_or_tells_one(
    plain: dict[str, int], pairs: list[tuple[int, int]], waits: list[int]
) -> None:
    (replied, silent), (timely, late), (known, unknown) = pairs
    found = Indicators(
        **plain,
        lead_times=waits,
        summoned=replied + silent,
        replied=replied,
        dated_follow_ups=timely + late,
        timely_follow_ups=timely,
        crisis_plans=known + unknown,
        known_crisis_plans=known,
    )
    lines = list(figures(found, target_days=21, disclosure=DISCLOSURE))
    for line in lines:
        assert (line.shown.value is None) or not line.shown.suppressed
        if line.unit is Unit.COUNT and line.shown.value is not None:
            assert not 0 < line.shown.value < 5
    shares = {line.name: line.shown.value for line in lines if line.unit is Unit.PERCENT}
    for name, (part, rest) in zip(("calls.replied", "follow-ups.on-time", "plans.crisis-known"), pairs, strict=True):
        if shares[name] is not None:
            assert not {1, 2, 3, 4} & {part, rest}


PEOPLE = [
    replace(PERSON, identifiers=(Identifier(root="1.2.752.129.2.1.3.1", extension=f"1985091298{number:02}"),))
    for number in range(3)
]


def story(person: int) -> list[Message]:
    bodies: Sequence[Any] = (need(), consent(), booking(CLINIC), plan(), follow_up(), closure())
    number = f"SIP10000{person + 1}"
    return [
        message(body, CLINIC, at=after(day), person=PEOPLE[person], number=number) for day, body in enumerate(bodies)
    ]


@given(protected=st.sets(st.integers(0, 2)), level=st.sampled_from(list(ProtectedLevel)[1:]))
def test_a_report_is_the_same_whether_or_not_there_are_protected_persons(
    protected: set[int], level: ProtectedLevel
) -> None:
    whole = [[Told(one, REACHED) for one in story(person)] for person in range(3)]
    for person in protected:
        first = whole[person][0].message
        hidden = replace(PEOPLE[person], protected_level=level)
        whole[person][0] = Told(replace(first, header=replace(first.header, person=hidden)), REACHED)
    others = [log for person, log in enumerate(whole) if person not in protected]
    assert indicators(whole, YEAR) == indicators(others, YEAR)


@given(start=st.dates(date(2020, 1, 1), date(2030, 1, 1)), length=st.integers(0, 800))
def test_the_months_of_a_period_are_the_period(start: date, length: int) -> None:
    period = Period(start, start + timedelta(days=length))
    months = list(period.months())
    assert (months[0].first, months[-1].last) == (period.first, period.last)
    assert sum((month.last - month.first).days + 1 for month in months) == length + 1
    assert all((month.first.year, month.first.month) == (month.last.year, month.last.month) for month in months)
