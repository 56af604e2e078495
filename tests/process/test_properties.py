"""What holds for every case, whatever happens in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from build import (
    CLINIC,
    HOME_CARE,
    OFFICE,
    PSYCHIATRY,
    WARD,
    booking,
    change,
    forward,
    message,
    misdirected,
    need,
    removed,
    reply,
    retraction,
)
from build_discharge import notice, of_stay
from cases import answered, case_in, invited, messages_of
from exchange import ENDS, HELD, STEPS, Exchange
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import CaseRuleError
from gateway.messages import CaseEvent, InvitationAnswer
from gateway.process import (
    TERMINAL,
    CaseState,
    MeetingState,
    Participation,
    ParticipationState,
    SipCase,
    apply,
    part_from,
    take_charge,
)

ANY = st.sampled_from([*sorted(set(STEPS) - ENDS) * 3, *["book", "plan", "hand over"] * 3, *HELD, *sorted(ENDS)])


@settings(max_examples=150)
@given(st.lists(ANY, max_size=30))
def test_no_message_undoes_what_never_goes_back(steps: list[str]) -> None:
    exchange = Exchange(allows_refusal=True)
    before = [exchange.office, exchange.region]
    for step in steps:
        exchange.play(step)
        after = [exchange.office, exchange.region]
        for was, now in zip(before, after, strict=True):
            assert now.responsible_unit is not None or was.responsible_unit is None
            assert (now.responsible_unit is None) == (now.plan_version == 0)
            assert now.booking_version >= was.booking_version
            assert now.plan_version >= was.plan_version
            assert now.state is was.state or was.state not in TERMINAL
            assert (now.number, now.person, now.convener, now.opened_at) == (
                was.number,
                was.person,
                was.convener,
                was.opened_at,
            )
        before = after


@settings(max_examples=150)
@given(st.lists(ANY, max_size=30))
def test_a_case_has_a_consent_for_as_long_as_it_is_open_and_a_meeting_while_it_is_invited(steps: list[str]) -> None:
    exchange = Exchange(allows_refusal=True)
    for step in steps:
        exchange.play(step)
        for case in (exchange.office, exchange.region):
            assert (case.consent is None) == (case.consent_ref is None)
            assert case.consent is not None or case.state in TERMINAL
            assert case.meeting is MeetingState.BOOKED or case.state is not CaseState.INVITED
            assert case.meeting is not MeetingState.BOOKED or case.state not in TERMINAL
            assert case.slot is not None or case.meeting is not MeetingState.BOOKED
            assert case.transfer is None or case.state not in TERMINAL
            assert HOME_CARE not in {participant.unit for participant in case.participants}


@given(st.lists(st.sampled_from(CaseEvent), max_size=12))
def test_nothing_changes_the_state_of_a_case_that_has_ended(events: list[CaseEvent]) -> None:
    for state in TERMINAL:
        case = case_in(state)
        for event in events:
            for happening in messages_of(event, case):
                with suppress(CaseRuleError):
                    case = apply(case, happening)
        assert case.state is state
        assert replace(case, stay=None) == replace(case_in(state), **_of_its_own(case), stay=None)


def _of_its_own(case: SipCase) -> dict[str, object]:
    """Return what differs between two cases that the same has happened to: their message ids, and what names them."""
    return {name: getattr(case, name) for name in ("opening_ref", "booking_ref", "consent_ref", "called")}


@pytest.mark.parametrize("state", sorted(TERMINAL - {CaseState.DISCHARGED, CaseState.INTERRUPTED}))
def test_a_sip_that_has_ended_is_not_changed_by_taking_back_what_opened_or_called_it(state: CaseState) -> None:
    case = case_in(state)
    for target in (case.opening_ref, case.booking_ref):
        if target is not None:
            of_it = message(need(), CLINIC)
            named = replace(of_it, header=replace(of_it.header, message_id=target))
            with suppress(CaseRuleError):
                assert apply(case, message(retraction(named), CLINIC)) == case
    assert take_charge(case, case.booking_ref or "", CLINIC) == case


def test_only_an_admission_that_is_taken_back_moves_a_case_that_has_ended() -> None:
    case = case_in(CaseState.DISCHARGED)
    told = of_stay(notice(), OFFICE)
    assert apply(case, of_stay(retraction(told), OFFICE)) == case
    named = replace(told, header=replace(told.header, message_id=case.opening_ref or ""))
    assert apply(case, of_stay(retraction(named), OFFICE)).state is CaseState.INTERRUPTED


# --- redirects ------------------------------------------------------------------------------------------------------

UNITS = (CLINIC, PSYCHIATRY, WARD)
MOVES = (
    "redirect",
    "forward",
    "confirm",
    "decline",
    "wrong address",
    "remove",
    "part",
    "call",
    "move",
    "charge",
    "new",
)


def walk(case: SipCase, move: str, unit: str, to: str) -> SipCase:
    """Return ``case`` after ``unit`` has made ``move``, which names the unit ``to``."""
    mine = case.participation(unit)
    ref = mine.ref if mine is not None and mine.ref is not None else str(uuid4())
    if move == "part":
        return part_from(case, unit)
    if move == "charge":
        return take_charge(case, ref, unit)
    call = message(booking(unit), unit)
    named = replace(call, header=replace(call.header, message_id=ref))
    said: dict[str, Any] = {
        "redirect": reply(InvitationAnswer.REDIRECT, to=to),
        "forward": forward(to, from_unit=unit),
        "confirm": reply(),
        "decline": reply(InvitationAnswer.DECLINE),
        "wrong address": misdirected(named),
    }
    if move in said:
        return apply(case, message(said[move], OFFICE, sender=unit, in_reply_to=ref))
    told: dict[str, Any] = {"remove": removed(unit), "call": booking(unit), "move": change(case.slot)}
    if move in told:
        return apply(case, message(told[move], unit, in_reply_to=ref))
    units = {unit, to}
    return apply(case, message(booking(*units), *units))


def is_relieved(case: SipCase, one: Participation) -> bool:
    """Tell whether someone comes for ``one``, which has redirected: a unit called, or one that leads to it."""
    return any(other.state is not ParticipationState.REDIRECTED for other in case.called if other.party == one.party)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from(("redirect", *MOVES)), st.sampled_from(UNITS), st.sampled_from(UNITS)), max_size=25
    )
)
def test_whenever_a_unit_has_redirected_another_of_its_party_is_called(moves: list[tuple[str, str, str]]) -> None:
    case = invited(CLINIC, PSYCHIATRY)
    for move, unit, to in moves:
        if unit == to and move in ("redirect", "forward"):
            continue  # the message itself is not valid
        with suppress(CaseRuleError):
            case = walk(case, move, unit, to)
        for one in case.called:
            if one.state is ParticipationState.REDIRECTED:
                assert is_relieved(case, one), (move, unit, to)


def test_all_units_have_to_come_after_all_when_those_they_redirected_to_have_left() -> None:
    case = invited(CLINIC, PSYCHIATRY)
    for unit in (CLINIC, PSYCHIATRY):
        case = answered(case, InvitationAnswer.REDIRECT, unit=unit, to=WARD)
    case = part_from(part_from(case, WARD), CLINIC)
    assert [(one.unit, one.state) for one in case.called] == [(PSYCHIATRY, ParticipationState.SENT)]


@given(st.permutations(UNITS))
def test_a_chain_of_redirects_ends_with_a_unit_that_answers(chain: list[str]) -> None:
    first, second, third = chain
    case = answered(invited(first), InvitationAnswer.REDIRECT, unit=first, to=second)
    case = walk(case, "call", second, second)
    case = answered(case, InvitationAnswer.REDIRECT, unit=second, to=third)
    case = walk(case, "call", third, third)
    for back in (first, second):
        with pytest.raises(CaseRuleError):
            answered(case, InvitationAnswer.REDIRECT, unit=third, to=back)
    assert [one.state.value for one in case.called] == ["redirected", "redirected", "sent"]
