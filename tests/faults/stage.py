"""The stage of one run: both parties' processes, kept alive, and everything around them that can be broken."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.ports import LOOPBACK
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from faults import story
from faults.case_system import connected, prepare
from faults.disk import small_disk
from faults.evidence import Places, left
from faults.proxy import Proxy
from faults.sides import Task
from gateway.errors import GatewayError
from gateway.progress import Hop
from gateway.store import Store

PARTIES = ("kommun", "region")
SENDER, RECEIVER = PARTIES

TESTS = Path(__file__).parents[1]

COMES_BACK_AFTER = 0.3
"""Seconds until a process that has died is started again."""

LOOKS_EVERY = 0.5
"""Seconds between two looks at how far a run has come."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a run is played with.

    ``store`` is sqlite or postgresql, ``processes`` how many each party runs, ``speed`` how fast the clock runs,
    ``seconds`` how long the events are told at least, ``disk`` the megabytes of a small disk for each party's store.
    ``deaths`` are the hops at which processes of a party kill themselves, one after the other.
    """

    store: str = "sqlite"
    processes: int = 1
    speed: float = 30.0
    seconds: float = 20.0
    network: bool = False
    disorder: bool = False
    disk: int | None = None
    deaths: dict[str, tuple[tuple[Hop, int], ...]] = field(default_factory=dict)


class Keeper:
    """Keeps one process of a party alive: whenever it ends it is started again, until it is told to stop."""

    def __init__(self, name: str, task: Task, log: Path, deaths: list[tuple[Hop, int]]) -> None:
        self.name = name
        self.ended: list[int] = []
        self._task = task
        self._log = log
        self.deaths = deaths
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def keep(self) -> None:
        """Run the process until it has ended after :meth:`stop`."""
        with self._log.open("ab") as log:
            while not self._stopping:
                dies_at = self.deaths.pop(0) if self.deaths else None
                task = replace(self._task, dies_at=dies_at, seed=self._task.seed + len(self.ended))
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "faults.sides", task.as_json()),
                    cwd=TESTS,
                    stdin=asyncio.subprocess.DEVNULL,
                    stderr=log,
                    stdout=log,
                )
                try:
                    self.ended.append(await self._process.wait())
                finally:
                    if self._process.returncode is None:
                        self._process.kill()
                await asyncio.sleep(COMES_BACK_AFTER)

    def kill(self) -> None:
        """Kill the process with SIGKILL, if one runs."""
        if self._process is not None and self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Let the process finish what it has in hand and end."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()


class Stage:
    """One run at work. The bodies of faults break what is here, and see how far the telling has come."""

    def __init__(
        self, folder: Path, node: RabbitMqNode, server: PostgreSqlServer | None, layout: Layout, events: int, seed: int
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.node = node
        self.layout = layout
        self.events = events
        self.chance = random.Random(seed)  # noqa: S311 -- the same moments in the same run
        self.keepers: list[Keeper] = []
        self.proxies: dict[str, Proxy] = {}
        self.disks: dict[str, Path] = {}
        self._server = server
        self._seed = seed
        self._urls: dict[str, str] = {}

    @property
    def server(self) -> PostgreSqlServer:
        """The server of a run on PostgreSQL."""
        assert self._server is not None
        return self._server

    @property
    def places(self) -> Places:
        """Where the evidence lies."""
        return Places(
            sender_store=self._urls[SENDER],
            receiver_store=self._urls[RECEIVER],
            sender_system=self._system(SENDER),
            receiver_system=self._system(RECEIVER),
        )

    def clock_of(self, party: str) -> Path:
        """Return the file that sets a party's clock wrong."""
        return self.folder / f"{party}.clock"

    def _system(self, party: str) -> Path:
        return self.folder / f"{party}-system.sqlite"

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Set everything up and keep all processes alive while the block runs."""
        async with AsyncExitStack() as stack:
            exchange = await self.node.vhost()
            for party in PARTIES:
                await self._set_up(party, stack)
            started = time.time()
            for party in PARTIES:
                await self._cast(party, exchange, started, stack)
            keeping = [asyncio.create_task(keeper.keep(), name=keeper.name) for keeper in self.keepers]
            try:
                yield
                for keeper in self.keepers:
                    keeper.stop()
                await asyncio.wait(keeping, timeout=40)
            finally:
                for keeper in self.keepers:
                    keeper.kill()
                for task in keeping:
                    task.cancel()
                await asyncio.wait(keeping)

    async def _set_up(self, party: str, stack: AsyncExitStack) -> None:
        prepare(self._system(party), list(story.events(self.events)) if party == SENDER else [])
        home = self.folder
        if self.layout.disk is not None:
            home = self.disks[party] = stack.enter_context(small_disk(self.folder / f"{party}-disk", self.layout.disk))
        if self.layout.store == "sqlite":
            self._urls[party] = f"sqlite+aiosqlite:///{home / party}.sqlite"
        else:
            self._urls[party] = await asyncio.to_thread(self.server.create_database)
        async with Store(self._urls[party]):
            pass

    async def _cast(self, party: str, exchange: str, started: float, stack: AsyncExitStack) -> None:
        if self.layout.network:
            proxy = self.proxies[party] = await stack.enter_async_context(Proxy(self.node.port))
            exchange = exchange.replace(f"@{LOOPBACK}:{self.node.port}/", f"@{LOOPBACK}:{proxy.port}/")
        for index in range(self.layout.processes):
            task = Task(
                party=party,
                store=self._urls[party],
                exchange=exchange,
                system=str(self._system(party)),
                clock=str(self.clock_of(party)),
                started=started,
                speed=self.layout.speed,
                rate=self.events / self.layout.seconds if party == SENDER else 1_000,
                charges=4,
                seed=self._seed + 1_000 * len(self.keepers),
                alone=self.layout.processes == 1,
                leads=index == 0,
                disorder=self.layout.disorder,
            )
            name = f"{party}-{index}"
            deaths = list(self.layout.deaths.get(party, ()))
            self.keepers.append(Keeper(name, task, self.folder / f"{name}.log", deaths))

    # --- what the bodies of faults do -------------------------------------------------------------------------------

    def kill(self, party: str) -> None:
        """Kill one process of a party with SIGKILL."""
        self.chance.choice([one for one in self.keepers if one.name.startswith(party)]).kill()

    async def told(self, share: float) -> None:
        """Return when so much of the events has been told and answered."""
        with closing(connected(self._system(SENDER))) as database:
            query = "SELECT count(*) FROM told WHERE answer IS NOT NULL OR refusal IS NOT NULL"
            while database.execute(query).fetchone()[0] < share * self.events:  # noqa: ASYNC110 -- of other processes
                await asyncio.sleep(0.05)

    async def a_moment(self, at_most: float) -> None:
        """Wait for a random while."""
        await asyncio.sleep(self.chance.uniform(0, at_most))

    async def settled(self, patience: float) -> dict[str, int]:
        """Return when nothing is left to be done, or what is left when the time is over."""
        began = time.monotonic()
        known: dict[str, int] = {}
        async with AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(Store(self._urls[party], migrates=False)) for party in PARTIES]
            while time.monotonic() < began + patience:
                try:
                    remains = await left(self.places, *stores)
                except GatewayError:
                    remains = {"unknown": 1}
                if any(keeper.deaths for keeper in self.keepers):
                    remains["deaths"] = sum(len(keeper.deaths) for keeper in self.keepers)
                if remains != known:
                    known = remains
                    with (self.folder / "settling.log").open("a", encoding="utf-8") as log:
                        log.write(f"{time.monotonic() - began:.1f} s: {remains}\n")
                if not remains:
                    break
                await asyncio.sleep(LOOKS_EVERY)
        return known

    @property
    def deaths(self) -> int:
        """How often a process of either party has been killed."""
        return sum(code == -signal.SIGKILL for keeper in self.keepers for code in keeper.ended)

    @property
    def failures(self) -> int:
        """How often a process ended by itself, since what it needed was not there when it started."""
        return sum(code not in (0, -signal.SIGKILL) for keeper in self.keepers for code in keeper.ended)
