"""The embedded exchange: the promises of every exchange, and its own about files, processes and leases."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from conformance import (
    ACCEPT,
    CONFIRMED,
    PATIENCE,
    REJECT,
    REQUEUE,
    Consumer,
    Exchange,
    TransportConformance,
    envelopes,
)
from envelopes import envelope

from gateway.clock import ManualClock, SystemClock
from gateway.envelope import ACKNOWLEDGEMENT, Channel, Envelope
from gateway.errors import DependencyDownError
from gateway.ports import Transport
from gateway.store.engine import reading
from gateway.transport import embedded_tables
from gateway.transport.embedded import EmbeddedTransport

LEASE = timedelta(seconds=30)
NEVER = timedelta(hours=1)
PROCESS = Path(__file__).with_name("embedded_process.py")


class EmbeddedExchange:
    """One file, and the transports a test opened on it."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack
        self._open: dict[Transport, AsyncExitStack] = {}

    async def open(self, party: str) -> EmbeddedTransport:
        own = await self._stack.enter_async_context(AsyncExitStack())
        transport = await own.enter_async_context(EmbeddedTransport(self._url, party, SystemClock()))
        self._open[transport] = own
        return transport

    async def close(self, transport: Transport) -> None:
        await self._open.pop(transport).aclose()

    async def crash(self, transport: Transport) -> None:
        # A process that is killed gives nothing back. Its memory goes too: nobody here knows its consumers any more.
        assert isinstance(transport, EmbeddedTransport)
        for consumer in transport._consumers:
            del transport._neighbours.consumers[consumer]
        transport._consumers.clear()
        await self.close(transport)

    async def dead_letters(self, party: str, number: int) -> Sequence[Envelope]:
        async with EmbeddedTransport(self._url, party, SystemClock()) as reader:
            return [letter.envelope for letter in await reader.dead_letters()]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'exchange.sqlite'}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 14, 3, tzinfo=UTC))


@pytest.fixture
async def exchange(url: str) -> AsyncIterator[Exchange]:
    async with AsyncExitStack() as stack:
        yield EmbeddedExchange(url, stack)


class TestEmbedded(TransportConformance):
    """Every promise of an exchange."""


async def at_rest(transport: EmbeddedTransport) -> None:
    """Return when a consumer has looked, found nothing and waits."""
    calm = 0
    while calm < 10:
        await asyncio.sleep(0.001)
        calm = 0 if transport._working else calm + 1


# --- reading what is there --------------------------------------------------------------------------------------------


