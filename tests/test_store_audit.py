"""The audit log as it is kept: nothing in it is changed, what is changed all the same shows, and writers take turns."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from build import NOON
from sqlalchemy import text
from stored import refuses

from gateway.access import Role
from gateway.audit import BEGINNING, SAID, START, Action, Anchor, AuditOutcome, Entry, digest, plain
from gateway.errors import CaseRuleError
from gateway.store import Store, Transaction, audit
from gateway.store.audit import Wanted

ENTRY = Entry(
    at=NOON,
    by="SE2120001355-P000000000117",
    action=Action.LETTER_MAILED,
    outcome=AuditOutcome.DONE,
    role=Role.OPERATOR,
    case_number="SIP100001",
    reason="Åter från posten “i dag”.",
)
UNGUARDED = {
    "sqlite": [
        f"DROP TRIGGER {name}"
        for name in ("audit_unchanged", "audit_kept", "audit_grows", "audit_end_moves_on", "audit_end_kept")
    ],
    "postgresql": [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("audit", "audit_end")],
}
"""What somebody does who owns the database and wants to change the log."""
CUT = "DELETE FROM audit WHERE number > 4"
TAMPERED = [
    (2, "audit.altered", ["UPDATE audit SET reason = 'annat' WHERE number = 3"]),
    (0, "audit.altered", ["UPDATE audit SET code = 'x' WHERE number = 1"]),
    (2, "audit.altered", ["UPDATE audit SET at = 'never' WHERE number = 3"]),
    (4, "audit.altered", ["UPDATE audit SET hash = previous WHERE number = 5"]),
    (2, "audit.row-missing", ["DELETE FROM audit WHERE number = 3"]),
    (0, "audit.row-missing", ["DELETE FROM audit WHERE number = 1"]),
    (2, "audit.not-linked", ["DELETE FROM audit WHERE number = 3", "UPDATE audit SET number = 3 WHERE number = 4"]),
    (
        2,
        "audit.not-linked",
        [
            "UPDATE audit SET number = -1 WHERE number = 3",
            "UPDATE audit SET number = 3 WHERE number = 4",
            "UPDATE audit SET number = 4 WHERE number = -1",
        ],
    ),
    (4, "audit.cut", [CUT]),
    (0, "audit.cut", ["DELETE FROM audit"]),
    (5, "audit.cut", ["DELETE FROM audit_end"]),
    (5, "audit.cut", ["UPDATE audit_end SET number = 3"]),
]
"""What is done to a log of five rows: how many fit after that, and why the next does not. Two rows are swapped too."""


async def add(store: Store, count: int) -> list[Anchor]:
    """Add rows, each in a transaction of its own, and return them by number and hash."""
    added = []
    for minute in range(count):
        async with store.writing() as tx:
            added.append(await audit.append(tx, replace(ENTRY, at=NOON + timedelta(minutes=minute))))
    return added


async def walked(tx: Transaction, *anchors: Anchor) -> tuple[int, str | None]:
    """Return how many rows the log has up to the first that does not fit, and why that does not."""
    found = await audit.walk(tx, anchors, page=2)
    return found.end.number, found.finding.code if found.finding is not None else None


async def code(store: Store, *anchors: Anchor) -> tuple[int, str | None]:
    """Return the same for a store."""
    async with store.reading() as tx:
        return await walked(tx, *anchors)


async def run(tx: Transaction, *statements: str) -> None:
    for statement in statements:
        await tx.execute(text(statement))


async def test_a_log_is_walked_from_its_first_row_to_its_end(store: Store) -> None:
    assert await code(store) == (0, None)
    added = await add(store, 5)
    assert [one.number for one in added] == [1, 2, 3, 4, 5]
    assert await code(store, added[1], added[4], START) == (5, None)
    async with store.reading() as tx:
        first, second, *_ = await audit.find(tx, Wanted(), limit=10)
        assert [row.number for row in await audit.find(tx, Wanted(), limit=2)] == [4, 5]
    assert (first.previous, second.previous, second.hash) == (BEGINNING, added[0].hash, added[1].hash)
    assert dict(first.said) == dict(zip(SAID, plain(ENTRY), strict=True))
    assert first.hash == digest(1, BEGINNING, plain(ENTRY))


async def test_rows_are_found_by_time_action_and_whoever_acted(store: Store) -> None:
    await add(store, 3)
    async with store.writing() as tx:
        await audit.append(tx, replace(ENTRY, at=NOON, by="portal", action=Action.EVENT_READ))
        second, third = (NOON + timedelta(minutes=minutes) for minutes in (1, 2))
        for wanted, numbers in (
            (Wanted(since=second), [2, 3]),
            (Wanted(until=third), [1, 2, 4]),
            (Wanted(since=second, until=third), [2]),
            (Wanted(action=Action.EVENT_READ), [4]),
            (Wanted(by=ENTRY.by, until=second), [1]),
        ):
            assert [row.number for row in await audit.find(tx, wanted, limit=10)] == numbers, wanted


async def test_a_transaction_that_comes_to_nothing_leaves_no_gap(store: Store) -> None:
    await add(store, 1)
    async with store.writing() as tx:
        nothing = await tx.begin_nested()
        await audit.append(tx, ENTRY)
        await nothing.rollback()
    await add(store, 1)
    assert await code(store) == (2, None)


async def test_what_was_changed_shows_at_the_first_row_that_does_not_fit(store: Store) -> None:
    await add(store, 5)
    async with store.writing() as tx:
        await run(tx, *UNGUARDED[tx.dialect.name])
        for fitting, why, statements in TAMPERED:
            changed = await tx.begin_nested()
            await run(tx, *statements)
            assert await walked(tx) == (fitting, why), statements
            assert len(await audit.find(tx, Wanted(), limit=10)) <= 5, "it is listed as it stands"
            await changed.rollback()
        assert await walked(tx) == (5, None)


async def test_whoever_also_moves_the_end_or_writes_on_is_found_out_by_what_was_noted_elsewhere(store: Store) -> None:
    *_, fourth, fifth = await add(store, 5)
    async with store.writing() as tx:
        back = "UPDATE audit_end SET number = 4, hash = (SELECT hash FROM audit WHERE number = 4)"
        await run(tx, *UNGUARDED[tx.dialect.name], CUT, back)
    assert await code(store) == (4, None), "nothing in the database itself tells"
    assert await code(store, fourth) == (4, None)
    assert await code(store, fourth, fifth) == (4, "audit.cut")
    await add(store, 1)
    assert await code(store) == (5, None)
    assert await code(store, fifth) == (4, "audit.not-as-noted")


async def test_the_database_lets_nobody_change_or_remove_a_row(store: Store) -> None:
    added = await add(store, 2)
    in_own_words = {
        "sqlite": ["INSERT OR REPLACE INTO audit SELECT * FROM audit"],
        "postgresql": ["TRUNCATE audit", "TRUNCATE audit_end"],
    }
    async with store.writing() as tx:
        for statement in (
            "UPDATE audit SET reason = NULL",
            "DELETE FROM audit WHERE number = 2",
            "UPDATE audit_end SET number = 1",
            "DELETE FROM audit_end",
            *in_own_words[tx.dialect.name],
        ):
            with refuses("the audit log is only added to"):
                async with tx.begin_nested():
                    await run(tx, statement)
    assert await code(store, *added) == (2, None)


async def test_writers_at_once_make_one_chain(store_url: str) -> None:
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(Store(store_url, pool=3)) for _ in range(2)]
        await asyncio.gather(*(add(store, 10) for store in stores for _ in range(2)))
        assert await code(stores[0]) == (40, None)


async def test_a_writer_waits_for_another_to_end_and_then_follows_it(postgresql_store_url: str) -> None:
    first_is_in, may_end = asyncio.Event(), asyncio.Event()

    async def first(tx: Transaction) -> None:
        await audit.append(tx, ENTRY)
        first_is_in.set()
        await may_end.wait()

    async with Store(postgresql_store_url) as one, Store(postgresql_store_url) as other, asyncio.TaskGroup() as group:

        async def hold() -> None:
            async with one.writing() as tx:
                await first(tx)

        held = group.create_task(hold())
        await first_is_in.wait()
        waiting = group.create_task(add(other, 1))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        may_end.set()
        await held
        assert [one.number for one in await waiting] == [2]
        assert await code(other) == (2, None)


@pytest.mark.parametrize("written", ["", "1", "1:abc", "x:" + BEGINNING, "-1:" + BEGINNING])
def test_what_is_no_anchor_is_refused(written: str) -> None:
    with pytest.raises(CaseRuleError) as caught:
        Anchor.parse(written)
    assert caught.value.codes == ("audit.anchor",)
    assert Anchor.parse(str(Anchor(7, BEGINNING))) == Anchor(7, BEGINNING)
