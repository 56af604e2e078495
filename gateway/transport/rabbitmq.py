"""The exchange on RabbitMQ: for parties whose gateways run on machines of their own.

Confirmed means that the broker has the message on the disks of its quorum queue, and unsettled messages stay there
through restarts and crashes of everyone. Two connections are held, because a broker that is short of memory or disk
stops reading from whoever publishes: what has been delivered must be possible to settle even then.

A connection that is lost is opened again by the next call that needs it, never behind the back of the caller: whoever
publishes or consumes meets an error of a dependency that is down, and tries again at the pace of its own. What was
delivered before comes again, and can only be settled then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Generic, Self, TypeVar

import structlog

from gateway.envelope import Channel, Envelope
from gateway.errors import ConfigurationError, DependencyDownError
from gateway.ports import DeadLetter, Delivery, PublishOutcome, Settlement
from gateway.transport import EXCHANGE_DOWN
from gateway.transport.rabbitmq_connection import REFUSALS, Address, Connection, Tls
from gateway.transport.rabbitmq_publisher import Publisher
from gateway.transport.rabbitmq_subscription import BuriedDelivery, RabbitMqDelivery, Subscription
from gateway.transport.rabbitmq_topology import dead_queue_name, ensure_on, queue_name

log = structlog.get_logger(__name__)

T = TypeVar("T")


class _Line(Generic[T]):
    """One of the two connections, and what is done over it. Whoever needs it opens it; the others wait for that."""

    def __init__(self, address: Address, party: str, prepare: Callable[[Connection], Awaitable[T]]) -> None:
        self._address = address
        self._party = party
        self._prepare = prepare
        self._open: tuple[Connection, T] | None = None
        self._opening: asyncio.Task[T] | None = None
        self._closed = False

    async def get(self) -> T:
        """Return what is used over the connection, which is opened if it is not open.

        Raises:
            ConfigurationError: the broker lets this party not in, or has other queues than it needs.
            DependencyDownError: the broker does not answer, or the line is closed.
        """
        if self._open is not None and not self._open[0].is_lost:
            return self._open[1]
        if self._closed:
            raise DependencyDownError(EXCHANGE_DOWN.at())
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect())
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    def drop(self) -> None:
        """End the connection without a word to the broker, as a crash does."""
        if self._open is not None:
            self._open[0].drop()

    async def close(self) -> None:
        """Close the connection for good."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._open is not None:
            await self._open[0].close()

    async def _connect(self) -> T:
        connection = await Connection.open(self._address, f"SIP Gateway {self._party}")
        try:
            await ensure_on(connection, self._party)
            prepared = await self._prepare(connection)
        except BaseException:
            await connection.close()
            raise
        self._open = connection, prepared
        return prepared

    def _opened(self, opening: asyncio.Task[T]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # whoever waited has been told; perhaps nobody does any more


class RabbitMqTransport:
    """A party's place on an exchange that RabbitMQ runs, for use with ``async with``.

    Opening declares the exchanges and the party's queues where they are missing and the user may; a user without that
    right finds them in place, or is told what is missing. ``prefetch`` bounds how many deliveries are handed over and
    not yet settled, on each channel; ``gather`` is how long a batch that is not full waits for more.
    """

    def __init__(
        self,
        url: str,
        party: str,
        *,
        password: str | None = None,
        tls: Tls | None = None,
        batch_size: int = 256,
        prefetch: int = 1024,
        confirm_timeout: timedelta = timedelta(seconds=5),
        heartbeat: timedelta = timedelta(seconds=10),
        gather: timedelta = timedelta(milliseconds=2),
    ) -> None:
        address = Address(url=url, password=password, tls=tls, heartbeat=heartbeat, patience=confirm_timeout)
        self._party = party
        self._batch_size = batch_size
        self._prefetch = prefetch
        self._patience = confirm_timeout
        self._gather = gather
        self._subscriptions: set[Subscription] = set()
        self._closed = False

        async def publisher(connection: Connection) -> tuple[Connection, Publisher]:
            return connection, await Publisher.open(connection, confirm_timeout)

        async def consumer(connection: Connection) -> Connection:
            return connection

        self._publishing = _Line(address, party, publisher)
        self._consuming = _Line(address, party, consumer)

    async def __aenter__(self) -> Self:
        """Connect, and declare what is missing.

        Raises:
            ConfigurationError: the broker does not let this user in, or has other queues than the party needs.
            DependencyDownError: the broker does not answer.
        """
        try:
            await self._publishing.get()
        except BaseException:
            await self._publishing.close()
            raise
        return self

    async def __aexit__(self, *failure: object) -> None:
        """Close the exchange: iterations end, and what they have not settled can be taken by others at once."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()
        await self._publishing.close()
        await self._consuming.close()

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[PublishOutcome]:
        """Publish all envelopes at once, in order; return when the broker has said of each whether it has it.

        Whatever is not known when the time for confirming is over or the connection is lost is unconfirmed. When the
        caller is cancelled, what it published may be there all the same.

        Raises:
            DependencyDownError: the exchange does not answer; nothing has been sent.
            ValueError: an id or an address is too long for the exchange.
        """
        if not envelopes:
            return []
        _, publisher = await _working(self._publishing)
        return await publisher.publish(envelopes)

    async def deliveries(self, channel: Channel) -> AsyncGenerator[Sequence[RabbitMqDelivery], None]:
        """Yield batches handed over to this iteration, oldest first, waiting while there are none.

        Of several iterations on a channel, here or in other processes, one gets everything; when it ends, the next one
        does. A delivery that is not settled when its iteration ends, is lost with its connection or is closed comes
        again in its old place. Closing the transport ends the iteration.

        Raises:
            DependencyDownError: the exchange does not answer. The iteration is over; begin a new one.
        """
        subscription = await self._subscribe(queue_name(self._party, channel), channel)
        try:
            while arrived := await subscription.batch(self._batch_size, self._gather):
                if batch := subscription.read(arrived):
                    yield batch
        finally:
            await self._unsubscribe(subscription)

    async def buried(self) -> AsyncGenerator[Sequence[BuriedDelivery], None]:
        """Yield batches of this party's dead letters, waiting while there are none.

        They are settled like other deliveries. Accepted, one is gone; otherwise it stays a dead letter.

        Raises:
            DependencyDownError: the exchange does not answer. The iteration is over; begin a new one.
        """
        subscription = await self._subscribe(dead_queue_name(self._party), None)
        try:
            while arrived := await subscription.batch(self._batch_size, self._gather):
                yield subscription.read_buried(arrived)
        finally:
            await self._unsubscribe(subscription)

    async def settle(self, settlements: Sequence[tuple[Delivery | DeadLetter, Settlement]]) -> None:
        """Settle deliveries; the first settlement of a delivery counts.

        A delivery whose iteration or connection has ended is left as it is: it comes again. The broker is not asked
        whether it has heard; if it has not, the delivery comes again too.
        """
        by_subscription: dict[Subscription, list[tuple[int, Settlement]]] = {}
        for delivery, settlement in settlements:
            assert isinstance(delivery, RabbitMqDelivery | BuriedDelivery)  # it is settled where it came from
            by_subscription.setdefault(delivery.subscription, []).append((delivery.tag, settlement))
        for subscription, settled in by_subscription.items():
            subscription.settle(settled)

    async def ping(self) -> None:
        """Return when the broker answers, and the queue of this party does.

        Raises:
            DependencyDownError: it does not.
        """
        connection, _ = await _working(self._publishing)
        await _count(connection, queue_name(self._party, Channel.MESSAGES))

    async def depth(self, channel: Channel) -> int:
        """Return how many envelopes to this party are not settled, those that were handed over here included.

        Raises:
            DependencyDownError: the exchange does not answer.
        """
        connection = await _working(self._consuming)
        waiting = await _count(connection, queue_name(self._party, channel))
        return waiting + sum(one.held for one in self._subscriptions if one.channel is channel)

    async def dead_letters(self, limit: int = 100) -> list[BuriedDelivery]:
        """Return dead letters of this party without taking them, the oldest first; they cannot be settled.

        Raises:
            DependencyDownError: the exchange does not answer.
        """
        connection = await _working(self._consuming)
        queue = dead_queue_name(self._party)
        number = min(limit, await _count(connection, queue))
        found: list[BuriedDelivery] = []
        if not number:
            return found
        subscription = await Subscription.open(connection, queue, self._party, None, number)
        try:
            with suppress(TimeoutError):  # someone else takes them meanwhile
                async with asyncio.timeout(self._patience.total_seconds()):
                    while len(found) < number:
                        found += subscription.read_buried(await subscription.batch(number, self._gather))
        finally:
            await subscription.close()
        return found

    async def _subscribe(self, queue: str, channel: Channel | None) -> Subscription:
        connection = await _working(self._consuming)
        subscription = await Subscription.open(connection, queue, self._party, channel, self._prefetch)
        self._subscriptions.add(subscription)
        return subscription

    async def _unsubscribe(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)
        await subscription.close()


async def _working(line: _Line[T]) -> T:
    """Return what a line is for. What is wrong once the gateway runs is mended by an operator while it waits."""
    try:
        return await line.get()
    except ConfigurationError as error:
        log.error("exchange.refused", codes=error.codes)
        raise DependencyDownError(error.findings) from error


async def _count(connection: Connection, queue: str) -> int:
    try:
        async with connection.channel() as channel, connection.answering():
            return int((await channel.queue_declare(queue, passive=True)).message_count or 0)
    except REFUSALS as error:
        raise DependencyDownError(EXCHANGE_DOWN.at()) from error
