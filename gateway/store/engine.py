"""Opening a database. The one place in the store that knows one product from another.

SQLite is the embedded default: a file in WAL mode with ``synchronous=FULL``, so that what is committed survives the
loss of power, and transactions that write take the write lock when they begin, so that none fails half-way for having
read first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import ConfigurationError, DependencyDownError, Fault

DATABASE_DOWN = Fault("database.down", "Databasen svarar inte.", "The database does not answer.")

INVALID_URL = Fault(
    "database.url",
    "Databasens adress kan inte användas; den ska se ut som sqlite+aiosqlite:///fil.sqlite.",
    "The address of the database cannot be used; it should look like sqlite+aiosqlite:///file.sqlite.",
)

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite transaction waits for another to finish."""

_SQLITE_AWAY = (
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_CORRUPT",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_NOTADB",
    "SQLITE_READONLY",
)
"""Result codes of SQLite that say the file cannot be used now; every other one is about the statement."""

_READ_ONLY = "gateway_read_only"


def open_engine(url: str) -> AsyncEngine:
    """Return an engine for ``url``, such as ``sqlite+aiosqlite:///gateway.sqlite``. Nothing is opened yet.

    Raises:
        ConfigurationError: it is no such URL, or the driver it names is not installed.
    """
    try:
        engine = create_async_engine(url, hide_parameters=True)
    except (ArgumentError, InvalidRequestError, ImportError):
        raise ConfigurationError(INVALID_URL.at()) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where the driver guesses
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()
    except Exception:
        connection.close()  # it has a thread of its own, and nobody else knows of it yet
        raise


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that commits when the block ends and rolls back when it raises.

    Raises:
        DependencyDownError: the database does not answer.
    """
    try:
        async with engine.begin() as connection:
            yield connection
    except (DatabaseError, InterfaceError) as error:
        raise _down(error) from error


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction for reading one consistent state.

    Raises:
        DependencyDownError: the database does not answer.
    """
    try:
        async with engine.execution_options(**{_READ_ONLY: True}).begin() as connection:
            yield connection
    except (DatabaseError, InterfaceError) as error:
        raise _down(error) from error


def _down(error: DBAPIError) -> Exception:
    """Return what to raise: a database that is away is no mistake of ours, a wrong statement is."""
    code = getattr(error.orig, "sqlite_errorname", None)
    if isinstance(code, str):
        return DependencyDownError(DATABASE_DOWN.at()) if code.startswith(_SQLITE_AWAY) else error
    return DependencyDownError(DATABASE_DOWN.at()) if isinstance(error, OperationalError | InterfaceError) else error


async def insert_ignore(connection: AsyncConnection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row unless a constraint already holds one like it; tell whether it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    done = await connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())
    return done.rowcount == 1
