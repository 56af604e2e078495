"""How soon pages and lists begin to come over a long ledger, each beside the least that any program does."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import product
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from bench.ledger import OTHER, PARTNERS, RARE, Ledger
from gateway.items import ItemKind
from gateway.store.failed import Cause
from gateway.web.failure_reading import group_id
from gateway.web.route import STREAM, Route
from gateway.web.routes import ROUTES

ROOT: Final = Path(__file__).parents[1]
TIMES: Final = 15
"""How often each is asked for."""
PACE: Final = 1 / 40
"""Seconds from one request to the next, at least: whoever asks more often for long is told to wait."""

MOST_MS: Final = 150
"""How long the first byte of a page may take, with a million messages stored."""
LEFT_OUT: Final = ("/reports", "/audit/verify", "/audit/extract")
"""What goes through a whole period or log when it is asked for, and is no list."""
TABLE: Final = (
    "/",
    "/inbox",
    "/acknowledgements",
    "/messages?direction=received",
    "/messages/{id}",
    "/cases/{number}",
    "/failures",
    "/api/v1/messages",
)
"""What the README tells of one by one."""

NARROWED: Final = {
    "/inbox": ["overdue=yes", f"unit={RARE}", f"unit={OTHER}&type=plan", "type=sipStart"],
    "/acknowledgements": [
        "overdue=yes",
        f"unit={RARE}",
        "level=acknowledged",
        "party=region&type=plan",
        "type=closure",
    ],
    "/messages": [
        "direction=received",
        "state=partial",
        "state=held",
        "type=sipStart",
        f"unit={RARE}",
        f"unit={PARTNERS[0]}",
        "direction=received&state=retracted",
        "direction=received&state=rejected",
        f"direction=received&unit={RARE}",
        "direction=received&party=none",
        "direction=received&type=none",
        "party=none",
        "q={number}",
        "direction=received&q={number}",
        "q={id}",
    ],
    "page /messages": ["from={day}&to={day}", "direction=received&from={day}&to={day}"],
    "api /messages": ["from={day}T00:00:00Z&to={day}T23:00:00Z"],
}
"""What lists are asked for, beside everything; the same of the API."""
_REASONED: Final = ("/content", "/proof")
"""What is asked for with a reason."""


def paths(ledger: Ledger, routes: Sequence[Route] = ROUTES) -> dict[str, list[str]]:
    """Return every address that shows something of the ledger, and lists as they are narrowed down, by their routes.

    Raises:
        KeyError: a route has something new in its address.
    """
    sent, came = ledger.message_ids
    causes = {ItemKind.SENT: "bench.reason-1", ItemKind.RECEIVED: "bench.reason-2", ItemKind.PARKED: "bench.reason-0"}
    objects = {
        "id": [sent, came],
        "number": [ledger.case_number],
        "group": [group_id(Cause(kind=kind, code=code, party="region")) for kind, code in causes.items()],
        "operation": [ledger.operation],
    }
    named = {"day": ledger.day, "number": ledger.case_number, "id": sent}
    found: dict[str, list[str]] = {}
    for route in routes:
        bare = route.path.removeprefix("/api/v1")
        if route.method != "GET" or route.right is None or STREAM in route.media or bare.startswith(LEFT_OUT):
            continue
        names = re.findall(r"{(\w+)}", route.path)
        filled = [dict(zip(names, values, strict=True)) for values in product(*(objects[name] for name in names))]
        reason = "?reason=bench" if route.path.endswith(_REASONED) else ""
        found[route.path] = [route.path.format(**values) + reason for values in filled]
        for query in (*NARROWED.get(bare, ()), *NARROWED.get(f"{route.kind.value} {bare}", ())):
            found[f"{route.path}?{query}"] = [f"{route.path}?{query.format(**named)}"]
    return found


def told_to(route: str) -> tuple[str, ...]:
    """Return who asks for a route: who sees all units and who sees a rare one, or whoever reads the audit log."""
    return ("auditor",) if "/audit" in route else ("all",) if "/adapters" in route else ("all", "one")


def look(store_url: str, folder: Path, ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Measure every page of one gateway, of the floor under the name ``floor``.

    A page is known by its address, behind ``all`` for whoever sees all units and ``one`` for who sees a rare one.
    """
    task = json.dumps({"store": store_url, "folder": str(folder)})
    command = [sys.executable, "-m", "bench.site", task]
    with subprocess.Popen(  # noqa: S603 -- our own module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as site:
        assert site.stdout is not None
        measured = asyncio.run(_look(json.loads(site.stdout.readline()), psutil.Process(site.pid), paths(ledger)))
        site.communicate()
    return measured


async def _look(
    told: dict[str, Any], process: psutil.Process, asked: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    async with aiohttp.ClientSession(told["floor"]) as client:
        measured = {"floor": await _timed(client, "/", process, 50)}
    for whose, link in told["links"].items():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(told["url"], cookie_jar=jar) as client:
            async with client.post(link, data={}, allow_redirects=False) as answer:
                answer.raise_for_status()
            for route, addresses in asked.items():
                if whose in told_to(route):
                    each = [await _timed(client, path, process) for path in addresses]
                    measured[f"{whose} {route}"] = max(each, key=lambda one: (one["status"] == 200, one["p50_ms"]))
    return measured


async def _timed(
    client: aiohttp.ClientSession, path: str, process: psutil.Process, times: int = TIMES
) -> dict[str, Any]:
    """Ask for a page again and again, and return how long it took until the first byte came, and what it cost."""
    waits, status, size = [], 0, 0
    before = sum(process.cpu_times()[:2])
    for _ in range(times):
        begun = time.perf_counter()
        async with client.get(path, allow_redirects=False) as answer:
            waits.append((time.perf_counter() - begun) * 1000)
            status, size = answer.status, len(await answer.read())
        await asyncio.sleep(max(0.0, begun + PACE - time.perf_counter()))
    spent = sum(process.cpu_times()[:2]) - before
    return {
        "status": status,
        "p50_ms": round(statistics.median(waits), 1),
        "worst_ms": round(max(waits), 1),
        "cpu_ms": round(spent / times * 1000, 1),
        "bytes": size,
    }


def summary(measured: Mapping[str, Mapping[str, Any]], count: int) -> dict[str, Any]:
    """Return what is kept of a measurement: of pages that were there."""
    there = {name: one for name, one in measured.items() if one["status"] == HTTPStatus.OK and name != "floor"}
    keys = ("p50_ms", "worst_ms", "cpu_ms", "bytes")
    return {
        "messages": count,
        "floor_ms": measured["floor"]["p50_ms"],
        "addresses": len(there),
        "slower_than_150_ms": sorted(name for name, one in there.items() if one["p50_ms"] > MOST_MS),
        "pages": {name: {key: one[key] for key in keys} for name, one in sorted(there.items())},
    }


def table(results: Mapping[str, Mapping[str, Any]], load: float) -> list[str]:
    """Return the lines of the README about pages; ``results`` are summaries by the kind of database.

    ``load`` is how many processes wanted a core meanwhile.
    """
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    count = next(iter(results.values()))["messages"]
    head = f"Pages, with {count:,} messages"
    lines = [
        f"{head} stored: milliseconds to the first byte, median and slowest of {TIMES}; processor time; size.",
        "",
        "| | " + " | ".join(names[kind] for kind in results) + " |",
        "|---|" + "---|" * len(results),
    ]
    for path in TABLE:
        cells = []
        for kept in results.values():
            one = kept["pages"][f"all {path}"]
            cells.append(f"{one['p50_ms']} / {one['worst_ms']}; {one['cpu_ms']}; {one['bytes'] / 1000:.0f} kB")
        lines.append(f"| `{path}` | {' | '.join(cells)} |")
    lines.append(f"| a handler that says `ok` | {' | '.join(str(kept['floor_ms']) for kept in results.values())} |")
    slowest = []
    for kind, kept in results.items():
        name, one = max(kept["pages"].items(), key=lambda pair: pair[1]["p50_ms"])
        path, ratio = name.partition(" ")[2], one["p50_ms"] / kept["floor_ms"]
        slowest.append(f"`{path}` on {names[kind]}, {one['p50_ms']} ms ({ratio:.0f} times the floor)")
    number = max(kept["addresses"] for kept in results.values())
    told = f"Of {number} pages and lists, also narrowed down, the slowest were {' and '.join(slowest)}."
    return [*lines, "", f"{told} Meanwhile {load} processes wanted a core."]


if __name__ == "__main__":
    url, count, place = sys.argv[1:]
    shown = look(url, Path(place), Ledger(int(count), datetime.now(UTC)))
    for name, one in sorted(shown.items(), key=lambda pair: -pair[1]["cpu_ms"]):
        numbers = " ".join(f"{one[key]:8}" for key in ("p50_ms", "worst_ms", "cpu_ms", "bytes", "status"))
        print(f"{numbers} {name}")  # noqa: T201 -- data goes to standard output
