"""The embedded exchange: queues in one SQLite file, for parties whose gateways run on one machine. No server.

Several processes may use the file at once, and everything in it survives ``kill -9``, a restart and, as the file is
written with ``synchronous=FULL``, the loss of power. What a party has not settled is one row in ``delivery``. Taking
it writes a lease on the row, settling it removes the row or the lease. A lease is known by its consumer and the
attempt, so whoever held an earlier one cannot settle in place of its successor.

One process takes deliveries for a party. When it begins, it takes over the leases on that channel that no consumer of
its own holds, because they can only be remains of a crash: nothing waits for a lease to run out after a restart.
Should two processes consume for one party all the same, some deliveries come twice and none is lost.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from uuid import uuid4
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as insert_or_keep
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.clock import Clock
from gateway.envelope import Channel, Envelope
from gateway.errors import DependencyDownError
from gateway.ports import DeadLetter, Delivery, PublishOutcome, Settlement
from gateway.store.engine import open_engine, reading, writing
from gateway.store.moments import Moment
from gateway.transport import EXCHANGE_DOWN
from gateway.transport.embedded_dead_letters import EmbeddedDeadLetter, of_party, take_away
from gateway.transport.embedded_tables import ENVELOPE, dead_letter, delivery, metadata, party, switch_to_wal

P = ParamSpec("P")
R = TypeVar("R")

LOOK_AGAIN = timedelta(seconds=1)
"""How often an idle consumer looks for leases that have run out; new envelopes it notices at once."""

_FREE = {"consumer": None, "leased_until": None}
_HELD = sa.and_(
    delivery.c.id == sa.bindparam("held_id"),
    delivery.c.attempt == sa.bindparam("held_attempt"),
    delivery.c.consumer == sa.bindparam("held_consumer"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedDelivery:
    """One envelope leased to a consumer, until it is settled or handed over again."""

    envelope: Envelope
    attempt: int
    id: int
    consumer: str


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Neighbours:
    """What the transports on one file in one event loop share: their turn to write, and who takes deliveries."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    consumers: dict[str, tuple[str, asyncio.Event]] = field(default_factory=dict)

    def wake(self, recipient: str) -> None:
        """Let the consumers of a party look again."""
        for consuming, arrived in self.consumers.values():
            if consuming == recipient:
                arrived.set()


_neighbours: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, Path], _Neighbours] = WeakValueDictionary()


