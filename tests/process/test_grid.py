"""What each event makes of a case in each state, against grids written by hand from the process and the law."""

from __future__ import annotations

from itertools import product

import pytest
from build import PSYCHIATRY, added, message
from cases import PATHS, STAYS, case_in, messages_of, refusal

from gateway.messages import CaseEvent, Message, SharedCaseState, render_xml, rule_findings
from gateway.process import TRANSITIONS, CaseState, SipCase, apply, event_of

# Each cell is the state that follows; with an exclamation mark, the code of the fault, without its area, where the
# event breaks the case.
CONSENT_AND_END = """
                  start             consent           decline                withdraw             refuse          close
draft             !already-started  preparing         consent-declined       !nothing-to-withdraw refused         cancelled
consent-declined  !already-started  !closed           !closed                !closed              !closed         !closed
refused           !already-started  !closed           !closed                !closed              !closed         !closed
preparing         !already-started  preparing         !consent-already-given closed               !not-refusable  cancelled
invited           !already-started  invited           !consent-already-given closed               !not-refusable  cancelled
meeting-done      !already-started  meeting-done      !consent-already-given closed               !not-refusable  cancelled
active            !already-started  active            !consent-already-given closed               !not-refusable  closed
follow-up-called  !already-started  follow-up-called  !consent-already-given closed               !not-refusable  closed
closed            !already-started  !closed           !closed                closed               !closed         !closed
cancelled         !already-started  !closed           !closed                cancelled            !closed         !closed
"""  # noqa: E501 - a table is read across

MEETING = """
                  book              reply             forward           reschedule        call-off          hold              hold-in-vain
draft             !consent-missing  !consent-missing  !consent-missing  !consent-missing  !consent-missing  !consent-missing  !consent-missing
consent-declined  !closed           !closed           !closed           !closed           !closed           !closed           !closed
refused           !closed           !closed           !closed           !closed           !closed           !closed           !closed
preparing         invited           !no-meeting       !no-meeting       !no-meeting       !no-meeting       !no-meeting       !no-meeting
invited           invited           invited           invited           invited           preparing         meeting-done      preparing
meeting-done      invited           !no-meeting       !no-meeting       !no-meeting       !no-meeting       !no-meeting       !no-meeting
active            follow-up-called  !no-meeting       !no-meeting       !no-meeting       !no-meeting       !no-meeting       !no-meeting
follow-up-called  follow-up-called  follow-up-called  follow-up-called  follow-up-called  active            follow-up-called  follow-up-called
closed            !closed           !closed           !closed           !closed           !closed           !closed           !closed
cancelled         !closed           !closed           !closed           !closed           !closed           !closed           !closed
"""  # noqa: E501

PLAN = """
                  plan              revise            transfer          update-measure    call-follow-up    follow-up
draft             !consent-missing  !consent-missing  !consent-missing  !consent-missing  !consent-missing  !consent-missing
consent-declined  !closed           !closed           !closed           !closed           !closed           !closed
refused           !closed           !closed           !closed           !closed           !closed           !closed
preparing         !meeting-missing  !no-plan          !no-plan          !no-plan          !no-plan          !not-called-to-follow-up
invited           active            !no-plan          !no-plan          !no-plan          !no-plan          !not-called-to-follow-up
meeting-done      active            !no-plan          !no-plan          !no-plan          !no-plan          !not-called-to-follow-up
active            active            active            active            active            follow-up-called  !not-called-to-follow-up
follow-up-called  active            active            follow-up-called  follow-up-called  follow-up-called  active
closed            !closed           !closed           !closed           !closed           !closed           !closed
cancelled         !closed           !closed           !closed           !closed           !closed           !closed
"""  # noqa: E501

ALL_ALONG = """
                  join              leave             tell              retract           misdirect
draft             !consent-missing  !consent-missing  !consent-missing  !consent-missing  !consent-missing
consent-declined  !closed           !closed           !closed           !closed           !closed
refused           !closed           !closed           !closed           !closed           !closed
preparing         preparing         preparing         preparing         preparing         preparing
invited           invited           invited           invited           invited           invited
meeting-done      meeting-done      meeting-done      meeting-done      meeting-done      meeting-done
active            active            active            active            active            active
follow-up-called  follow-up-called  follow-up-called  follow-up-called  follow-up-called  follow-up-called
closed            !closed           !closed           closed            closed            closed
cancelled         !closed           !closed           cancelled         cancelled         cancelled
"""

