"""What units owe for messages that came, and which of those that ask for nothing they have marked as read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_inbound_owed": (["unit", "due_at", "type"], "state = 'registered' AND due_at IS NOT NULL"),
    "ix_inbound_unread": (
        ["unit", "id", "type"],
        "read_at IS NULL AND (state = 'retracted' OR (state = 'registered' AND duty = 'notify'))",
    ),
}


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.add_column("inbound", sa.Column("read_at", sa.String(length=32), nullable=True))
    for name, (columns, condition) in _INDEXES.items():
        holds = sa.text(condition)
        op.create_index(name, "inbound", columns, sqlite_where=holds, postgresql_where=holds)
