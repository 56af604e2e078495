"""The process whose pages are measured: the real door over a database, and beside it the least that any program does.

Its argument is JSON: the ``store`` and the ``folder`` for what else it needs. It says where it can be reached, and
works until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from bench.ledger import RARE
from gateway import sessions
from gateway.access import Actor, Role
from gateway.adapters.http_door import HttpDoor
from gateway.app import context_of, open_store
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.connections import connected
from gateway.directory import Directory
from gateway.logs import logging_to
from gateway.resources import demo_directory
from gateway.scrape import Scrape
from gateway.service import run_loop

BY = "SE2120001447-P0001"


async def main(store_url: str, folder: Path) -> None:
    """Open the door, tell where it is, and wait."""
    async with opened(store_url, folder) as told:
        print(json.dumps(told), flush=True)  # noqa: T201 -- data goes to standard output
        await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def opened(store_url: str, folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Open the door of a municipality and the floor, and tell where each is and by which links one logs in."""
    settings = Settings.model_validate(
        {
            "party": "kommun",
            "store": store_url,
            "exchange": f"sqlite+aiosqlite:///{folder / 'exchange'}.sqlite",
            "directory": demo_directory(),
            "folder": folder / "case-system",
            "http_listen": "127.0.0.1:0",
        }
    )
    clock, directory = SystemClock(), Directory.load(settings.directory)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings))
        context = context_of(settings, directory, store, clock)
        measured = Scrape(context, [settings.adapter], store.check)
        probes = {"database": store.check}
        systems = await stack.enter_async_context(
            connected(settings, directory, clock, store, probes, measured, context)
        )
        (door,) = (one for one in systems.doors if isinstance(one, HttpDoor))
        stop = asyncio.Event()
        listening = asyncio.create_task(door.listen(stop))
        await door.is_open.wait()
        floor, runner = await _floor()
        links = {}
        rare = frozenset({RARE})
        for name, role, units in (
            ("all", Role.OPERATOR, None),
            ("one", Role.OPERATOR, rare),
            ("auditor", Role.AUDITOR, None),
        ):
            async with store.writing() as tx:
                actor = Actor(name=BY, role=role, units=units)
                links[name] = f"/login/{await sessions.make_link(tx, actor, clock.now())}"
        try:
            yield {"url": "http://{}:{}".format(*door.address), "floor": floor, "links": links}
        finally:
            stop.set()
            await listening
            await runner.cleanup()


async def _floor() -> tuple[str, web.AppRunner]:
    """Open a door that answers ``ok`` and does nothing else, and return where it is."""

    async def ok(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/", ok)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}", runner


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    with logging_to(sys.stderr, level="warning"):
        run_loop(main(asked["store"], Path(asked["folder"])))
