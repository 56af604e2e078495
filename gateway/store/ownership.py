"""Whether this process may take up what dead processes of its gateway left in a database: only one at a time may.

Nobody can tell from afar whether another process is alive. So whoever begins takes a lock that ends with its process,
and gives back leases only while it holds that lock; another process beside it leaves them to run out by themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing

from sqlalchemy import URL, func, select

from gateway.store.engine import open_engine, writing

_LOCK = int.from_bytes(b"SIP own")
"""The key of the lock of PostgreSQL; its locks are told apart by database already."""


@asynccontextmanager
async def ownership(url: URL) -> AsyncIterator[bool]:
    """Hold the one lock of the database at ``url`` while the block runs; yield whether it was free.

    A server lets go of it should it lose the connection. Whoever takes it then publishes what we have in hand a second
    time, which receivers know for a duplicate.

    Raises:
        DependencyDownError: the database does not answer.
    """
    if url.get_backend_name() == "sqlite":
        # A file of its own, since SQLite would keep readers and writers of the database out as well.
        place = ":memory:" if url.database in (None, "", ":memory:") else f"{url.database}-owner"
        connection = _locked(place)
        try:
            yield connection is not None
        finally:
            if connection is not None:
                connection.close()
        return
    engine = open_engine(url, pool=1)
    try:
        async with writing(engine) as tx:
            free = bool((await tx.execute(select(func.pg_try_advisory_lock(_LOCK)))).scalar())
        yield free  # the lock outlives the transaction: it is held by the one connection, which stays open
    finally:
        await engine.dispose()


def _locked(place: str) -> sqlite3.Connection | None:
    """Return what holds the lock of a file for as long as it is open; ``None`` when another does, or nobody can."""
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(closing(sqlite3.connect(place, timeout=0, isolation_level=None)))
            connection.execute("BEGIN EXCLUSIVE")
            stack.pop_all()
            return connection
    except sqlite3.OperationalError:
        return None
