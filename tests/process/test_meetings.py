"""The meeting of a case: its versions, who is called, what they answer, and who comes instead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build import (
    CLINIC,
    HOME_CARE,
    NOON,
    OFFICE,
    PSYCHIATRY,
    REGION,
    WARD,
    added,
    booking,
    cancellation,
    change,
    follow_up_call,
    forward,
    held,
    message,
    misdirected,
    removed,
    reply,
    retraction,
    slot,
    telling,
)
from cases import BOTH, answer_of, answered, case_in, invited, of_unit, refusal

from gateway.messages import InvitationAnswer, Invitee, InviteeKind, MeetingOutcome, Principal, SharedCaseState
from gateway.process import CaseState, MeetingState, Participation, ParticipationState, SipCase, apply, take_charge

REDIRECT, DECLINE = InvitationAnswer.REDIRECT, InvitationAnswer.DECLINE
S = ParticipationState


def states(case: SipCase) -> dict[str, ParticipationState]:
    return {one.unit: one.state for one in case.called}


# --- the call -------------------------------------------------------------------------------------------------------


def test_a_call_books_the_meeting_and_calls_the_units_it_goes_to() -> None:
    case = invited(CLINIC, PSYCHIATRY)
    assert (case.meeting, case.booking_version, case.slot) == (MeetingState.BOOKED, 1, slot())
    assert case.called == tuple(
        Participation(party=REGION, unit=unit, kind=InviteeKind.SUMMONS, ref=case.booking_ref, since=NOON)
        for unit in BOTH
    )


def test_a_unit_that_is_invited_may_decline_without_a_substitute() -> None:
    call = booking(CLINIC)
    guest = Invitee(kind=InviteeKind.INVITE, principal=Principal.REGION, unit=PSYCHIATRY)
    told = message(replace(call, invitees=(*call.invitees, guest)), *BOTH)
    case = apply(case_in(CaseState.PREPARING), told)
    assert of_unit(case, PSYCHIATRY).kind is InviteeKind.INVITE
    no = message(replace(reply(DECLINE), substitute=None), OFFICE, sender=PSYCHIATRY, in_reply_to=case.booking_ref)
    assert of_unit(apply(case, no), PSYCHIATRY).state is S.DECLINED
    of_summoned = replace(no, header=replace(no.header, sender=replace(no.header.sender, unit=CLINIC)))
    assert refusal(case, of_summoned) == ("case.substitute-missing",)


def test_a_second_call_is_a_new_version_that_everyone_answers_anew() -> None:
    case = answered(invited(), InvitationAnswer.CONFIRM)
    again = message(booking(CLINIC, WARD), CLINIC, WARD)
    case = apply(case, again)
    assert case.booking_version == 2
    assert states(case) == {CLINIC: S.SENT, WARD: S.SENT}
    assert {one.ref for one in case.called} == {case.booking_ref} == {again.header.message_id}


def test_a_call_to_a_follow_up_is_a_version_of_the_booking_too() -> None:
    case = case_in(CaseState.FOLLOW_UP_CALLED)
    assert (case.meeting, case.booking_version) == (MeetingState.BOOKED, 2)
    assert states(case) == {CLINIC: S.SENT}


@pytest.mark.parametrize("state", [CaseState.PREPARING, CaseState.MEETING_DONE, CaseState.ACTIVE])
def test_a_call_in_answer_to_something_is_to_a_meeting_that_is_booked(state: CaseState) -> None:
    asked = message(telling(), OFFICE, sender=CLINIC)
    call = message(booking(), CLINIC, in_reply_to=asked.header.message_id)
    assert refusal(case_in(state), call) == ("case.no-meeting",)


# --- the replies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (InvitationAnswer.CONFIRM, S.CONFIRMED),
        (InvitationAnswer.DECLINE, S.DECLINED),
        (InvitationAnswer.TENTATIVE, S.TENTATIVE),
        (InvitationAnswer.REDIRECT, S.REDIRECTED),
    ],
)
def test_an_answer_changes_how_its_unit_stands_and_no_other(
    answer: InvitationAnswer, state: ParticipationState
) -> None:
    case = answered(invited(), answer, to=WARD if answer is REDIRECT else None)
    assert (of_unit(case, CLINIC).state, of_unit(case, PSYCHIATRY).state) == (state, S.SENT)


def test_a_unit_may_change_its_answer() -> None:
    case = answered(invited(), InvitationAnswer.TENTATIVE)
    case = answered(case, InvitationAnswer.CONFIRM)
    case = answered(case, InvitationAnswer.DECLINE)
    assert of_unit(case, CLINIC).state is S.DECLINED


def test_whoever_takes_charge_of_a_call_still_owes_the_reply() -> None:
    case = invited()
    assert case.booking_ref is not None
    charged = take_charge(case, case.booking_ref, CLINIC)
    assert states(charged) == {CLINIC: S.ACKNOWLEDGED, PSYCHIATRY: S.SENT}
    confirmed = answered(charged, InvitationAnswer.CONFIRM)
    assert take_charge(confirmed, case.booking_ref, CLINIC) == confirmed


def test_taking_charge_of_another_message_says_nothing_about_the_call() -> None:
    case = invited()
    assert take_charge(case, message(telling(), CLINIC).header.message_id, CLINIC) == case
    assert case.booking_ref is not None
    assert take_charge(case, case.booking_ref, WARD) == case


def test_a_reply_to_the_first_call_is_refused_after_the_meeting_has_been_moved() -> None:
    case = invited()
    moved = apply(case, message(change(), *BOTH))
    late = answer_of(case, InvitationAnswer.CONFIRM)
    assert refusal(moved, late) == ("case.other-invitation",)


# --- the right unit instead -----------------------------------------------------------------------------------------


def test_the_right_unit_is_owed_a_call_after_a_redirect_and_answers_that_one() -> None:
    case = answered(invited(CLINIC), REDIRECT, to=PSYCHIATRY)
    waiting = of_unit(case, PSYCHIATRY)
    assert (waiting.state, waiting.ref, waiting.instead_of) == (S.SENT, None, CLINIC)
    call = message(booking(), PSYCHIATRY, in_reply_to=case.booking_ref)
    called = apply(case, call)
    assert (called.booking_version, called.booking_ref) == (1, case.booking_ref)
    assert of_unit(called, PSYCHIATRY).ref == call.header.message_id
    comes = answered(called, InvitationAnswer.CONFIRM, unit=PSYCHIATRY)
    assert states(comes) == {CLINIC: S.REDIRECTED, PSYCHIATRY: S.CONFIRMED}


def test_an_invitation_that_is_handed_on_is_a_redirect() -> None:
    case = invited(CLINIC)
    told = message(forward(WARD), OFFICE, sender=CLINIC, in_reply_to=case.booking_ref)
    assert apply(case, told).called == answered(case, REDIRECT, to=WARD).called


def test_a_unit_that_is_called_already_keeps_its_answer_when_another_redirects_to_it() -> None:
    case = answered(invited(), InvitationAnswer.CONFIRM, unit=PSYCHIATRY)
    case = answered(case, REDIRECT, to=PSYCHIATRY)
    assert states(case) == {CLINIC: S.REDIRECTED, PSYCHIATRY: S.CONFIRMED}
    called_again = apply(case, message(booking(), PSYCHIATRY, in_reply_to=case.booking_ref))
    assert states(called_again) == states(case)


def test_a_redirect_may_go_on_to_a_third_unit() -> None:
    case = answered(invited(CLINIC), REDIRECT, to=PSYCHIATRY)
    case = apply(case, message(booking(), PSYCHIATRY, in_reply_to=case.booking_ref))
    case = answered(case, REDIRECT, unit=PSYCHIATRY, to=WARD)
    assert states(case) == {CLINIC: S.REDIRECTED, PSYCHIATRY: S.REDIRECTED, WARD: S.SENT}


def test_the_first_unit_has_to_come_after_all_when_the_one_called_instead_leaves() -> None:
    case = answered(invited(CLINIC), REDIRECT, to=PSYCHIATRY)
    case = apply(case, message(booking(), PSYCHIATRY, in_reply_to=case.booking_ref))
    case = apply(case, message(removed(PSYCHIATRY), PSYCHIATRY))
    assert states(case) == {CLINIC: S.SENT}
    assert of_unit(answered(case, InvitationAnswer.CONFIRM), CLINIC).state is S.CONFIRMED


def test_the_first_unit_has_to_come_after_all_when_a_unit_called_before_leaves_that_stood_in_for_it() -> None:
    case = answered(invited(), REDIRECT, to=PSYCHIATRY)
    assert states(apply(case, message(removed(PSYCHIATRY), PSYCHIATRY))) == {CLINIC: S.SENT}


def test_only_the_unit_that_redirected_to_the_one_that_leaves_has_to_come_after_all() -> None:
    case = answered(invited(CLINIC, PSYCHIATRY), REDIRECT, to=WARD)
    assert states(apply(case, message(removed(WARD), WARD))) == {CLINIC: S.SENT, PSYCHIATRY: S.SENT}
    case = answered(invited(CLINIC, PSYCHIATRY, WARD), REDIRECT, to=PSYCHIATRY)
    assert of_unit(case, PSYCHIATRY).instead_of == CLINIC
    assert states(apply(case, message(removed(PSYCHIATRY), PSYCHIATRY))) == {CLINIC: S.SENT, WARD: S.SENT}


def test_a_link_that_leaves_the_chain_of_redirects_does_not_break_it() -> None:
    case = answered(invited(CLINIC), REDIRECT, to=PSYCHIATRY)
    case = apply(case, message(booking(), PSYCHIATRY, in_reply_to=case.booking_ref))
    case = answered(case, REDIRECT, unit=PSYCHIATRY, to=WARD)
    case = apply(case, message(removed(PSYCHIATRY), PSYCHIATRY))
    assert of_unit(case, WARD).instead_of == CLINIC
    assert states(apply(case, message(removed(WARD), WARD))) == {CLINIC: S.SENT}


def test_a_unit_that_said_it_was_the_wrong_one_is_called_anew_when_another_redirects_to_it() -> None:
    case = wrongly_addressed(invited(), PSYCHIATRY)
    case = answered(case, REDIRECT, to=PSYCHIATRY)
    again = of_unit(case, PSYCHIATRY)
    assert (again.state, again.ref) == (S.SENT, None)


# --- a wrong address ------------------------------------------------------------------------------------------------


def wrongly_addressed(case: SipCase, unit: str) -> SipCase:
    """Return ``case`` after ``unit`` has said of its call that it is the wrong one."""
    call = message(booking(), unit)
    named = replace(call, header=replace(call.header, message_id=case.booking_ref or ""))
    return apply(case, message(misdirected(named), OFFICE, sender=unit, in_reply_to=case.booking_ref))


def test_the_convener_calls_the_right_unit_in_answer_to_a_wrong_address() -> None:
    case = wrongly_addressed(answered(invited(), InvitationAnswer.CONFIRM), PSYCHIATRY)
    assert states(case) == {CLINIC: S.CONFIRMED, PSYCHIATRY: S.MISDIRECTED}
    call = message(booking(WARD), WARD, in_reply_to=case.booking_ref)
    case = apply(case, call)
    assert (case.booking_version, of_unit(case, WARD).ref) == (1, call.header.message_id)
    assert states(case) == {CLINIC: S.CONFIRMED, PSYCHIATRY: S.MISDIRECTED, WARD: S.SENT}
    assert of_unit(answered(case, InvitationAnswer.CONFIRM, unit=WARD), WARD).state is S.CONFIRMED


def test_a_unit_that_said_it_was_the_wrong_one_may_be_called_again_when_there_is_no_other() -> None:
    case = wrongly_addressed(invited(CLINIC), CLINIC)
    call = message(booking(), CLINIC, in_reply_to=case.booking_ref)
    again = of_unit(apply(case, call), CLINIC)
    assert (again.state, again.ref) == (S.SENT, call.header.message_id)


def test_a_wrong_address_of_an_earlier_call_says_nothing_of_the_latest() -> None:
    first = invited(CLINIC)
    moved = apply(first, message(change(), CLINIC))
    call = message(booking(), CLINIC)
    named = replace(call, header=replace(call.header, message_id=first.booking_ref or ""))
    late = message(misdirected(named), OFFICE, sender=CLINIC, in_reply_to=first.booking_ref)
    assert states(apply(moved, late)) == {CLINIC: S.SENT}


def test_a_unit_that_has_named_the_right_one_stays_redirected_when_it_reports_a_wrong_address_too() -> None:
    case = answered(invited(CLINIC), REDIRECT, to=PSYCHIATRY)
    assert states(wrongly_addressed(case, CLINIC)) == states(case)


# --- moved and called off -------------------------------------------------------------------------------------------


def test_a_change_calls_nobody_it_does_not_go_to() -> None:
    case = answered(invited(CLINIC), REDIRECT, to=PSYCHIATRY)
    without = apply(case, message(change(), CLINIC))
    assert of_unit(without, PSYCHIATRY).ref is None
    told = message(change(), PSYCHIATRY)
    assert of_unit(apply(case, told), PSYCHIATRY).ref == told.header.message_id
    assert of_unit(apply(case, told), CLINIC).state is S.REDIRECTED


def test_a_change_calls_a_unit_that_said_it_was_the_wrong_one_only_when_it_goes_to_it() -> None:
    case = wrongly_addressed(invited(), PSYCHIATRY)
    assert states(apply(case, message(change(), CLINIC))) == {CLINIC: S.SENT, PSYCHIATRY: S.MISDIRECTED}
    assert states(apply(case, message(change(), *BOTH))) == {CLINIC: S.SENT, PSYCHIATRY: S.SENT}


def test_a_call_that_is_taken_back_calls_the_meeting_off() -> None:
    call = message(booking(), CLINIC)
    case = apply(apply(case_in(CaseState.PREPARING), call), message(retraction(call), CLINIC))
    assert (case.state, case.meeting, case.called) == (CaseState.PREPARING, MeetingState.CANCELLED, ())
    follow_up = message(follow_up_call(), CLINIC)
    case = apply(apply(case_in(CaseState.ACTIVE), follow_up), message(retraction(follow_up), CLINIC))
    assert (case.state, case.meeting) == (CaseState.ACTIVE, MeetingState.CANCELLED)


def test_an_earlier_call_that_is_taken_back_leaves_the_latest_as_it_is() -> None:
    first = message(booking(), CLINIC)
    case = apply(apply(case_in(CaseState.PREPARING), first), message(booking(), CLINIC))
    assert apply(case, message(retraction(first), CLINIC)) == case


@pytest.mark.parametrize("outcome", [MeetingOutcome.NO_PLAN, MeetingOutcome.NEW_MEETING])
def test_a_meeting_without_a_plan_was_held_and_a_new_one_may_be_called(outcome: MeetingOutcome) -> None:
    case = apply(invited(), message(held(outcome)))
    assert (case.state, case.meeting) == (CaseState.PREPARING, MeetingState.HELD)
    case = apply(case, message(booking(), CLINIC))
    assert (case.meeting, case.booking_version) == (MeetingState.BOOKED, 2)


def test_a_party_that_joined_with_a_meeting_booked_takes_its_change_and_its_cancellation() -> None:
    joined = apply(None, message(added(state=SharedCaseState.INVITED, booking_version=1), PSYCHIATRY))
    assert (joined.meeting, joined.slot) == (MeetingState.BOOKED, None)
    moved = apply(joined, message(change(), PSYCHIATRY))
    assert (moved.booking_version, moved.slot is None) == (2, False)
    assert apply(joined, message(cancellation(), PSYCHIATRY)).state is CaseState.PREPARING


def test_a_unit_of_the_conveners_own_party_is_no_participant() -> None:
    case = case_in(CaseState.INVITED, CLINIC, HOME_CARE)
    assert [one.unit for one in case.participants] == [CLINIC]
    assert states(case) == {CLINIC: S.SENT}