STAY = """
                 expect           appoint-contact  plan-discharge   ready            recall    discharge   interrupt    retract          misdirect
admitted         admitted         admitted         admitted         discharge-ready  !not-now  discharged  interrupted  admitted         admitted
discharge-ready  discharge-ready  discharge-ready  discharge-ready  !not-now         admitted  discharged  interrupted  discharge-ready  discharge-ready
discharged       !closed          discharged       discharged       !closed          !closed   !closed     !closed      discharged       discharged
interrupted      !closed          !closed          !closed          !closed          !closed   !closed     interrupted  interrupted      interrupted
"""  # noqa: E501

ADMISSION = """
                 admit
admitted         !already-started
discharge-ready  !already-started
discharged       !already-started
interrupted      !already-started
"""

Cell = tuple[CaseState, CaseEvent, str]


def cells(*grids: str) -> list[Cell]:
    read: list[Cell] = []
    for grid in grids:
        heading, *lines = grid.strip().splitlines()
        read += [
            (CaseState(state), CaseEvent(event), cell)
            for state, *row in map(str.split, lines)
            for event, cell in zip(heading.split(), row, strict=True)
        ]
    return read


OF_SIP = cells(CONSENT_AND_END, MEETING, PLAN, ALL_ALONG)
OF_STAY = cells(STAY, ADMISSION)
EVENTS_OF_STAY = {event for _, event, _ in OF_STAY}
EVENTS_OF_SIP = {event for _, event, _ in OF_SIP}
CODES = {f"case.{cell[1:]}" for _, _, cell in (*OF_SIP, *OF_STAY) if cell.startswith("!")}
"""The faults that the grids provoke."""


def test_the_grids_name_every_pair_of_state_and_event() -> None:
    assert set(PATHS) | set(STAYS) == set(CaseState)
    assert set(CaseEvent) == EVENTS_OF_SIP | EVENTS_OF_STAY
    assert sorted((state, event) for state, event, _ in OF_SIP) == sorted(product(PATHS, EVENTS_OF_SIP))
    assert sorted((state, event) for state, event, _ in OF_STAY) == sorted(product(STAYS, EVENTS_OF_STAY))


@pytest.mark.parametrize(("state", "event", "expected"), [*OF_SIP, *OF_STAY])
def test_a_case_moves_as_the_grid_says(state: CaseState, event: CaseEvent, expected: str) -> None:
    case = case_in(state)
    happenings = messages_of(event, case)
    assert happenings
    for happening in happenings:
        assert event_of(happening) is event
        if expected.startswith("!"):
            assert refusal(case, happening) == (f"case.{expected[1:]}",)
        else:
            assert apply(case, happening).state == expected


@pytest.mark.parametrize("state", STAYS)
def test_a_discharge_process_knows_no_event_of_a_sip(state: CaseState) -> None:
    assert not TRANSITIONS[state].keys() & (EVENTS_OF_SIP - EVENTS_OF_STAY)


@pytest.mark.parametrize("state", PATHS)
def test_a_sip_knows_no_event_of_a_discharge_process(state: CaseState) -> None:
    assert not TRANSITIONS[state].keys() & (EVENTS_OF_STAY - EVENTS_OF_SIP)


@pytest.mark.parametrize("event", CaseEvent)
def test_only_a_need_an_admission_and_joining_open_a_case(event: CaseEvent) -> None:
    case = case_in(CaseState.ADMITTED if event in EVENTS_OF_STAY - EVENTS_OF_SIP else CaseState.INVITED)
    first = {
        CaseEvent.START: CaseState.DRAFT,
        CaseEvent.ADMIT: CaseState.ADMITTED,
        CaseEvent.JOIN: CaseState.PREPARING,
    }
    for happening in messages_of(event, case):
        if event in first:
            assert apply(None, happening).state is first[event]
        else:
            assert refusal(None, happening) == ("case.unknown",)


@pytest.mark.parametrize("state", SharedCaseState)
def test_who_joins_opens_the_case_where_it_stands(state: SharedCaseState) -> None:
    case = apply(None, message(added(state=state, booking_version=3), PSYCHIATRY))
    assert (case.state, case.booking_version) == (state.value, 3)
    assert case.plan_version == (1 if state in (SharedCaseState.ACTIVE, SharedCaseState.FOLLOW_UP_CALLED) else 0)


def every_message(case: SipCase) -> list[Message]:
    return [made for event in CaseEvent for made in messages_of(event, case)]


@pytest.mark.parametrize("state", [CaseState.FOLLOW_UP_CALLED, CaseState.DISCHARGE_READY])
def test_the_messages_of_these_tests_are_valid(state: CaseState) -> None:
    for made in every_message(case_in(state)):
        render_xml(made)
        assert list(rule_findings(made)) == []
