"""How far a message got: the two tables of transitions against a grid written by hand, and what must never happen."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lifecycle import (
    IN,
    NEVER_LEFT,
    ON_PAPER,
    OUT,
    IllegalTransitionError,
    InEvent,
    InState,
    Level,
    Outcome,
    OutEvent,
    OutState,
    after,
    after_incoming,
    event_of,
    in_clock,
    out_clock,
    retry_wait,
)
from gateway.sending_again import NOT_HANDED_OVER_AGAIN, NOT_SENT_AGAIN

# One line per state, one column per event, what follows in the cell; a dot where the event cannot happen.
OUT_GRID = """
              release  stop     published     publish_failed  received      registered   acknowledged  partial      rejected     retry        expire   retract    misdirect   by_letter  mailed  answered  hold  resend
held          queued   stopped  .             .               .             .            .             .            .            .            .        .          .   letter     .       .  .  .
queued        .        stopped  sent          retrying        received      registered   acknowledged  partial      rejected     retrying     expired  retracted  misdirected   .          .       .  held  .
retrying      .        stopped  sent          retrying        received      registered   acknowledged  partial      rejected     retrying     expired  retracted  misdirected   .          .       .  .  retrying
sent          .        .        sent          sent            received      registered   acknowledged  partial      rejected     retrying     expired  retracted  misdirected   .          .       .  .  retrying
received      .        .        received      received        received      registered   acknowledged  partial      rejected     retrying     expired  retracted  misdirected   .          .       .  .  retrying
registered    .        .        registered    registered      registered    registered   acknowledged  .            .            .            .        retracted  misdirected   .          .       .  .  .
acknowledged  .        .        acknowledged  acknowledged    acknowledged  acknowledged acknowledged  .            .            .            .        retracted  misdirected   .          .       .  .  .
partial       .        .        partial       partial         partial       .            acknowledged  partial      .            .            .        retracted  misdirected   .          .       .  .  .
rejected      .        .        rejected      rejected        rejected      .            .             .            rejected     .            .        .          .   .          .       .  .  .
expired       .        .        expired       expired         received      registered   acknowledged  partial      rejected     .            .        retracted  misdirected   .          .       .  .  retrying
retracted     .        .        retracted     retracted       retracted     retracted    retracted     retracted    retracted    retracted    .        .          retracted   .          .       .  .  .
misdirected   .        .        misdirected   misdirected     misdirected   misdirected  misdirected   misdirected  misdirected  misdirected  .        misdirected .   .          .       .  .  .
stopped       .        .        .             .               .             .            .             .            .            .            .        .          .   .          .       .  .  .
letter        .        stopped  .          .               .         .           .             .        .         .      .       .        .          .          mailed  .  held  .
mailed        .        .     .          .               .         .           .             .        .         .      .       retracted  .          .          .       acknowledged  .  .
"""  # noqa: E501 - a table is read across

IN_GRID = """
                    validate   claim       system_silent       register    acknowledge   reject     retract      misdirect  resend
