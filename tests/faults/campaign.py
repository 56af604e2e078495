"""The campaign: every fault by its name, each a run of its own, and the table it ends in."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from faults import breaking
from faults.breaking import DEATHS_AT_HOPS, DEATHS_BETWEEN, Body, killing
from faults.checker import Finding, Kind, check, messages_in
from faults.evidence import gather
from faults.stage import RECEIVER, SENDER, Layout, Stage

MANY = 10_000
"""Events of the runs in which the broker fails. With a clock too fast, what is only slow is sent again and again."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A run: how it is laid out, what is broken meanwhile, and how many events are told."""

    name: str
    layout: Layout
    body: Body = breaking.nothing
    events: int = 1_000


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run came to."""

    fault: Fault
    messages: int
    seconds: float
    deaths: int
    copies: int
    findings: Sequence[Finding]
    left: dict[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[Kind]:
        """How much of each kind is wrong."""
        return Counter(finding.kind for finding in self.findings)


BOTH = ("sqlite", "postgresql")

FAULTS = (
    *(
        Fault(name=f"{name}-{store}", layout=Layout(store=store), body=body)
        for store in BOTH
        for name, body in (("kill-sender", killing(SENDER)), ("kill-receiver", killing(RECEIVER)))
    ),
    # A lease must outlast what it is for, also by a fast clock: so these run slower.
    Fault(
        name="kill-workers-postgresql",
        layout=Layout(store="postgresql", processes=2, speed=10, seconds=30),
        body=killing(SENDER, RECEIVER),
    ),
    *(
        Fault(name=f"{name}-{store}", layout=Layout(store=store, deaths=deaths, seconds=15))
        for store in BOTH
        for name, deaths in (("die-at-every-hop", DEATHS_AT_HOPS), ("die-before-mark-and-settle", DEATHS_BETWEEN))
    ),
    Fault(name="broker-stop-sqlite", layout=Layout(speed=12, seconds=50), body=breaking.broker_stops, events=MANY),
    Fault(
        name="broker-kill-postgresql",
        layout=Layout(store="postgresql", speed=12, seconds=50),
        body=breaking.broker_is_killed,
        events=MANY,
    ),
    Fault(
        name="broker-pause-sqlite", layout=Layout(speed=12, seconds=50), body=breaking.broker_stands_still, events=MANY
    ),
    Fault(name="network-cut-sqlite", layout=Layout(network=True), body=breaking.network_is_cut),
    Fault(name="network-slow-sqlite", layout=Layout(network=True), body=breaking.network_is_slow),
    Fault(
        name="network-silent-postgresql",
        layout=Layout(store="postgresql", network=True),
        body=breaking.network_is_silent,
    ),
    Fault(name="database-restart-postgresql", layout=Layout(store="postgresql"), body=breaking.database_restarts),
    Fault(name="database-kill-postgresql", layout=Layout(store="postgresql"), body=breaking.database_is_killed),
    Fault(name="disk-full-sqlite", layout=Layout(disk=96), body=breaking.disk_is_full),
    *(
        Fault(name=f"{name}-{store}", layout=Layout(store=store), body=body)
        for store in BOTH
        for name, body in (
            ("clock-jumps", breaking.clocks_jump),
            ("clock-back-after-outage", breaking.clocks_jump_while_broker_is_away),
        )
    ),
    *(Fault(name=f"copies-in-disorder-{store}", layout=Layout(store=store, disorder=True)) for store in BOTH),
    Fault(
        name="everything-postgresql",
        layout=Layout(store="postgresql", network=True, disorder=True, seconds=40),
        body=breaking.everything,
        events=2_000,
    ),
)

SMALL = (
    Fault(
        name="small-sqlite",
        layout=Layout(network=True, speed=60, seconds=5),
        body=breaking.a_little_of_each,
        events=250,
    ),
    Fault(
        name="small-postgresql",
        layout=Layout(
            store="postgresql",
            disorder=True,
            speed=60,
            seconds=4,
            deaths={party: deaths[2:4] for party, deaths in DEATHS_AT_HOPS.items()},
        ),
        events=200,
    ),
)


def patience_for(events: int) -> float:
    """Return how many seconds a run may take to settle once everything is mended."""
    return 240 + events / 20


async def play(
    fault: Fault, folder: Path, node: RabbitMqNode, server: PostgreSqlServer | None, *, events: int, seed: int
) -> Result:
    """Play one run, and check what it leaves."""
    began = time.monotonic()
    stage = Stage(folder, node, server, fault.layout, events, seed)
    async with stage.at_work():
        left = {"faults": 1}
        try:
            async with asyncio.timeout(patience_for(events) + 3 * fault.layout.seconds):
                await fault.body(stage)
            left = await stage.settled(patience_for(events))
        except TimeoutError:
            pass
        evidence = await gather(stage.places) if stage.disks else None
    # Stopped in order, they have finished what they had in hand; a small disk is gone by then.
    evidence = evidence or await gather(stage.places)
    return Result(
        fault=fault,
        messages=messages_in(evidence),
        seconds=time.monotonic() - began,
        deaths=stage.deaths,
        copies=sum(line.event == "duplicate" for line in evidence.receiver.history),
        findings=check(evidence),
        left=left,
    )


def is_clean(results: Iterable[Result]) -> bool:
    """Tell whether nothing at all is wrong, and something was looked at."""
    return all(result.messages > 0 and not result.findings for result in results)


def table_of(results: Iterable[Result]) -> Table:
    """Return the table: a row for each run, and what is wrong in it, which must be nothing."""
    table = Table(title="Faults", box=SIMPLE_HEAD)
    table.add_column("run", no_wrap=True)
    for heading in ("messages", *(kind.value for kind in Kind), "killed", "copies", "seconds"):
        table.add_column(heading, justify="right")
    for result in results:
        counts = [result.counts[kind] for kind in Kind]
        table.add_row(
            result.fault.name,
            str(result.messages),
            *(f"[bold red]{count}[/]" if count else "0" for count in counts),
            str(result.deaths),
            str(result.copies),
            f"{result.seconds:.0f}",
            style="" if is_clean([result]) else "red",
        )
    return table


def tell_findings(console: Console, result: Result, at_most: int = 12) -> None:
    """Say what is wrong in a run, as far as it is worth reading."""
    shown: Counter[Kind] = Counter()
    for finding in result.findings:
        shown[finding.kind] += 1
        if shown[finding.kind] <= at_most:
            console.print(f"  {finding.kind}: {finding.message_id} {finding.what}", highlight=False)
    if result.left:
        console.print(f"  left to be done: {result.left}", highlight=False)
