"""The tables of what people decide about messages, and of what they write beside failures."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table

from gateway.items import Decision, ItemKind
from gateway.store.moments import Moment
from gateway.store.tables import metadata


def _one_of(column: str, kinds: type[Decision] | type[ItemKind]) -> CheckConstraint:
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


decision = Table(
    "decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("due_at", Moment),
    Column("owner", String(32)),
    _one_of("kind", ItemKind),
    _one_of("decision", Decision),
    Index("ix_decision_item", "kind", "number", "id"),
)
"""What somebody (HSA-id or token) has decided about an item, by kind and its own number, and why. ``due_at`` and
``owner`` are what it had when it was discarded, and gets back when it is restored."""

failure_note = Table(
    "failure_note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("code", String(100), nullable=False),
    Column("party", String(64), nullable=False),
    Column("text", String(500), nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    _one_of("kind", ItemKind),
    Index("ix_failure_note_group", "kind", "code", "party", "id"),
)
"""What somebody has written about a group of failures, for whoever looks at it next; the last one counts."""
