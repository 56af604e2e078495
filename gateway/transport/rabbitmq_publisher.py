"""Publishing over a connection to RabbitMQ: everything at once, and then waiting for the broker's word on each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import structlog
from aiormq.abc import AbstractChannel

from gateway.envelope import Envelope
from gateway.errors import DependencyDownError
from gateway.ports import PublishOutcome
from gateway.transport import EXCHANGE_DOWN
from gateway.transport.rabbitmq_connection import Connection
from gateway.transport.rabbitmq_frames import Content, Receiver
from gateway.transport.rabbitmq_topology import exchange_name
from gateway.transport.rabbitmq_wire import MalformedError, properties, publish_frames, returned_key

log = structlog.get_logger(__name__)

FLIGHT = 256
"""How many envelopes are waited for together. Two flights of one caller are under way at the same time."""

WRITE = 64 * 1024
"""Bytes that are handed to the connection in one go."""


class _Flight:
    """Envelopes under way together, and what has become of each so far."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.envelopes = envelopes
        self.outcomes: list[PublishOutcome | None] = [None] * len(envelopes)
        self.missing = len(envelopes)
        self.landed = asyncio.Event()

    def land(self, index: int, outcome: PublishOutcome) -> None:
        # A return comes before the confirm of the same envelope, and stands.
        if self.outcomes[index] is None:
            self.outcomes[index] = outcome
        self.missing -= 1
        if not self.missing:
            self.landed.set()


class Publisher(Receiver):
    """A channel in confirm mode. Once its connection is lost it stays useless; make another."""

    def __init__(self, connection: Connection, channel: AbstractChannel, confirm_timeout: timedelta) -> None:
        self._connection = connection
        self._number = int(channel.number)
        self._confirm_timeout = confirm_timeout.total_seconds()
        self._last = 0
        self._unconfirmed: dict[int, tuple[_Flight, int]] = {}
        self._closed = False

    @classmethod
    async def open(cls, connection: Connection, confirm_timeout: timedelta) -> Publisher:
        """Open a channel for publishing; it is closed with its connection.

        Raises:
            DependencyDownError: the broker does not answer.
        """
        channel = await connection.open_channel()
        async with connection.answering():
            await channel.confirm_delivery()
        publisher = cls(connection, channel, confirm_timeout)
        connection.receive(channel, publisher)
        return publisher

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[PublishOutcome]:
        """Publish in order; return one outcome each. The broker's word is awaited for ``confirm_timeout`` at most.

        Raises:
            DependencyDownError: the channel is closed, and nothing has been sent.
        """
        if self._closed or self._connection.is_lost:
            raise DependencyDownError(EXCHANGE_DOWN.at())
        flights: list[_Flight] = []
        under_way: deque[_Flight] = deque()
        for start in range(0, len(envelopes), FLIGHT):
            if len(under_way) == 2:
                await self._land(under_way.popleft())
            flight = _Flight(envelopes[start : start + FLIGHT])
            flights.append(flight)
            under_way.append(flight)
            if not await self._send(flight):
                break
        for flight in under_way:
            await self._land(flight)
        known = [outcome or PublishOutcome.UNCONFIRMED for flight in flights for outcome in flight.outcomes]
        return known + [PublishOutcome.UNCONFIRMED] * (len(envelopes) - len(known))

    async def _send(self, flight: _Flight) -> bool:
        """Write the frames of a flight; tell whether the connection has taken all of them."""
        frames: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._confirm_timeout):
                for index, envelope in enumerate(flight.envelopes):
                    if self._closed:
                        return False
                    frames.append(self._frames(envelope))
                    # From here to the writing nothing is awaited: the broker counts what it gets, and so do we.
                    self._last += 1
                    self._unconfirmed[self._last] = flight, index
                    size += len(frames[-1])
                    if size >= WRITE:
                        self._write(frames)
                        size = 0
                        await self._connection.drain()
        except TimeoutError:
            self._give_up("not taken")
            return False
        except OSError:
            return False
        finally:
            self._write(frames)
        return True

    def _frames(self, envelope: Envelope) -> bytes:
        return publish_frames(self._number, exchange_name(envelope.channel), envelope, self._connection.frame_max)

    def _write(self, frames: list[bytes]) -> None:
        if frames:
            self._connection.write(b"".join(frames))
            frames.clear()

    async def _land(self, flight: _Flight) -> None:
        """Wait until the outcome of a flight is known, or will not be."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(self._confirm_timeout):
                await flight.landed.wait()
        except TimeoutError:
            self._give_up("not confirmed")

    def _give_up(self, why: str) -> None:
        # The broker may be gone without a word, or block publishers. Either way a new connection is the way on.
        log.warning("exchange.publish_timeout", reason=why, unconfirmed=len(self._unconfirmed))
        self._connection.drop()

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Note what the broker has taken, or refused because a queue is full."""
        outcome = PublishOutcome.CONFIRMED if taken else PublishOutcome.UNCONFIRMED
        for one in list(takewhile(tag.__ge__, self._unconfirmed)) if multiple else (tag,):
            if (waiting := self._unconfirmed.pop(one, None)) is not None:
                flight, index = waiting
                flight.land(index, outcome)

    def returned(self, content: Content) -> None:
        """Note that there was no queue for the oldest envelope with the same id and address."""
        try:
            message_id = properties(content.header).message_id
        except MalformedError:
            return
        key = returned_key(content.arguments)
        for flight, index in self._unconfirmed.values():
            envelope = flight.envelopes[index]
            if flight.outcomes[index] is None and envelope.message_id == message_id and envelope.routing_key == key:
                flight.outcomes[index] = PublishOutcome.RETURNED
                return

    def closed(self, code: int, reason: str) -> None:
        """End the waiting: what is not known by now will not be."""
        if code:
            log.error("exchange.channel_closed", code=code)
        self._closed = True
        for flight, _ in self._unconfirmed.values():
            flight.landed.set()
        self._unconfirmed.clear()
        if code:
            self._connection.drop()
