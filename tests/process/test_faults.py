"""Each fault of a case that the grids do not provoke: what brings it about, and where it points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from build import (
    CLINIC,
    NOON,
    OFFICE,
    OTHER_PERSON,
    PSYCHIATRY,
    SCHOOL,
    WARD,
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
    need,
    plan,
    removed,
    reply,
    retraction,
    revised,
    slot,
    telling,
    transfer,
    withdrawn,
)
from build_discharge import expectation, of_stay, recall
from cases import LED_BY_REGION, WITHDRAWAL_TOLD, answer_of, answered, case_in, invited, opened, refusal
from test_grid import CODES

from gateway.errors import CaseRuleError, Fault
from gateway.messages import InvitationAnswer, Message, Placement, PlacementKind
from gateway.process import CaseState, SipCase, apply, faults, review

Provoked = tuple[SipCase, Message]


def other_person() -> Provoked:
    return case_in(CaseState.PREPARING), message(booking(), CLINIC, person=OTHER_PERSON)


def not_the_next_plan() -> Provoked:
    return case_in(CaseState.ACTIVE), message(plan(3), CLINIC)


def a_plan_that_is_silent_about_the_placement() -> Provoked:
    start = replace(need(), placement=Placement(municipality="0581", kind=PlacementKind.FAMILY_HOME))
    case = apply(None, message(start, CLINIC))
    for body in (consent(), booking()):
        case = apply(case, message(body, CLINIC))
    return case, message(plan(), CLINIC)


def the_same_plan_again() -> Provoked:
    return case_in(CaseState.ACTIVE), message(revised(1), CLINIC)


def follow_up_of_another_plan() -> Provoked:
    return case_in(CaseState.FOLLOW_UP_CALLED), message(follow_up(2), CLINIC)


def call_to_follow_up_another_plan() -> Provoked:
    return case_in(CaseState.ACTIVE), message(follow_up_call(version=2), CLINIC)


def measure_of_a_plan_to_come() -> Provoked:
    return case_in(CaseState.ACTIVE), message(measure_update(2), OFFICE, sender=CLINIC)


def withdrawal_by_an_outsider() -> Provoked:
    return case_in(CaseState.ACTIVE), message(withdrawn(), OFFICE, sender=SCHOOL)


def a_call_by_a_participant() -> Provoked:
    return case_in(CaseState.ACTIVE), message(booking(), OFFICE, sender=CLINIC)


def a_call_by_the_convener_that_no_longer_leads() -> Provoked:
    return opened(*LED_BY_REGION), message(follow_up_call(), CLINIC)


def a_participant_takes_a_call_back() -> Provoked:
    call = message(booking(), CLINIC)
    case = apply(case_in(CaseState.PREPARING), call)
    return case, message(retraction(call), OFFICE, sender=CLINIC)


def reply_to_an_earlier_call() -> Provoked:
    case = invited()
    before = case.booking_ref
    return apply(case, message(booking(), CLINIC)), answer_of(case, InvitationAnswer.CONFIRM, ref=before)


def change_of_another_time() -> Provoked:
    return invited(), message(change(slot(at=slot().start)), CLINIC)


def cancellation_of_another_time() -> Provoked:
    return invited(), message(cancellation(slot(at=slot().start)), CLINIC)


def change_of_a_meeting_that_was_held() -> Provoked:
    return apply(case_in(CaseState.FOLLOW_UP_CALLED), message(held())), message(change(), CLINIC)


def cancellation_of_a_meeting_that_was_held() -> Provoked:
    return apply(case_in(CaseState.FOLLOW_UP_CALLED), message(held())), message(cancellation(), CLINIC)


def a_call_taken_back_after_the_meeting() -> Provoked:
    call = message(booking(), CLINIC)
    return apply(apply(case_in(CaseState.PREPARING), call), message(held())), message(retraction(call), CLINIC)


def reply_of_a_unit_not_called() -> Provoked:
    return invited(CLINIC), answer_of(invited(CLINIC), InvitationAnswer.CONFIRM, unit=WARD)


def forward_by_a_unit_not_called() -> Provoked:
    case = invited(CLINIC)
    return case, message(forward(from_unit=WARD), OFFICE, sender=WARD, in_reply_to=case.booking_ref)


def reply_after_a_redirect() -> Provoked:
    case = answered(invited(CLINIC), InvitationAnswer.REDIRECT, to=PSYCHIATRY)
    return case, answer_of(case, InvitationAnswer.CONFIRM)


def redirect_in_a_circle() -> Provoked:
    case = answered(invited(), InvitationAnswer.REDIRECT, to=PSYCHIATRY)
    return case, answer_of(case, InvitationAnswer.REDIRECT, unit=PSYCHIATRY, to=CLINIC)


def forward_in_a_circle() -> Provoked:
    case = answered(invited(), InvitationAnswer.REDIRECT, to=PSYCHIATRY)
    back = forward(CLINIC, from_unit=PSYCHIATRY)
    return case, message(back, OFFICE, sender=PSYCHIATRY, in_reply_to=case.booking_ref)


def no_substitute() -> Provoked:
    case = invited()
    body = replace(reply(InvitationAnswer.DECLINE), substitute=None)
    return case, message(body, OFFICE, sender=CLINIC, in_reply_to=case.booking_ref)


def responsibility_of_another() -> Provoked:
    return case_in(CaseState.ACTIVE), message(transfer(PSYCHIATRY, previous=CLINIC), PSYCHIATRY)


def the_responsible_unit_leaves() -> Provoked:
    return opened(*LED_BY_REGION), message(removed(CLINIC), OFFICE, sender=PSYCHIATRY)


def recall_of_another_notice() -> Provoked:
    return case_in(CaseState.DISCHARGE_READY), of_stay(recall(str(uuid4())), OFFICE)


def expectation_of_another_patient() -> Provoked:
    return case_in(CaseState.ADMITTED), of_stay(expectation(), OFFICE, person=OTHER_PERSON)


PROVOKED: list[tuple[Callable[[], Provoked], Fault, str | None]] = [
    (other_person, faults.OTHER_PERSON, "header/person/identifier"),
    (expectation_of_another_patient, faults.OTHER_PERSON, "header/person/identifier"),
    (not_the_next_plan, faults.PLAN_VERSION, "body/version"),
    (a_plan_that_is_silent_about_the_placement, faults.PLACEMENT_CARE_MISSING, "body"),
    (the_same_plan_again, faults.PLAN_VERSION, "body/version"),
    (follow_up_of_another_plan, faults.PLAN_VERSION, "body/planVersion"),
    (call_to_follow_up_another_plan, faults.PLAN_VERSION, "body/planVersion"),
    (measure_of_a_plan_to_come, faults.PLAN_VERSION, "body/planVersion"),
    (withdrawal_by_an_outsider, faults.NOT_PARTICIPANT, "header/sender/party"),
    (a_call_by_a_participant, faults.NOT_CONVENER, "header/sender/party"),
    (a_call_by_the_convener_that_no_longer_leads, faults.NOT_CONVENER, "header/sender/party"),
    (a_participant_takes_a_call_back, faults.NOT_CONVENER, "header/sender/party"),
    (reply_to_an_earlier_call, faults.OTHER_INVITATION, "header/inReplyTo"),
    (change_of_another_time, faults.OTHER_MEETING, "body/previous"),
    (cancellation_of_another_time, faults.OTHER_MEETING, "body/slot"),
    (change_of_a_meeting_that_was_held, faults.NO_MEETING, None),
    (cancellation_of_a_meeting_that_was_held, faults.NO_MEETING, None),
    (a_call_taken_back_after_the_meeting, faults.NO_MEETING, "body/targetMessageId"),
    (reply_of_a_unit_not_called, faults.NOT_CALLED, "header/sender/unit"),
    (forward_by_a_unit_not_called, faults.NOT_CALLED, "header/sender/unit"),
    (reply_after_a_redirect, faults.ALREADY_REDIRECTED, "header/sender/unit"),
    (redirect_in_a_circle, faults.ALREADY_REDIRECTED, "body/redirectUnit"),
    (forward_in_a_circle, faults.ALREADY_REDIRECTED, "body/toUnit"),
    (no_substitute, faults.SUBSTITUTE_MISSING, "body/answer"),
    (responsibility_of_another, faults.NOT_RESPONSIBLE, "body/previous/unit"),
    (the_responsible_unit_leaves, faults.RESPONSIBLE_LEAVES, "body/unit"),
    (recall_of_another_notice, faults.OTHER_NOTICE, "body/readyMessageId"),
]
"""What provokes a fault that no pair of state and event does, and the element that the fault points to."""


@pytest.mark.parametrize(("provoke", "fault", "path"), PROVOKED, ids=[one[0].__name__ for one in PROVOKED])
def test_a_message_that_breaks_the_case_is_refused(
    provoke: Callable[[], Provoked], fault: Fault, path: str | None
) -> None:
    case, broken = provoke()
    with pytest.raises(CaseRuleError) as caught:
        apply(case, broken)
    assert [(one.code, one.path) for one in caught.value.findings] == [(fault.code, path)]


def test_every_fault_of_a_case_is_provoked_by_these_tests() -> None:
    known = {fault.code for fault in vars(faults).values() if isinstance(fault, Fault)}
    others = {faults.UNKNOWN_CASE.code, faults.NOT_FROZEN.code}
    assert known == CODES | {fault.code for _, fault, _ in PROVOKED} | others


def test_a_case_that_is_not_frozen_is_not_reviewed() -> None:
    with pytest.raises(CaseRuleError) as caught:
        review(case_in(CaseState.ACTIVE), by="SE2120001355-P000000000117", at=NOON, reason="Prov.")
    assert list(caught.value.codes) == [faults.NOT_FROZEN.code]


@pytest.mark.parametrize("body", [consent(), declined(), withdrawn(), booking(), plan(), closure(), telling()])
def test_a_case_begins_with_its_need(body: object) -> None:
    assert refusal(None, message(body, CLINIC)) == (faults.UNKNOWN_CASE.code,)


def test_a_case_is_started_once() -> None:
    assert refusal(case_in(CaseState.CLOSED), message(need(), CLINIC)) == (faults.ALREADY_STARTED.code,)


def test_a_person_who_has_got_a_new_number_is_the_same_as_long_as_the_old_one_is_named() -> None:
    case = case_in(CaseState.PREPARING)
    renumbered = replace(OTHER_PERSON, identifiers=(*OTHER_PERSON.identifiers, case.person))
    assert apply(case, message(booking(), CLINIC, person=renumbered)).state is CaseState.INVITED


def test_a_message_that_is_refused_says_what_was_expected_in_words() -> None:
    case, broken = not_the_next_plan()
    with pytest.raises(CaseRuleError) as caught:
        apply(case, broken)
    assert "version 2" in caught.value.findings[0].en
    assert "version 2" in caught.value.findings[0].sv


def test_what_a_withdrawal_tells_others_comes_from_who_leads_the_case() -> None:
    told = message(WITHDRAWAL_TOLD, OFFICE, sender=CLINIC)
    assert refusal(case_in(CaseState.ACTIVE), told) == (faults.NOT_CONVENER.code,)
