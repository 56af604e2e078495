"""Operations as they are carried out: each item once, whoever dies, none after a pause, each with its own result."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from blank import blank_store
from build import CASE, CLINIC, HOME_CARE, NOON, OFFICE, REGION
from sqlalchemy import func, select

from gateway.access import AccessRefusedError, Actor, Role
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.directory import Directory
from gateway.envelope import Envelope
from gateway.errors import CaseRuleError, Finding
from gateway.items import Item, ItemKind
from gateway.operation import OperationAction, OperationState, Turn
from gateway.operations import LEASE, MOST_TRIES, Operations, Wanted, begin, turn
from gateway.ports import Adapter
from gateway.resources import demo_directory
from gateway.store import Store, audit, incoming, operations
from gateway.store.audit import Wanted as Sought
from gateway.store.decision_tables import decision
from gateway.store.failed import Cause
from gateway.store.operations import ItemResult, Operation
from gateway.store.tables import parked

STAFF = Actor(name="SE2120001355-P000000000117", role=Role.OPERATOR)
CAUSE = Cause(kind=ItemKind.PARKED, code="schema.test-broken", party=REGION)
DISCARD: dict[str, Any] = {"action": OperationAction.DISCARD, "by": STAFF, "reason": "prov"}


async def park(store: Store, count: int, unit: str = OFFICE) -> None:
    """Store deliveries that could not become messages."""
    async with store.writing() as tx:
        for _ in range(count):
            envelope = Envelope(
                message_id=str(uuid4()),
                type="sipStart",
                sender=REGION,
                recipient="kommun",
                unit=unit,
                sender_unit=CLINIC,
                case_ref=CASE,
                created_at=NOON,
                body=b"<xml/>",
            )
            await incoming.park(tx, envelope, [Finding(CAUSE.code, "Fel.", "Wrong.")], NOON)


def context_over(store: Store) -> Context:
    directory = Directory.load(demo_directory())
    return Context("kommun", directory, store, ManualClock(NOON), lambda _: None, chance=lambda: 0.5)


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    async with Store(blank_store(tmp_path / "store.sqlite")) as store:
        yield context_over(store)


def worker(context: Context) -> Operations:
    return Operations(context, cast(Adapter, None))  # nothing here is an event


async def finish(context: Context) -> None:
    at_work = worker(context)
    while await at_work.step():
        pass


async def found(context: Context, one: Operation) -> tuple[Operation, list[ItemResult]]:
    async with context.store.reading() as tx:
        again = await operations.find(tx, one.id, None)
        assert again is not None
        return again, await operations.results(tx, again, 1000)


async def counted(context: Context) -> tuple[int, int, int]:
    """Return how many are discarded, how many decisions that took, and how many rows of the audit log tell of it."""
    async with context.store.reading() as tx:
        gone = (await tx.execute(select(func.count(parked.c.discarded_at)))).scalar_one()
        decided = (await tx.execute(select(func.count()).select_from(decision))).scalar_one()
        rows = [one.said for one in await audit.find(tx, Sought(), limit=500)]
    return gone, decided, sum(one["action"] == "message.discarded" and one["outcome"] == "done" for one in rows)


DIES = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_operations import context_over, worker
from gateway.store import Store
async def main():
    async with Store(sys.argv[1]) as store:
        at_work = worker(context_over(store))
        while await at_work.step():
            print("done", flush=True)
asyncio.run(main())
"""


async def test_each_of_fifty_is_done_once_though_the_process_is_killed(tmp_path: Path) -> None:
    url = blank_store(tmp_path / "store.sqlite")
    async with Store(url) as store:
        context = context_over(store)
        await park(store, 50)
        one = await begin(context, wanted=Wanted(cause=CAUSE), **DISCARD)
        assert (one.total, one.state) == (50, OperationState.WAITING)
        tests = str(Path(__file__).parent)
        dies = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DIES, url, tests, stdout=asyncio.subprocess.PIPE
        )
        assert dies.stdout is not None
        for _ in range(7):
            assert await dies.stdout.readline() == b"done\n"
        dies.kill()
        await dies.wait()
        before, _ = await found(context, one)
        assert 7 <= before.done < 50
        assert await worker(context).step() == 0  # until the lease of the dead one ends
        assert isinstance(context.clock, ManualClock)
        context.clock.advance(LEASE)
        await finish(context)
        after, results = await found(context, one)
        assert (after.state, after.done, after.refused, after.failed) == (OperationState.DONE, 50, 0, 0)
        assert len({result.item for result in results if result.outcome == "done"}) == 50
        assert await counted(context) == (50, 50, 50)


