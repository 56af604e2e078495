"""Which revision a database is at, and what lies between it and this version. Nothing is created or changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from gateway.errors import ConfigurationError, Fault
from gateway.store.engine import open_engine, reading
from gateway.store.migrate import configuration

NEWER = Fault(
    "database.newer",
    "Databasen har en annan, troligen nyare, versions tabeller ({revision}); den ändras inte.",
    "The database has the tables of another, probably newer, version ({revision}); it is not changed.",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration: its revision, and what it is about."""

    revision: str
    about: str


@dataclass(frozen=True, slots=True)
class Revisions:
    """Where a database is, where this version wants it, and the steps in between."""

    current: str | None
    newest: str | None
    steps: tuple[Step, ...]


async def revisions(url: str, password: str | None = None) -> Revisions:
    """Return where the database at ``url`` is; one that does not exist yet is at the beginning.

    Raises:
        ConfigurationError: the address cannot be used, or the database is of a version that is not known here.
        DependencyDownError: the database does not answer.
    """
    engine = open_engine(url, password)
    try:
        if engine.dialect.name == "sqlite" and not await _exists(make_url(url).database or ""):
            return await asyncio.to_thread(_between, None)
        async with reading(engine) as connection:
            current = await connection.run_sync(_revision)
    finally:
        await engine.dispose()
    return await asyncio.to_thread(_between, current)


async def _exists(file: str) -> bool:
    return await asyncio.to_thread(Path(file).is_file)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _between(current: str | None) -> Revisions:
    scripts = ScriptDirectory.from_config(configuration())
    newest = scripts.get_current_head()
    try:
        upwards = reversed(list(scripts.iterate_revisions(newest or "base", current or "base")))
        steps = tuple(Step(script.revision, script.doc) for script in upwards)
    except (CommandError, RevisionError):
        raise ConfigurationError(NEWER.at(revision=current)) from None
    return Revisions(current, newest, steps)
