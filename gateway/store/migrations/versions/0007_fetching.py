"""How far what has changed in a journal's FHIR server has been fetched, whether systems answer, and who resends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.add_column("event", sa.Column("discarded_at", sa.String(length=32), nullable=True))
    op.create_table(
        "event_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=31), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_decision_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_decision")),
    )
    op.create_index(op.f("ix_event_decision_event"), "event_decision", ["event"])
    op.create_table(
        "heartbeat",
        sa.Column("adapter", sa.String(length=31), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("since", sa.String(length=32), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("adapter", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "fetch_mark",
        sa.Column("adapter", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("adapter", "kind", name=op.f("pk_fetch_mark")),
    )
    op.create_table(
        "fetch_said",
        sa.Column("adapter", sa.String(length=31), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("adapter", "resource", name=op.f("pk_fetch_said")),
    )
