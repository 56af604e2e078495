"""The file of the embedded exchange: parties, what waits for them, and what is not delivered any more."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.store.moments import Moment

metadata = sa.MetaData()

party = sa.Table("party", metadata, sa.Column("name", sa.String, primary_key=True))
"""The parties envelopes can be routed to: those whose gateway has opened the exchange once. None is ever removed."""


def _envelope_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sender", sa.String, nullable=False),
        sa.Column("sender_unit", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("unit", sa.String, nullable=False),
        sa.Column("case_ref", sa.String, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("correlation_id", sa.String),
        sa.Column("sequence", sa.Integer),
        sa.Column("body", sa.LargeBinary, nullable=False),
    ]


ENVELOPE = tuple(column.name for column in _envelope_columns())
"""The columns that hold an envelope."""

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("channel", sa.String, nullable=False),
    *_envelope_columns(),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("consumer", sa.String),
    sa.Column("leased_until", Moment),
    sa.Index("ix_delivery_queue", "recipient", "channel"),
    # An id is never used again: a delivery settled twice must not settle a later one in its place.
    sqlite_autoincrement=True,
)
"""Every envelope that is confirmed and not settled, in the order of publishing; leased while it has a consumer."""

dead_letter = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *_envelope_columns(),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", Moment, nullable=False),
    # An id is never used again: whoever has been handed the last one waits for those that come behind it.
    sqlite_autoincrement=True,
)
"""Envelopes that are not delivered any more, and why."""


OPEN_ATTEMPTS = 20
"""How often a file that is locked while it is opened is tried before the exchange counts as down."""


async def switch_to_wal(file: Path) -> None:
    """Have a file written ahead of itself, so that readers and a writer do not wait for each other."""
    # Before the engine does: a connection that fails while the engine prepares it is never closed. And while another
    # process switches a new file, SQLite says that it is locked, without the patience it has otherwise.
    for attempt in range(OPEN_ATTEMPTS):
        try:
            with closing(sqlite3.connect(file, timeout=0)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or attempt == OPEN_ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.01 * attempt)
