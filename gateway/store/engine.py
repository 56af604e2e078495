"""Opening a database. The one place in the store that knows one product from another.

SQLite is the embedded default: a file in WAL mode with ``synchronous=FULL``, so that what is committed survives the
loss of power, and transactions that write take the write lock when they begin, so that none fails half-way for having
read first.

PostgreSQL is for more than one process. Transactions that write see each row as it is when they lock it (READ
COMMITTED): whoever claims locks, and skips what others have locked. Transactions that read see one moment. A
connection that was lost is noticed by the transaction that needs it, which fails as one that can be tried again; all
connections as old are then replaced, so no round trip is spent on asking beforehand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from sqlalchemy import URL, Connection, Table, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.errors import ConfigurationError, DependencyDownError, Fault
from gateway.store.bulk import insert_ignoring
from gateway.store.failures import DATABASE_DOWN, meaning

INVALID_URL = Fault(
    "database.url",
    "Databasens adress kan inte användas; den ska se ut som sqlite+aiosqlite:///fil.sqlite "
    "eller postgresql+asyncpg://användare@värd/databas.",
    "The address of the database cannot be used; it should look like sqlite+aiosqlite:///file.sqlite "
    "or postgresql+asyncpg://user@host/database.",
)

POOL = 10
"""How many connections a process has to a PostgreSQL server at most, where nothing else is said."""

CONNECT_SECONDS = 5
"""How long a server may take to answer whoever connects."""

FREE_SECONDS = 10
"""How long a transaction waits for one of the connections of its process."""

LOCK_SECONDS = 10
"""How long a statement waits for what another transaction has locked."""

STATEMENT_SECONDS = 30
"""How long a statement may take."""

SILENT_SECONDS = 40
"""How long a statement may be unanswered before the server, which should have ended it, counts as gone."""

IDLE_SECONDS = 60
"""How long a transaction may do nothing before the server ends it: its process hangs, and others wait for its locks."""

_MEANT_FOR_DRIVER = {"host", "port", "ssl", "target_session_attrs"}
"""What may stand behind the question mark of a PostgreSQL address."""

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite transaction waits for another to finish."""

CHECKPOINT_PAGES = 8_000
"""How many pages (of 4 kB) are written before they are carried over to the file: the same pages change often."""

CACHE_KB = 65_536
"""How much of a SQLite file a connection keeps at hand; a batch touches more than what SQLite keeps by itself, 2 MB."""

_READ_ONLY = "gateway_read_only"


def open_engine(url: str | URL, password: str | None = None, *, pool: int = POOL, patient: bool = False) -> AsyncEngine:
    """Return an engine for ``url``, such as ``sqlite+aiosqlite:///gateway.sqlite``. Nothing is opened yet.

    For a PostgreSQL server ``password`` takes the place of one in the address, ``pool`` is how many connections it may
    be asked for, and a ``patient`` engine lets statements take and wait as long as they need. A file has none of these.

    Raises:
        ConfigurationError: it is no such URL, or the driver it names is not installed.
    """
    try:
        place = make_url(url)
        if place.get_backend_name() == "postgresql":
            return _open_postgresql(place, password, pool, patient=patient)
        engine = create_async_engine(place, hide_parameters=True)
    except (ArgumentError, InvalidRequestError, ImportError, ValueError):
        raise ConfigurationError(INVALID_URL.at()) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _open_postgresql(place: URL, password: str | None, pool: int, *, patient: bool) -> AsyncEngine:
    if set(place.query) - _MEANT_FOR_DRIVER:
        raise ConfigurationError(INVALID_URL.at())
    engine = create_async_engine(
        place if password is None else place.set(password=password),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=pool,
        max_overflow=0,
        pool_timeout=FREE_SECONDS,
        pool_use_lifo=True,  # what is not needed stays idle, and a lost connection is met by few
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": None if patient else SILENT_SECONDS,
            "server_settings": _session(patient=patient),
        },
    )
    event.listen(engine.sync_engine, "handle_error", _notice_silence)
    return engine


def _session(*, patient: bool) -> dict[str, str]:
    """Return what a session asks of the server; times without a unit are milliseconds there, those of TCP seconds."""
    return {
        "application_name": "gateway",
        "jit": "off",  # the statements are short; compiling one takes longer than running it
        # The server keeps the plan of a statement: one made while tables were small must be right when they have grown.
        "enable_seqscan": "off",
        "statement_timeout": "0" if patient else f"{STATEMENT_SECONDS}s",
        "lock_timeout": "0" if patient else f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        # The server lets go of the locks of a gateway whose machine is gone.
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }


def _notice_silence(context: ExceptionContext) -> None:
    """Give up a connection over which no answer came: nobody knows in what state the other end is."""
    if isinstance(context.original_exception, OSError):
        context.is_disconnect = True
        raise DependencyDownError(DATABASE_DOWN.at())


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where the driver guesses
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
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
        DependencyDownError: the database does not answer, or another transaction was in the way; worth trying again.
        WrittenMeanwhileError: another transaction wrote the same; worth beginning again.
        ConfigurationError: the database does not let this gateway in.
    """
    async with _transaction(engine, {}) as connection:
        yield connection


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction for reading one consistent state.

    Raises:
        DependencyDownError: the database does not answer.
        ConfigurationError: the database does not let this gateway in.
    """
    options: dict[str, Any] = {_READ_ONLY: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    async with _transaction(engine, options) as connection:
        yield connection


@asynccontextmanager
async def _transaction(engine: AsyncEngine, options: dict[str, Any]) -> AsyncIterator[AsyncConnection]:
    try:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(_connected(engine))
            if options:
                await connection.execution_options(**options)
            await stack.enter_async_context(connection.begin())
            yield connection
    except DBAPIError as error:
        raise meaning(error, read_only=bool(options)) from error


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (OSError, NoConnectionFreeError) as error:  # the driver lets the errors of the network through
            raise DependencyDownError(DATABASE_DOWN.at()) from error
        yield connection


async def insert_ignore(connection: AsyncConnection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a constraint already holds one like it; tell whether it was inserted."""
    done = await connection.execute(insert_ignoring(table, connection.dialect), values)
    return done.rowcount == 1