async def test_the_depth_counts_what_is_not_settled(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope(), envelope(), envelope(type=ACKNOWLEDGEMENT)])
        consumer = Consumer(region)
        delivery = await consumer.one()
        assert await region.depth(Channel.MESSAGES) == 2
        await region.settle([(delivery, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 1
        assert await region.depth(Channel.ACKNOWLEDGEMENTS) == 1


async def test_a_dead_letter_tells_why_and_since_when(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock, delivery_limit=2) as region:
        spent, bad, marker = envelope(), envelope(), envelope()
        await region.publish([spent, bad])
        consumer = Consumer(region)
        first, second = await consumer.take(2)
        await region.settle([(first, REQUEUE), (second, REJECT)])
        rejected_at = clock.now()
        clock.advance(timedelta(minutes=1))
        await region.settle([(await consumer.one(), REQUEUE)])
        await region.publish([marker])
        await consumer.one()
        dead = await region.dead_letters()
        assert [(letter.envelope, letter.reason, letter.at) for letter in dead] == [
            (bad, "rejected", rejected_at),
            (spent, "not settled in 2 deliveries", clock.now()),
        ]


async def test_a_party_sees_its_own_dead_letters_only(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region, EmbeddedTransport(url, "kommun", clock) as kommun:
        await kommun.publish([envelope()])
        consumer = Consumer(region)
        await region.settle([(await consumer.one(), REJECT)])
        assert len(await region.dead_letters()) == 1
        assert await kommun.dead_letters() == []


# --- leases -----------------------------------------------------------------------------------------------------------


async def test_a_lease_that_has_run_out_wakes_who_waits(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        sent = envelope()
        await region.publish([sent])
        slow, other = Consumer(region), Consumer(region)
        await slow.one()
        waiting = asyncio.create_task(other.one())
        clock.advance(LEASE - timedelta(seconds=1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.shield(waiting)
        clock.advance(timedelta(seconds=1))
        again = await waiting
        assert (again.envelope, again.attempt) == (sent, 2)


@pytest.mark.parametrize("late", [ACCEPT, REQUEUE, REJECT])
async def test_who_lost_a_lease_settles_nothing(url: str, clock: ManualClock, late: Any) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope()])
        slow, other = Consumer(region), Consumer(region)
        lost = await slow.one()
        clock.advance(LEASE)
        held = await other.one()
        await region.settle([(lost, late)])
        assert await region.depth(Channel.MESSAGES) == 1
        assert await region.dead_letters() == []
        await region.settle([(held, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 0


async def test_a_lease_is_lost_to_the_same_consumer_too(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope()])
        consumer = Consumer(region)
        lost = await consumer.one()
        clock.advance(LEASE)
        held = await consumer.one()
        await region.settle([(lost, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 1
        await region.settle([(held, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 0


async def test_a_late_settlement_counts_while_nobody_else_has_taken_over(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope()])
        consumer = Consumer(region)
        delivery = await consumer.one()
        clock.advance(10 * LEASE)
        await region.settle([(delivery, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 0


async def test_settling_again_does_not_touch_a_later_delivery(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        consumer = Consumer(region)
        await region.publish([envelope()])
        first = await consumer.one()
        await region.settle([(first, ACCEPT)])
        await region.publish([envelope()])
        await consumer.one()
        await region.settle([(first, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 1


async def test_what_is_requeued_keeps_its_place(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock, batch_size=2) as region:
        sent = [envelope() for _ in range(4)]
        await region.publish(sent)
        consumer = Consumer(region)
        first, second = await consumer.take(2)
        await region.settle([(second, REQUEUE), (first, REQUEUE)])
        assert envelopes(await consumer.take(4)) == sent


async def test_batches_are_not_larger_than_asked(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock, batch_size=3) as region:
        await region.publish([envelope() for _ in range(7)])
        batches = region.deliveries(Channel.MESSAGES)
        assert [len(await anext(batches)) for _ in range(3)] == [3, 3, 1]


async def test_closing_an_iteration_gives_back_what_it_held(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope()])
        batches = region.deliveries(Channel.MESSAGES)
        await anext(batches)
        waiting = asyncio.create_task(Consumer(region).one())
        await batches.aclose()
        assert (await waiting).attempt == 2


async def test_a_new_iteration_leaves_alone_what_another_one_here_holds(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region, EmbeddedTransport(url, "region", clock) as same:
        held, marker = envelope(), envelope()
        await region.publish([held])
        holder = Consumer(region)
        delivery = await holder.one()
        await region.publish([marker])
        assert (await Consumer(same).one()).envelope == marker
        await region.settle([(delivery, ACCEPT)])
        assert await region.depth(Channel.MESSAGES) == 1


async def test_closing_the_transport_ends_an_iteration_that_waits(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock, poll_interval=NEVER) as region:

        async def consume() -> str:
            async for batch in region.deliveries(Channel.MESSAGES):
                await region.settle([(delivery, ACCEPT) for delivery in batch])
                settled.set()
            return "ended"

        settled = asyncio.Event()
        consuming = asyncio.create_task(consume())
        await region.publish([envelope()])
        await settled.wait()
    async with asyncio.timeout(PATIENCE):
        assert await consuming == "ended"


async def test_closing_the_transport_ends_an_iteration_that_holds_a_batch(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock, batch_size=1) as region:
        await region.publish([envelope(), envelope()])
        batches = region.deliveries(Channel.MESSAGES)
        await anext(batches)
    with pytest.raises(StopAsyncIteration):
        await anext(batches)
    async with EmbeddedTransport(url, "region", clock) as region:
        assert [one.attempt for one in await Consumer(region).take(2)] == [2, 1]


async def test_a_consumer_in_the_same_process_is_woken_without_polling(url: str, clock: ManualClock) -> None:
    async with (
        EmbeddedTransport(url, "region", clock, poll_interval=NEVER) as region,
        EmbeddedTransport(url, "kommun", clock) as kommun,
    ):
        consumer = Consumer(region)
        waiting = asyncio.create_task(consumer.one())
        await at_rest(region)
        sent = envelope()
        await kommun.publish([sent])
        delivery = await waiting
        assert delivery.envelope == sent
        waiting = asyncio.create_task(consumer.one())
        await at_rest(region)
        await region.settle([(delivery, REQUEUE)])
        assert (await waiting).attempt == 2


def test_an_exchange_in_memory_is_refused(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="needs a file"):
        EmbeddedTransport("sqlite+aiosqlite:///:memory:", "region", clock)


# --- the file ---------------------------------------------------------------------------------------------------------


async def test_a_file_that_is_no_database_is_a_dependency_that_is_down(url: str, tmp_path: Path) -> None:
    (tmp_path / "exchange.sqlite").write_bytes(b"no database, whatever its name says" * 200)
    threads = set(threading.enumerate())
    with pytest.raises(DependencyDownError) as caught:
        await EmbeddedTransport(url, "region", SystemClock()).__aenter__()
    assert caught.value.codes == ("exchange.down",)
    left = set(threading.enumerate()) - threads
    assert all(thread.name.startswith("asyncio") for thread in left)  # the pool of the event loop, no connection


async def test_a_file_that_cannot_be_opened_is_a_dependency_that_is_down(url: str, tmp_path: Path) -> None:
    (tmp_path / "exchange.sqlite").mkdir()
    with pytest.raises(DependencyDownError):
        await EmbeddedTransport(url, "region", SystemClock()).__aenter__()


async def test_every_verb_tells_when_the_file_breaks_while_open(url: str, tmp_path: Path, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope()])
        consumer = Consumer(region)
        delivery = await consumer.one()
        with closing(sqlite3.connect(tmp_path / "exchange.sqlite")) as breaking:
            for table in ("party", "delivery", "dead_letter"):
                breaking.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
        for verb in (
            region.ping,
            lambda: region.publish([envelope()]),
            lambda: region.settle([(delivery, ACCEPT)]),
            lambda: region.depth(Channel.MESSAGES),
            region.dead_letters,
            consumer.one,
            lambda: Consumer(region).one(),
        ):
            with pytest.raises(DependencyDownError):
                await verb()


async def test_a_new_file_that_another_process_is_preparing_is_tried_again(
    url: str, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect: Any = sqlite3.connect
    tries = count(1)
    preparing = connect(tmp_path / "exchange.sqlite")
    preparing.execute("BEGIN EXCLUSIVE")

    def connect_again(*args: Any, **kwargs: Any) -> Any:
        if next(tries) == 3:
            preparing.close()
        return connect(*args, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", connect_again)
    async with EmbeddedTransport(url, "region", clock) as region:
        assert list(await region.publish([envelope()])) == [CONFIRMED]


async def test_a_file_that_stays_locked_is_a_dependency_that_is_down(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_tables, "OPEN_ATTEMPTS", 3)
    with closing(sqlite3.connect(tmp_path / "exchange.sqlite")) as preparing:
        preparing.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DependencyDownError):
            await EmbeddedTransport(url, "region", SystemClock()).__aenter__()


async def test_a_publish_that_is_cut_off_leaves_the_exchange_free(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        cut_off: list[object] = []
        for steps in range(0, 60, 3):
            publishing = asyncio.create_task(region.publish([envelope(), envelope()]))
            for _ in range(steps):
                await asyncio.sleep(0.0001)
            publishing.cancel()
            cut_off += await asyncio.gather(publishing, return_exceptions=True)
            async with asyncio.timeout(PATIENCE / 4):
                assert list(await region.publish([envelope()])) == [CONFIRMED]
        assert any(isinstance(outcome, asyncio.CancelledError) for outcome in cut_off)


async def test_what_is_confirmed_is_flushed_to_the_disk(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region, region._writing() as connection:
        synchronous = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar_one()
        assert synchronous == 2  # FULL


# --- several processes ------------------------------------------------------------------------------------------------


@asynccontextmanager
async def process(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    started = await asyncio.create_subprocess_exec(
        sys.executable, str(PROCESS), *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def heard(speaking: asyncio.subprocess.Process) -> list[str]:
    assert speaking.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await speaking.stdout.readline()).decode().split()


async def test_everything_a_killed_publisher_reported_is_delivered(url: str, clock: ManualClock) -> None:
    # The clock stands still, so the consumer can only know from the file that something has come.
    async with EmbeddedTransport(url, "region", clock) as region:
        consumer = Consumer(region)
        waiting = asyncio.create_task(consumer.one())
        async with process("publish", url) as publisher:
            reported = [message_id for _ in range(20) for message_id in await heard(publisher)]
            publisher.kill()
            assert publisher.stdout is not None
            reported += (await publisher.stdout.read()).decode().split()
        first = await waiting
        rest = await consumer.take(len(reported) - 1)
        assert [one.message_id for one in envelopes([first, *rest])] == reported


async def test_what_a_killed_consumer_had_taken_comes_again_at_once(url: str, clock: ManualClock) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        sent = [envelope(), envelope()]
        await region.publish(sent)
        async with process("consume", url) as consumer:
            assert [await heard(consumer), await heard(consumer)] == [[one.message_id, "1"] for one in sent]
            consumer.kill()
            await consumer.wait()
        again = await Consumer(region).take(2)
        assert [(one.envelope, one.attempt) for one in again] == [(one, 2) for one in sent]


async def test_looking_in_from_another_process_takes_nothing_from_the_one_that_consumes(
    url: str, clock: ManualClock
) -> None:
    async with EmbeddedTransport(url, "region", clock) as region:
        await region.publish([envelope()])
        async with process("consume", url) as consumer:
            await heard(consumer)
            async with EmbeddedTransport(url, "region", clock) as looking:
                await looking.ping()
                assert await looking.depth(Channel.MESSAGES) == 1
            async with reading(region._engine) as connection:
                rows = await connection.exec_driver_sql("SELECT consumer FROM delivery")
                assert rows.scalar_one().startswith(f"region/{consumer.pid}/")


async def test_several_processes_may_open_a_new_exchange_at_once(url: str) -> None:
    async with process("open", url) as opening:
        assert [await heard(opening) for _ in range(8)] == [[CONFIRMED]] * 8