stored              validated  .           .                   .           .             rejected   .            .  .
validated           .          delivering  .                   .           .             .          retracted    .  .
delivering          .          delivering  waiting_for_system  registered  .             rejected   retracted    .  .
waiting_for_system  .          delivering  .                   .           .             .          retracted    .  waiting_for_system
registered          .          .           .                   .           acknowledged  .          retracted    misdirected  .
acknowledged        .          .           .                   .           .             .          retracted    misdirected  .
rejected            .          .           .                   .           .             .          .            .  .
retracted           .          .           retracted           retracted   .             retracted  .            .  .
misdirected         .          .           .                   .           .             .          misdirected  .  .
"""  # noqa: E501 - a table is read across

RANK = {
    OutState.HELD: 0,
    OutState.QUEUED: 1,
    OutState.RETRYING: 1,
    OutState.SENT: 2,
    OutState.RECEIVED: 3,
    OutState.REGISTERED: 4,
    OutState.PARTIAL: 4,
    OutState.ACKNOWLEDGED: 5,
}
"""How much is known to have been reached, for the states that lie on the way."""

FINAL = {
    OutState.ACKNOWLEDGED,
    OutState.REJECTED,
    OutState.STOPPED,
    OutState.RETRACTED,
    OutState.MISDIRECTED,
    OutState.MAILED,
}
"""Ends in themselves; *registered* is one too where nothing is owed, and *sent* for an acknowledgement."""


def cells(grid: str) -> list[tuple[str, str, str | None]]:
    heading, *lines = grid.strip().splitlines()
    return [
        (state, event, None if cell == "." else cell)
        for state, *row in map(str.split, lines)
        for event, cell in zip(heading.split(), row, strict=True)
    ]


def pairs(states: type[StrEnum], events: type[StrEnum]) -> set[tuple[str, str]]:
    return {(state.value, event.value) for state, event in product(states, events)}


def reachable(start: OutState, *, without: frozenset[OutEvent] = frozenset()) -> set[OutState]:
    found, new = {start}, {start}
    while new:
        new = {to for state in new for event, to in OUT[state].items() if event not in without} - found
        found |= new
    return found


def test_the_grids_name_every_pair_of_state_and_event() -> None:
    assert {(state, event) for state, event, _ in cells(OUT_GRID)} == pairs(OutState, OutEvent)
    assert {(state, event) for state, event, _ in cells(IN_GRID)} == pairs(InState, InEvent)


@pytest.mark.parametrize(("state", "event", "expected"), cells(OUT_GRID))
def test_an_outgoing_message_moves_as_the_grid_says(state: str, event: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(IllegalTransitionError, match=f"{event} in state {state}"):
            after(OutState(state), OutEvent(event))
    else:
        assert after(OutState(state), OutEvent(event)) == expected


@pytest.mark.parametrize(("state", "event", "expected"), cells(IN_GRID))
def test_an_incoming_message_moves_as_the_grid_says(state: str, event: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(IllegalTransitionError, match=f"{event} in state {state}"):
            after_incoming(InState(state), InEvent(event))
    else:
        assert after_incoming(InState(state), InEvent(event)) == expected


def test_nothing_leads_from_a_refusal_to_anything_else() -> None:
    assert reachable(OutState.REJECTED) == {OutState.REJECTED}


def test_what_was_stopped_stays_stopped() -> None:
    assert reachable(OutState.STOPPED) == {OutState.STOPPED}


def test_what_is_held_never_reaches_the_exchange_unless_it_is_released() -> None:
    released = frozenset({OutEvent.RELEASE, OutEvent.BY_LETTER})
    assert reachable(OutState.HELD, without=released) == NEVER_LEFT


def test_a_letter_never_comes_to_the_exchange() -> None:
    ends = {OutState.ACKNOWLEDGED, OutState.RETRACTED, OutState.STOPPED, OutState.HELD}
    for_a_unit_with_an_inbox = frozenset({OutEvent.RELEASE})  # what is held back again goes the way it went before
    assert reachable(OutState.LETTER, without=for_a_unit_with_an_inbox) - {OutState.MISDIRECTED} == ON_PAPER | ends


def test_a_letter_that_was_not_sent_cannot_have_been_answered() -> None:
    assert set(OUT[OutState.LETTER].values()) == {OutState.MAILED, OutState.STOPPED, OutState.HELD}


NEW_TRY = {OutEvent.RETRY, OutEvent.RESEND, OutEvent.HOLD}  # what is held back had only been promised


@pytest.mark.parametrize("event", [event for event in OutEvent if event not in NEW_TRY])
def test_a_level_once_reached_is_never_lost_unless_a_new_try_is_asked_for(event: OutEvent) -> None:
    moves = [(state, OUT[state][event]) for state in RANK if event in OUT[state]]
    assert [(state, to) for state, to in moves if RANK.get(to, RANK[state]) < RANK[state]] == []


@pytest.mark.parametrize("state", [OutState.REGISTERED, OutState.PARTIAL, OutState.ACKNOWLEDGED])
def test_what_the_case_system_has_committed_is_not_sent_again(state: OutState) -> None:
    assert reachable(state) <= {state, OutState.ACKNOWLEDGED, OutState.RETRACTED, OutState.MISDIRECTED}


def test_what_may_not_be_sent_again_by_hand_says_why() -> None:
    assert set(NOT_SENT_AGAIN) == {state for state in OutState if OutEvent.RESEND not in OUT[state]}
    assert set(NOT_HANDED_OVER_AGAIN) == {state for state in InState if InEvent.RESEND not in IN[state]}


def test_every_state_can_be_reached() -> None:
    assert reachable(OutState.HELD) | reachable(OutState.QUEUED) == set(OutState)
    assert {to for row in IN.values() for to in row.values()} | {InState.STORED} == set(InState)


@pytest.mark.parametrize(
    ("level", "outcome", "event"),
    [
        (Level.RECEIVED, Outcome.ACCEPTED, OutEvent.RECEIVED),
        (Level.REGISTERED, Outcome.ACCEPTED, OutEvent.REGISTERED),
        (Level.ACKNOWLEDGED, Outcome.ACCEPTED, OutEvent.ACKNOWLEDGED),
        *((level, Outcome.PARTIAL, OutEvent.PARTIAL) for level in Level),
        *((level, Outcome.REJECTED, OutEvent.REJECTED) for level in Level),
        *((level, Outcome.RETRY, OutEvent.RETRY) for level in Level),
    ],
)
def test_an_acknowledgement_means_one_event(level: Level, outcome: Outcome, event: OutEvent) -> None:
    assert event_of(level, outcome) is event


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("state", OutState)
def test_an_outgoing_message_has_a_deadline_with_an_owner_until_its_end(state: OutState, answered: bool) -> None:
    # What is registered has the deadline of its duty, which the contract of its type states; a letter has working days.
    ends = FINAL | {OutState.REGISTERED, OutState.LETTER} | (set() if answered else {OutState.SENT})
    clock = out_clock(state, answered=answered)
    if state in ends:
        assert clock is None
    else:
        assert clock is not None
        due, owner = clock
        assert due > timedelta(0)
        assert owner


@pytest.mark.parametrize("state", InState)
def test_an_incoming_message_has_a_deadline_with_an_owner_until_its_end(state: InState) -> None:
    ends = {InState.ACKNOWLEDGED, InState.REJECTED, InState.REGISTERED, InState.RETRACTED, InState.MISDIRECTED}
    clock = in_clock(state)
    assert (clock is None) == (state in ends)
    assert clock is None or clock[0] > timedelta(0)


WAITS = {1: 1, 2: 5, 3: 15, 4: 60, 5: 60, 100: 60}
"""Minutes to wait after so many failed tries."""


@pytest.mark.parametrize(("attempts", "minutes"), WAITS.items())
def test_tries_come_after_1_5_15_and_60_minutes_and_then_hourly(attempts: int, minutes: int) -> None:
    assert retry_wait(attempts, 0.5) == timedelta(minutes=minutes)


@given(st.sampled_from(sorted(WAITS)), st.floats(0, 1), st.floats(0, 1))
def test_a_wait_is_spread_by_half_its_length_each_way(attempts: int, chance: float, other: float) -> None:
    middle = timedelta(minutes=WAITS[attempts])
    assert middle * 0.5 <= retry_wait(attempts, chance) <= middle * 1.5
    assert (retry_wait(attempts, chance) - retry_wait(attempts, other)) / middle == pytest.approx(
        chance - other, abs=1e-6
    )
