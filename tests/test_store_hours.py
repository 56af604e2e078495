"""The hours of the ledger: each message counted once, in its hour, for its own unit and for all."""

from __future__ import annotations

import asyncio
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from build import NOON, OFFICE, PSYCHIATRY
from sqlalchemy import func, select
from sqlalchemy.dialects import sqlite
from stored import add, answer, received, row

from gateway.clock import ManualClock
from gateway.context import Context
from gateway.directory import Directory
from gateway.hour import ONE, Hour, hour_of, hours_of, last_hours, step_of
from gateway.ledger import Dispatch
from gateway.lifecycle import InEvent, InState, Level, Outcome, OutEvent, OutState
from gateway.progress import ignore
from gateway.resources import demo_directory
from gateway.store import Store, Transaction, history, hours, incoming, tallies, verdicts
from gateway.store.observation_tables import hour_tally
from gateway.tally import Tally

MINUTE = timedelta(minutes=1)
DIRECTORY = Directory.load(demo_directory())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def tally(store: Store, clock: ManualClock) -> Tally:
    return Tally(Context("kommun", DIRECTORY, store, clock, ignore, chance=lambda: 0.5))


async def left(tx: Transaction, at: datetime, **changes: Any) -> Dispatch:
    """Store a message that has left, with the line that says so, and return its row."""
    sent = row(state=OutState.SENT, sent_at=at, queued_at=at, created_at=at, **changes)
    await add(tx, sent)
    await history.record(tx, [sent], OutEvent.PUBLISHED, at)
    return sent


async def answered(tx: Transaction, sent: Dispatch, level: Level, at: datetime, outcome: Outcome) -> None:
    told = answer(outcome, message_id=sent.message_id, unit=sent.unit, level=level, arrived_at=at)
    await verdicts.add(tx, [told])
    event = level.value if outcome is Outcome.ACCEPTED else outcome.value
    await history.record(tx, [sent], event, at)


async def read(store: Store, now: datetime, units: frozenset[str] | None = None) -> dict[datetime, Hour]:
    async with store.reading() as tx:
        return {hour.at: hour for hour in await hours.read(tx, last_hours(now), units)}


async def test_each_message_is_counted_once_in_the_hour_in_which_it_happened(
    store: Store, tally: Tally, clock: ManualClock
) -> None:
    first, later = NOON + MINUTE, NOON + ONE + MINUTE
    async with store.writing() as tx:
        sent = await left(tx, first)
        await history.record(tx, [sent], OutEvent.PUBLISHED, later)  # sent again: it had left before
        await left(tx, later)
        await left(tx, later, type="acknowledgement")
        came = received(state=InState.REGISTERED)
        await incoming.add(tx, [came])
        await history.record(tx, [came], "store", first)
        await history.record(tx, [came], InEvent.ACKNOWLEDGE, later)
    clock.advance(2 * ONE)
    for _ in range(2):
        assert await tally.count() == 0
    found = await read(store, clock.now())
    assert len(found) == 24
    assert found[NOON] == Hour(at=NOON, sent=1, received=1)
    assert found[NOON + ONE] == Hour(at=NOON + ONE, sent=1, taken=1)
    assert [at for at, hour in found.items() if hour != Hour(at=at)] == [NOON, NOON + ONE]


async def test_how_long_answers_took_is_counted_by_level_when_they_come(
    store: Store, tally: Tally, clock: ManualClock
) -> None:
    async with store.writing() as tx:
        sent, other = await left(tx, NOON), await left(tx, NOON)
        for one, level, after, outcome in (
            (sent, Level.RECEIVED, 3 * MINUTE, Outcome.ACCEPTED),
            (other, Level.RECEIVED, 4 * MINUTE, Outcome.REJECTED),
            (sent, Level.ACKNOWLEDGED, 90 * MINUTE, Outcome.ACCEPTED),
        ):
            await answered(tx, one, level, NOON + after, outcome)
    clock.advance(2 * ONE)
    await tally.count()
    found = await read(store, clock.now())
    assert found[NOON].waits == {Level.RECEIVED: {step_of(3 * MINUTE): 1}}
    assert found[NOON + ONE].waits == {Level.ACKNOWLEDGED: {step_of(90 * MINUTE): 1}}
    assert (found[NOON].acknowledged, found[NOON + ONE].acknowledged) == (0, 1)


