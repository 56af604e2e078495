"""Taking deliveries from one queue of RabbitMQ, and settling them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from aiormq.abc import AbstractChannel

from gateway.envelope import Channel, Envelope
from gateway.errors import DependencyDownError
from gateway.ports import Settlement
from gateway.transport import EXCHANGE_DOWN
from gateway.transport.rabbitmq_connection import REFUSALS, Connection
from gateway.transport.rabbitmq_frames import Content, Receiver, accept_frame, refuse_frame
from gateway.transport.rabbitmq_wire import MalformedError, delivery_arguments, envelope_of, properties

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitMqDelivery:
    """One envelope handed over by the broker, until it is settled or its channel is closed."""

    envelope: Envelope
    attempt: int
    tag: int
    subscription: Subscription = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuriedDelivery:
    """One dead letter handed over by the broker, to be kept elsewhere and then accepted.

    ``envelope`` is ``None`` when no gateway has published it; ``body`` is what came. ``reason`` is ``rejected``,
    ``delivery_limit`` or another word of the broker, and ``at`` when that happened, to the second.
    """

    envelope: Envelope | None
    body: bytes
    reason: str
    at: datetime | None
    attempt: int
    tag: int
    subscription: Subscription = field(repr=False, compare=False)


class Subscription(Receiver):
    """A consumer of one queue on a channel of its own. ``channel`` is ``None`` for the dead letters."""

    def __init__(self, connection: Connection, amqp: AbstractChannel, party: str, channel: Channel | None) -> None:
        self.channel = channel
        self._connection = connection
        self._amqp = amqp
        self._number = int(amqp.number)
        self._party = party
        self._arrived: deque[tuple[int, str, Content]] = deque()
        self._held: dict[int, None] = {}
        self._stirred = asyncio.Event()
        self._lost = False
        self._ended = False

    @classmethod
    async def open(
        cls, connection: Connection, queue: str, party: str, channel: Channel | None, prefetch: int
    ) -> Subscription:
        """Begin to consume a queue.

        Raises:
            DependencyDownError: the broker does not answer, or does not let us have the queue now.
        """
        amqp = await connection.open_channel()
        subscription = cls(connection, amqp, party, channel)
        connection.receive(amqp, subscription)
        amqp.on_consumer_cancel_callbacks.add(subscription._cancelled)
        try:
            async with connection.answering():
                await amqp.basic_qos(prefetch_count=prefetch)
                await amqp.basic_consume(queue, subscription._passed_by)
        except REFUSALS as error:
            # The queue has gone or is out of reach. With a new connection it is looked for, and made, again.
            connection.drop()
            raise DependencyDownError(EXCHANGE_DOWN.at()) from error
        except BaseException:
            await subscription.close()
            raise
        return subscription

    async def close(self) -> None:
        """End the consuming. What is not settled can be taken by others at once."""
        self.end()
        await self._connection.close_channel(self._amqp)

    @property
    def held(self) -> int:
        """How many deliveries have been handed over and not settled."""
        return 0 if self._lost or self._ended else len(self._held)

    async def batch(self, size: int, gather: timedelta) -> list[tuple[int, str, Content]]:
        """Return what has come, the oldest first, when there is something; nothing at all once the end has come.

        Raises:
            DependencyDownError: the connection or the channel is lost, and what was handed over on it with it.
        """
        await self._stirred.wait()
        if len(self._arrived) < size and not self._lost and not self._ended:
            # More is likely to come in the same moment, and one batch is cheaper than two.
            await asyncio.sleep(gather.total_seconds())
        if self._ended:
            return []
        if self._lost:
            raise DependencyDownError(EXCHANGE_DOWN.at())
        taken = [self._arrived.popleft() for _ in range(min(size, len(self._arrived)))]
        if not self._arrived:
            self._stirred.clear()
        return taken

    def read(self, arrived: Sequence[tuple[int, str, Content]]) -> list[RabbitMqDelivery]:
        """Return what gateways have published; what others have is rejected, so that it lies among the dead letters."""
        read: list[RabbitMqDelivery] = []
        for tag, key, content in arrived:
            try:
                known = properties(content.header)
                envelope = envelope_of(known, content.body, self._recipient(key), self.channel)
                read.append(
                    RabbitMqDelivery(envelope=envelope, attempt=_attempt(known.headers), tag=tag, subscription=self)
                )
            except MalformedError as error:
                log.warning("delivery.malformed", party=self._party, reason=str(error))
                self.settle([(tag, Settlement.REJECT)])
        return read

    def read_buried(self, arrived: Sequence[tuple[int, str, Content]]) -> list[BuriedDelivery]:
        """Return dead letters, whoever published them."""
        return [self._buried(tag, content) for tag, _, content in arrived]

    def _buried(self, tag: int, content: Content) -> BuriedDelivery:
        envelope, headers = None, dict[str, Any]()
        try:
            known = properties(content.header)
            headers = known.headers
            envelope = envelope_of(known, content.body, self._party, None)
        except MalformedError:
            pass
        deaths = headers.get("x-death")
        last = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
        return BuriedDelivery(
            envelope=envelope,
            body=content.body,
            reason=str(last.get("reason", "unknown")),
            at=last["time"] if isinstance(last.get("time"), datetime) else None,
            attempt=_attempt(headers),
            tag=tag,
            subscription=self,
        )

    def _recipient(self, key: str) -> str:
        if key.rpartition(".")[2] != self._party:
            raise MalformedError("it is addressed to another party")
        return self._party

    def settle(self, settlements: Sequence[tuple[int, Settlement]]) -> None:
        """Settle what is held; the first settlement of a delivery counts, and one that is not held is left as it is."""
        if self._lost or self._ended:
            return
        frames: list[bytes] = []
        accepted: dict[int, None] = {}
        for tag, settlement in settlements:
            if tag not in self._held or tag in accepted:
                continue
            if settlement is Settlement.ACCEPT:
                accepted[tag] = None
            else:
                del self._held[tag]
                # Rejected from the dead letters it would be nowhere.
                requeue = settlement is Settlement.REQUEUE or self.channel is None
                frames.append(refuse_frame(self._number, tag, requeue=requeue))
        self._accept(accepted, frames)
        self._connection.write(b"".join(frames))

    def _accept(self, accepted: dict[int, None], frames: list[bytes]) -> None:
        """Accept with one word all that are older than any other delivery that is held, and the others one by one."""
        oldest: list[int] = []
        for tag in self._held:
            if tag not in accepted:
                break
            oldest.append(tag)
        if oldest:
            frames.append(accept_frame(self._number, oldest[-1], multiple=True))
        for tag in oldest:
            del self._held[tag], accepted[tag]
        for tag in accepted:
            del self._held[tag]
            frames.append(accept_frame(self._number, tag, multiple=False))

    def end(self) -> None:
        """End the consuming: whoever waits for a batch gets none, and nothing can be settled any more."""
        self._ended = True
        self._arrived.clear()
        self._stirred.set()

    def delivered(self, content: Content) -> None:
        """Keep a delivery until someone asks for a batch."""
        if self._ended:
            return
        tag, key = delivery_arguments(content.arguments)
        self._held[tag] = None
        self._arrived.append((tag, key, content))
        self._stirred.set()

    def closed(self, code: int, reason: str) -> None:
        """Let whoever waits for a batch know that none will come."""
        if code:
            log.error("exchange.channel_closed", party=self._party, code=code)
        self._lost = True
        self._stirred.set()

    def _cancelled(self, _: object) -> None:
        # The queue has been deleted, or has no leader. Consuming anew shows which.
        self.closed(0, "the broker has ended the consuming")

    async def _passed_by(self, _: object) -> None:
        """Take what the library hands over, which is nothing: deliveries never reach it."""


def _attempt(headers: dict[str, Any]) -> int:
    earlier = headers.get("x-delivery-count", 0)
    return 1 + earlier if isinstance(earlier, int) else 1
