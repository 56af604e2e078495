"""Adapters that an operator has paused, and the keys under which events have come over HTTP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NOW = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.create_table(
        "pause",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("adapter", sa.String(length=31), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=31), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.Column("ended_by", sa.String(length=31), nullable=True),
        sa.Column("ended_reason", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    op.create_index("uq_pause_now", "pause", ["adapter"], unique=True, sqlite_where=_NOW, postgresql_where=_NOW)
    op.create_table(
        "idempotency",
        sa.Column("source", sa.String(length=31), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_idempotency")),
    )
