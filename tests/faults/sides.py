"""One process of one party: a gateway over the places it is told, beside its case system. It may be told to die.

What it is to do comes as JSON in its argument. It works until SIGTERM, or until it kills itself at the hop it was told.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from asyncio import Event
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from faults.case_system import CaseSystem
from faults.clocks import FastClock
from faults.unruly import Disorder, UnrulyTransport
from gateway.circuit import Pace
from gateway.context import Context
from gateway.directory import Directory
from gateway.hops import Gateway
from gateway.logs import logging_to
from gateway.progress import Hop, Observer, Passage, ignore
from gateway.resources import demo_directory
from gateway.service import run_loop, told_to_stop
from gateway.store import Store
from gateway.transport.rabbitmq import RabbitMqTransport

KINDS = {"kommun": "treserva", "region": "journal"}
"""The case system of each party: the first one tells, the second one is told."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a process is to do. ``dies_at`` is the hop it kills itself at, when that is passed for the nth time."""

    party: str
    store: str
    exchange: str
    system: str
    clock: str
    started: float
    speed: float
    rate: float
    charges: int
    seed: int
    alone: bool = True
    leads: bool = True
    disorder: bool = False
    dies_at: tuple[str, int] | None = None

    def as_json(self) -> str:
        """Return the task as it is handed to the process."""
        return json.dumps(asdict(self))


def assassin(hop: Hop, nth: int) -> Observer:
    """Return an observer that kills this process when ``hop`` is passed for the nth time."""
    left = nth

    def watch(passage: Passage) -> None:
        nonlocal left
        left -= passage.hop is hop
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return watch


async def work(task: Task) -> None:
    """Be the gateway until told to stop."""
    stop = Event()
    clock = FastClock(task.started, task.speed, Path(task.clock))
    chance = random.Random(task.seed)  # noqa: S311 -- the same spread of retries in the same run
    directory = Directory.load(demo_directory())
    observe = assassin(Hop(task.dies_at[0]), task.dies_at[1]) if task.dies_at is not None else ignore
    transport = (
        UnrulyTransport(task.exchange, task.party, disorder=Disorder(chance))
        if task.disorder
        else RabbitMqTransport(task.exchange, task.party)
    )
    system = CaseSystem(KINDS[task.party], Path(task.system), clock, directory, rate=task.rate, charges=task.charges)
    with told_to_stop(stop.set):
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(Store(task.store))
            await stack.enter_async_context(transport)
            pace = Pace(drain_per_second=1_000)  # of the fast clock
            context = Context(task.party, directory, store, clock, observe, chance.random, pace)
            await Gateway(context, system, transport, alone=task.alone, leads=task.leads).run(stop)


def main() -> None:
    """Do what the argument says."""
    told = json.loads(sys.argv[1])
    with logging_to(sys.stderr):
        run_loop(work(Task(**told)))


if __name__ == "__main__":
    main()
