"""A discharge process: the stay as the ward and the others tell of it, from the admission to the discharge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from build import CLINIC, HOME_CARE, KOMMUN, NOON, OFFICE, OTHER_PERSON, REGION, WARD, misdirected, retraction
from build_discharge import (
    ADMISSION,
    contact,
    discharge,
    expectation,
    interruption,
    notice,
    of_stay,
    planned_discharge,
    planning,
    ready,
    recall,
)
from cases import STAYS, case_in, refusal

from gateway.clock import local_date
from gateway.process import CaseState, Participant, SipCase, Stay, apply


def stay_of(case: SipCase) -> Stay:
    assert case.stay is not None
    return case.stay


def test_a_notice_opens_the_case_of_the_stay_led_by_the_ward() -> None:
    case = apply(None, of_stay(notice(), OFFICE, HOME_CARE))
    assert (case.number, case.state) == (ADMISSION, CaseState.ADMITTED)
    assert case.leader == Participant(party=REGION, unit=WARD)
    assert [one.unit for one in case.participants] == [OFFICE, HOME_CARE]
    assert case.stay == Stay(expected_discharge=local_date(NOON) + timedelta(days=7))


def test_the_latest_word_on_the_expected_discharge_holds() -> None:
    case = apply(case_in(CaseState.ADMITTED), of_stay(expectation(4), OFFICE))
    case = apply(case, of_stay(expectation(12), OFFICE))
    assert stay_of(case).expected_discharge == local_date(NOON) + timedelta(days=12)


@pytest.mark.parametrize("state", [CaseState.ADMITTED, CaseState.DISCHARGE_READY, CaseState.DISCHARGED])
def test_the_fixed_care_contact_may_be_told_until_after_the_discharge(state: CaseState) -> None:
    case = apply(case_in(state), of_stay(contact(CLINIC), OFFICE))
    assert (case.state, stay_of(case).fixed_contact_unit) == (state, CLINIC)


def test_the_notice_of_ready_for_discharge_is_the_one_that_the_clocks_count_from() -> None:
    sent = of_stay(ready(), OFFICE, at=NOON + timedelta(hours=3))
    case = apply(case_in(CaseState.ADMITTED), sent)
    assert (stay_of(case).ready_ref, stay_of(case).ready_sent_at) == (sent.header.message_id, NOON + timedelta(hours=3))


def test_a_recall_stops_the_clocks_and_names_the_notice_that_holds() -> None:
    sent = of_stay(ready(), OFFICE)
    case = apply(case_in(CaseState.ADMITTED), sent)
    case = apply(case, of_stay(recall(sent.header.message_id), OFFICE))
    assert (case.state, stay_of(case).ready_ref, stay_of(case).ready_sent_at) == (CaseState.ADMITTED, None, None)
    again = of_stay(ready(), OFFICE)
    case = apply(case, again)
    assert refusal(case, of_stay(recall(sent.header.message_id), OFFICE)) == ("case.other-notice",)
    assert apply(case, of_stay(recall(again.header.message_id), OFFICE)).state is CaseState.ADMITTED


@pytest.mark.parametrize("state", STAYS)
def test_an_admission_that_is_taken_back_is_interrupted_even_after_the_discharge(state: CaseState) -> None:
    told = of_stay(notice(), OFFICE)
    case = apply(None, told)
    for body in STAYS[state]:
        case = apply(case, of_stay(body, OFFICE))
    assert apply(case, of_stay(retraction(told), OFFICE)).state is CaseState.INTERRUPTED
    by_another = of_stay(retraction(told), WARD, sender=OFFICE)
    assert refusal(case, by_another) == ("case.not-convener",)


def test_a_unit_that_the_patient_does_not_concern_leaves_the_case() -> None:
    told = of_stay(notice(), OFFICE, HOME_CARE)
    wrong = of_stay(misdirected(told), WARD, sender=HOME_CARE, in_reply_to=told.header.message_id)
    assert [one.unit for one in apply(apply(None, told), wrong).participants] == [OFFICE]


@pytest.mark.parametrize("body", [planning(), contact(OFFICE), interruption()], ids=lambda body: type(body).__name__)
def test_the_municipality_plans_appoints_and_interrupts_as_well(body: Any) -> None:
    assert apply(case_in(CaseState.ADMITTED), of_stay(body, WARD, sender=OFFICE)).convener == REGION


@pytest.mark.parametrize(
    "body", [expectation(), ready(), planned_discharge(), discharge()], ids=lambda body: type(body).__name__
)
def test_only_the_party_of_the_ward_tells_when_and_that_the_patient_leaves(body: Any) -> None:
    case = case_in(CaseState.ADMITTED)
    assert KOMMUN in case.parties
    assert refusal(case, of_stay(body, WARD, sender=OFFICE)) == ("case.not-convener",)


def test_a_stay_is_about_one_patient() -> None:
    case = case_in(CaseState.ADMITTED)
    assert refusal(case, of_stay(ready(), OFFICE, person=OTHER_PERSON)) == ("case.other-person",)


def test_what_is_told_before_a_discharge_needs_no_consent() -> None:
    case = case_in(CaseState.DISCHARGE_READY)
    for body in (notice(), expectation(), contact(), planning(), ready(), planned_discharge(), discharge()):
        told = of_stay(body, OFFICE)
        assert case.may_receive(told, party=KOMMUN, unit=OFFICE, on=local_date(NOON))
