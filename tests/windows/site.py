"""A gateway to look at: what the demo journey has left with one party, and the real door before it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import re
import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import command

from gateway import sessions, tokens
from gateway.access import Actor, Role
from gateway.adapters.http_door import HttpDoor
from gateway.app import context_of, open_store
from gateway.clock import ManualClock
from gateway.config import Settings
from gateway.connections import connected
from gateway.context import Context
from gateway.directory import Directory
from gateway.replay.scenario import Scenario
from gateway.resources import demo_directory
from gateway.scrape import Scrape
from gateway.store import Store
from gateway.web.window import Window

WARD = "SE2321000131-E000000000101"
BY = "SE2120001447-P0001"


def played(folder: Path) -> Path:
    """Return where the journey has been played; the first of all workers that asks plays it."""
    place, done = folder / "journey", folder / "journey-played"
    with (folder / "journey.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            answer = command.in_folder(folder, "demo", "--data", place)
            assert answer.returncode == 0, answer.stderr
            done.touch()
    return place


def copy_of(journey: Path, party: str, folder: Path) -> None:
    """Copy the database of ``party`` into ``folder``."""
    for file in journey.glob(f"{party}.sqlite*"):
        shutil.copy(file, folder / file.name)


@dataclass(slots=True)
class Site:
    """The windows of one party, open to a client. Time stands still at the end of the story until it is moved."""

    url: str
    context: Context
    clock: ManualClock
    client: aiohttp.ClientSession
    door: HttpDoor
    window: Window
    _made: int = 0

    @property
    def store(self) -> Store:
        return self.context.store

    async def token(self, role: Role = Role.OPERATOR, units: Collection[str] | None = None) -> str:
        """Return a token that lets in somebody with a role, who sees ``units``."""
        self._made += 1
        async with self.store.writing() as tx:
            return await tokens.create(
                tx, f"{role}-{self._made}", role, units=units, by=BY, reason="prov", now=self.clock.now()
            )

    async def bearer(self, role: Role = Role.OPERATOR, units: Collection[str] | None = None) -> dict[str, str]:
        """Return the header that lets in somebody with a role, who sees ``units``."""
        return {"Authorization": f"Bearer {await self.token(role, units)}"}

    async def link(self, role: Role = Role.OPERATOR, units: Collection[str] | None = None, by: str = BY) -> str:
        """Return the path of a link that logs somebody in."""
        actor = Actor(name=by, role=role, units=frozenset(units) if units is not None else None)
        async with self.store.writing() as tx:
            return f"/login/{await sessions.make_link(tx, actor, self.clock.now())}"

    async def log_in(self, role: Role = Role.OPERATOR, units: Collection[str] | None = None, by: str = BY) -> None:
        """Log the client in; its cookies hold until it logs out."""
        async with self.client.post(await self.link(role, units, by), data={}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/"), await answer.text()

    async def page(self, path: str) -> str:
        """Return the page that is found at a path, whoever is logged in."""
        async with self.client.get(path) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html"), await answer.text()
            return await answer.text()

    async def send(self, path: str, **fields: str | list[str]) -> tuple[int, str]:
        """Send a form as the page it stands on would, and return the status and the page, or where it leads."""
        page = await self.page("/")
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found is not None
        pairs = [("csrf", found[1])]
        pairs += [
            (name, one) for name, value in fields.items() for one in ([value] if isinstance(value, str) else value)
        ]
        async with self.client.post(path, data=pairs, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location") or await answer.text()

    async def get(self, path: str, headers: dict[str, str] | None = None, **query: str) -> tuple[int, Any]:
        """Return the status and the JSON that a GET is answered with."""
        async with self.client.get(path, headers=headers, params=query) as answer:
            return answer.status, json.loads(await answer.read())


@asynccontextmanager
async def site_of(
    journey: Path, folder: Path, party: str = "kommun", *, clock: ManualClock | None = None, **more: object
) -> AsyncIterator[Site]:
    """Open the windows of ``party`` over a copy, in ``folder``, of what the journey has left with it.

    ``more`` are settings.
    """
    copy_of(journey, party, folder)
    words = {"kommun": "treserva", "region": "journal"}[party]
    settings = Settings.model_validate(
        {
            "party": party,
            "store": f"sqlite+aiosqlite:///{folder / party}.sqlite",
            "exchange": f"sqlite+aiosqlite:///{folder / 'exchange'}.sqlite",
            "directory": demo_directory(),
            "adapter": words,
            "folder": folder / words,
            "http_listen": "127.0.0.1:0",
        }
        | more
    )
    clock = clock or ManualClock(Scenario.load("journey").steps[-1].at + timedelta(hours=1))
    directory = Directory.load(settings.directory)
    async with open_store(settings) as store:
        context = context_of(settings, directory, store, clock)
        probes = {"migrations": store.check}
        measured = Scrape(context, [words], store.check)
        async with connected(settings, directory, clock, store, probes, measured, context) as systems:
            (door,) = systems.doors
            assert isinstance(door, HttpDoor)
            jar = aiohttp.CookieJar(unsafe=True)
            async with _open(door) as url, aiohttp.ClientSession(url, cookie_jar=jar) as client:
                window = Window(context=context, settings=settings, adapter=systems.adapter, sources=frozenset())
                yield Site(url, context, clock, client, door, window)


@asynccontextmanager
async def _open(door: HttpDoor) -> AsyncIterator[str]:
    stop = asyncio.Event()
    task = asyncio.create_task(door.listen(stop))
    opening = asyncio.create_task(door.is_open.wait())
    await asyncio.wait([task, opening], return_when=asyncio.FIRST_COMPLETED)
    try:
        assert door.is_open.is_set(), task.exception()
        host, port = door.address
        yield f"http://{host}:{port}"
    finally:
        stop.set()
        opening.cancel()
        await task
