"""Run the benchmark: ``python -m bench``, or ``make bench``; with ``--full`` a million stored messages as well.

The floor and the gateway take turns on one private broker in one run, so that what else the machine does is shared by
both. Results go to ``bench/results.json`` and, as a table, into the README between the marks of the benchmark.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from services.installing import POSTGRESQL, RABBITMQ
from services.lifetime import MARK
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from bench import machine, pages
from bench.ledger import Ledger
from bench.stored import fill

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- benchmark -->", "<!-- /benchmark -->"

SECONDS = 12
"""How long one turn should take; how many messages that is follows from a first short one."""
TRIAL = 1000
"""How many messages that first turn is."""
EACH = 8
"""How many bookings each case of the gateway's turns has."""
SHARE = 0.75
"""How many messages a turn of the gateway has beside one of the floor. It takes longer: what it costs to fill the hops
at the beginning of a turn and to empty them at its end must not count for much."""
TURNS = 2
LONG = ("with_a_million_stored", "pages_with_a_million")
"""What only a full run measures, and a short one keeps."""
MILLION = 1_000_000
SOME = 50_000
"""How many messages are stored when pages are measured, where a million are not asked for."""


@dataclass
class Bench:
    """The servers of one run, and what has been measured on them."""

    node: RabbitMqNode
    server: PostgreSqlServer
    folder: Path

    def stores(self, kind: str) -> tuple[str, str]:
        """Return two empty databases of a kind, for the sender and the receiver."""
        if kind == "postgresql":
            return self.server.create_database(), self.server.create_database()
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return f"sqlite+aiosqlite:///{folder / 'sender.sqlite'}", f"sqlite+aiosqlite:///{folder / 'receiver.sqlite'}"

    async def floor(self, count: int) -> dict[str, Any]:
        """Measure the floor once."""
        return await self._pair({"kind": "floor", "count": count}, None, None)

    async def gateway(
        self, kind: str, count: float, stores: tuple[str, str] | None = None, **task: Any
    ) -> dict[str, Any]:
        """Measure the gateway once, on databases of a kind."""
        count = max(1, int(count) // EACH) * EACH
        sender, receiver = stores or self.stores(kind)
        asked = {"kind": "gateway", "count": count, "cases": count // EACH, "level": "received", "delivers": False}
        return await self._pair(asked | task, sender, receiver)

    async def _pair(self, task: dict[str, Any], sender: str | None, receiver: str | None) -> dict[str, Any]:
        """Let a receiver and a sender work, and return what they measured, with the processor time of all three."""
        task["exchange"] = await self.node.vhost()
        broker = psutil.Process(self.node.pid)
        before = sum(broker.cpu_times()[:2])
        other = _side(task | {"role": "receiver", "store": receiver})
        assert other.stdin is not None
        assert other.stdout is not None
        if other.stdout.readline().strip() != '"ready"':
            raise RuntimeError("the receiver did not come up")
        mine = _side(task | {"role": "sender", "store": sender})
        said = (await asyncio.to_thread(mine.communicate))[0]
        after = sum(broker.cpu_times()[:2])
        other.stdin.close()
        heard = await asyncio.to_thread(other.stdout.read)
        if mine.returncode or other.wait():
            raise RuntimeError("a side has failed")
        measured: dict[str, Any] = json.loads(said.splitlines()[-1])
        answered: dict[str, Any] = json.loads(heard.splitlines()[-1])
        measured["receiver_memory_mb"] = answered.get("memory_mb")
        messages = task["count"] * (1 if task["kind"] == "floor" else (EACH + 2) / EACH)
        measured["cpu_ms"] = {
            "sender": measured.pop("cpu_s") / messages * 1000,
            "receiver": answered["cpu_s"] / messages * 1000,
            "broker": (after - before) / messages * 1000,
        }
        return measured


def _side(task: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.side", json.dumps(task)]
    return subprocess.Popen(  # noqa: S603 -- our own module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def measure(bench: Bench, *, full: bool) -> dict[str, Any]:
    """Let the floor and the gateway take turns, and return everything that was measured."""
    trial = (await _told("floor, a first short turn", bench.floor(TRIAL)))["rate"]
    count = int(trial * SECONDS)
    floors = []
    by_store: dict[str, list[dict[str, Any]]] = {"sqlite": [], "postgresql": []}
    for _ in range(TURNS):
        floors.append(await _told("floor", bench.floor(count)))
        for kind, turns in by_store.items():
            turns.append(await _told(f"gateway, {kind}", bench.gateway(kind, count * SHARE)))
    floors.append(await _told("floor", bench.floor(count)))
    floor = statistics.mean(turn["rate"] for turn in floors)
    rates = {kind: statistics.mean(turn["rate"] for turn in turns) for kind, turns in by_store.items()}
    best = max(rates, key=lambda kind: rates[kind])
    half = rates[best] / 2
    paced = await _told(f"latency, {best}", bench.gateway(best, int(half * SECONDS * 2 / 3), rate=half))
    whole = await _told(f"to registered, {best}", bench.gateway(best, count // 4, level="registered", delivers=True))
    results = {
        "ratio": round(rates[best] / floor, 3),
        "best": best,
        "floor_per_second": round(floor),
        "gateway_per_second": {kind: round(rate) for kind, rate in rates.items()},
        "ratio_by_store": {kind: round(rate / floor, 3) for kind, rate in rates.items()},
        "to_registered_per_second": round(whole["rate"]),
        "latency_at_half_rate": {
            "per_second": round(half),
            "p50_ms": round(paced["p50_ms"], 1),
            "p99_ms": round(paced["p99_ms"], 1),
        },
        "memory_mb": {
            "sender": round(by_store[best][-1]["memory_mb"]),
            "receiver": round(by_store[best][-1]["receiver_memory_mb"]),
        },
        "cpu_ms_per_message": {
            "floor": _rounded(floors[-1]["cpu_ms"]),
            **{kind: _rounded(turns[-1]["cpu_ms"]) for kind, turns in by_store.items()},
        },
    }
    if full:
        results["with_a_million_stored"] = await _with_a_million(bench, best, count // 2)
    return results


async def measure_pages(bench: Bench, *, full: bool) -> dict[str, Any]:
    """Measure how soon pages come over a long ledger, on databases of both kinds."""
    count, found = MILLION if full else SOME, {}
    for kind in ("sqlite", "postgresql"):
        store, ledger = bench.stores(kind)[0], Ledger(count, datetime.now(UTC))
        await ledger.write(store)
        measured = await asyncio.to_thread(pages.look, store, bench.folder, ledger)
        found[kind] = pages.summary(measured, count)
        slow = ", ".join(found[kind]["slower_than_150_ms"]) or "none"
        print(f"pages, {kind}: slower than 150 ms: {slow}", file=sys.stderr, flush=True)  # noqa: T201 -- talk
    return found


async def _with_a_million(bench: Bench, kind: str, count: int) -> dict[str, Any]:
    """Measure again with a million messages in each store, next to a turn on empty ones."""
    stores = bench.stores(kind)
    await fill(*stores, MILLION)
    empty = await _told(f"gateway, {kind}, empty", bench.gateway(kind, count))
    stored = await _told(f"gateway, {kind}, a million stored", bench.gateway(kind, count, stores))
    return {
        "empty_per_second": round(empty["rate"]),
        "stored_per_second": round(stored["rate"]),
        "ratio": round(stored["rate"] / empty["rate"], 3),
    }


async def _told(what: str, turn: Any) -> Any:
    measured = await turn
    print(f"{what:40} {measured['rate']:8.0f} a second", file=sys.stderr, flush=True)  # noqa: T201 -- talk
    return measured


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(number, 2) for name, number in numbers.items()}


def table(results: dict[str, Any]) -> str:
    """Return the results as the table of the README."""
    floor, latency, memory = results["floor_per_second"], results["latency_at_half_rate"], results["memory_mb"]
    cpu, facts = results["cpu_ms_per_message"], results["machine"]
    whole = results["to_registered_per_second"]
    names = {"sqlite": "RabbitMQ + SQLite", "postgresql": "RabbitMQ + PostgreSQL"}
    rows = [
        ("the floor: raw aio-pika, 3 kB out, 0.7 kB back", floor, 1, _sum(cpu["floor"])),
        *(
            (f"{names[kind]}: event in → *received* known", rate, results["ratio_by_store"][kind], _sum(cpu[kind]))
            for kind, rate in results["gateway_per_second"].items()
        ),
        (f"{names[results['best']]}: event in → *registered* known", whole, round(whole / floor, 3), ""),
    ]
    head = f"One run on {facts['cores']} cores ({facts['processor']}); a durable write takes {facts['fsync_ms']} ms."
    waits = f"{latency['p50_ms']} ms (median) and {latency['p99_ms']} ms (99 of 100)"
    tail = (
        f"At half the rate ({latency['per_second']} a second) *received* is known after {waits}. "
        f"Memory: sender {memory['sender']} MB, receiver {memory['receiver']} MB."
    )
    lines = [
        head,
        "",
        "| | Messages a second | Beside the floor | Processor ms a message: sender + receiver + broker |",
        "|---|---|---|---|",
        *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows),
        "",
        tail,
    ]
    if stored := results.get("with_a_million_stored"):
        rates = f"{stored['stored_per_second']} a second beside {stored['empty_per_second']} on empty databases"
        lines += ["", f"With a million messages stored on each side: {rates} in the same run ({stored['ratio']})."]
    if shown := results.get("pages_with_a_million", results.get("pages")):
        lines += ["", *pages.table(shown, results.get("machine_of_pages", facts)["load_before"])]
    return "\n".join(lines)


def _sum(cpu: dict[str, float]) -> str:
    return f"{cpu['sender']} + {cpu['receiver']} + {cpu['broker']}"


def _write(results: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    if found:
        README.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


async def main(*, full: bool, only_pages: bool) -> None:
    """Start private servers, measure, print and write the results."""
    binaries = POSTGRESQL.folder()
    if binaries is None or RABBITMQ.folder() is None:
        sys.exit("The benchmark needs RabbitMQ and PostgreSQL; `make test` as root on Debian installs both.")
    with tempfile.TemporaryDirectory(prefix="sip-bench-") as place:
        os.chmod(place, 0o711)  # noqa: PTH101, S103 -- the database runs as a user of its own
        folder = Path(place)
        os.environ[MARK] = place
        server = PostgreSqlServer(folder / "postgresql", binaries, folder / "ports")
        server.start()
        try:
            async with RabbitMqNode(folder / "rabbitmq") as node:
                load = machine.load()
                bench = Bench(node, server, folder)
                shown = {"pages_with_a_million" if full else "pages": await measure_pages(bench, full=full)}
                results = shown if only_pages else await measure(bench, full=full) | shown
        finally:
            server.destroy()
    earlier = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept = earlier if only_pages else {name: earlier[name] for name in LONG if name in earlier}
    results = kept | results
    results["machine_of_pages" if only_pages else "machine"] = machine.facts() | {
        "load_before": load,
        "postgresql": machine.said_by(str(binaries / "postgres"), "--version"),
    }
    _write(results)
    print(json.dumps(results, indent=2))  # noqa: T201 -- data goes to standard output


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--full", action="store_true", help="also with a million messages stored")
    arguments.add_argument("--pages", action="store_true", help="only how soon pages come")
    told = arguments.parse_args()
    asyncio.run(main(full=told.full, only_pages=told.pages))
