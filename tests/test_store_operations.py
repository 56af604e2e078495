"""Operations as they are stored: claimed by one at a time, item by item, and held as soon as they are paused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from build import NOON, OFFICE, WARD
from stored import LEASE

from gateway.access import Actor, Role
from gateway.items import Item, ItemKind
from gateway.operation import ItemOutcome, OperationAction, OperationState, Turn, turns_in
from gateway.store import Store, Transaction, operations
from gateway.store.operations import Operation, Target

STAFF = Actor(name="SE2120001355-P000000000117", role=Role.OPERATOR)


async def begun(tx: Transaction, count: int = 3, by: Actor = STAFF, **changes: Any) -> Operation:
    new = Operation(
        id=str(uuid4()),
        action=OperationAction.RESEND,
        by=by,
        reason="prov",
        is_dry_run=False,
        begun_at=NOON,
        total=0,
    )
    targets = [Target(Item(ItemKind.SENT, number), f"m-{number}") for number in range(1, count + 1)]
    return await operations.begin(tx, replace(new, **changes), targets)


async def test_items_are_taken_in_order_and_an_operation_that_has_none_left_is_done(tx: Transaction) -> None:
    first, second = await begun(tx, 2), await begun(tx, 1)
    taken = []
    while (held := await operations.claim(tx, "one", NOON, LEASE)) is not None:
        taken.append((held.operation.id, held.item.number, held.tries))
        outcome = ItemOutcome.REFUSED if held.item.number == 2 else ItemOutcome.DONE
        assert await operations.keep_result(tx, held, outcome, NOON, LEASE, code="x", sv="å", en="a")
        assert not await operations.keep_result(tx, held, outcome, NOON, LEASE)
    assert taken == [(first.id, 1, 1), (first.id, 2, 1), (second.id, 1, 1)]
    found = await operations.find(tx, first.id, None)
    assert found is not None
    assert (found.state, found.total, found.done, found.refused, found.looked_at) == (OperationState.DONE, 2, 1, 1, 2)
    assert (found.started_at, found.ended_at, found.by, found.cause) == (NOON, NOON, STAFF, None)
    results = await operations.results(tx, found, 1, 1)
    assert [(one.item.number, one.outcome, one.code, one.sv) for one in results] == [(2, ItemOutcome.REFUSED, "x", "å")]
    assert [one.message_id for one in await operations.done_by(tx, found)] == ["m-1"]


async def test_nobody_takes_what_another_holds_until_the_lease_ends(store: Store) -> None:
    async with store.writing() as tx:
        await begun(tx)
    async with store.writing() as tx:
        held = await operations.claim(tx, "one", NOON, LEASE)
    async with store.writing() as tx:
        assert await operations.claim(tx, "two", NOON + LEASE - timedelta(seconds=1), LEASE) is None
    later = NOON + LEASE
    async with store.writing() as tx:
        taken = await operations.claim(tx, "two", later, LEASE)
        assert held is not None
        assert taken is not None
        assert (taken.item, taken.tries) == (held.item, 2)
        assert not await operations.keep_result(tx, held, ItemOutcome.DONE, later, LEASE)
        assert await operations.keep_result(tx, taken, ItemOutcome.DONE, later, LEASE)


async def test_nothing_is_kept_of_what_is_paused_and_it_goes_on_where_it_was(tx: Transaction) -> None:
    one = await begun(tx)
    held = await operations.claim(tx, "one", NOON, LEASE)
    assert held is not None
    paused = await operations.turn(tx, one, Turn.PAUSE, NOON)
    assert paused is not None
    assert turns_in(paused.state) == (Turn.CONTINUE, Turn.STOP)
    assert not await operations.keep_result(tx, held, ItemOutcome.DONE, NOON, LEASE)
    assert await operations.claim(tx, "one", NOON, LEASE) is None
    assert await operations.turn(tx, one, Turn.PAUSE, NOON) is None
    assert await operations.turn(tx, one, Turn.CONTINUE, NOON) is not None
    again = await operations.claim(tx, "two", NOON, LEASE)
    assert again is not None
    assert (again.item, again.operation.state) == (held.item, OperationState.RUNNING)
    stopped = await operations.turn(tx, one, Turn.STOP, NOON)
    assert stopped is not None
    assert (stopped.state, stopped.ended_at, turns_in(stopped.state)) == (OperationState.STOPPED, NOON, ())
    assert await operations.claim(tx, "two", NOON, LEASE) is None


@pytest.mark.parametrize(
    ("units", "seen"),
    [(None, True), ({OFFICE, WARD}, True), ({OFFICE, WARD, "x"}, True), ({OFFICE}, False), (set(), False)],
)
async def test_an_operation_is_of_all_the_units_it_was_begun_with(
    tx: Transaction, units: set[str] | None, seen: bool
) -> None:
    await begun(tx)
    one = await begun(tx, by=replace(STAFF, units=frozenset({OFFICE, WARD})))
    asks = frozenset(units) if units is not None else None
    assert (await operations.find(tx, one.id, asks) is not None) is seen
    page = await operations.page(tx, 10, units=asks)
    assert [found.number for found in page.operations] == ([2, 1] if asks is None else [2] if seen else [])
    assert page.next is None
    last = await operations.page(tx, 1, units=None, before=(await operations.page(tx, 1, units=None)).next)
    assert [found.number for found in last.operations] == [1]
