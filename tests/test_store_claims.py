"""What a claim takes, in which order, and what it leaves alone, on each database the store works with."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from build import CASE, NOON, PSYCHIATRY, WARD
from stored import LEASE, add, claim, received, row

from gateway.clock import ManualClock
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.ledger import Dispatch
from gateway.lifecycle import InState, OutEvent, OutState
from gateway.store import Store, Transaction, incoming, outgoing

WAITING = (OutState.QUEUED, OutState.RETRYING)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


async def test_what_is_claimed_is_left_alone_until_its_lease_runs_out(tx: Transaction, clock: ManualClock) -> None:
    one = row()
    await add(tx, one)
    assert await claim(tx, clock) == [one.message_id]
    clock.advance(LEASE - timedelta(microseconds=1))
    assert await claim(tx, clock) == []
    clock.advance(timedelta(microseconds=1))
    assert await claim(tx, clock) == [one.message_id]
    [stored] = await outgoing.of_case(tx, CASE)
    assert (stored.attempts, stored.sequence) == (2, 1)


async def test_a_new_process_gets_back_what_a_dead_one_had_claimed(tx: Transaction, clock: ManualClock) -> None:
    one = row()
    await add(tx, one)
    await claim(tx, clock)
    await outgoing.release_leases(tx)
    assert await claim(tx, clock) == [one.message_id]


async def test_rows_are_claimed_in_line_order_with_a_sequence_for_each_case_and_unit(
    tx: Transaction, clock: ManualClock
) -> None:
    rows = [row(), row(unit=PSYCHIATRY), row(), row(case_number="SIP100002"), row(unit=PSYCHIATRY)]
    await add(tx, *rows)
    numbers = [1, 1, 2, 1, 2]
    numbered = {one.message_id: number for one, number in zip(rows, numbers, strict=True)}
    taken = [one.dispatch for one in await outgoing.claim(tx, clock.now(), LEASE, 4)]
    assert len(taken) == 4
    assert {one.message_id: one.sequence for one in taken}.items() <= numbered.items()
    for one in taken:  # nothing has left before what comes before it to the same unit about the same case
        before = [
            other
            for other in taken[: taken.index(one)]
            if (other.case_number, other.unit) == (one.case_number, one.unit)
        ]
        assert [other.sequence for other in before] == list(range(1, one.sequence or 0))
    await outgoing.release_leases(tx)
    again = [one.dispatch for one in await outgoing.claim(tx, clock.now(), LEASE, 64)]
    assert {one.message_id: one.sequence for one in again} == numbered


@pytest.mark.parametrize("state", [state for state in OutState if state not in WAITING])
async def test_only_what_waits_for_the_relay_is_claimed(tx: Transaction, clock: ManualClock, state: OutState) -> None:
    await add(tx, row(state=state))
    assert await claim(tx, clock) == []


@pytest.fixture
async def stuck(tx: Transaction) -> Dispatch:
    """Return a row that waits for its next try in an hour."""
    one = row(state=OutState.RETRYING, attempts=1, sequence=1, next_attempt_at=NOON + timedelta(hours=1))
    await add(tx, one)
    return one


async def test_the_order_about_a_person_to_a_unit_is_kept_while_the_first_one_is_tried_again(
    tx: Transaction, clock: ManualClock, stuck: Dispatch
) -> None:
    behind = row()
    await add(tx, behind)
    assert await claim(tx, clock) == []
    clock.advance(timedelta(hours=1))
    assert await claim(tx, clock) == [stuck.message_id, behind.message_id]


async def test_the_order_is_kept_while_the_first_one_is_being_published(tx: Transaction, clock: ManualClock) -> None:
    first, behind = row(), row()
    await add(tx, first, behind)
    assert await claim(tx, clock, limit=1) == [first.message_id]
    assert await claim(tx, clock) == []


@pytest.mark.parametrize("changes", [{"unit": PSYCHIATRY}, {"case_number": "SIP100002"}])
@pytest.mark.usefixtures("stuck")
async def test_other_units_and_other_persons_are_not_blocked(
    tx: Transaction, clock: ManualClock, changes: dict[str, str]
) -> None:
    other = row(**changes)
    await add(tx, other)
    assert await claim(tx, clock) == [other.message_id]


@pytest.mark.usefixtures("stuck")
async def test_an_acknowledgement_waits_for_nobody(tx: Transaction, clock: ManualClock) -> None:
    acknowledgement = row(type=ACKNOWLEDGEMENT)
    await add(tx, acknowledgement)
    [taken] = await outgoing.claim(tx, clock.now(), LEASE, 64)
    assert (taken.dispatch.message_id, taken.dispatch.sequence) == (acknowledgement.message_id, None)


async def test_nobody_waits_for_an_acknowledgement(tx: Transaction, clock: ManualClock) -> None:
    behind = row()
    await add(tx, row(type=ACKNOWLEDGEMENT, next_attempt_at=NOON + timedelta(hours=1)), behind)
    assert await claim(tx, clock) == [behind.message_id]


async def test_what_is_given_up_blocks_nobody(tx: Transaction, clock: ManualClock, stuck: Dispatch) -> None:
    behind = row()
    await add(tx, behind)
    [stored, _] = await outgoing.of_case(tx, CASE)
    await outgoing.save(tx, [(stored, stored.after(OutEvent.EXPIRE, NOON))])
    assert await claim(tx, clock) == [behind.message_id]


async def test_two_gateways_on_one_database_never_claim_the_same_row(store_url: str, clock: ManualClock) -> None:
    async def take(store: Store) -> list[str]:
        async with store.writing() as tx:
            return await claim(tx, clock, limit=5)

    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(Store(store_url)) for _ in range(2)]
        rows = [row(case_number=f"SIP10{number:04d}") for number in range(1, 31)]
        async with one.writing() as tx:
            await add(tx, *rows)
        taken = [claimed for _ in range(3) for claimed in await asyncio.gather(take(one), take(other))]
    assert [len(claimed) for claimed in taken] == [5] * 6
    assert {message_id for claimed in taken for message_id in claimed} == {one.message_id for one in rows}


async def test_a_received_message_waits_for_the_one_before_it(tx: Transaction) -> None:
    first, behind = received(), received(sequence=2)
    other_unit, other_case = received(unit=WARD), received(case_number="SIP200002")
    await incoming.add(tx, [first, behind, other_unit, other_case])
    due = await incoming.claimable(tx, NOON, 64)
    assert [one.message_id for one in due] == [first.message_id, other_unit.message_id, other_case.message_id]
    await incoming.save(tx, [(due[0], due[0]._replace(state=InState.REGISTERED, due_at=None, owner=None))])
    assert behind.message_id in [one.message_id for one in await incoming.claimable(tx, NOON, 64)]
