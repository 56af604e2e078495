"""Who leads a case, who may send what in it, and where the overall responsibility lies: never with nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from build import (
    CLINIC,
    HOME_CARE,
    KOMMUN,
    OFFICE,
    PSYCHIATRY,
    REGION,
    SCHOOL,
    added,
    booking,
    cancellation,
    change,
    closure,
    consent,
    declined,
    follow_up,
    follow_up_call,
    held,
    measure_update,
    message,
    misdirected,
    need,
    plan,
    removed,
    retraction,
    revised,
    telling,
    transfer,
    withdrawn,
)
from cases import BOTH, LED_BY_REGION, WITHDRAWAL_TOLD, case_in, opened, refusal

from gateway.messages import ClosureReason, Message, RemovalReason, SharedCaseState
from gateway.process import CaseState, MeetingState, Participant, SipCase, apply, part_from, take_charge

CONVENER, CLINICS = Participant(party=KOMMUN, unit=OFFICE), Participant(party=REGION, unit=CLINIC)

DECISIONS: list[Any] = [
    consent(),
    declined(),
    booking(),
    change(),
    cancellation(),
    follow_up_call(),
    follow_up(),
    plan(2),
    revised(),
    transfer(OFFICE, previous=CLINIC),
    added(),
    removed(),
    closure(),
    closure(ClosureReason.MOVED),
    closure(ClosureReason.REFUSED),
    WITHDRAWAL_TOLD,
]
"""What only who leads the case may send."""

WORDS: list[Any] = [withdrawn(), closure(ClosureReason.DIED), telling(), measure_update()]
"""What any participant may send."""


def handed_over(to: str = CLINIC, case: SipCase | None = None) -> tuple[SipCase, Message]:
    """Return an active case whose responsibility is on its way to the unit ``to``, and the message it is on."""
    sent = message(transfer(to), to)
    return apply(case or case_in(CaseState.ACTIVE), sent), sent


# --- who may send ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", DECISIONS, ids=lambda body: type(body).__name__)
def test_a_participant_may_not_decide_for_who_leads_the_case(body: Any) -> None:
    assert refusal(case_in(CaseState.ACTIVE), message(body, OFFICE, sender=CLINIC)) == ("case.not-convener",)


@pytest.mark.parametrize("body", DECISIONS, ids=lambda body: type(body).__name__)
def test_a_convener_that_no_longer_leads_is_a_participant_as_any_other(body: Any) -> None:
    assert refusal(opened(*LED_BY_REGION), message(body, CLINIC)) == ("case.not-convener",)


@pytest.mark.parametrize("body", WORDS, ids=lambda body: type(body).__name__)
def test_any_participant_may_tell_of_a_withdrawal_a_death_a_measure_or_anything_else(body: Any) -> None:
    assert apply(case_in(CaseState.ACTIVE), message(body, OFFICE, sender=CLINIC))
    assert apply(opened(*LED_BY_REGION), message(body, CLINIC))


@pytest.mark.parametrize("body", [*WORDS, *DECISIONS], ids=lambda body: type(body).__name__)
def test_a_party_outside_the_case_may_send_nothing(body: Any) -> None:
    for case in (case_in(CaseState.ACTIVE), opened(*LED_BY_REGION), case_in(CaseState.CLOSED)):
        assert refusal(case, message(body, OFFICE, sender=SCHOOL)) == ("case.not-participant",)


def test_a_party_that_nothing_has_been_sent_to_may_not_even_tell_of_a_withdrawal() -> None:
    case = replace(case_in(CaseState.ACTIVE), participants=())
    assert refusal(case, message(withdrawn(), OFFICE, sender=CLINIC)) == ("case.not-participant",)


def test_a_party_that_is_let_in_may_speak() -> None:
    case = apply(case_in(CaseState.PREPARING), message(added(SCHOOL), SCHOOL))
    assert apply(case, message(telling(), OFFICE, sender=SCHOOL)) == case


def test_another_unit_of_the_party_that_leads_may_send_as_well() -> None:
    assert apply(case_in(CaseState.ACTIVE), message(closure(), CLINIC, sender=HOME_CARE)).state is CaseState.CLOSED


# --- who takes part -------------------------------------------------------------------------------------------------


def test_units_join_once_in_the_order_they_are_written_to() -> None:
    case = case_in(CaseState.PREPARING, PSYCHIATRY)
    case = apply(case, message(booking(), PSYCHIATRY, CLINIC))
    case = apply(case, message(added(SCHOOL), SCHOOL))
    assert [participant.unit for participant in case.participants] == [PSYCHIATRY, CLINIC, SCHOOL]


@pytest.mark.parametrize("body", [telling(), follow_up(), transfer(PSYCHIATRY)], ids=lambda body: type(body).__name__)
def test_being_told_something_does_not_make_a_unit_a_participant(body: Any) -> None:
    case = case_in(CaseState.FOLLOW_UP_CALLED)
    assert apply(case, message(body, CLINIC, PSYCHIATRY)).participants == case.participants


def test_a_unit_that_is_removed_is_called_to_nothing_any_longer() -> None:
    case = apply(case_in(CaseState.INVITED, *BOTH), message(removed(PSYCHIATRY), PSYCHIATRY))
    assert [one.unit for one in case.participants] == [one.unit for one in case.called] == [CLINIC]


def test_a_unit_that_came_to_know_of_a_case_by_mistake_does_not_take_part_in_it() -> None:
    start = message(need(), *BOTH)
    case = apply(apply(None, start), message(consent(), *BOTH))
    wrong = message(misdirected(start), OFFICE, sender=PSYCHIATRY, in_reply_to=start.header.message_id)
    assert [one.unit for one in apply(case, wrong).participants] == [CLINIC]


# --- the lead -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [CaseState.DRAFT, CaseState.PREPARING, CaseState.INVITED, CaseState.MEETING_DONE])
def test_the_convener_leads_until_there_is_a_plan(state: CaseState) -> None:
    case = case_in(state)
    assert (case.leader, case.lead, case.responsible_unit) == (CONVENER, None, None)


def test_the_unit_that_the_plan_makes_overall_responsible_leads_from_then_on() -> None:
    case = opened(*LED_BY_REGION)
    assert (case.leader, case.responsible_unit) == (CLINICS, CLINIC)
    call = message(follow_up_call(OFFICE), OFFICE, sender=CLINIC)
    assert apply(case, call).state is CaseState.FOLLOW_UP_CALLED


def test_who_lets_a_unit_in_leads_the_case_for_it() -> None:
    by_convener = apply(None, message(added(SCHOOL), SCHOOL))
    assert (by_convener.leader, by_convener.lead) == (CONVENER, None)
    by_clinic = apply(None, message(added(SCHOOL, SharedCaseState.ACTIVE), SCHOOL, sender=CLINIC))
    assert (by_clinic.leader, by_clinic.convener) == (CLINICS, KOMMUN)


def test_a_later_plan_may_give_the_responsibility_back() -> None:
    back = message(revised(led_by=OFFICE), OFFICE, sender=CLINIC)
    assert apply(opened(*LED_BY_REGION), back).leader == CONVENER


# --- the responsibility passes --------------------------------------------------------------------------------------


def test_the_old_unit_keeps_the_responsibility_until_the_new_one_has_taken_charge() -> None:
    case, sent = handed_over()
    assert (case.leader, case.responsible_unit) == (CONVENER, OFFICE)
    assert apply(case, message(revised(), CLINIC)).state is CaseState.ACTIVE
    taken = take_charge(case, sent.header.message_id, CLINIC)
    assert (taken.leader, taken.responsible_unit, taken.transfer) == (CLINICS, CLINIC, None)
    assert apply(taken, message(revised(led_by=CLINIC), OFFICE, sender=CLINIC)).plan_version == 2


def test_only_the_unit_that_takes_over_can_take_charge_of_the_transfer_and_of_no_other_message() -> None:
    case, sent = handed_over()
    assert take_charge(case, sent.header.message_id, PSYCHIATRY) == case
    assert take_charge(case, message(telling(), CLINIC).header.message_id, CLINIC) == case


def test_a_transfer_that_went_astray_is_not_on_its_way_any_longer() -> None:
    sent = message(transfer(), CLINIC)
    case = apply(case_in(CaseState.ACTIVE), sent)
    assert case.transfer is not None
    wrong = message(misdirected(sent), OFFICE, sender=CLINIC, in_reply_to=sent.header.message_id)
    case = apply(case, wrong)
    assert (case.transfer, case.responsible_unit, case.leader.unit) == (None, OFFICE, OFFICE)


def test_who_takes_over_may_move_or_call_off_a_meeting_that_it_does_not_know_was_held() -> None:
    """The note of a meeting stays with the party that wrote it."""
    case = apply(case_in(CaseState.ACTIVE), message(booking(), CLINIC))
    booked = case.slot
    sent = message(transfer(), CLINIC)
    case = take_charge(apply(apply(case, message(held())), sent), sent.header.message_id, CLINIC)
    assert (case.leader.unit, case.meeting) == (CLINIC, MeetingState.HELD)
    assert apply(case, message(cancellation(booked), OFFICE, sender=CLINIC)).meeting is MeetingState.HELD
    moved = apply(case, message(change(booked), OFFICE, sender=CLINIC))
    assert (moved.meeting, moved.booking_version) == (MeetingState.BOOKED, case.booking_version + 1)


def test_a_later_transfer_takes_the_place_of_one_that_nobody_took_charge_of() -> None:
    case, first = handed_over()
    case, second = handed_over(PSYCHIATRY, case)
    assert take_charge(case, first.header.message_id, CLINIC) == case
    assert take_charge(case, second.header.message_id, PSYCHIATRY).responsible_unit == PSYCHIATRY


def test_a_transfer_survives_a_plan_that_leaves_the_responsibility_where_it_is() -> None:
    case, sent = handed_over()
    case = apply(case, message(revised(), CLINIC))
    assert take_charge(case, sent.header.message_id, CLINIC).responsible_unit == CLINIC


def test_a_transfer_ends_with_a_plan_that_names_another_unit() -> None:
    case, sent = handed_over()
    case = apply(case, message(revised(led_by=PSYCHIATRY), *BOTH))
    assert case.transfer is None
    assert take_charge(case, sent.header.message_id, CLINIC).responsible_unit == PSYCHIATRY


@pytest.mark.parametrize("body", [withdrawn(), WITHDRAWAL_TOLD, closure()])
def test_nobody_takes_over_a_case_that_has_ended(body: Any) -> None:
    case, sent = handed_over()
    ended = apply(case, message(body, CLINIC))
    assert ended.transfer is None
    assert take_charge(ended, sent.header.message_id, CLINIC) == ended


def test_a_unit_that_leaves_cannot_take_over_any_longer() -> None:
    case, sent = handed_over()
    case = apply(case, message(removed(CLINIC, RemovalReason.MOVED), CLINIC))
    assert (case.transfer, case.responsible_unit) == (None, OFFICE)
    assert take_charge(case, sent.header.message_id, CLINIC) == case


def test_the_responsible_unit_hands_over_before_it_leaves() -> None:
    case, sent = handed_over(PSYCHIATRY, apply(case_in(CaseState.ACTIVE), message(revised(), *BOTH)))
    case = take_charge(case, sent.header.message_id, PSYCHIATRY)
    gone = message(removed(PSYCHIATRY), PSYCHIATRY, sender=CLINIC)
    assert refusal(case, gone) == ("case.responsible-leaves",)
    back = message(transfer(OFFICE, previous=PSYCHIATRY), OFFICE, sender=PSYCHIATRY)
    case = take_charge(apply(case, back), back.header.message_id, OFFICE)
    gone = message(removed(PSYCHIATRY), PSYCHIATRY)
    assert apply(case, gone).responsible_unit == OFFICE


def test_the_responsible_unit_does_not_lose_the_case_by_saying_that_it_came_to_the_wrong_one() -> None:
    case = opened(*LED_BY_REGION)
    start = message(need(), CLINIC)
    wrong = message(misdirected(start), OFFICE, sender=CLINIC, in_reply_to=start.header.message_id)
    assert apply(case, wrong) == case


def test_parting_from_a_unit_leaves_everything_else_as_it_was() -> None:
    case = case_in(CaseState.ACTIVE, *BOTH)
    left = part_from(case, PSYCHIATRY)
    assert replace(left, participants=case.participants, called=case.called) == case


# --- taken back -----------------------------------------------------------------------------------------------------


def test_only_who_sent_a_call_takes_it_back() -> None:
    call = message(booking(), CLINIC)
    case = apply(case_in(CaseState.PREPARING), call)
    assert refusal(case, message(retraction(call), OFFICE, sender=CLINIC)) == ("case.not-convener",)
    assert apply(case, message(retraction(call), CLINIC)).state is CaseState.PREPARING


def test_a_participant_takes_back_what_it_has_sent_itself() -> None:
    said = message(telling(), OFFICE, sender=CLINIC)
    case = apply(case_in(CaseState.INVITED), said)
    assert apply(case, message(retraction(said), OFFICE, sender=CLINIC)) == case
