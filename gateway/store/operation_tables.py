"""The tables of operations: what is done to many, by whom and why, and what became of each."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from gateway.items import ItemKind
from gateway.operation import ItemOutcome, OperationAction, OperationState
from gateway.store.moments import Moment
from gateway.store.tables import metadata

UNDER_WAY = "ended_at IS NULL"
"""Condition of operations that are not over."""
LEFT = "outcome IS NULL"
"""Condition of items that have no result yet."""


def _one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


operation = Table(
    "operation",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(36), nullable=False),
    Column("action", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("is_dry_run", Boolean, nullable=False),
    Column("by", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("assignment", String(64)),
    Column("of_all_units", Boolean, nullable=False),
    Column("reason", String(500), nullable=False),
    Column("kind", String(16)),
    Column("code", String(100)),
    Column("party", String(64)),
    Column("undoes", String(36)),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("begun_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("claim", String(36)),
    Column("lease_until", Moment),
    UniqueConstraint("id"),
    _one_of("action", OperationAction),
    _one_of("state", OperationState),
    Index("ix_operation_under_way", "number", sqlite_where=text(UNDER_WAY), postgresql_where=text(UNDER_WAY)),
)
"""One action over many. ``kind``, ``code`` and ``party`` are the cause of the group that it was begun for, if any,
``undoes`` the operation that it takes back, and ``claim`` who carries it out until ``lease_until``."""

operation_unit = Table(
    "operation_unit",
    metadata,
    Column("operation", Integer, ForeignKey("operation.number"), primary_key=True),
    Column("unit", String(31), primary_key=True),
)
"""The units that whoever began an operation sees, where that is not all."""

operation_item = Table(
    "operation_item",
    metadata,
    Column("operation", Integer, ForeignKey("operation.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("message_id", String(64)),
    Column("tries", Integer, nullable=False),
    Column("outcome", String(16)),
    Column("code", String(100)),
    Column("sv", String(500)),
    Column("en", String(500)),
    Column("at", Moment),
    _one_of("kind", ItemKind),
    _one_of("outcome", ItemOutcome),
    Index("ix_operation_item_left", "operation", "position", sqlite_where=text(LEFT), postgresql_where=text(LEFT)),
)
"""What an operation is done to, in order, how often each was tried, and what became of it: what is said of that holds
ids, codes and numbers only."""
