"""The rules of a SIP case: the table against a grid written by hand, every fault, and both sides of the exchange."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from build import (
    CASE,
    CLINIC,
    HOME_CARE,
    KOMMUN,
    NOON,
    OFFICE,
    OTHER_PERSON,
    PSYCHIATRY,
    REGION,
    WARD,
    booking,
    closure,
    consent,
    declined,
    message,
    need,
    plan,
    withdrawn,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway import process
from gateway.clock import local_date
from gateway.errors import CaseRuleError, Fault
from gateway.messages import ClosureReason, InformationType, Message, render_xml
from gateway.process import CaseEvent, CaseState, MeetingState, Participant, SipCase, apply, event_of, receive

BOTH = (CLINIC, PSYCHIATRY)

# What each event makes of a case in each state; the code of the fault, without its area, where it breaks the case.
GRID = """
                  start             consent           decline                withdraw             book              plan             close
draft             !already-started  preparing         consent-declined       !nothing-to-withdraw !consent-missing  !consent-missing cancelled
consent-declined  !already-started  !closed           !closed                !closed              !closed           !closed          !closed
preparing         !already-started  preparing         !consent-already-given closed               invited           !meeting-missing cancelled
invited           !already-started  invited           !consent-already-given closed               invited           active           cancelled
active            !already-started  active            !consent-already-given closed               follow-up-called  active           closed
follow-up-called  !already-started  follow-up-called  !consent-already-given closed               follow-up-called  active           closed
closed            !already-started  !closed           !closed                closed               !closed           !closed          !closed
cancelled         !already-started  !closed           !closed                cancelled            !closed           !closed          !closed
"""  # noqa: E501 - a table is read across

WITHDRAWAL_TOLD = closure(ClosureReason.CONSENT_WITHDRAWN)
"""What the convener tells the others when the person has withdrawn."""

PATHS = {
    CaseState.DRAFT: [],
    CaseState.CONSENT_DECLINED: [declined()],
    CaseState.PREPARING: [consent()],
    CaseState.INVITED: [consent(), booking()],
    CaseState.ACTIVE: [consent(), booking(), plan()],
    CaseState.FOLLOW_UP_CALLED: [consent(), booking(), plan(), booking()],
    CaseState.CLOSED: [consent(), booking(), plan(), closure()],
    CaseState.CANCELLED: [consent(), closure()],
}
"""What happens after the need, until a case is in a state."""


def case_in(state: CaseState, *to: str) -> SipCase:
    """Return a case that its messages have brought to ``state``."""
    case = apply(None, message(need(), *(to or (CLINIC,))))
    for body in PATHS[state]:
        case = apply(case, message(body, *(to or (CLINIC,))))
    assert case.state is state
    return case


def messages_of(event: CaseEvent, case: SipCase) -> list[Message]:
    """Return every kind of message that means ``event``."""
    bodies = {
        CaseEvent.START: [need()],
        CaseEvent.CONSENT: [consent(), consent(CLINIC)],
        CaseEvent.DECLINE: [declined()],
        CaseEvent.WITHDRAW: [withdrawn(), WITHDRAWAL_TOLD],
        CaseEvent.BOOK: [booking()],
        CaseEvent.PLAN: [plan(case.plan_version + 1)],
        CaseEvent.CLOSE: [closure()],
    }
    return [message(body, CLINIC) for body in bodies[event]]


def cells() -> list[tuple[CaseState, CaseEvent, str]]:
    heading, *lines = GRID.strip().splitlines()
    return [
        (CaseState(state), CaseEvent(event), cell)
        for state, *row in map(str.split, lines)
        for event, cell in zip(heading.split(), row, strict=True)
    ]


def is_refused(fault: Fault, case: SipCase | None, broken: Message) -> bool:
    with pytest.raises(CaseRuleError) as caught:
        apply(case, broken)
    return caught.value.codes == (fault.code,)


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_grid_names_every_pair_of_state_and_event() -> None:
    assert {(state, event) for state, event, _ in cells()} == set(product(CaseState, CaseEvent))


@pytest.mark.parametrize(("state", "event", "expected"), cells())
def test_a_case_moves_as_the_grid_says(state: CaseState, event: CaseEvent, expected: str) -> None:
    case = case_in(state)
    for happening in messages_of(event, case):
        assert event_of(happening) is event
        if expected.startswith("!"):
            with pytest.raises(CaseRuleError) as caught:
                apply(case, happening)
            assert caught.value.codes == (f"case.{expected[1:]}",)
        else:
            assert apply(case, happening).state == expected


def test_the_messages_of_these_tests_are_valid() -> None:
    for event in CaseEvent:
        for made in messages_of(event, case_in(CaseState.INVITED)):
            render_xml(made)


# --- each fault -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [consent(), declined(), withdrawn(), booking(), plan(), closure()])
def test_a_case_begins_with_its_need(body: object) -> None:
    assert is_refused(process.UNKNOWN_CASE, None, message(body, CLINIC))


def test_a_message_about_another_person_is_refused() -> None:
    assert is_refused(
        process.OTHER_PERSON, case_in(CaseState.PREPARING), message(booking(), CLINIC, person=OTHER_PERSON)
    )


def test_a_person_who_has_got_a_new_number_is_the_same_as_long_as_the_old_one_is_named() -> None:
    case = case_in(CaseState.PREPARING)
    renumbered = replace(OTHER_PERSON, identifiers=(*OTHER_PERSON.identifiers, case.person))
    assert apply(case, message(booking(), CLINIC, person=renumbered)).state is CaseState.INVITED


@pytest.mark.parametrize("version", [1, 3])
def test_a_plan_that_is_not_the_next_version_is_refused(version: int) -> None:
    case = case_in(CaseState.ACTIVE)
    assert case.plan_version == 1
    assert is_refused(process.PLAN_VERSION, case, message(plan(version), CLINIC))


def test_a_party_outside_the_case_may_not_even_tell_of_a_withdrawal() -> None:
    case = replace(case_in(CaseState.ACTIVE), participants=())
    assert is_refused(process.NOT_PARTICIPANT, case, message(withdrawn(), OFFICE, sender=CLINIC))


@pytest.mark.parametrize("body", [consent(), declined(), booking(), plan(2), closure(), WITHDRAWAL_TOLD])
def test_a_participant_may_not_decide_for_the_convener(body: object) -> None:
    case = case_in(CaseState.ACTIVE)
    assert is_refused(process.NOT_CONVENER, case, message(body, OFFICE, sender=CLINIC))


def test_every_fault_of_a_case_is_provoked_by_these_tests() -> None:
    in_grid = {f"case.{cell[1:]}" for _, _, cell in cells() if cell.startswith("!")}
    alone = {process.UNKNOWN_CASE, process.OTHER_PERSON, process.PLAN_VERSION}
    alone |= {process.NOT_PARTICIPANT, process.NOT_CONVENER}
    faults = {fault.code for fault in vars(process).values() if isinstance(fault, Fault)}
    assert faults == in_grid | {fault.code for fault in alone}


# --- what a case remembers ------------------------------------------------------------------------------------------


def test_a_withdrawal_ends_the_consent_and_calls_the_meeting_off() -> None:
    case = apply(case_in(CaseState.INVITED), message(withdrawn()))
    assert (case.state, case.consent, case.consent_ref) == (CaseState.CLOSED, None, None)
    assert case.meeting is MeetingState.CANCELLED


def test_a_withdrawal_told_by_a_closure_ends_the_consent_as_well() -> None:
    case = apply(case_in(CaseState.INVITED), message(WITHDRAWAL_TOLD, CLINIC))
    assert (case.state, case.consent, case.consent_ref) == (CaseState.CLOSED, None, None)


def test_a_meeting_that_was_held_stays_held_when_the_case_closes() -> None:
    assert case_in(CaseState.CLOSED).meeting is MeetingState.HELD


def test_the_latest_consent_is_the_one_in_force() -> None:
    later = message(consent(PSYCHIATRY), PSYCHIATRY)
    case = apply(case_in(CaseState.ACTIVE), later)
    assert case.consent == later.body
    assert case.consent_ref == later.header.message_id
    assert case.participants == (Participant(party=REGION, unit=CLINIC), Participant(party=REGION, unit=PSYCHIATRY))


def test_units_join_once_in_the_order_they_are_written_to() -> None:
    case = apply(case_in(CaseState.PREPARING, PSYCHIATRY), message(booking(), WARD, PSYCHIATRY, CLINIC))
    assert [participant.unit for participant in case.participants] == [PSYCHIATRY, WARD, CLINIC]


def test_a_participant_of_the_case_may_tell_that_the_person_has_withdrawn() -> None:
    assert apply(case_in(CaseState.ACTIVE), message(withdrawn(), OFFICE, sender=CLINIC)).state is CaseState.CLOSED


# --- the consent gate -----------------------------------------------------------------------------------------------

NEEDED = [
    (need(), InformationType.NEED),
    (booking(), InformationType.MEETING),
    (plan(), InformationType.PLAN),
]
"""The messages that tell about the person, and what a consent must cover for each."""


@pytest.mark.parametrize(("body", "kind"), NEEDED)
def test_a_message_may_leave_only_for_a_unit_and_a_kind_that_the_consent_names(
    body: object, kind: InformationType
) -> None:
    told = message(body, CLINIC)
    today = local_date(NOON)
    granted = apply(case_in(CaseState.DRAFT), message(consent(CLINIC, kinds=[kind]), CLINIC))
    assert granted.may_receive(told, party=REGION, unit=CLINIC, on=today)
    assert not granted.may_receive(told, party=REGION, unit=PSYCHIATRY, on=today)
    assert not granted.may_receive(told, party="skola", unit=CLINIC, on=today)
    others = [other for other in InformationType if other is not kind]
    narrow = apply(granted, message(consent(CLINIC, kinds=others), CLINIC))
    assert not narrow.may_receive(told, party=REGION, unit=CLINIC, on=today)
    assert not case_in(CaseState.DRAFT).may_receive(told, party=REGION, unit=CLINIC, on=today)


def test_a_consent_holds_to_the_end_of_its_last_day() -> None:
    last = local_date(NOON) + timedelta(days=10)
    case = apply(case_in(CaseState.DRAFT), message(consent(until=last), CLINIC))
    told = message(booking(), CLINIC)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=last)
    assert not case.may_receive(told, party=REGION, unit=CLINIC, on=last + timedelta(days=1))


def test_a_consent_is_told_to_those_it_covers_and_to_nobody_else() -> None:
    told = message(consent(CLINIC), CLINIC)
    case = apply(case_in(CaseState.DRAFT), told)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=local_date(NOON))
    assert not case.may_receive(told, party=REGION, unit=PSYCHIATRY, on=local_date(NOON))


@pytest.mark.parametrize("body", [withdrawn(), WITHDRAWAL_TOLD, closure()])
def test_that_it_is_over_may_be_told_without_a_consent(body: object) -> None:
    case = case_in(CaseState.DRAFT)
    assert case.may_receive(message(body, CLINIC), party=REGION, unit=CLINIC, on=local_date(NOON))


# --- the receiving side ---------------------------------------------------------------------------------------------


class ReceivingParty:
    """The other side of the exchange: its case, moved by what has come for its units."""

    def __init__(self, party: str = REGION) -> None:
        self.case: SipCase | None = None
        self._party = party
        self._seen: set[str] = set()

    def take(self, came: Message, unit: str) -> None:
        again = came.header.message_id in self._seen
        self.case = receive(self.case, came, unit=unit, party=self._party, again=again)
        self._seen.add(came.header.message_id)

    @property
    def units(self) -> set[str]:
        assert self.case is not None
        return {participant.unit for participant in self.case.participants}


def test_the_units_that_have_received_something_take_part() -> None:
    region, start = ReceivingParty(), message(need(), *BOTH)
    region.take(start, PSYCHIATRY)
    assert region.units == {PSYCHIATRY}
    region.take(start, CLINIC)
    assert region.units == {PSYCHIATRY, CLINIC}


def test_a_case_ends_when_the_last_unit_has_been_told_that_it_has() -> None:
    region, end = ReceivingParty(), message(closure(), *BOTH)
    for came, unit in product([message(need(), *BOTH), message(consent(), *BOTH)], BOTH):
        region.take(came, unit)
    region.take(end, CLINIC)
    assert region.case is not None
    assert (region.case.state, region.units) == (CaseState.PREPARING, {PSYCHIATRY})
    region.take(end, PSYCHIATRY)
    assert region.case.state is CaseState.CANCELLED


def test_a_narrowed_consent_parts_with_one_unit_and_the_case_goes_on_for_the_other() -> None:
    region = ReceivingParty()
    for came, unit in product([message(need(), *BOTH), message(consent(), *BOTH)], BOTH):
        region.take(came, unit)
    region.take(message(WITHDRAWAL_TOLD, PSYCHIATRY), PSYCHIATRY)
    region.take(message(consent(CLINIC), CLINIC), CLINIC)
    region.take(message(booking(), CLINIC), CLINIC)
    assert region.case is not None
    assert (region.case.state, region.units) == (CaseState.INVITED, {CLINIC})


def test_a_partner_that_does_not_lead_the_case_cannot_close_it_for_a_unit() -> None:
    region, start = ReceivingParty(), message(need(), *BOTH)
    for unit in BOTH:
        region.take(start, unit)
    with pytest.raises(CaseRuleError) as caught:
        region.take(message(closure(), CLINIC, sender=PSYCHIATRY), CLINIC)
    assert caught.value.codes == (process.NOT_CONVENER.code,)


def test_a_participants_withdrawal_ends_the_case_with_the_convener() -> None:
    office = ReceivingParty(KOMMUN)
    office.case = case_in(CaseState.INVITED)
    office.take(message(withdrawn(), OFFICE, sender=CLINIC), OFFICE)
    assert (office.case.state, office.case.consent) == (CaseState.CLOSED, None)


BODIES = {
    "consent": lambda case: consent(),
    "narrower consent": lambda case: consent(*BOTH, kinds=[InformationType.NEED]),
    "decline": lambda case: declined(),
    "booking": lambda case: booking(),
    "plan": lambda case: plan(case.plan_version + 1),
    "plan of another version": lambda case: plan(case.plan_version + 2),
    "withdrawal": lambda case: WITHDRAWAL_TOLD,
    "closure": lambda case: closure(),
}


def legal_sequence(names: list[str], *to: str) -> tuple[list[Message], SipCase]:
    """Return what the convener may send of all it would like to, and the case that makes."""
    sent = [message(need(), *to)]
    case = apply(None, sent[0])
    for name in ["consent", *names]:
        made = message(BODIES[name](case), *to)
        with suppress(CaseRuleError):
            case = apply(case, made)
            sent.append(made)
    return sent, case


@given(st.lists(st.sampled_from(sorted(BODIES)), max_size=12))
def test_the_receiving_side_comes_to_the_conveners_case(names: list[str]) -> None:
    sent, case = legal_sequence(names, CLINIC)
    region = ReceivingParty()
    for came in sent:
        region.take(came, CLINIC)
    assert region.case == case


@given(st.lists(st.sampled_from(sorted(BODIES)), max_size=12), st.data())
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
    assert replace(region.case, participants=()) == replace(case, participants=())


@given(st.lists(st.sampled_from([event for event in CaseEvent if event is not CaseEvent.START]), max_size=12))
def test_nothing_changes_a_case_that_has_ended(events: list[CaseEvent]) -> None:
    for state in process.TERMINAL:
        ended = case_in(state)
        case = ended
        for event in events:
            for happening in messages_of(event, case):
                with suppress(CaseRuleError):
                    case = apply(case, happening)
        assert case == ended


@given(st.lists(st.sampled_from(sorted(BODIES)), max_size=12))
def test_a_case_past_its_preparation_has_a_consent_for_as_long_as_it_is_open(names: list[str]) -> None:
    _, case = legal_sequence(names, CLINIC)
    is_open = case.state not in process.TERMINAL
    assert (case.consent is not None and case.consent_ref is not None) or not is_open
    assert case.number == CASE
    assert HOME_CARE not in {participant.unit for participant in case.participants}
