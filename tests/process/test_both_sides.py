"""The receiving side comes to the same case as the sending side, whatever is said and in whatever order it comes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from build import (
    CLINIC,
    KOMMUN,
    OFFICE,
    PSYCHIATRY,
    REGION,
    booking,
    closure,
    consent,
    message,
    need,
    plan,
    removed,
    retraction,
    telling,
    withdrawn,
)
from cases import BOTH, LED_BY_REGION, WITHDRAWAL_TOLD, case_in, opened
from exchange import DECISIONS, ENDS, HELD, STEPS, Exchange, ReceivingParty
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import CaseRuleError
from gateway.messages import ClosureReason, Message
from gateway.process import TERMINAL, CaseState, SipCase, apply

ONWARD = ["book", "plan", "plan led by the clinic", "call to a follow-up", "redirect", "call the right unit"]
ANY = st.sampled_from([*sorted(set(STEPS) - ENDS) * 2, *ONWARD * 5, *sorted(ENDS)])
"""Mostly what goes on, so that a case lives long enough to get anywhere."""


def without_units(case: SipCase) -> SipCase:
    """Return ``case`` without the participants: the sending side knows whom it wrote to, the other who has read."""
    return replace(case, participants=())


# --- one unit -------------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.lists(ANY, max_size=25))
def test_both_sides_come_to_the_same_case(steps: list[str]) -> None:
    exchange = Exchange()
    for step in steps:
        exchange.play(step)
        assert without_units(exchange.region) == without_units(exchange.office)


@settings(max_examples=150)
@given(st.lists(st.one_of(ANY, st.sampled_from(sorted(HELD))), max_size=25))
def test_what_the_lead_may_send_is_taken_though_only_its_own_side_knows_that_a_meeting_was_held(
    steps: list[str],
) -> None:
    exchange = Exchange(allows_refusal=True)
    for step in steps:
        exchange.play(step)  # fails when the other side refuses what the lead has sent
        office, region = exchange.office, exchange.region
        assert (office.booking_version, office.plan_version) == (region.booking_version, region.plan_version)
        assert (office.leader, office.responsible_unit, office.transfer) == (
            region.leader,
            region.responsible_unit,
            region.transfer,
        )
        assert (office.consent_ref, office.state in TERMINAL) == (region.consent_ref, region.state in TERMINAL)


# --- two units of one party -----------------------------------------------------------------------------------------

TO_BOTH = sorted(set(DECISIONS) - {"plan led by the clinic"})


def legal_sequence(names: list[str], *to: str) -> tuple[list[Message], SipCase]:
    """Return what the convener may send of all it would like to, and the case that makes."""
    sent = [message(need(), *to), message(consent(), *to)]
    case = apply(apply(None, sent[0]), sent[1])
    for name in names:
        made = message(DECISIONS[name](case), *to)
        with suppress(CaseRuleError):
            case = apply(case, made)
            sent.append(made)
        call = [one for one in sent if one.header.message_id == case.booking_ref]
        if name == "call the meeting off" and call and case.state is CaseState.INVITED:
            sent.append(message(retraction(call[0]), *to))
            case = apply(case, sent[-1])
    return sent, case


@given(st.lists(st.sampled_from(TO_BOTH), max_size=12), st.data())
def test_two_units_come_to_the_conveners_case_in_whatever_order_their_copies_arrive(
    names: list[str], data: st.DataObject
) -> None:
    sent, case = legal_sequence(names, *BOTH)
    waiting = {unit: list(sent) for unit in BOTH}
    region = ReceivingParty()
    while waiting:
        unit = data.draw(st.sampled_from(sorted(waiting)))
        region.take(waiting[unit].pop(0), unit)
        if not waiting[unit]:
            del waiting[unit]
    assert region.case is not None
    assert without_units(region.case) == without_units(case)


def told(*bodies: Any, party: str = REGION) -> ReceivingParty:
    """Return a party both of whose units have been told ``bodies``."""
    side = ReceivingParty(party)
    for came, unit in product([message(body, *BOTH) for body in bodies], BOTH):
        side.take(came, unit)
    return side


def test_the_units_that_have_received_something_take_part() -> None:
    region, start = ReceivingParty(), message(need(), *BOTH)
    region.take(start, PSYCHIATRY)
    assert region.units == {PSYCHIATRY}
    region.take(start, CLINIC)
    assert region.units == {PSYCHIATRY, CLINIC}


def test_the_second_copy_of_what_makes_nobody_a_participant_makes_nobody_one_either() -> None:
    region, words = ReceivingParty(), message(telling(), *BOTH)
    for came in (message(need(), CLINIC), message(consent(), CLINIC), words):
        region.take(came, CLINIC)
    region.take(words, PSYCHIATRY)
    assert region.units == {CLINIC}


@pytest.mark.parametrize(("body", "state"), [(closure(), CaseState.CANCELLED), (WITHDRAWAL_TOLD, CaseState.CLOSED)])
def test_a_case_ends_when_the_last_unit_has_been_told_that_it_has(body: Any, state: CaseState) -> None:
    region, end = told(need(), consent()), message(body, *BOTH)
    region.take(end, CLINIC)
    assert region.case is not None
    assert (region.case.state, region.units) == (CaseState.PREPARING, {PSYCHIATRY})
    region.take(end, PSYCHIATRY)
    assert region.case.state is state


def test_a_narrowed_consent_parts_with_one_unit_and_the_case_goes_on_for_the_other() -> None:
    region = told(need(), consent())
    region.take(message(WITHDRAWAL_TOLD, PSYCHIATRY), PSYCHIATRY)
    region.take(message(consent(CLINIC), CLINIC), CLINIC)
    region.take(message(booking(), CLINIC), CLINIC)
    assert region.case is not None
    assert (region.case.state, region.units) == (CaseState.INVITED, {CLINIC})


@pytest.mark.parametrize("first", BOTH)
def test_a_removal_that_all_units_are_told_of_parts_with_the_one_it_names(first: str) -> None:
    region, gone = told(need(), consent(), booking()), message(removed(PSYCHIATRY), *BOTH)
    for unit in (first, *(unit for unit in BOTH if unit != first)):
        region.take(gone, unit)
        assert region.units == {CLINIC}
    assert region.case is not None
    assert region.case.participation(PSYCHIATRY) is None


def test_a_partner_that_does_not_lead_the_case_cannot_close_it_for_a_unit() -> None:
    region = told(need(), consent())
    with pytest.raises(CaseRuleError) as caught:
        region.take(message(closure(), CLINIC, sender=PSYCHIATRY), CLINIC)
    assert caught.value.codes == ("case.not-convener",)


# --- what the others tell -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [withdrawn(), closure(ClosureReason.DIED)])
def test_what_a_participant_tells_of_a_withdrawal_or_a_death_ends_the_case_with_the_convener(body: Any) -> None:
    office = ReceivingParty(KOMMUN, case_in(CaseState.INVITED, *BOTH))
    office.take(message(body, OFFICE, sender=CLINIC), OFFICE)
    assert office.case is not None
    assert office.case.state in TERMINAL


@pytest.mark.parametrize("body", [closure(ClosureReason.DIED), closure()])
def test_a_party_that_has_told_of_a_death_is_told_by_the_convener_that_the_case_has_closed(body: Any) -> None:
    region = told(need(), consent(), booking())
    assert region.case is not None
    ended = apply(region.case, message(closure(ClosureReason.DIED), OFFICE, sender=CLINIC))
    region, end = ReceivingParty(REGION, ended), message(body, *BOTH)
    for unit in BOTH:
        region.take(end, unit)
        assert region.case is not None
        assert region.case.state is CaseState.CANCELLED
    assert region.units == set()


def test_a_unit_that_leads_the_case_ends_it_with_the_convener() -> None:
    office = ReceivingParty(KOMMUN, opened(*LED_BY_REGION))
    office.take(message(closure(), OFFICE, sender=CLINIC), OFFICE)
    assert office.case is not None
    assert office.case.state is CaseState.CLOSED


def test_a_death_that_the_convener_tells_a_unit_that_leads_the_case_ends_it_for_all_units_there() -> None:
    region = told(need(), consent(), booking(), plan(led_by=CLINIC))
    region.take(message(closure(ClosureReason.DIED), CLINIC), CLINIC)
    assert region.case is not None
    assert region.case.state is CaseState.CLOSED
