"""The stage a scenario is played on: two gateways, each with its own store and simulated case system, one exchange.

Everything lives in one folder. A play that was killed goes on where it was when it is started on the same folder:
what the case systems have said stays said, and the gateways take up what was left half-done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.app import log_passage, open_gateway, running
from gateway.config import Settings
from gateway.errors import Fault, GatewayError
from gateway.hops import Gateway
from gateway.progress import Observer, Passage
from gateway.replay.scenario import Scenario, Step
from gateway.resources import demo_directory
from gateway.store import ledger

CAST = {"treserva": "kommun", "journal": "region"}
"""Which party each case system works for."""

PATIENCE = timedelta(seconds=60)
"""How long, on the wall, one step may take to settle."""

UNSETTLED = Fault(
    "replay.unsettled",
    "Steget {step} blev inte klart inom {seconds} sekunder.",
    "Step {step} did not settle within {seconds} seconds.",
)


class UnsettledError(GatewayError):
    """A step of a scenario did not come to its end in time."""

    exit_code = 7


class StoryClock:
    """A clock that runs like any other, and is moved forward to where the next step of the story is told."""

    def __init__(self, start: datetime) -> None:
        self._ahead = start.timestamp() - time.time()

    def now(self) -> datetime:
        """Return the story's time in UTC."""
        return datetime.fromtimestamp(time.time() + self._ahead, UTC)

    def move_to(self, moment: datetime) -> None:
        """Move forward to ``moment``; a moment that has passed changes nothing."""
        self._ahead += max(0.0, (moment - self.now()).total_seconds())


@dataclass(frozen=True, slots=True)
class Stage:
    """Two gateways at work, with their case systems."""

    folder: Path
    clock: StoryClock
    gateways: dict[str, Gateway]
    systems: dict[str, SimulatedCaseSystem]
    stirred: asyncio.Event
    """Set whenever a message has passed a hop."""

    async def play(self, step: Step) -> None:
        """Let a case system tell its event, unless it already has, and wait until everything it caused has settled.

        Raises:
            UnsettledError: that took too long.
        """
        self.clock.move_to(step.at)
        if not _was_told(self.folder, step):
            await self.systems[step.system].say(step.file_name, step.content)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                while not await self._is_settled():
                    await self.stirred.wait()
                    self.stirred.clear()
        except TimeoutError:
            seconds = int(PATIENCE.total_seconds())
            raise UnsettledError(UNSETTLED.at(step=step.file_name, seconds=seconds)) from None

    async def _is_settled(self) -> bool:
        """Tell whether every event is answered and every message has come as far as it can."""
        for system, party in CAST.items():
            unanswered = any((self.folder / system / "to_gateway").glob("*.json"))
            if unanswered:
                return False
            async with self.gateways[party].context.store.reading() as tx:
                if await ledger.unsettled(tx):
                    return False
        return True


@asynccontextmanager
async def set_up(scenario: Scenario, folder: Path, observe: Observer) -> AsyncIterator[Stage]:
    """Open the stage for ``scenario`` in ``folder`` and let the gateways work while the block runs."""
    told = [step for step in scenario.steps if _was_told(folder, step)]
    clock = StoryClock((told or scenario.steps)[-1 if told else 0].at)
    stirred = asyncio.Event()

    def watch(passage: Passage) -> None:
        log_passage(passage)
        observe(passage)
        stirred.set()

    async with AsyncExitStack() as stack:
        gateways, systems = {}, {}
        for system, party in CAST.items():
            settings = Settings.model_construct(
                party=party,
                store=database_url(folder / f"{party}.sqlite"),
                exchange=database_url(folder / "exchange.sqlite"),
                directory=demo_directory(),
                adapter=system,
                folder=folder / system,
            )
            gateways[party] = await stack.enter_async_context(open_gateway(settings, clock, watch))
            systems[system] = await stack.enter_async_context(SimulatedCaseSystem(folder / system, system, clock))
        await stack.enter_async_context(running(*gateways.values()))
        yield Stage(folder, clock, gateways, systems, stirred)


def database_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def _was_told(folder: Path, step: Step) -> bool:
    system = folder / step.system
    return any((system / place / step.file_name).exists() for place in ("to_gateway", "archive", "quarantine"))
