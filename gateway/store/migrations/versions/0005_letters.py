"""What goes by letter to a unit without an inbox, and what people state about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATES = (
    "'held', 'queued', 'retrying', 'sent', 'received', 'registered', 'acknowledged', 'partial', 'rejected', "
    "'expired', 'retracted', 'misdirected', 'stopped', 'letter', 'mailed'"
)
_ON_PAPER = sa.text("state IN ('letter', 'mailed')")


def upgrade() -> None:
    """Bring the tables up to this revision."""
    with op.batch_alter_table("dispatch") as dispatch:
        dispatch.drop_constraint(op.f("ck_dispatch_state"), type_="check")
        dispatch.create_check_constraint(op.f("ck_dispatch_state"), f"state IN ({_STATES})")
    op.create_index("ix_dispatch_on_paper", "dispatch", ["due_at"], sqlite_where=_ON_PAPER, postgresql_where=_ON_PAPER)
    op.create_table(
        "statement",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=31), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("event IN ('mailed', 'answered')", name=op.f("ck_statement_event")),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_statement_message_id")),
        sa.PrimaryKeyConstraint("message_id", "unit", "event", name=op.f("pk_statement")),
    )
