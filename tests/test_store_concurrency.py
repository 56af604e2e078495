"""Several processes on one PostgreSQL database: no row is taken twice, order is kept, and nobody waits without need.

Each store here has connections of its own, as the process of a gateway has.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from build import CASE, CLINIC, NOON, PSYCHIATRY, message, need
from sqlalchemy import insert, text
from stored import LEASE, add, answer, claim, received, row, values_of

from gateway.case_number import CaseKind
from gateway.clock import ManualClock
from gateway.errors import WrittenMeanwhileError
from gateway.ledger import Dispatch
from gateway.lifecycle import Outcome, OutEvent
from gateway.process import apply
from gateway.store import Store, Transaction, cases, events, incoming, notes, outgoing, verdicts
from gateway.store.events import KeptEvent
from gateway.store.tables import dispatch, metadata

AT_ONCE = 5.0
"""Seconds in which what does not wait is done; a lock is waited for longer than that."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def stores(postgresql_store_url: str) -> AsyncIterator[Sequence[Store]]:
    """Return four stores on one database."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Store(postgresql_store_url, pool=2)) for _ in range(4)]


async def keep(store: Store, *rows: Dispatch) -> None:
    async with store.writing() as tx:
        await add(tx, *rows)


def cases_of(number: int) -> list[str]:
    return [f"SIP10{one:04d}" for one in range(1, number + 1)]


# --- claims skip what others have locked ----------------------------------------------------------------------------


async def test_a_relay_takes_other_rows_at_once_while_another_is_still_claiming(
    stores: Sequence[Store], clock: ManualClock
) -> None:
    rows = [row(case_number=case) for case in cases_of(6)]
    await keep(stores[0], *rows)
    async with stores[0].writing() as one:
        first = await claim(one, clock, limit=3)
        async with asyncio.timeout(AT_ONCE), stores[1].writing() as other:
            second = await claim(other, clock, limit=64)
    assert first == [one.message_id for one in rows[:3]]
    assert second == [one.message_id for one in rows[3:]]


async def test_what_follows_a_row_that_another_relay_is_claiming_does_not_overtake_it(
    stores: Sequence[Store], clock: ManualClock
) -> None:
    first, behind, elsewhere = row(), row(), row(unit=PSYCHIATRY)
    await keep(stores[0], first, behind, elsewhere)
    async with stores[0].writing() as one:
        assert await claim(one, clock, limit=1) == [first.message_id]
        async with asyncio.timeout(AT_ONCE), stores[1].writing() as other:
            assert await claim(other, clock) == [elsewhere.message_id]
    async with stores[1].writing() as other:  # nor once the claim is made
        assert await claim(other, clock) == []


async def test_deliveries_to_the_case_system_are_claimed_at_once_beside_each_other(stores: Sequence[Store]) -> None:
    rows = [received(case_number=case) for case in cases_of(4)]
    async with stores[0].writing() as tx:
        await incoming.add(tx, rows)
    async with stores[0].writing() as one:
        first = await incoming.claimable(one, NOON, 2)
        async with asyncio.timeout(AT_ONCE), stores[1].writing() as other:
            second = await incoming.claimable(other, NOON, 64)
    assert [one.message_id for one in (*first, *second)] == [one.message_id for one in rows]


async def test_steps_for_the_log_are_claimed_at_once_beside_each_other(stores: Sequence[Store]) -> None:
    made = [message(need(), CLINIC) for _ in range(4)]
    made = [
        replace(one, header=replace(one.header, case_number=case)) for one, case in zip(made, cases_of(4), strict=True)
    ]
    async with stores[0].writing() as tx:
        await notes.add(tx, [notes.new(one, NOON) for one in made])
    async with stores[0].writing() as one:
        first = await notes.claim(one, NOON, LEASE, 2)
        async with asyncio.timeout(AT_ONCE), stores[1].writing() as other:
            second = await notes.claim(other, NOON, LEASE, 64)
    assert [step.message_id for step in (*first, *second)] == [one.header.message_id for one in made]


async def test_deadlines_are_looked_after_at_once_beside_each_other(stores: Sequence[Store]) -> None:
    late = NOON + timedelta(days=30)
    await keep(stores[0], *(row(case_number=case) for case in cases_of(4)))
    async with stores[0].writing() as one:
        first = await outgoing.overdue(one, late, 2)
        async with asyncio.timeout(AT_ONCE), stores[1].writing() as other:
            second = await outgoing.overdue(other, late, 64)
    assert sorted(one.case_number for one in (*first, *second)) == cases_of(4)


# --- many relays ----------------------------------------------------------------------------------------------------


async def test_many_relays_take_each_row_once_and_keep_the_order_of_each_stream(
    stores: Sequence[Store], clock: ManualClock
) -> None:
    streams = [(case, unit) for case in cases_of(3) for unit in (CLINIC, PSYCHIATRY)]
    rows = [row(case_number=case, unit=unit) for _ in range(8) for case, unit in streams]
    await keep(stores[0], *rows)
    published: list[Dispatch] = []

    async def relays(store: Store) -> None:
        while len(published) < len(rows):
            async with store.writing() as tx:
                taken = [one.dispatch for one in await outgoing.claim(tx, clock.now(), LEASE, 3)]
            published.extend(taken)
            async with store.writing() as tx:
                sent = [one._replace(lease_until=None).after(OutEvent.PUBLISHED, NOON, sent_at=NOON) for one in taken]
                await outgoing.save(tx, zip(taken, sent, strict=True))

    async with asyncio.timeout(60):
        await asyncio.gather(*(relays(store) for store in stores))
    assert len({one.message_id for one in published}) == len(published) == len(rows)
    left = defaultdict(list)
    for one in published:
        left[one.case_number, one.unit].append((one.sequence, one.message_id))
    for stream in streams:
        ids = [one.message_id for one in rows if (one.case_number, one.unit) == stream]
        assert left[stream] == list(zip(count(1), ids, strict=False))


async def test_what_a_relay_leaves_behind_is_taken_by_another_when_its_lease_has_run_out(
    stores: Sequence[Store], clock: ManualClock
) -> None:
    first, behind = row(), row()
    await keep(stores[0], first, behind)

    async def take(store: Store) -> list[tuple[str, int | None, int]]:
        async with store.writing() as tx:
            taken = await outgoing.claim(tx, clock.now(), LEASE, 64)
        return [(one.dispatch.message_id, one.dispatch.sequence, one.dispatch.attempts) for one in taken]

    assert await take(stores[0]) == [(first.message_id, 1, 1), (behind.message_id, 2, 1)]
    assert await take(stores[1]) == []
    clock.advance(LEASE)
    again = await asyncio.gather(*(take(store) for store in stores))
    assert sorted(again) == [[], [], [], [(first.message_id, 1, 2), (behind.message_id, 2, 2)]]


# --- the same thing written twice at once ---------------------------------------------------------------------------


async def add_inbound(tx: Transaction) -> None:
    await incoming.add(tx, [received(message_id="m")])


async def add_event(tx: Transaction) -> None:
    same = KeptEvent(source="s", event_id="1", kind="need", content_hash="h", content=b"", received_at=NOON, answer={})
    await events.keep(tx, [same])


async def open_case(tx: Transaction) -> None:
    await cases.save_all(tx, [(apply(None, message(need(), CLINIC)), 0)], NOON)


async def begin_series(tx: Transaction) -> None:
    await cases.keep_last_number(tx, CaseKind.SIP, 10, 0, 1)


async def add_row(tx: Transaction) -> None:
    await tx.execute(insert(dispatch).values(values_of(row(message_id="m"))))


async def number_row(tx: Transaction) -> None:
    """Give a number that is given out to another message of the stream."""
    await add(tx, row(sequence=1))


Writing = Callable[[Transaction], Awaitable[None]]


@pytest.mark.parametrize(
    ("write", "table"),
    [
        (add_inbound, "inbound"),
        (add_event, "event"),
        (open_case, "sip_case"),
        (begin_series, "case_series"),
        (add_row, "dispatch"),
        (number_row, "dispatch"),
    ],
)
async def test_of_two_that_write_the_same_at_once_the_second_must_begin_again(
    stores: Sequence[Store], write: Writing, table: str
) -> None:
    if write is add_row:
        async with stores[0].writing() as tx:
            await outgoing.add(
                tx, replace(made := message(need(), CLINIC), header=replace(made.header, message_id="m")), b"", []
            )

    async def second() -> None:
        async with stores[1].writing() as tx:
            await write(tx)

    async with stores[0].writing() as tx:
        await write(tx)
        trying = asyncio.create_task(second())
        await someone_waits(stores[2])
    with pytest.raises(WrittenMeanwhileError) as caught:
        await trying
    assert caught.value.codes == ("database.written-meanwhile",)
    assert await number_of_rows(stores[0], table) == 1


async def test_of_two_verdicts_at_once_the_first_stands_and_the_second_changes_nothing(stores: Sequence[Store]) -> None:
    async def second() -> None:
        async with stores[1].writing() as tx:
            await verdicts.add(tx, [answer(Outcome.REJECTED)])

    async with stores[0].writing() as tx:
        await verdicts.add(tx, [answer()])
        trying = asyncio.create_task(second())
        await someone_waits(stores[2])
    await trying
    async with stores[0].reading() as tx:
        assert [one.outcome for one in (await verdicts.standing(tx, ["m"])).values()] == ["accepted"]


async def test_of_two_writers_of_a_case_the_second_waits_and_sees_what_the_first_has_written(
    stores: Sequence[Store],
) -> None:
    case = apply(None, message(need(), CLINIC))
    async with stores[0].writing() as tx:
        await cases.save_all(tx, [(case, 0)], NOON)

    async def counts(store: Store) -> None:
        async with store.writing() as tx:
            stored = await cases.load(tx, CASE)
            assert stored.case is not None
            moved = replace(stored.case, plan_version=(stored.case.plan_version or 0) + 1)
            await cases.save_all(tx, [(moved, stored.revision)], NOON)

    await asyncio.gather(*(counts(store) for store in stores for _ in range(3)))
    async with stores[0].writing() as tx:
        stored = await cases.load(tx, CASE)
    assert stored.case is not None
    assert (stored.case.plan_version, stored.revision) == (12, 13)


async def test_case_numbers_given_out_at_once_follow_each_other(stores: Sequence[Store]) -> None:
    async with stores[0].writing() as tx:
        await cases.keep_last_number(tx, CaseKind.SIP, 10, 0, 1)

    async def gives(store: Store) -> int:
        async with store.writing() as tx:
            last = await cases.last_number(tx, CaseKind.SIP, 10)
            await cases.keep_last_number(tx, CaseKind.SIP, 10, last, last + 1)
        return last + 1

    given = await asyncio.gather(*(gives(store) for store in stores for _ in range(3)))
    assert sorted(given) == list(range(2, 14))


async def someone_waits(store: Store) -> None:
    """Return when a transaction waits for another to end."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(AT_ONCE):
        while True:
            async with store.reading() as tx:
                if (await tx.execute(waiting)).scalar():
                    return


