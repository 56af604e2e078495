"""What units owe for messages that came, which others they have marked as read, and answers late or told again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_inbound_owed": ("inbound", ["unit", "due_at", "type"], "state = 'registered' AND due_at IS NOT NULL"),
    "ix_inbound_unread": (
        "inbound",
        ["unit", "id", "type"],
        "read_at IS NULL AND (state = 'retracted' OR (state = 'registered' AND duty = 'notify'))",
    ),
    "ix_verdict_late": ("verdict", ["arrived_at"], "late = 1"),
    "ix_history_repeated": ("history", ["direction", "id"], "event = 'duplicate'"),
}


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.add_column("inbound", sa.Column("read_at", sa.String(length=32), nullable=True))
    for name, (table, columns, condition) in _INDEXES.items():
        holds = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=holds, postgresql_where=holds)
