"""Stores with the tables of this version and no rows. The migrations run once in each process, not for every test.

That they make these tables, from nothing and from every earlier version, is tested by ``test_migrations``.
"""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from gateway.store import Store


def blank_store(place: Path) -> str:
    """Return the address of the SQLite store at ``place``: a blank one, unless there is one already."""
    if not place.exists():
        place.write_bytes(_blank())
    return _url(place)


@cache
def _blank() -> bytes:
    """Return the file of a blank store; a loop may run where it is asked for, so the migrations have their own."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as aside:
        place = Path(folder, "blank.sqlite")
        aside.submit(lambda: asyncio.run(bring_up(_url(place)))).result()
        return place.read_bytes()


def _url(place: Path) -> str:
    return f"sqlite+aiosqlite:///{place}"


async def bring_up(url: str) -> None:
    """Give a database the tables of this version."""
    async with Store(url):
        pass
