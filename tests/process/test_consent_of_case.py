"""The consent of a case: whom it lets be told what, and when it ends."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from build import (
    CHILD,
    CLINIC,
    KOMMUN,
    NOON,
    OFFICE,
    PERSON,
    PSYCHIATRY,
    REGION,
    added,
    booking,
    cancellation,
    change,
    closure,
    consent,
    declined,
    follow_up,
    follow_up_call,
    forward,
    held,
    measure_update,
    message,
    misdirected,
    need,
    plan,
    removed,
    reply,
    retraction,
    revised,
    telling,
    transfer,
    withdrawn,
)
from cases import LED_BY_REGION, WITHDRAWAL_TOLD, case_in, opened

from gateway.clock import STOCKHOLM, local_date
from gateway.messages import Identifier, InformationType, Person
from gateway.process import CaseState, MeetingState, SipCase, apply

TODAY = local_date(NOON)
PERSONNUMMER = PERSON.identifiers[0].root
TOLD = message(telling(), CLINIC)
NEED, MEETING, PLAN = InformationType.NEED, InformationType.MEETING, InformationType.PLAN

NEEDED: list[tuple[Any, InformationType]] = [
    (need(), NEED),
    (added(), NEED),
    (telling(), NEED),
    (booking(), MEETING),
    (change(), MEETING),
    (cancellation(), MEETING),
    (follow_up_call(), MEETING),
    (plan(), PLAN),
    (revised(), PLAN),
    (follow_up(), PLAN),
    (transfer(), PLAN),
]
"""What the convener tells of the person, and what a consent must cover for it."""

ANSWERED: list[tuple[Any, InformationType]] = [
    (reply(), MEETING),
    (forward(), MEETING),
    (measure_update(), PLAN),
    (telling(), NEED),
]
"""What a unit tells the convener, and what a consent must cover for it."""

SILENT: list[Any] = [
    withdrawn(),
    WITHDRAWAL_TOLD,
    closure(),
    removed(CLINIC),
    retraction(TOLD),
    misdirected(TOLD),
    held(),
]
"""What tells nothing of the person, or goes nowhere."""


def named(body: Any) -> str:
    return type(body).__name__ if not isinstance(body, InformationType) else body.value


def granted(*units: str, **terms: Any) -> SipCase:
    """Return a case with that consent."""
    return apply(opened(), message(consent(*units, **terms), CLINIC))


# --- whom it covers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "kind"), NEEDED, ids=named)
def test_a_message_may_leave_only_for_a_unit_and_a_kind_that_the_consent_names(
    body: Any, kind: InformationType
) -> None:
    told = message(body, CLINIC)
    case = granted(CLINIC, kinds=[kind])
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=TODAY)
    assert not case.may_receive(told, party=REGION, unit=PSYCHIATRY, on=TODAY)
    assert not case.may_receive(told, party="skola", unit=CLINIC, on=TODAY)
    narrow = granted(CLINIC, kinds=[other for other in InformationType if other is not kind])
    assert not narrow.may_receive(told, party=REGION, unit=CLINIC, on=TODAY)
    assert not opened().may_receive(told, party=REGION, unit=CLINIC, on=TODAY)


@pytest.mark.parametrize(("body", "kind"), ANSWERED, ids=named)
def test_a_unit_may_tell_the_convener_what_it_may_be_told_itself(body: Any, kind: InformationType) -> None:
    case = granted(CLINIC, kinds=[kind])
    said = message(body, OFFICE, sender=CLINIC, in_reply_to=TOLD.header.message_id)
    assert case.may_receive(said, party=KOMMUN, unit=OFFICE, on=TODAY)
    by_another = message(body, OFFICE, sender=PSYCHIATRY, in_reply_to=TOLD.header.message_id)
    assert not case.may_receive(by_another, party=KOMMUN, unit=OFFICE, on=TODAY)
    narrow = granted(CLINIC, kinds=[other for other in InformationType if other is not kind])
    assert not narrow.may_receive(said, party=KOMMUN, unit=OFFICE, on=TODAY)
    assert not opened().may_receive(said, party=KOMMUN, unit=OFFICE, on=TODAY)


def test_a_unit_that_leads_the_case_tells_the_convener_under_the_same_consent() -> None:
    told = message(revised(led_by=CLINIC), OFFICE, sender=CLINIC)
    assert opened(*LED_BY_REGION).may_receive(told, party=KOMMUN, unit=OFFICE, on=TODAY)
    narrow = apply(opened(*LED_BY_REGION), message(consent(CLINIC, kinds=[NEED]), OFFICE, sender=CLINIC))
    assert not narrow.may_receive(told, party=KOMMUN, unit=OFFICE, on=TODAY)


@pytest.mark.parametrize("body", SILENT, ids=named)
def test_what_tells_nothing_of_the_person_needs_no_consent(body: Any) -> None:
    assert opened().may_receive(message(body, CLINIC), party=REGION, unit=CLINIC, on=TODAY)
    said = message(body, OFFICE, sender=CLINIC)
    assert opened().may_receive(said, party=KOMMUN, unit=OFFICE, on=TODAY)


def test_a_consent_is_told_to_those_it_covers_and_to_nobody_else() -> None:
    told = message(consent(CLINIC), CLINIC)
    case = apply(opened(), told)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=TODAY)
    assert not case.may_receive(told, party=REGION, unit=PSYCHIATRY, on=TODAY)
    no = message(declined(), CLINIC)
    assert not opened().may_receive(no, party=REGION, unit=CLINIC, on=TODAY)


def test_nothing_is_shared_where_the_person_has_said_no() -> None:
    case = case_in(CaseState.CONSENT_DECLINED)
    assert not any(case.shares(kind, party=REGION, unit=CLINIC, on=TODAY) for kind in InformationType)


# --- what a case remembers of it ------------------------------------------------------------------------------------


def test_the_latest_consent_is_the_one_in_force() -> None:
    later = message(consent(PSYCHIATRY), PSYCHIATRY)
    case = apply(case_in(CaseState.ACTIVE), later)
    assert (case.consent, case.consent_ref) == (later.body, later.header.message_id)
    assert [participant.unit for participant in case.participants] == [CLINIC, PSYCHIATRY]
    assert not case.shares(PLAN, party=REGION, unit=CLINIC, on=TODAY)


@pytest.mark.parametrize("body", [withdrawn(), WITHDRAWAL_TOLD])
def test_a_withdrawal_ends_the_consent_and_calls_the_meeting_off(body: Any) -> None:
    case = apply(case_in(CaseState.INVITED), message(body, CLINIC))
    assert (case.state, case.consent, case.consent_ref) == (CaseState.CLOSED, None, None)
    assert (case.meeting, case.called, case.slot) == (MeetingState.CANCELLED, (), None)


def test_a_meeting_that_was_held_stays_held_when_the_case_closes() -> None:
    assert case_in(CaseState.CLOSED).meeting is MeetingState.HELD


# --- when it ends ---------------------------------------------------------------------------------------------------


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=STOCKHOLM)


def of_child(person: Person = CHILD, **terms: Any) -> SipCase:
    """Return the case of a child, whose guardian has consented."""
    case = apply(None, message(need(), CLINIC, person=person))
    return apply(case, message(consent(guardian=True, **terms), CLINIC, person=person))


def test_a_consent_holds_to_the_end_of_its_last_day() -> None:
    last = TODAY + timedelta(days=10)
    case = granted(until=last)
    told = message(booking(), CLINIC)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=last)
    assert not case.may_receive(told, party=REGION, unit=CLINIC, on=last + timedelta(days=1))
    assert case.consent_ends_at == midnight(last + timedelta(days=1))


def test_a_consent_without_a_last_day_does_not_run_out() -> None:
    assert granted().consent_ends_at is None
    assert opened().consent_ends_at is None
    assert apply(granted(until=TODAY), message(withdrawn())).consent_ends_at is None


BIRTHDAY = date(2028, 3, 4)
"""When the child comes of age."""


def test_what_a_guardian_has_consented_to_ends_on_the_18th_birthday() -> None:
    case = of_child()
    for kind in InformationType:
        assert case.shares(kind, party=REGION, unit=CLINIC, on=BIRTHDAY - timedelta(days=1))
        assert not case.shares(kind, party=REGION, unit=CLINIC, on=BIRTHDAY)
    told = message(booking(), CLINIC, person=CHILD)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=BIRTHDAY - timedelta(days=1))
    assert not case.may_receive(told, party=REGION, unit=CLINIC, on=BIRTHDAY)
    assert case.consent_ends_at == midnight(BIRTHDAY)


def test_the_earlier_of_the_last_day_and_the_18th_birthday_ends_a_guardians_consent() -> None:
    assert of_child(until=TODAY).consent_ends_at == midnight(TODAY + timedelta(days=1))
    assert of_child(until=BIRTHDAY + timedelta(days=30)).consent_ends_at == midnight(BIRTHDAY)


def test_what_the_young_person_has_consented_to_does_not_end_on_the_birthday() -> None:
    case = apply(of_child(), message(consent(), CLINIC, person=CHILD))
    assert case.consent_ends_at is None
    assert case.shares(PLAN, party=REGION, unit=CLINIC, on=BIRTHDAY)


def test_whoever_was_born_on_the_29th_of_february_comes_of_age_on_the_first_of_march() -> None:
    leap = Person(identifiers=(Identifier(root=PERSONNUMMER, extension="201202299804"),), name="Siv Testberg")
    assert of_child(leap).consent_ends_at == midnight(date(2030, 3, 1))


def test_a_number_that_does_not_tell_the_birthday_ends_no_consent() -> None:
    unknown = Person(identifiers=(Identifier(root="1.2.3", extension="X1"),), name="Siv Testberg")
    case = of_child(unknown)
    assert case.consent_ends_at is None
    assert case.shares(PLAN, party=REGION, unit=CLINIC, on=BIRTHDAY)