async def number_of_rows(store: Store, table: str) -> int:
    async with store.reading() as tx:
        return len((await tx.execute(metadata.tables[table].select())).all())


# --- plans ------------------------------------------------------------------------------------------------------------


async def test_no_table_is_read_whole_even_by_plans_made_while_it_was_small(
    stores: Sequence[Store], clock: ManualClock
) -> None:
    store = stores[0]
    await keep(store, row())
    before = await whole_reads(store)
    for _ in range(10):  # the server keeps a plan for good when it has made the same one a few times
        async with store.writing() as tx:
            taken = await outgoing.claim(tx, clock.now(), LEASE, 64)
            await outgoing.with_id(tx, [one.dispatch.id for one in taken] or [1])
            await outgoing.of_messages(tx, ["id"])
            await outgoing.of_cases(tx, [CASE])
            await outgoing.answers_to(tx, ["id"])
            await outgoing.next_position(tx)
            await outgoing.overdue(tx, clock.now(), 64)
            await incoming.of_messages(tx, ["id"])
            await incoming.streams(tx, [CASE], [1])
            await incoming.claimable(tx, clock.now(), 64)
            await incoming.overdue(tx, clock.now(), 64)
            await notes.claim(tx, clock.now(), LEASE, 64)
            await verdicts.standing(tx, ["id"])
            await events.find_same(tx, "treserva", ["hash"])
            await events.find_accepted(tx, "treserva", ["id"])
            await cases.load_all(tx, [CASE])
        clock.advance(LEASE)
    assert await whole_reads(store) == before


async def whole_reads(store: Store) -> dict[str, int]:
    """Return how often each table has been read from end to end."""
    async with store.writing() as tx:
        await tx.execute(text("SELECT pg_stat_force_next_flush()"))
    async with store.reading() as tx:
        names = ", ".join(f"'{name}'" for name in metadata.tables)
        query = f"SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ({names})"  # noqa: S608 -- ours
        return {name: times for name, times in (await tx.execute(text(query))).all()}  # noqa: C416
