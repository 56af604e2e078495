"""A gateway as a service: one process that works until it is told to stop, and then stops without losing anything."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from gateway import __version__
from gateway.app import open_gateway
from gateway.clock import SystemClock
from gateway.config import Settings

T = TypeVar("T")

SIGNALS = (signal.SIGTERM, signal.SIGINT)
"""What tells a process to stop: the first one gently, a second one at once."""

GARBAGE_THRESHOLDS = (500_000, 20, 100)
"""When Python looks for garbage that refers to itself: a batch makes many objects, and they end by themselves."""

log = structlog.get_logger(__name__)


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` in an event loop, the faster kind where there is one."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        from uvloop import new_event_loop  # noqa: PLC0415 -- not there on every platform
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


@contextmanager
def told_to_stop(tell: Callable[[], None]) -> Iterator[None]:
    """Call ``tell`` at the first signal; from then on a signal does what it does to any process: it ends it."""
    loop = asyncio.get_running_loop()

    def first(number: signal.Signals) -> None:
        release()
        log.info("stop.requested", signal=number.name)
        tell()

    def release() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in SIGNALS:
        loop.add_signal_handler(number, first, number)
    try:
        yield
    finally:
        release()


async def serve(settings: Settings, worker: int | None = None) -> None:
    """Run the gateway of the settings in this process until a signal comes.

    ``worker`` is the number of this process among several that run the gateway: the first takes events, and none gives
    back what its siblings hold. It also stops when whoever started it is gone, which its standard input tells.

    Raises:
        ConfigurationError: the settings cannot be used.
        DependencyDownError: the database or the exchange does not answer at the start; later, the gateway waits.
    """
    stop = asyncio.Event()
    alone, leads = worker is None, worker in (None, 0)
    with structlog.contextvars.bound_contextvars(**({} if worker is None else {"worker": worker})):
        if worker is not None:
            _watch_starter(stop)
        with told_to_stop(stop.set):
            async with open_gateway(settings, SystemClock(), alone=alone, leads=leads) as gateway:
                log.info("gateway.started", party=settings.party, version=__version__, pid=os.getpid())
                await gateway.run(stop, timedelta(seconds=settings.drain_seconds))
        log.info("gateway.stopped", party=settings.party)


def _watch_starter(stop: asyncio.Event) -> None:
    """Set ``stop`` when standard input ends: its other end is held by the process that started this one."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1024):
            loop.remove_reader(0)
            log.warning("stop.starter-gone")
            stop.set()

    loop.add_reader(0, look)
