"""Assembly: the only place that knows which implementations run, and the one exit stack that holds their lifetimes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import time, timedelta
from typing import Any

import structlog

from gateway.adapter_book import AdapterBook
from gateway.circuit import Pace
from gateway.clock import Clock, SystemClock
from gateway.config import Settings
from gateway.connections import connected
from gateway.context import Context
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault, Finding
from gateway.grace import Grace
from gateway.hops import Gateway
from gateway.ports import Measured, Transport
from gateway.preflight import EMBEDDED_EXCHANGE, faults_of, scheme_of
from gateway.progress import Observer, Passage, both
from gateway.store import Store
from gateway.times import CountedFrom, Times, agreed
from gateway.traces import Traces
from gateway.transport.embedded import EmbeddedTransport
from gateway.transport.embedded_parties import known_parties

log = structlog.get_logger(__name__)

NOT_DECLARED = Fault(
    "exchange.not-declared",
    "Parten {name} finns inte i meddelandeväxeln; gateway exchange declare lägger till den.",
    "The party {name} is not on the message exchange; gateway exchange declare adds it.",
)


def log_passage(passage: Passage) -> None:
    """Write a passage to the log: ids and codes only."""
    log.debug(
        passage.hop.value,
        party=passage.party,
        message_id=passage.message_id,
        type=passage.type,
        unit=passage.unit,
        case_number=passage.case_number,
        detail=passage.detail,
    )


@asynccontextmanager
async def open_gateway(
    settings: Settings,
    clock: Clock,
    observe: Observer = log_passage,
    chance: Callable[[], float] = random.random,
    *,
    alone: bool = True,
    leads: bool = True,
) -> AsyncIterator[Gateway]:
    """Open everything a gateway needs, and close it when the block ends.

    ``alone`` and ``leads`` are what :class:`~gateway.hops.Gateway` says of them.

    Raises:
        ConfigurationError: the settings name a party, an adapter or a file that does not exist, or do not fit together.
        DependencyDownError: the database or the exchange does not answer.
    """
    if findings := faults_of(settings):
        raise ConfigurationError(findings)
    directory = Directory.load(settings.directory)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        transport = await stack.enter_async_context(open_transport(settings, clock))
        book = AdapterBook(store, clock)
        probes = {"database": book.ping, "exchange": transport.ping, "migrations": store.check}
        if settings.traces_url is not None:
            observe = both(observe, stack.enter_context(Traces(settings.traces_url, settings.party)))
        context = context_of(settings, directory, store, clock, observe, chance)
        measured = _measured(settings, context, transport) if leads else None
        shown = context if leads else None
        systems = await stack.enter_async_context(
            connected(settings, directory, clock, store, probes, measured, shown, transport.depth)
        )
        yield Gateway(
            context,
            systems.adapter,
            transport,
            lanes=systems.lanes,
            doors=systems.doors,
            heartbeat=systems.heartbeat,
            sources=systems.sources,
            alone=alone,
            leads=leads,
        )


def _measured(settings: Settings, context: Context, transport: Transport) -> Measured | None:
    """Return what tells whoever comes to the door how the gateway is measured; ``None`` where there is no door."""
    if settings.http_listen is None:
        return None
    # Loaded here: a command that is asked by nobody starts without the library.
    from gateway.scrape import Scrape  # noqa: PLC0415

    return Scrape(context, [one.name for one in settings.all_adapters()], transport.ping)


def context_of(
    settings: Settings,
    directory: Directory,
    store: Store,
    clock: Clock,
    observe: Observer = log_passage,
    chance: Callable[[], float] = random.random,
) -> Context:
    """Return the surroundings of a gateway, or of a command that does one thing in its place."""
    pace, times = pace_of(settings), times_of(settings, directory)
    return Context(settings.party, directory, store, clock, observe, chance, pace, times)


def pace_of(settings: Settings) -> Pace:
    """Return when a circuit opens, how often it is probed, and how fast what has piled up drains."""
    return Pace(
        failures=settings.circuit_failures,
        probe_every=timedelta(seconds=settings.circuit_probe_seconds),
        drain_per_second=settings.drain_per_second,
    )


def times_of(settings: Settings, directory: Directory) -> Times:
    """Return by when what is owed must be done, as the settings say, with the opening hours of the directory.

    Raises:
        ConfigurationError: a deadline is set that is not known, or cannot be used.
    """
    return Times(
        agreed=agreed(settings.deadlines),
        meeting_counted_from=CountedFrom(settings.meeting_counted_from),
        grace=grace_of(settings),
        opening_hours={hsa_id: unit.opening_hours for hsa_id, unit in directory.units.items()},
    )


def grace_of(settings: Settings) -> Grace:
    """Return when payment responsibility begins."""
    return Grace(days=settings.payment_grace_days, cutoff=time.fromisoformat(settings.payment_cutoff))


def open_store(settings: Settings, *, migrates: bool = True) -> Store:
    """Return the database of the settings, for use with ``async with``."""
    return Store(settings.store, migrates=migrates, password=settings.store_password(), pool=settings.database_pool)


def open_transport(settings: Settings, clock: Clock) -> AbstractAsyncContextManager[Transport]:
    """Return the party's place on the exchange of the settings; its address tells which product that is."""
    if scheme_of(settings.exchange) == EMBEDDED_EXCHANGE:
        return EmbeddedTransport(settings.exchange, settings.party, clock)
    # Loaded here: a command that meets no broker starts without its library.
    from gateway.transport.rabbitmq import RabbitMqTransport  # noqa: PLC0415

    password, tls = settings.exchange_password(), _tls(settings)
    return RabbitMqTransport(settings.exchange, settings.party, password=password, tls=tls)