async def test_a_pause_lets_nothing_be_done_after_it(context: Context) -> None:
    await park(context.store, 4)
    one, at_work = await begin(context, wanted=Wanted(cause=CAUSE), **DISCARD), worker(context)
    await at_work.step()
    _, paused = await asyncio.gather(at_work.step(), turn(context, one.id, Turn.PAUSE, by=STAFF))
    assert await at_work.step() == 0
    after, _ = await found(context, one)
    gone, _, _ = await counted(context)
    assert (after.state, after.done, after.refused) == (OperationState.PAUSED, paused.done, 0)
    assert gone == after.done < 3
    with pytest.raises(CaseRuleError, match=r"operation\.not-now"):
        await turn(context, one.id, Turn.PAUSE, by=STAFF)
    await turn(context, one.id, Turn.CONTINUE, by=STAFF)
    await finish(context)
    assert await counted(context) == (4, 4, 4)
    async with context.store.reading() as tx:
        told = [entry.said for entry in await audit.find(tx, Sought(), limit=50)]
    about = [(row["action"], row["outcome"], row["reason"]) for row in told if row["target"] == one.id]
    assert sorted(about) == [
        ("operation.begun", "done", "prov"),
        ("operation.continued", "done", "prov"),
        ("operation.paused", "done", "prov"),
        ("operation.paused", "failed", "prov"),
    ]


async def test_one_that_cannot_be_done_is_told_and_stops_no_other(context: Context) -> None:
    await park(context.store, 1)
    await park(context.store, 1, HOME_CARE)
    items = [Item(ItemKind.PARKED, number) for number in (1, 2, 3)]
    narrow = replace(STAFF, units=frozenset({OFFICE}))
    one = await begin(context, wanted=Wanted(items=items), **DISCARD | {"by": narrow})
    await finish(context)
    after, results = await found(context, one)
    assert [(result.outcome, result.code) for result in results] == [
        ("done", None),
        ("refused", "access.refused"),
        ("refused", "access.refused"),
    ]
    assert (after.done, after.refused, after.by.units) == (1, 2, narrow.units)


async def test_what_ends_every_process_that_tries_it_is_left(context: Context) -> None:
    await park(context.store, 2)
    one = await begin(context, wanted=Wanted(cause=CAUSE), **DISCARD)
    async with context.store.writing() as tx:
        for _ in range(MOST_TRIES):
            assert await operations.claim(tx, "dies", NOON - timedelta(days=1), timedelta()) is not None
    await finish(context)
    _, results = await found(context, one)
    assert [(result.outcome, result.code) for result in results] == [("failed", "operation.left"), ("done", None)]


async def test_a_dry_run_tells_what_would_happen_and_changes_nothing(context: Context) -> None:
    await park(context.store, 2)
    one = await begin(context, wanted=Wanted(cause=CAUSE), dry_run=True, **DISCARD)
    await finish(context)
    after, results = await found(context, one)
    assert (after.state, after.done) == (OperationState.DONE, 2)
    assert {(result.outcome, "Blir inget meddelande" in str(result.sv)) for result in results} == {
        ("would-be-done", True)
    }
    assert await counted(context) == (0, 0, 0)


async def test_what_was_discarded_is_restored_by_undoing_it(context: Context) -> None:
    await park(context.store, 3)
    one = await begin(context, wanted=Wanted(cause=CAUSE, first=True), **DISCARD)
    with pytest.raises(CaseRuleError, match=r"operation\.not-undone"):
        await begin(context, OperationAction.RESTORE, Wanted(undoes=one), by=STAFF, reason="prov")
    await finish(context)
    done, _ = await found(context, one)
    assert (await counted(context))[0] == 1
    again = await begin(context, OperationAction.RESTORE, Wanted(undoes=done), by=STAFF, reason="prov")
    assert (again.total, again.undoes) == (1, one.id)
    await finish(context)
    assert (await counted(context))[0] == 0


async def test_who_may_not_or_has_nothing_to_do_it_to_begins_nothing(context: Context) -> None:
    reader = Actor(name="läsare", role=Role.READER)
    with pytest.raises(AccessRefusedError):
        await begin(context, wanted=Wanted(cause=CAUSE), **DISCARD | {"by": reader})
    with pytest.raises(CaseRuleError, match=r"operation\.nothing"):
        await begin(context, wanted=Wanted(cause=CAUSE), **DISCARD)
    with pytest.raises(CaseRuleError, match=r"by-hand\.reason"):
        await begin(context, wanted=Wanted(cause=CAUSE), **DISCARD | {"reason": " "})
    async with context.store.reading() as tx:
        assert (await operations.page(tx, 5, units=None)).operations == []
        told = [entry.said for entry in await audit.find(tx, Sought(), limit=50)]
    assert [(row["by"], row["outcome"], row["code"]) for row in told] == [
        ("läsare", "refused", "access.refused"),
        (STAFF.name, "failed", "operation.nothing"),
        (STAFF.name, "refused", "by-hand.reason"),
    ]
