"""The tables as the migrations make them: from nothing, from every earlier revision with rows in it, and by several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine
from stored import refuses

from gateway.errors import ConfigurationError
from gateway.store import Store
from gateway.store.engine import open_engine, reading, writing
from gateway.store.migrate import check, configuration, migrate
from gateway.store.tables import metadata

REVISIONS = [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]

WORDS = {
    ("event", "state"): "accepted",
    ("dispatch", "state"): "queued",
    ("inbound", "state"): "validated",
    ("verdict", "level"): "received",
    ("verdict", "outcome"): "accepted",
    ("history", "direction"): "out",
    ("statement", "event"): "mailed",
    ("audit", "outcome"): "done",
    ("decision", "kind"): "sent",
    ("decision", "decision"): "discarded",
    ("failure_note", "kind"): "sent",
    ("operation", "action"): "resend",
    ("operation", "state"): "waiting",
    ("operation_item", "kind"): "sent",
    ("operation_item", "outcome"): "done",
}
"""What stands in columns that take certain words only."""


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database_url)
    yield opened
    await opened.dispose()


def tables_of(connection: Connection) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(connection)
    found.remove(found.tables["alembic_version"])
    return found


def fill(connection: Connection) -> None:
    """Put a row with a value in every column into every table, whatever the revision."""
    for table in tables_of(connection).sorted_tables:
        connection.execute(table.insert().values({column.name: value_for(column) for column in table.columns}))


def value_for(column: sa.Column[Any]) -> Any:
    values = {sa.Boolean: True, sa.Integer: 1, sa.LargeBinary: b"<xml/>", sa.JSON: [{"code": "c"}], sa.String: "x"}
    word = WORDS.get((column.table.name, column.name))
    return word or next(value for kind, value in values.items() if isinstance(column.type, kind))


def rows_in(connection: Connection) -> dict[tuple[str, str], Any]:
    """Return the value in every column of the one row of every table."""
    return {
        (table.name, name): value
        for table in tables_of(connection).sorted_tables
        for row in connection.execute(table.select()).mappings()
        for name, value in row.items()
    }


def raise_to(connection: Connection, revision: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def differences(connection: Connection) -> list[Any]:
    """Return how the tables differ from those the code knows."""
    compared = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    seen = inspect(connection)
    checks = {
        (table.name, str(one.name))
        for table in metadata.tables.values()
        for one in table.constraints
        if isinstance(one, CheckConstraint)
    }
    there = {(name, str(one["name"])) for name in metadata.tables for one in seen.get_check_constraints(name)}
    return [*compared, *(checks ^ there), *(conditions_of(metadata) ^ conditions_of(tables_of(connection)))]


def conditions_of(tables: sa.MetaData) -> set[tuple[str, str, bool]]:
    """Return every index with whether it holds only some rows: comparing tables by itself leaves that out."""
    return {
        (
            table.name,
            str(index.name),
            any(options.get("where") is not None for options in index.dialect_options.values()),
        )
        for table in tables.tables.values()
        for index in table.indexes
    }


REMOVED = {("note", "xml")}
"""Columns that a later version has no more: the XML of a step stands with the message that the step is about."""


async def test_the_migrations_make_the_tables_that_the_code_knows(engine: AsyncEngine) -> None:
    await migrate(engine)
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []
    await check(engine)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_rows_of_an_earlier_version_are_kept_and_guarded_as_before(engine: AsyncEngine, revision: str) -> None:
    async with writing(engine) as connection:
        await connection.run_sync(raise_to, revision)
        await connection.run_sync(fill)
        before = await connection.run_sync(rows_in)
    assert {name for name, _ in before} >= {"message", "dispatch", "inbound", "verdict", "history", "event", "sip_case"}
    with pytest.raises(ConfigurationError):
        await check(engine)
    await migrate(engine)
    async with reading(engine) as connection:
        after = await connection.run_sync(rows_in)
        assert await connection.run_sync(differences) == []
    kept = {place: value for place, value in before.items() if place not in REMOVED}
    assert {place: value for place, value in after.items() if place in kept} == kept
    with refuses("a verdict never changes"):
        async with writing(engine) as connection:
            await connection.execute(text("UPDATE verdict SET late = 2"))


async def test_processes_that_start_at_once_on_an_empty_database_do_not_clash(database_url: str) -> None:
    async def opens() -> None:
        async with Store(database_url):
            pass

    await asyncio.gather(*(opens() for _ in range(4)))
    await opens()


async def test_the_tables_of_a_later_version_are_left_alone(engine: AsyncEngine) -> None:
    await migrate(engine)
    async with writing(engine) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for look in (migrate, check):
        with pytest.raises(ConfigurationError) as caught:
            await look(engine)
        assert caught.value.codes == ("database.other-tables",)


async def test_what_was_sent_before_tells_the_unit_that_sent_it(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.run_sync(raise_to, "0013")
        await connection.run_sync(fill)
        await connection.execute(text("UPDATE message SET message_id = 'x', sender_unit = 'office'"))
        await connection.execute(text("UPDATE dispatch SET message_id = 'x'"))
    await migrate(engine)
    async with reading(engine) as connection:
        assert (await connection.run_sync(rows_in))["dispatch", "own_unit"] == "office"


async def test_what_has_failed_before_is_known_by_when_and_why(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.run_sync(raise_to, "0009")
        await connection.run_sync(fill)
        for statement in (
            "UPDATE dispatch SET state = 'rejected', message_id = 'x', unit = 'x'",
            "UPDATE history SET at = '2026-11-02', state = 'rejected', direction = 'out', message_id = 'x', unit = 'x'",
            "UPDATE inbound SET state = 'rejected'",
            "UPDATE event SET state = 'refused'",
            "INSERT INTO verdict SELECT 'x', 'x', 'registered', 'rejected', 'x', at, at, '', reasons, 1 FROM verdict",
        ):
            await connection.execute(text(statement))
    await migrate(engine)
    async with reading(engine) as connection:
        rows = await connection.run_sync(rows_in)
    assert (rows["dispatch", "failed_at"], rows["dispatch", "failed_code"]) == ("2026-11-02", "c")
    assert (rows["inbound", "failed_at"], rows["inbound", "failed_code"]) == ("x", "c")
    assert (rows["parked", "code"], rows["event", "code"]) == ("c", "c")
