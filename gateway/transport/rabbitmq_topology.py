"""What must stand on the broker: three exchanges, three queues for each party, and a place for what fits nowhere.

Exchanges are topics, routing keys are ``<type>.<major>.<party>``, and a party's queues are bound by ``*.*.<party>``:

    sip.messages          → <party>.messages           what a party has not yet settled
    sip.acknowledgements  → <party>.acknowledgements
    sip.dead              → <party>.dead               what was rejected, or not settled in five deliveries
    sip.unrouted          → sip.unrouted               dead letters for which no queue is there

*No alternate exchange for what gateways publish.* A broker that hands an unroutable message to an alternate exchange
counts it as routed: the publisher sees a confirm and no return, and would say "sent" of a message that no partner will
ever fetch. So ``sip.messages`` and ``sip.acknowledgements`` have none, and every publish is mandatory. Nobody waits for
the outcome of a dead letter, though, so there the alternate exchange is right: ``sip.dead`` has one, and alarms watch
the queue behind it.

All queues are quorum queues: on every node's disk before a confirm. The two of business go to the dead letters at least
once, for which the broker wants the strategy, the overflow behaviour and the exchange together; the routing key is set
because what came around the exchanges has one that leads nowhere. One consumer at a time is active on a queue, so that
messages keep their order when a party runs several processes, and another takes over at once when it goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused, ChannelNotFoundEntity

from gateway.envelope import Channel
from gateway.errors import ConfigurationError, Fault, Finding
from gateway.transport.rabbitmq_connection import REFUSALS, Address, Connection

DELIVERY_LIMIT = 5
"""How often a message is handed over before it is a dead letter."""

DEAD, UNROUTED = "sip.dead", "sip.unrouted"

MISSING = Fault(
    "exchange.missing",
    "{name} finns inte i meddelandeväxeln; gateway exchange declare skapar det som fattas.",
    "{name} does not exist on the message exchange; gateway exchange declare creates what is missing.",
)
DIFFERENT = Fault(
    "exchange.different",
    "{name} finns i meddelandeväxeln men med andra egenskaper än gatewayen behöver; ta bort och skapa på nytt.",
    "{name} exists on the message exchange, but not as the gateway needs it; it has to be deleted and created anew.",
)
FORBIDDEN = Fault(
    "exchange.forbidden",
    "Användaren har inte de rättigheter i meddelandeväxeln som {name} kräver.",
    "The user has not the permissions on the message exchange that {name} needs.",
)

_NO_LIMIT = 1_000_000_000
"""Where every delivery limit would lose something. RabbitMQ 4 has one of 20 unless another is declared."""


def exchange_name(channel: Channel) -> str:
    """Return the name of the exchange to which the envelopes of a channel are published."""
    return f"sip.{channel.value}"


def queue_name(party: str, channel: Channel) -> str:
    """Return the name of the queue that a party takes the deliveries of a channel from."""
    return f"{party}.{channel.value}"


def dead_queue_name(party: str) -> str:
    """Return the name of the queue with a party's dead letters."""
    return f"{party}.dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An exchange as it should be."""

    name: str
    kind: str = "topic"
    arguments: dict[str, Any] = field(default_factory=dict)

    async def declare(self, channel: AbstractChannel, *, passive: bool = False) -> None:
        """Create it unless it exists; if ``passive``, only ask whether it does."""
        await channel.exchange_declare(
            self.name, exchange_type=self.kind, durable=True, passive=passive, arguments=self.arguments
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue as it should be, and what it is bound by."""

    name: str
    exchange: str
    key: str
    arguments: dict[str, Any]

    async def declare(self, channel: AbstractChannel, *, passive: bool = False) -> None:
        """Create it unless it exists; if ``passive``, only ask whether it does."""
        await channel.queue_declare(
            self.name, durable=True, passive=passive, arguments={"x-queue-type": "quorum", **self.arguments}
        )

    async def bind(self, channel: AbstractChannel) -> None:
        """Bind it to its exchange. Repeatable."""
        await channel.queue_bind(self.name, self.exchange, self.key)


EXCHANGES = (
    *(Exchange(name=exchange_name(channel)) for channel in Channel),
    Exchange(name=DEAD, arguments={"alternate-exchange": UNROUTED}),
    Exchange(name=UNROUTED, kind="fanout"),
)


def queues_of(party: str) -> Iterator[Queue]:
    """Yield the queues of a party."""
    for channel in Channel:
        yield Queue(
            name=queue_name(party, channel),
            exchange=exchange_name(channel),
            key=f"*.*.{party}",
            arguments={
                "x-single-active-consumer": True,
                "x-delivery-limit": DELIVERY_LIMIT - 1,  # how often it may come again
                "x-dead-letter-exchange": DEAD,
                "x-dead-letter-routing-key": f"{channel.value}.dead.{party}",
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
    yield Queue(
        name=dead_queue_name(party),
        exchange=DEAD,
        key=f"*.*.{party}",
        arguments={"x-delivery-limit": _NO_LIMIT},
    )


def wanted(parties: Iterable[str]) -> Iterator[Exchange | Queue]:
    """Yield everything that must stand on the broker for some parties, what is bound to something else after it."""
    yield from EXCHANGES
    yield Queue(name=UNROUTED, exchange=UNROUTED, key="", arguments={"x-delivery-limit": _NO_LIMIT})
    for party in parties:
        yield from queues_of(party)


async def declare(address: Address, parties: Iterable[str]) -> None:
    """Create what is missing for some parties. Repeatable; what exists is left as it is.

    Raises:
        ConfigurationError: the user may not, or something exists with other properties.
        DependencyDownError: the broker does not answer.
    """
    connection = await Connection.open(address, "gateway exchange declare")
    try:
        for one in wanted(parties):
            await _create(connection, one)
    finally:
        await connection.close()


async def check(address: Address, parties: Iterable[str]) -> list[Finding]:
    """Tell what is missing for some parties, and what exists with other properties. Nothing is created or changed.

    The broker tells no one whether a queue is bound, and tells properties only to a user who may configure them;
    for another user it is checked that everything exists.

    Raises:
        ConfigurationError: the broker does not let this user in.
        DependencyDownError: the broker does not answer.
    """
    connection = await Connection.open(address, "gateway exchange check")
    try:
        return [finding for one in wanted(parties) for finding in await _look_at(connection, one)]
    finally:
        await connection.close()


async def ensure_on(connection: Connection, party: str) -> None:
    """Create what is missing for a party or, for a user who may create nothing, see that all of it is there.

    Raises:
        ConfigurationError: something is missing and cannot be created, or exists with other properties.
        DependencyDownError: the broker does not answer.
    """
    findings: list[Finding] = []
    for one in wanted([party]):
        try:
            await _create(connection, one)
        except ConfigurationError as error:
            if error.codes != (FORBIDDEN.code,):
                raise
            findings += await _look_at(connection, one)
    if findings:
        raise ConfigurationError(findings)


async def _create(connection: Connection, one: Exchange | Queue) -> None:
    async with connection.channel() as channel:
        try:
            async with connection.answering():
                await one.declare(channel)
                if isinstance(one, Queue):
                    await one.bind(channel)
        except ChannelAccessRefused as error:
            raise ConfigurationError(FORBIDDEN.at(name=one.name)) from error
        except REFUSALS as error:
            raise ConfigurationError(DIFFERENT.at(name=one.name)) from error


async def _look_at(connection: Connection, one: Exchange | Queue) -> list[Finding]:
    async with connection.channel() as channel:
        try:
            async with connection.answering():
                # Only what exists is declared in earnest: that creates nothing, and compares the properties.
                await one.declare(channel, passive=True)
                await one.declare(channel)
        except ChannelNotFoundEntity:
            return [MISSING.at(name=one.name)]
        except ChannelAccessRefused:
            return []
        except REFUSALS:
            return [DIFFERENT.at(name=one.name)]
    return []