async def test_a_unit_sees_its_own_hours_only(store: Store, tally: Tally, clock: ManualClock) -> None:
    async with store.writing() as tx:
        await answered(tx, await left(tx, NOON), Level.RECEIVED, NOON, Outcome.ACCEPTED)
        for unit in (OFFICE, PSYCHIATRY, PSYCHIATRY):
            await history.record(tx, [received(unit=unit)], "store", NOON)
    await tally.count()
    counted = {
        units: (await read(store, clock.now(), units))[NOON]
        for units in (None, frozenset({OFFICE}), frozenset({PSYCHIATRY}), frozenset({OFFICE, PSYCHIATRY}), frozenset())
    }
    told = {units: (hour.sent, hour.received, len(hour.waits)) for units, hour in counted.items()}
    assert list(told.values()) == [(1, 3, 1), (1, 1, 1), (0, 2, 0), (1, 3, 1), (0, 0, 0)]


async def test_counting_begins_a_day_back_and_hours_are_forgotten_after_some_days(
    store: Store, tally: Tally, clock: ManualClock
) -> None:
    async with store.writing() as tx:
        assert await hours.last_before(tx, NOON) == 0
        for back in (90, 30, 25, 20, 1):
            await left(tx, NOON - back * ONE)
        ids = list((await tx.execute(select(tallies.history.c.id).order_by(tallies.history.c.id))).scalars())
        for number, back in enumerate((91, 28, 22, 10, 0)):
            assert await hours.last_before(tx, NOON - back * ONE) == [0, *ids][(0, 2, 3, 4, 5)[number]]
    await tally.count()
    async with store.reading() as tx:
        assert sum(hour.sent for hour in await hours.read(tx, last_hours(NOON, 100), None)) == 2
    clock.advance(4 * 24 * ONE)
    async with store.writing() as tx:
        await left(tx, clock.now())
    await tally.count()
    async with store.reading() as tx:
        assert (await tx.execute(select(func.count()).select_from(hour_tally))).scalar() == 2  # a unit and all


async def test_hours_are_those_of_the_swedish_clock_whatever_the_day(tx: Transaction) -> None:
    for day, number_of_hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 2), 24)):
        starts = hours_of(day)
        counts = tallies.Counts()
        for number, at in enumerate([starts[0] - ONE, *starts, starts[-1] + ONE]):
            counts.by_hour[tallies.HourKey("", at, "sent")] = number
        await hours.add(tx, counts.by_hour, starts[-1])
        assert [hour.sent for hour in await hours.read(tx, starts, None)] == list(range(1, number_of_hours + 1))
        assert hour_of(starts[3] + 59 * MINUTE) == starts[3]
    assert await hours.read(tx, [], None) == []


async def test_of_two_that_count_at_once_hours_are_added_once(store: Store, tally: Tally, clock: ManualClock) -> None:
    async with store.writing() as tx:
        await left(tx, NOON)
    await asyncio.gather(*(tally.count() for _ in range(3)))
    await tally.count()
    assert (await read(store, clock.now()))[NOON].sent == 1


async def test_lines_are_counted_into_hours_and_hours_are_read_without_looking_through_any_table(
    store: Store, store_url: str
) -> None:
    queries = [
        *(lines.where(tallies.between([1, 1000])) for lines in (hours.SENT_BY_HOUR, hours.CAME_BY_HOUR)),
        hours.answers_by_unit([1, 1000]),
    ]
    async with store.reading() as tx:
        explain = "EXPLAIN QUERY PLAN" if isinstance(tx.dialect, sqlite.dialect) else "EXPLAIN"
        for query in queries:
            compiled = query.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True})
            plan = "\n".join(str(one) for one in (await tx.exec_driver_sql(f"{explain} {compiled}")).all())
            assert "Seq Scan" not in plan, plan
            if store_url.startswith("sqlite"):
                assert not re.search(r"\bSCAN (?!anon)", plan), plan
            else:
                assert "pk_history" in plan, plan
