"""One process of the benchmark. What it is to do comes as JSON in its argument; what it measured goes out as JSON.

A receiver says ``ready`` and works until its standard input is closed; a sender says what it measured and ends.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import floor, story
from gateway.adapters.table import ADAPTERS
from gateway.context import Context
from gateway.directory import Directory
from gateway.errors import Finding
from gateway.hops import Gateway
from gateway.messages import Message
from gateway.notices import Notice
from gateway.ports import Arrival, Event, Registration, Translation
from gateway.progress import Hop, Passage
from gateway.replay.stage import StoryClock
from gateway.resources import demo_directory
from gateway.service import run_loop
from gateway.store import Store
from gateway.transport.rabbitmq import RabbitMqTransport

BATCH = 256
"""How many events the case system tells at a time."""


@dataclass(slots=True, eq=False)
class Told:
    """An event on the doorstep; the message it becomes is timed from the moment it was told."""

    event: Event
    at: float
    begun: dict[str, float]

    async def accept(self, answer: dict[str, Any]) -> None:
        """Remember when the message was told of."""
        for message_id in answer["messageIds"]:
            self.begun.setdefault(message_id, self.at)

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Fail: every event of the benchmark is right."""
        raise RuntimeError([finding.code for finding in findings])


class CaseSystem:
    """A case system in memory: tells what it is given, understands it as the real adapter does, and takes at once."""

    name = "treserva"

    def __init__(self, kind: str) -> None:
        self._words = ADAPTERS[kind](Path("nowhere"), Directory.load(demo_directory()))
        self.says: asyncio.Queue[list[Told]] = asyncio.Queue(maxsize=4)
        self.translate: Callable[[Event], Translation] = self._words.translate

    async def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        """Tell what was put in ``says``."""
        while True:
            yield await self.says.get()

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Take a message."""
        return Registration(record_id=f"R-{message.header.message_id}")

    async def note(self, message: Message) -> None:
        """Write a step."""

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something."""

    async def ping(self) -> None:
        """Answer."""


class Verdicts:
    """What is known at the sender: counts messages that have reached a level, and wakes who waits for a number."""

    def __init__(self, level: str) -> None:
        self._level = f"{level}/accepted"
        self.times: dict[str, float] = {}
        self._more = asyncio.Event()

    def observe(self, passage: Passage) -> None:
        """Note a verdict."""
        if passage.hop is Hop.VERDICT and passage.detail == self._level and passage.message_id is not None:
            self.times[passage.message_id] = time.perf_counter()
            self._more.set()

    async def reach(self, number: int) -> None:
        """Return when ``number`` messages have got there."""
        while len(self.times) < number:
            self._more.clear()
            await self._more.wait()


@asynccontextmanager
async def open_side(
    task: dict[str, Any], party: str, observe: Callable[[Passage], None]
) -> AsyncIterator[tuple[Gateway, CaseSystem]]:
    """Open a party's gateway on the broker."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(task["store"]))
        transport = await stack.enter_async_context(RabbitMqTransport(task["exchange"], party))
        context = Context(
            party, Directory.load(demo_directory()), store, StoryClock(story.BEGINS), observe, chance=lambda: 0.5
        )
        system = CaseSystem("treserva" if party == "kommun" else "journal")
        yield Gateway(context, system, transport), system


@asynccontextmanager
async def at_work(gateway: Gateway, *, delivers: bool) -> AsyncIterator[None]:
    """Let a gateway work while the block runs: all of it, or without handing messages to its case system."""
    stop = asyncio.Event()
    if not delivers:
        gateway.delivery.deliver = _nothing  # type: ignore[method-assign]
    work = asyncio.create_task(gateway.run(stop))
    try:
        yield
    finally:
        stop.set()
        await work


async def _nothing() -> int:
    return 0


async def receive(task: dict[str, Any]) -> None:
    """Be the receiving side until standard input is closed."""
    ready = asyncio.Event()
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    if task["kind"] == "floor":
        working = asyncio.create_task(floor.receive(task["exchange"], ready))
        await ready.wait()
        begun = time.process_time()
        _say("ready")
        await ended
        working.cancel()
        await asyncio.wait([working])
        _say({"cpu_s": time.process_time() - begun})
        return
    async with open_side(task, "region", lambda _: None) as (gateway, _), at_work(gateway, delivers=task["delivers"]):
        begun = time.process_time()
        _say("ready")
        await ended
    _say({"memory_mb": _memory_mb(), "cpu_s": time.process_time() - begun})


async def send(task: dict[str, Any]) -> None:
    """Be the sending side, and say what was measured."""
    begun_with = time.process_time()
    if task["kind"] == "floor":
        _say({"rate": await floor.send(task["exchange"], task["count"]), "cpu_s": time.process_time() - begun_with})
        return
    verdicts = Verdicts(task["level"])
    cases, each = task["cases"], task["count"] // task["cases"]
    begun: dict[str, float] = {}
    async with (
        open_side(task, "kommun", verdicts.observe) as (gateway, system),
        at_work(gateway, delivers=task["delivers"]),
    ):
        for told in _batches((event for case in range(cases) for event in story.opening(case)), begun):
            await system.says.put(told)
        await verdicts.reach(2 * cases)
        events = [story.booking(case, number) for number in range(each) for case in range(cases)]
        start = time.perf_counter()
        if task.get("rate"):
            await _tell_at(task["rate"], events, system, begun)
        else:
            for told in _batches(iter(events), begun):
                await system.says.put(told)
        await verdicts.reach(2 * cases + len(events))
        took = max(verdicts.times.values()) - start
    waits = sorted(at - begun[one] for one, at in verdicts.times.items() if begun.get(one, 0.0) >= start)
    quantiles = statistics.quantiles(waits, n=100)
    _say(
        {
            "rate": len(events) / took,
            "p50_ms": quantiles[49] * 1000,
            "p99_ms": quantiles[98] * 1000,
            "memory_mb": _memory_mb(),
            "cpu_s": time.process_time() - begun_with,
        }
    )


def _batches(events: Iterator[bytes], begun: dict[str, float]) -> Iterator[list[Told]]:
    batch: list[Told] = []
    for content in events:
        batch.append(Told(Event(source="treserva", content=content), time.perf_counter(), begun))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _tell_at(rate: float, events: Sequence[bytes], system: CaseSystem, begun: dict[str, float]) -> None:
    """Tell events evenly at ``rate`` a second; each is timed from when it was to be told, however late that is."""
    start = time.perf_counter()
    told = 0
    while told < len(events):
        due = min(len(events), int((time.perf_counter() - start) * rate) + 1)
        batch = [
            Told(Event(source="treserva", content=events[number]), start + number / rate, begun)
            for number in range(told, due)
        ]
        if batch:
            await system.says.put(batch)
            told = due
        await asyncio.sleep(max(0.0, start + told / rate - time.perf_counter()))


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _say(words: Any) -> None:
    print(json.dumps(words), flush=True)  # noqa: T201 -- the parent reads it


def main() -> None:
    """Do what the argument says."""
    task = json.loads(sys.argv[1])
    run_loop(receive(task) if task["role"] == "receiver" else send(task))


if __name__ == "__main__":
    main()
