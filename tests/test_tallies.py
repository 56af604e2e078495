"""Counts in the database: each row once, whoever counts and in whatever order rows turn up; and what is open now."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from build import NOON
from sqlalchemy import Select, insert
from sqlalchemy.dialects import sqlite
from stored import add, received, row

from gateway import metrics
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.directory import Directory
from gateway.envelope import Envelope
from gateway.errors import Fault
from gateway.lifecycle import InState, OutState
from gateway.progress import ignore
from gateway.resources import demo_directory
from gateway.silence import Cause, Silence
from gateway.store import Store, Transaction, incoming, open_rows, silences, tallies
from gateway.store.tables import event
from gateway.store.tallies import MISSED_FOR, Mark
from gateway.tally import Tally

MINUTE = timedelta(minutes=1)
DIRECTORY = Directory.load(demo_directory())
UNREADABLE = Fault("tally-test.unreadable", "Oläsligt.", "Unreadable.")
ACCEPTED = (metrics.EVENTS.name, ("treserva", "accepted"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def tally(store: Store, clock: ManualClock) -> Tally:
    return Tally(Context("kommun", DIRECTORY, store, clock, ignore, chance=lambda: 0.5))


async def keep_events(store: Store, *ids: int) -> None:
    """Keep events under ids that we choose, as a database server gives them out before they are committed."""
    common = {"source": "treserva", "content": b"{}", "received_at": NOON, "state": "accepted"}
    async with store.writing() as tx:
        for one in ids:
            await tx.execute(insert(event).values(id=one, event_id=f"{one}", content_hash=f"{one}", **common))


async def counted(store: Store) -> dict[tallies.Key, int]:
    async with store.reading() as tx:
        return await tallies.counted(tx)


async def test_every_row_is_counted_once_however_often_one_looks(store: Store, tally: Tally) -> None:
    await keep_events(store, 1, 2)
    assert await tally.count() == 0
    await tally.count()
    assert (await counted(store))[ACCEPTED] == 2
    await keep_events(store, 3)
    await tally.count()
    assert (await counted(store))[ACCEPTED] == 3


async def test_a_row_that_is_committed_late_is_counted_all_the_same(
    store: Store, tally: Tally, clock: ManualClock
) -> None:
    await keep_events(store, 10, 13)
    await tally.count()
    clock.advance(MINUTE)
    await keep_events(store, 12, 14)
    await tally.count()
    assert (await counted(store))[ACCEPTED] == 4
    async with store.reading() as tx:
        mark = await tallies.mark_of(tx, "event")
    assert (mark.last, set(mark.missing)) == (14, {11})


async def test_more_rows_than_one_batch_are_counted_batch_by_batch(store: Store, tally: Tally) -> None:
    await keep_events(store, *range(1, tallies.BATCH + 2))
    assert await tally.count() == 1
    assert await tally.count() == 0
    assert (await counted(store))[ACCEPTED] == tallies.BATCH + 1


def test_an_id_that_never_turns_up_is_given_up_after_a_while() -> None:
    mark = Mark("event").moved([7, 9], NOON)
    assert set(mark.missing) == {8}
    assert set(mark.moved([10], NOON + MISSED_FOR - MINUTE).missing) == {8}
    assert set(mark.moved([10], NOON + MISSED_FOR).missing) == set()
    assert len(mark.moved([1_000_000], NOON).missing) == tallies.MOST_MISSING


async def test_of_two_that_count_at_once_only_one_keeps_it(store: Store, tally: Tally) -> None:
    await keep_events(store, 1, 2, 3)
    await asyncio.gather(*(tally.count() for _ in range(4)))
    await keep_events(store, 4)
    await asyncio.gather(*(tally.count() for _ in range(4)))
    assert (await counted(store))[ACCEPTED] == 4


async def test_the_latest_of_two_moments_stands(store: Store) -> None:
    async with store.writing() as tx:
        for place, minutes in enumerate((5, 9, 2)):
            counts = tallies.Counts()
            counts.happened("gateway_test", "region", at=NOON + minutes * MINUTE)
            mark = await tallies.mark_of(tx, "event")
            assert await tallies.keep(tx, mark, Mark("event", place), counts)
            assert not await tallies.keep(tx, mark, Mark("event", place), counts)
    assert (await counted(store))["gateway_test", ("region",)] == int((NOON + 9 * MINUTE).timestamp() * 1000)


async def test_what_a_stranger_has_written_becomes_no_label(store: Store, tally: Tally) -> None:
    stranger = Envelope(
        message_id="m",
        type="19850912-9808",
        sender="Mira Solvind",
        recipient="kommun",
        unit="u",
        case_ref="Mira",
        created_at=NOON,
        body=b"?",
        sender_unit="u",
    )
    async with store.writing() as tx:
        for envelope in (stranger, replace(stranger, sender="region", type="plan")):
            await incoming.park(tx, envelope, [UNREADABLE.at()], NOON)
    await tally.count()
    assert await counted(store) == {
        (metrics.INVALID.name, (metrics.UNKNOWN, metrics.UNKNOWN)): 1,
        (metrics.INVALID.name, ("region", "plan")): 1,
        (metrics.HEARD.name, ("region",)): int(NOON.timestamp() * 1000),
    }


# --- what is open ---------------------------------------------------------------------------------------------------


async def test_what_is_open_is_counted_by_state_and_partner(tx: Transaction) -> None:
    sent = row(state=OutState.SENT, due_at=NOON + 30 * MINUTE)
    await add(tx, row(), row(queued_at=NOON - MINUTE), sent, row(party="grannkommun"), row(state=OutState.STOPPED))
    await add(tx, row(type="acknowledgement"))
    found = {(one.state, one.party): one for one in await open_rows.outgoing(tx, NOON + 10 * MINUTE)}
    assert set(found) == {("queued", "region"), ("sent", "region"), ("queued", "grannkommun")}
    waiting = found["queued", "region"]
    assert (waiting.number, waiting.overdue, waiting.since) == (3, 3, NOON - MINUTE)
    assert (found["sent", "region"].number, found["sent", "region"].overdue) == (1, 0)
    under_way = {(one.state, one.party): one for one in await open_rows.under_way(tx)}
    assert {key: one.number for key, one in under_way.items()} == {
        ("queued", "region"): 2,
        ("sent", "region"): 1,
        ("queued", "grannkommun"): 1,
    }
    assert under_way["sent", "region"].due == NOON + 30 * MINUTE


async def test_what_waits_for_the_own_system_is_counted_by_state(tx: Transaction) -> None:
    await incoming.add(tx, [received(), received(), received(state=InState.REJECTED)])
    (one,) = await open_rows.incoming(tx, NOON + timedelta(hours=2))
    assert (one.state, one.number, one.overdue, one.since) == ("validated", 2, 2, NOON)


COUNTED = {
    "outgoing": (open_rows.OUTGOING, "ix_dispatch_open"),
    "incoming": (open_rows.INCOMING, "ix_inbound_open"),
    "under way": (open_rows.UNDER_WAY, "ix_dispatch_open|ix_dispatch_under_way"),
    "dead letters": (open_rows.DEAD_LETTERS, "ix_dead_letter_open"),
    "notes": (open_rows.NOTES, "ix_note_open"),
}


async def test_what_is_open_is_counted_by_indexes_that_hold_nothing_else(store: Store, store_url: str) -> None:
    for query, indexes in COUNTED.values():
        plan = await plan_of(store, query)
        assert re.search(indexes, plan), plan
        assert "Seq Scan" not in plan
        if store_url.startswith("sqlite") and "dispatch" in indexes:
            assert "COVERING INDEX" in plan, plan  # no row of the ledger is looked up


async def test_lines_of_a_history_are_counted_without_looking_through_any_table(store: Store, store_url: str) -> None:
    for lines in (tallies.SENT_LINES, tallies.RECEIVED_LINES, tallies.FIRST_ANSWERS):
        plan = await plan_of(store, lines.where(tallies.between([1, 1000])))
        assert "Seq Scan" not in plan
        if store_url.startswith("sqlite"):
            assert "SCAN" not in plan, plan
        else:
            assert "pk_history" in plan, plan


async def plan_of(store: Store, query: Select[Any]) -> str:
    async with store.reading() as tx:
        dialect = tx.dialect
        values = {"now": NOON} if "now" in query.compile().params else {}
        compiled = query.params(**values).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if isinstance(dialect, sqlite.dialect) else "EXPLAIN"
        rows = (await tx.exec_driver_sql(f"{explain} {compiled}")).all()
    return "\n".join(str(one) for one in rows)


async def test_of_two_that_tell_of_a_silent_partner_one_is_told_that_the_other_was_quicker(tx: Transaction) -> None:
    begun = Silence("region", NOON, Cause.NO_RECEIPT, NOON)
    later = replace(begun, told_at=NOON + MINUTE)
    for before, after in ((None, begun), (begun, later), (later, None)):
        assert await silences.change(tx, "region", before, after)
        assert not await silences.change(tx, "region", before, after)
        assert await silences.load(tx) == ({"region": after} if after is not None else {})