async def declare_exchange(settings: Settings, parties: Collection[str]) -> None:
    """Create on the exchange what is missing for some parties. Repeatable; what exists is left as it is.

    Raises:
        ConfigurationError: the user may not, or something exists with other properties.
        DependencyDownError: the exchange does not answer.
    """
    if scheme_of(settings.exchange) == EMBEDDED_EXCHANGE:
        for party in parties:  # opening it is what declares a party
            async with EmbeddedTransport(settings.exchange, party, SystemClock()):
                pass
        return
    from gateway.transport import rabbitmq_topology  # noqa: PLC0415

    await rabbitmq_topology.declare(_address(settings), parties)


async def check_exchange(settings: Settings, parties: Collection[str]) -> list[Finding]:
    """Return what is missing on the exchange for some parties, or is there with other properties; change nothing.

    Raises:
        ConfigurationError: the exchange does not let this user in.
        DependencyDownError: the exchange does not answer.
    """
    if scheme_of(settings.exchange) == EMBEDDED_EXCHANGE:
        known = await known_parties(settings.exchange)
        return [NOT_DECLARED.at(name=party) for party in parties if party not in known]
    from gateway.transport import rabbitmq_topology  # noqa: PLC0415

    return await rabbitmq_topology.check(_address(settings), parties)


def _address(settings: Settings) -> Any:
    from gateway.transport.rabbitmq_connection import Address  # noqa: PLC0415

    return Address(url=settings.exchange, password=settings.exchange_password(), tls=_tls(settings))


def _tls(settings: Settings) -> Any:
    if scheme_of(settings.exchange) != "amqps":
        return None
    from gateway.transport.rabbitmq_connection import Tls  # noqa: PLC0415

    return Tls(
        ca=settings.exchange_ca_file,
        certificate=settings.exchange_certificate_file,
        key=settings.exchange_key_file,
    )


@asynccontextmanager
async def running(*gateways: Gateway) -> AsyncIterator[None]:
    """Let gateways work while the block runs; a gateway that fails ends the block with its error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(gateway.run(), name=gateway.context.party) for gateway in gateways]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as group_error:
        if len(group_error.exceptions) == 1:  # the block's own error, or the one that ended it
            raise group_error.exceptions[0] from None
        raise
