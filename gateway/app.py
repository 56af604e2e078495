"""Assembly: the only place that knows which implementations run, and the one exit stack that holds their lifetimes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from gateway.adapters.table import ADAPTERS
from gateway.clock import Clock
from gateway.config import Settings
from gateway.context import Context
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault
from gateway.hops import Gateway
from gateway.progress import Observer, Passage
from gateway.store import Store
from gateway.transport.embedded import EmbeddedTransport

log = structlog.get_logger(__name__)

UNKNOWN_PARTY = Fault(
    "config.unknown-party", "Parten {name} finns inte i enhetskatalogen.", "The party {name} is not in the directory."
)
UNKNOWN_ADAPTER = Fault(
    "config.unknown-adapter",
    "Adaptern {name} finns inte; det finns {known}.",
    "There is no adapter {name}; there are {known}.",
)


def log_passage(passage: Passage) -> None:
    """Write a passage to the log: ids and codes only."""
    log.info(
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
    settings: Settings, clock: Clock, observe: Observer = log_passage, chance: Callable[[], float] = random.random
) -> AsyncIterator[Gateway]:
    """Open everything a gateway needs, and close it when the block ends.

    Raises:
        ConfigurationError: the settings name a party, an adapter or a file that does not exist.
        DependencyDownError: the database or the exchange does not answer.
    """
    directory = Directory.load(settings.directory)
    if settings.party not in directory.parties:
        raise ConfigurationError(UNKNOWN_PARTY.at(name=settings.party))
    if settings.adapter not in ADAPTERS:
        raise ConfigurationError(UNKNOWN_ADAPTER.at(name=settings.adapter, known=", ".join(ADAPTERS)))
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(settings.store))
        transport = await stack.enter_async_context(EmbeddedTransport(settings.exchange, settings.party, clock))
        adapter = ADAPTERS[settings.adapter](settings.folder, directory)
        context = Context(settings.party, directory, store, clock, observe, chance)
        yield Gateway(context, adapter, transport)


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
