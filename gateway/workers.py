"""Several processes that run one gateway on one database: started, watched, started again, and stopped together.

Each is a process of its own from the first instruction, since a running event loop cannot be forked.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

import structlog

from gateway.app import open_gateway
from gateway.clock import SystemClock
from gateway.config import PREFIX, Settings
from gateway.service import told_to_stop
from gateway.stopping import pause

FIRST_WAIT = timedelta(seconds=1)
"""How long a worker that has died stays away the first time; twice as long every time after that."""
LONGEST_WAIT = timedelta(seconds=60)
"""How long it stays away at most; one that has lived so long begins anew with :data:`FIRST_WAIT`."""
GRACE = timedelta(seconds=5)
"""How much longer than its own drain time a worker may take before it is killed."""

log = structlog.get_logger(__name__)


async def supervise(settings: Settings, config: Path | None = None) -> None:
    """Keep ``settings.workers`` processes running until a signal comes; return when all of them have ended.

    Raises:
        ConfigurationError: the settings cannot be used.
        DependencyDownError: the database or the exchange does not answer at the start.
    """
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        stack.enter_context(told_to_stop(stop.set))
        # Before the first of them starts: the tables are brought up to date, and what dead processes held is given
        # back. No worker may do that itself, since its siblings are at work.
        async with open_gateway(settings, SystemClock()) as gateway:
            await stack.enter_async_context(gateway.recovered())
        log.info("gateway.started", party=settings.party, workers=settings.workers, pid=os.getpid())
        workers = [Worker(index, settings, config, stop) for index in range(settings.workers)]
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(worker.keep(), name=f"worker {worker.index}") for worker in workers]
            await stop.wait()
            for worker in workers:
                worker.tell_to_stop()
            patience = timedelta(seconds=settings.drain_seconds) + GRACE
            _, late = await asyncio.wait(keeping, timeout=patience.total_seconds())
            if late:
                log.warning("stop.killed", workers=sorted(task.get_name() for task in late))
                for worker in workers:
                    worker.kill()
    log.info("gateway.stopped", party=settings.party)


class Worker:
    """One of the processes; ``keep`` starts it again whenever it ends by itself."""

    def __init__(self, index: int, settings: Settings, config: Path | None, stop: asyncio.Event) -> None:
        self.index = index
        self._arguments = ["-m", "gateway", "run", "--worker", str(index)]
        if config is not None:
            self._arguments += ["--config", str(config)]
        self._environment = environment_of(settings, os.environ)
        self._stop = stop
        self._process: asyncio.subprocess.Process | None = None

    async def keep(self) -> None:
        """Run the process until it has ended after ``stop`` was set."""
        wait = FIRST_WAIT
        clock = asyncio.get_running_loop().time
        while not self._stop.is_set():
            began = clock()
            code = await self._run()
            if self._stop.is_set():
                return
            if clock() - began > LONGEST_WAIT.total_seconds():
                wait = FIRST_WAIT
            log.error("worker.died", worker=self.index, exit_code=code, again_in=wait.total_seconds())
            await pause(self._stop, wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def tell_to_stop(self) -> None:
        """Let the process finish what it has in hand."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _run(self) -> int:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,  # ends when this process does, however that happens
            start_new_session=True,  # Ctrl-C in a terminal comes here only, and is passed on once
        )
        if self._stop.is_set():
            self.tell_to_stop()
        log.info("worker.started", worker=self.index, pid=self._process.pid)
        try:
            return await self._process.wait()
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            self._process = None


def environment_of(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` with exactly these settings in it, so that every worker has the same."""
    others = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
    simple = {"adapter", "folder"} if settings.adapters else set()  # one or the other is said, never both
    values = settings.model_dump(mode="json", exclude_none=True, exclude=simple)
    return others | {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
