"""``gateway run`` as a process of its own, and two parties that run so beside their case systems."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from blank import blank_store

from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.clock import SystemClock
from gateway.replay.people import invented
from gateway.replay.scenario import Scenario
from gateway.replay.stage import CAST

ROOT = Path(__file__).parent.parent
DIRECTORY = ROOT / "fixtures" / "directory.toml"


class Service:
    """A running ``gateway run``; its log is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []

    async def logs(self, event: str, times: int = 1, **members: Any) -> dict[str, Any]:
        """Read on until the log has told ``event`` with these members so many times more, and return the last."""
        async for line in self._lines():
            if line["event"] == event and members.items() <= line.items():
                times -= 1
                if times == 0:
                    return line
        raise AssertionError(f"the log has ended without {event}: {self.log[-5:]}")

    async def has_logged(self, event: str, times: int = 1, **members: Any) -> list[dict[str, Any]]:
        """Read on until the log has told ``event`` with these members so many times in all, and return those lines."""
        while len(told := [line for line in self.told(event) if members.items() <= line.items()]) < times:
            await self.logs(event, **members)
        return told

    async def stops(self) -> int:
        """Tell it to stop; read the log to its end and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ends()

    async def ends(self) -> int:
        """Read the log to its end and return the exit code."""
        async for _ in self._lines():
            pass
        return await self.process.wait()

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return what has been read of one kind."""
        return [line for line in self.log if line["event"] == event]

    async def _lines(self) -> AsyncIterator[dict[str, Any]]:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            try:
                self.log.append(json.loads(line))
            except ValueError:
                raise AssertionError(f"no line of the log: {line!r}") from None
            yield self.log[-1]


class Hesitant(SimulatedCaseSystem):
    """A case system that gives no receipt while it ``hesitates``; ``asked`` says that it has been handed something."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(path, kind, SystemClock())
        self.hesitates = False
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def _take(self, file: Path) -> None:
        if self.hesitates:
            self._loop.call_soon_threadsafe(self.asked.set)
        else:
            super()._take(file)


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    return others | {f"GATEWAY_{name.upper()}": value for name, value in settings.items()}


@asynccontextmanager
async def running_service(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[Service]:
    """Start ``gateway run`` in ``folder`` with settings from the environment; kill it at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "run"),
        cwd=folder,
        env=clean_environment(**{"log_level": "debug", **settings}) | {"PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Service(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two parties that share one exchange, each with its case system at work."""

    folder: Path
    settings: dict[str, dict[str, str]]
    systems: dict[str, Hesitant]

    @asynccontextmanager
    async def runs(self, party: str, **more: str) -> AsyncIterator[Service]:
        """Start a party's gateway, queues and all: what was sent to it before would be tried again in a minute."""
        async with running_service(self.folder, self.settings[party] | more) as service:
            await service.logs("gateway.started")
            yield service

    async def says(self, cases: int) -> None:
        """Let the municipal system tell a need and then a consent, for so many cases."""
        for number in range(cases):
            for name, event in events_of(number).items():
                await self.systems["kommun"].say(name, event)


A_CHILD = date(2010, 3, 4)
"""A birthday of someone for whom a guardian consents, as in the story told."""


def events_of(number: int) -> dict[str, bytes]:
    """Return a need and a consent about a case of their own, by file name."""
    told = {}
    for step in Scenario.load("consent-withdrawn").steps[:2]:
        event = json.loads(step.content)
        event["handelseId"] += f"-{number}"
        event["arendeId"] += f"-{number}"
        event["person"] |= dict(zip(("personnummer", "namn"), invented(number, first_day=A_CHILD), strict=True))
        told[f"{number:03}-{step.file_name}"] = json.dumps(event, ensure_ascii=False).encode()
    return told


@asynccontextmanager
async def pair(folder: Path, **common: str) -> AsyncIterator[Pair]:
    """Prepare two parties in ``folder``; ``{party}`` in a common setting becomes the name of the party."""
    async with AsyncExitStack() as stack:
        settings: dict[str, dict[str, str]] = {}
        systems: dict[str, Hesitant] = {}
        for system, party in CAST.items():
            settings[party] = {
                "party": party,
                "store": blank_store(folder / f"{party}.sqlite"),
                "exchange": f"sqlite+aiosqlite:///{folder / 'exchange.sqlite'}",
                "directory": str(DIRECTORY),
                "adapter": system,
                "folder": str(folder / system),
                **{name: value.replace("{party}", party) for name, value in common.items()},
            }
            systems[party] = Hesitant(folder / system, system)
            await stack.enter_async_context(systems[party])
        yield Pair(folder, settings, systems)
