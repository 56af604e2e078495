"""Bringing a database up to the tables of this version, from empty or from an earlier one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.errors import ConfigurationError, Fault
from gateway.store.engine import open_engine, reading, writing

OTHER_TABLES = Fault(
    "database.other-tables",
    "Databasen har inte den här versionens tabeller.",
    "The database does not have the tables of this version.",
)

_SCRIPTS = Path(__file__).parent / "migrations"

_LOCK = 0x534950
"""The number under which processes that start at once on one PostgreSQL database wait for each other."""


def configuration() -> Config:
    """Return Alembic's configuration: where the migration scripts are."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that the database has not seen yet, all in one transaction, for which others wait.

    Raises:
        ConfigurationError: the database has the tables of a later version, or does not let this gateway in.
        DependencyDownError: the database does not answer.
    """
    scripts = await asyncio.to_thread(_scripts)
    async with _alone(engine) as connection:
        revision = await connection.run_sync(_revision)
        if revision not in scripts:
            raise ConfigurationError(OTHER_TABLES.at())
        if revision != scripts[-1]:
            await connection.run_sync(_upgrade)


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that no other process migrates beside, and that may take as long as it needs."""
    if engine.dialect.name == "sqlite":  # its transactions that write are alone, and have no limit
        async with writing(engine) as connection:
            yield connection
        return
    patient = open_engine(engine.url, patient=True)
    try:
        async with writing(patient) as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection
    finally:
        await patient.dispose()


async def check(engine: AsyncEngine) -> None:
    """Return when the database has the tables of this version; change nothing.

    Raises:
        ConfigurationError: it has not.
        DependencyDownError: the database does not answer.
    """
    scripts = await asyncio.to_thread(_scripts)
    async with reading(engine) as connection:
        if await connection.run_sync(_revision) != scripts[-1]:
            raise ConfigurationError(OTHER_TABLES.at())


@cache
def _scripts() -> tuple[str | None, ...]:
    """Return every revision there is, from none to the newest; reads the migration scripts, once."""
    scripts = ScriptDirectory.from_config(configuration())
    return (None, *(script.revision for script in reversed(list(scripts.walk_revisions()))))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
