"""Looking at an embedded exchange from outside: who is on it. Nothing is created or changed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from gateway.errors import DependencyDownError
from gateway.store.engine import open_engine, reading
from gateway.transport import EXCHANGE_DOWN
from gateway.transport.embedded_tables import party


async def known_parties(url: str) -> set[str]:
    """Return the parties that have been declared on the exchange; none where there is no file yet.

    Raises:
        DependencyDownError: there is a file, and it is no exchange or cannot be read.
    """
    file = make_url(url).database
    if not file or not await _exists(file):
        return set()
    engine = open_engine(url)
    try:
        async with reading(engine) as connection:
            return set(await connection.scalars(sa.select(party.c.name)))
    except (DependencyDownError, DBAPIError):
        raise DependencyDownError(EXCHANGE_DOWN.at()) from None
    finally:
        await engine.dispose()


async def _exists(file: str) -> bool:
    return await asyncio.to_thread(Path(file).is_file)
