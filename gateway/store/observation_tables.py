"""The tables of what is observed: counts that outlive every process, how far has been counted, and who is silent."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table

from gateway.store.moments import Moment
from gateway.store.tables import metadata

tally = Table(
    "tally",
    metadata,
    Column("metric", String(80), primary_key=True),
    Column("labels", String(300), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""How many there have been of something, by its name and labels (a JSON list); times and lengths in milliseconds."""

tally_mark = Table(
    "tally_mark",
    metadata,
    Column("source", String(31), primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("revision", BigInteger, nullable=False),
)
"""Up to which row of a table has been counted, and which before it were not there yet; ``revision`` guards it."""

hour_tally = Table(
    "hour_tally",
    metadata,
    Column("unit", String(31), primary_key=True),  # empty for all of them together
    Column("at", Moment, primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Index("ix_hour_tally_at", "at"),
)
"""How much happened to the messages of an own unit in the hour that began ``at``, for the last days; ``step`` is how
long it took, where that is counted."""

silence = Table(
    "silence",
    metadata,
    Column("party", String(31), primary_key=True),
    Column("since", Moment, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("told_at", Moment, nullable=False),
)
"""Partners that are silent, since when and why, and when that was last told; one that is heard has no row."""
