"""Counts for whoever watches the gateway, partners that are silent, and indexes over what is open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPEN = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.create_table(
        "tally",
        sa.Column("metric", sa.String(length=80), nullable=False),
        sa.Column("labels", sa.String(length=300), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("metric", "labels", name=op.f("pk_tally")),
    )
    op.create_table(
        "tally_mark",
        sa.Column("source", sa.String(length=31), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.JSON(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_tally_mark")),
    )
    op.create_table(
        "silence",
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("told_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_silence")),
    )
    op.create_index(
        "ix_dispatch_open",
        "dispatch",
        ["state", "party", "type", "due_at", "queued_at"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "ix_inbound_open",
        "inbound",
        ["state", "due_at", "received_at"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
