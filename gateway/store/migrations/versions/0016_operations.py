"""Operations over many: what is done, by whom and why, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = "'sent', 'received', 'parked', 'unexpected', 'dead-letter', 'note', 'event'"
_UNDER_WAY = sa.text("ended_at IS NULL")
_LEFT = sa.text("outcome IS NULL")


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.create_table(
        "operation",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("is_dry_run", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("assignment", sa.String(length=64), nullable=True),
        sa.Column("of_all_units", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=100), nullable=True),
        sa.Column("party", sa.String(length=64), nullable=True),
        sa.Column("undoes", sa.String(length=36), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.String(length=32), nullable=False),
        sa.Column("started_at", sa.String(length=32), nullable=True),
        sa.Column("ended_at", sa.String(length=32), nullable=True),
        sa.Column("claim", sa.String(length=36), nullable=True),
        sa.Column("lease_until", sa.String(length=32), nullable=True),
        sa.CheckConstraint("action IN ('resend', 'discard', 'restore')", name=op.f("ck_operation_action")),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'paused', 'done', 'stopped')", name=op.f("ck_operation_state")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_operation")),
        sa.UniqueConstraint("id", name=op.f("uq_operation_id")),
    )
    op.create_index(
        "ix_operation_under_way",
        "operation",
        ["number"],
        sqlite_where=_UNDER_WAY,
        postgresql_where=_UNDER_WAY,
    )
    op.create_table(
        "operation_unit",
        sa.Column("operation", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.ForeignKeyConstraint(["operation"], ["operation.number"], name=op.f("fk_operation_unit_operation")),
        sa.PrimaryKeyConstraint("operation", "unit", name=op.f("pk_operation_unit")),
    )
    op.create_table(
        "operation_item",
        sa.Column("operation", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=100), nullable=True),
        sa.Column("sv", sa.String(length=500), nullable=True),
        sa.Column("en", sa.String(length=500), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=True),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_operation_item_kind")),
        sa.CheckConstraint(
            "outcome IN ('done', 'would-be-done', 'refused', 'failed')", name=op.f("ck_operation_item_outcome")
        ),
        sa.ForeignKeyConstraint(["operation"], ["operation.number"], name=op.f("fk_operation_item_operation")),
        sa.PrimaryKeyConstraint("operation", "position", name=op.f("pk_operation_item")),
    )
    op.create_index(
        "ix_operation_item_left",
        "operation_item",
        ["operation", "position"],
        sqlite_where=_LEFT,
        postgresql_where=_LEFT,
    )
