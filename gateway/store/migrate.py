"""Bringing a database up to the tables of this version, from empty or from an earlier one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.errors import ConfigurationError, Fault
from gateway.store.engine import reading, writing

OTHER_TABLES = Fault(
    "database.other-tables",
    "Databasen har inte den här versionens tabeller.",
    "The database does not have the tables of this version.",
)

_SCRIPTS = Path(__file__).parent / "migrations"


def configuration() -> Config:
    """Return Alembic's configuration: where the migration scripts are."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that the database has not seen yet, all in one transaction.

    Raises:
        DependencyDownError: the database does not answer.
    """
    head = await asyncio.to_thread(_head)
    async with writing(engine) as connection:
        if await connection.run_sync(_revision) != head:
            await connection.run_sync(_upgrade)


async def check(engine: AsyncEngine) -> None:
    """Return when the database has the tables of this version; change nothing.

    Raises:
        ConfigurationError: it has not.
        DependencyDownError: the database does not answer.
    """
    head = await asyncio.to_thread(_head)
    async with reading(engine) as connection:
        if await connection.run_sync(_revision) != head:
            raise ConfigurationError(OTHER_TABLES.at())


def _head() -> str | None:
    """Return the newest revision there is; reads the migration scripts."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