def _uninterrupted(
    verb: Callable[Concatenate[EmbeddedTransport, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[EmbeddedTransport, P], Coroutine[Any, Any, R]]:
    """Let a verb run to its end even when its caller is cancelled, and call what goes wrong in it by one name.

    SQLite would hold the lock of a transaction that is cut off until Python collects what is left of it.
    """

    @wraps(verb)
    async def whole(transport: EmbeddedTransport, /, *args: P.args, **kwargs: P.kwargs) -> R:
        task = asyncio.create_task(verb(transport, *args, **kwargs))
        transport._working.add(task)
        task.add_done_callback(transport._working.discard)
        try:
            return await asyncio.shield(task)
        except (DependencyDownError, DBAPIError, sqlite3.Error) as error:
            raise DependencyDownError(EXCHANGE_DOWN.at()) from error

    return whole


class EmbeddedTransport:
    """A party's place on the embedded exchange, for use with ``async with``.

    Opening creates the file and its tables where they are missing and declares the party, so that others can publish
    to it from then on. Closing ends all iterations and gives their unsettled deliveries back at once.
    """

    def __init__(
        self,
        url: str,
        party: str,
        clock: Clock,
        *,
        batch_size: int = 64,
        lease: timedelta = timedelta(seconds=30),
        poll_interval: timedelta = timedelta(milliseconds=50),
        delivery_limit: int = 5,
        gather: timedelta = timedelta(milliseconds=2),
    ) -> None:
        self._engine = open_engine(url)
        if self._engine.url.database in (None, "", ":memory:"):
            raise ValueError("the embedded exchange needs a file: memory survives nothing")
        self._place = Path(self._engine.url.database).resolve()
        self._party = party
        self._clock = clock
        self._batch_size = batch_size
        self._lease = lease
        self._poll_interval = poll_interval
        self._delivery_limit = delivery_limit
        self._gather = gather
        self._neighbours = _Neighbours()
        self._routable: set[str] = set()
        self._consumers: set[str] = set()
        self._closed = False
        self._working: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        """Open the exchange.

        Raises:
            DependencyDownError: the file cannot be opened, or is no database.
        """
        self._neighbours = _neighbours.setdefault((asyncio.get_running_loop(), self._place), self._neighbours)
        try:
            await self._prepare()
            self._watch = await self._engine.connect()
            self._driver: Any = (await self._watch.get_raw_connection()).driver_connection
        except BaseException:
            await self._engine.dispose()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close the exchange: iterations end, and what they have not settled can be taken by others at once."""
        self._closed = True
        try:
            with suppress(DependencyDownError):
                await self._give_back(self._consumers)
        finally:
            if self._working:
                await asyncio.wait(self._working)
            await self._watch.close()
            await self._engine.dispose()

    @_uninterrupted
    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[PublishOutcome]:
        """Commit all envelopes in one transaction, in order; those to an unknown party are returned.

        Nothing is compared with what was published before: a message published twice is delivered twice. When the
        caller is cancelled, what it published may be committed all the same.

        Raises:
            DependencyDownError: the exchange does not answer; nothing is known about any of them.
        """
        if not envelopes:
            return []
        recipients = {envelope.recipient for envelope in envelopes}
        async with self._writing() as connection:
            if not recipients <= self._routable:
                self._routable.update(await connection.scalars(sa.select(party.c.name)))
            if routed := [_row(envelope) for envelope in envelopes if envelope.recipient in self._routable]:
                await connection.execute(sa.insert(delivery), routed)
        for recipient in recipients:
            self._neighbours.wake(recipient)
        return [
            PublishOutcome.CONFIRMED if envelope.recipient in self._routable else PublishOutcome.RETURNED
            for envelope in envelopes
        ]

    async def deliveries(self, channel: Channel) -> AsyncGenerator[Sequence[EmbeddedDelivery], None]:
        """Yield batches leased to this iteration, oldest first, waiting while there are none.

        The first step takes over what other processes have leased on this channel. A delivery that is not settled when
        its lease runs out, or when the iteration or the transport is closed, comes again in its old place. Closing the
        transport ends the iteration.

        Raises:
            DependencyDownError: the exchange does not answer. The iteration is over; begin a new one.
        """
        consumer, arrived = f"{self._party}/{os.getpid()}/{uuid4().hex}", asyncio.Event()
        self._neighbours.consumers[consumer] = self._party, arrived
        self._consumers.add(consumer)
        try:
            await self._take_over(channel)
            while not self._closed:
                # The version is read before looking, so that nothing that comes meanwhile goes unnoticed.
                arrived.clear()
                version = await self._version()
                while not self._closed and (batch := await self._claim(channel, consumer)):
                    yield batch
                await self._wait(arrived, version)
        finally:
            # A lease that cannot be given back runs out by itself; that must not hide why the iteration ends.
            with suppress(DependencyDownError):
                await self._give_back({consumer})

    async def buried(self) -> AsyncGenerator[Sequence[EmbeddedDeadLetter], None]:
        """Yield batches of this party's dead letters, oldest first, waiting while there are none.

        Raises:
            DependencyDownError: the exchange does not answer. The iteration is over; begin a new one.
        """
        last = 0
        while not self._closed:
            if found := await self._dead(after=last, limit=self._batch_size):
                last = found[-1].id
                yield found
            else:
                await asyncio.sleep(LOOK_AGAIN.total_seconds())

    @_uninterrupted
    async def settle(self, settlements: Sequence[tuple[Delivery | DeadLetter, Settlement]]) -> None:
        """Settle deliveries in one transaction; the first settlement of a delivery counts.

        A delivery that was given back, or handed over again after its lease ran out, is left as it is.

        Raises:
            DependencyDownError: the exchange does not answer; nothing is known about any of them.
        """
        if not settlements:
            return
        kept = [letter for letter, how in settlements if isinstance(letter, EmbeddedDeadLetter) and how == "accept"]
        taken = [one for one in settlements if not isinstance(one[0], EmbeddedDeadLetter)]
        async with self._writing() as connection:
            await take_away(connection, kept)
            for settlement, run in groupby(taken, key=itemgetter(1)):
                leased = [settled for settled, _ in run]
                match settlement:
                    case Settlement.ACCEPT:
                        await connection.execute(sa.delete(delivery).where(_HELD), [_lease(one) for one in leased])
                    case Settlement.REQUEUE:
                        await connection.execute(
                            sa.update(delivery).where(_HELD).values(_FREE), [_lease(one) for one in leased]
                        )
                    case Settlement.REJECT:
                        await self._bury(connection, "rejected", leased)
        self._neighbours.wake(self._party)

    @_uninterrupted
    async def ping(self) -> None:
        """Return when the exchange answers.

        Raises:
            DependencyDownError: it does not.
        """
        async with reading(self._engine) as connection:
            await connection.execute(sa.select(party.c.name).limit(1))

    @_uninterrupted
    async def depth(self, channel: Channel) -> int:
        """Return how many envelopes to this party are not settled, leased ones included."""
        counted = sa.select(sa.func.count()).select_from(delivery).where(self._queued(channel))
        async with reading(self._engine) as connection:
            return (await connection.execute(counted)).scalar_one()

    async def dead_letters(self) -> list[EmbeddedDeadLetter]:
        """Return the envelopes to this party that are not delivered any more, the oldest first."""
        return await self._dead()

    @_uninterrupted
    async def _dead(self, after: int = 0, limit: int | None = None) -> list[EmbeddedDeadLetter]:
        async with reading(self._engine) as connection:
            return await of_party(connection, self._party, after=after, limit=limit)

    @_uninterrupted
    async def _prepare(self) -> None:
        """Create what is missing and declare the party. Repeatable, and done by several processes at the same time."""
        await switch_to_wal(self._place)
        async with self._writing() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(insert_or_keep(party).values(name=self._party).on_conflict_do_nothing())

    @_uninterrupted
    async def _version(self) -> int:
        """Return a number that changes whenever anyone commits; one step of the driver, cheap enough to poll."""
        [[version]] = await self._driver.execute_fetchall("PRAGMA data_version")
        return int(version)

    async def _wait(self, arrived: asyncio.Event, version: int) -> None:
        """Wait until there may be something to take: a neighbour says so, the file has changed, a lease runs out."""
        until = self._clock.now() + LOOK_AGAIN
        while not arrived.is_set() and version == await self._version() and self._clock.now() < until:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_interval.total_seconds()):
                    await arrived.wait()
                # More is likely to come in the same moment, and one batch is cheaper than two.
                await asyncio.sleep(self._gather.total_seconds())

    @_uninterrupted
    async def _take_over(self, channel: Channel) -> None:
        """End the leases of consumers that are not alive in this process."""
        abandoned = delivery.c.consumer.not_in(list(self._neighbours.consumers))
        async with self._writing() as connection:
            await connection.execute(sa.update(delivery).where(self._queued(channel), abandoned).values(_FREE))

    @_uninterrupted
    async def _give_back(self, consumers: set[str]) -> None:
        """End the leases of consumers, unless closing the transport has done so before."""
        ending = self._consumers & consumers
        self._consumers -= ending
        for consumer in ending:
            _, stirred = self._neighbours.consumers.pop(consumer)
            stirred.set()
        if ending:
            async with self._writing() as connection:
                await connection.execute(sa.update(delivery).where(delivery.c.consumer.in_(ending)).values(_FREE))
            self._neighbours.wake(self._party)

    @_uninterrupted
    async def _claim(self, channel: Channel, consumer: str) -> list[EmbeddedDelivery]:
        """Lease the oldest free deliveries to a consumer; those that have had their attempts go to the dead letters."""
        now = self._clock.now()
        free = sa.and_(self._queued(channel), sa.or_(delivery.c.leased_until.is_(None), delivery.c.leased_until <= now))
        oldest = sa.select(delivery).where(free).order_by(delivery.c.id).limit(self._batch_size)
        lease = {"attempt": delivery.c.attempt + 1, "consumer": consumer, "leased_until": now + self._lease}
        async with self._writing() as connection:
            rows = (await connection.execute(oldest)).mappings().all()
            if not rows:
                return []
            await connection.execute(sa.update(delivery).where(free, delivery.c.id <= rows[-1]["id"]).values(lease))
            batch = [
                EmbeddedDelivery(envelope=_envelope(row), attempt=row["attempt"] + 1, id=row["id"], consumer=consumer)
                for row in rows
            ]
            spent = [leased for leased in batch if leased.attempt > self._delivery_limit]
            await self._bury(connection, f"not settled in {self._delivery_limit} deliveries", spent)
        return [leased for leased in batch if leased.attempt <= self._delivery_limit]

    async def _bury(self, connection: AsyncConnection, reason: str, leased: Sequence[Delivery | DeadLetter]) -> None:
        """Move deliveries to the dead letters."""
        columns = [delivery.c[name] for name in ENVELOPE]
        moved = sa.select(*columns, sa.literal(reason), sa.literal(self._clock.now(), Moment)).where(_HELD)
        for one in leased:
            await connection.execute(
                sa.insert(dead_letter).from_select([*ENVELOPE, "reason", "at"], moved), _lease(one)
            )
            await connection.execute(sa.delete(delivery).where(_HELD), _lease(one))

    def _queued(self, channel: Channel) -> sa.ColumnElement[bool]:
        return sa.and_(delivery.c.recipient == self._party, delivery.c.channel == channel.value)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        # Within the process writers take turns here: SQLite lets those who wait for its lock sleep, in no order.
        async with self._neighbours.turn, writing(self._engine) as connection:
            yield connection


def _row(envelope: Envelope) -> dict[str, Any]:
    return {"channel": envelope.channel.value, **{name: getattr(envelope, name) for name in ENVELOPE}}


def _envelope(row: sa.RowMapping) -> Envelope:
    return Envelope(**{name: row[name] for name in ENVELOPE})


def _lease(leased: Delivery | DeadLetter) -> dict[str, Any]:
    assert isinstance(leased, EmbeddedDelivery)  # a delivery is settled with the exchange that handed it over
    return {"held_id": leased.id, "held_attempt": leased.attempt, "held_consumer": leased.consumer}
