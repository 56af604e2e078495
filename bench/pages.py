"""How soon pages and lists begin to come over a long ledger, each beside the least that any program does."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
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
        "from={day}&to={day}",
        "direction=received&from={day}&to={day}",
        "q={number}",
        "direction=received&q={number}",
        "q={id}",
    ],
}
"""What lists are asked for, beside everything; the same of the API."""


def paths(ledger: Ledger, routes: Sequence[Route] = ROUTES) -> list[str]:
    """Return every address that shows something of the ledger, and lists as they are narrowed down.

    Raises:
        KeyError: a route has something new in its address.
    """
    sent, came = ledger.message_ids
    causes = {ItemKind.SENT: "bench.reason-1", ItemKind.RECEIVED: "bench.reason-2", ItemKind.PARKED: "bench.reason-3"}
    objects = {
        "id": [sent, came],
        "number": [ledger.case_number],
        "group": [group_id(Cause(kind=kind, code=code, party="region")) for kind, code in causes.items()],
        "adapter": ["treserva"],
    }
    found = []
    for route in routes:
        if route.method != "GET" or route.right is None or STREAM in route.media:
            continue
        filled = [route.path]
        for name, values in objects.items():
            filled = [
                one.replace(f"{{{name}}}", value)
                for one in filled
                for value in (values if f"{{{name}}}" in one else [""])
            ]
        if any("{" in one for one in filled):
            raise KeyError(route.path)
        found += filled
        named = {"day": ledger.day, "number": ledger.case_number, "id": sent}
        found += [
            f"{route.path}?{query.format(**named)}" for query in NARROWED.get(route.path.removeprefix("/api/v1"), [])
        ]
    return found


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


async def _look(told: dict[str, Any], process: psutil.Process, asked: Sequence[str]) -> dict[str, dict[str, Any]]:
    async with aiohttp.ClientSession(told["floor"]) as client:
        measured = {"floor": await _timed(client, "/", process, 50)}
    for whose, link in told["links"].items():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(told["url"], cookie_jar=jar) as client:
            async with client.post(link, data={}, allow_redirects=False) as answer:
                answer.raise_for_status()
            for path in asked:
                measured[f"{whose} {path}"] = await _timed(client, path, process)
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


if __name__ == "__main__":
    url, count, place = sys.argv[1:]
    shown = look(url, Path(place), Ledger(int(count), datetime.now(UTC)))
    for name, one in sorted(shown.items(), key=lambda pair: -pair[1]["cpu_ms"]):
        numbers = " ".join(f"{one[key]:8}" for key in ("p50_ms", "worst_ms", "cpu_ms", "bytes", "status"))
        print(f"{numbers} {name}")  # noqa: T201 -- data goes to standard output
