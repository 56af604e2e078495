"""The gateway's memory: tables, the verbs that read and change them, and the migrations that bring them up to date.

A verb is a function that takes an open transaction first; :class:`Store` opens them. Rules live elsewhere: the store
keeps what it is told and lets constraints refuse what must never be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from types import TracebackType

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.engine import POOL, open_engine, reading, writing
from gateway.store.migrate import check, migrate
from gateway.store.ownership import ownership

__all__ = ["Store", "Transaction"]

Transaction = AsyncConnection
"""An open transaction; everything done in it is committed together or not at all."""


class Store:
    """One gateway's database. ``migrates`` is false for whoever only looks: it must be up to date already.

    ``password`` is one that does not stand in the address, and ``pool`` how many connections a server may be asked for.
    """

    def __init__(self, url: str, *, migrates: bool = True, password: str | None = None, pool: int = POOL) -> None:
        self._engine = open_engine(url, password, pool=pool)
        self._open = migrate if migrates else check
        # SQLite has one writer at a time, and lets those who wait for it sleep, in no order: here they take turns.
        self._turn = asyncio.Lock() if self._engine.dialect.name == "sqlite" else nullcontext()

    async def __aenter__(self) -> Store:
        """Bring the tables up to date, or see that they are.

        Raises:
            ConfigurationError: it is no database of this version and must not be changed, or does not let us in.
            DependencyDownError: the database does not answer.
        """
        await self._open(self._engine)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits when its block ends and rolls back when it raises."""
        async with self._turn, writing(self._engine) as tx:
            yield tx

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that sees one consistent state and changes nothing."""
        return reading(self._engine)

    async def check(self) -> None:
        """Return when the tables are those of this version.

        Raises:
            ConfigurationError: they are not.
            DependencyDownError: the database does not answer.
        """
        await check(self._engine)

    def ownership(self) -> AbstractAsyncContextManager[bool]:
        """Hold the one lock of this database while the block runs, also when the store is closed; tell if it was free.

        Only whoever has it may take up what dead processes of this gateway left.
        """
        return ownership(self._engine.url)
