"""The own unit of each outgoing row, by which what is open is found too, and where the notices about a case are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NOTICES = sa.text("type = 'notice'")
_OPEN = sa.text("due_at IS NOT NULL")
_OWN_UNITS = (
    "UPDATE dispatch SET own_unit = "
    "(SELECT message.sender_unit FROM message WHERE message.message_id = dispatch.message_id)"
)


def upgrade() -> None:
    """Bring the tables up to this revision."""
    column = sa.Column("own_unit", sa.String(length=31), nullable=False, server_default="")
    op.add_column("dispatch", column)
    op.execute(_OWN_UNITS)
    columns = ["state", "party", "type", "due_at", "queued_at", "own_unit", "unit"]
    op.drop_index("ix_dispatch_open", "dispatch")
    op.create_index("ix_dispatch_open", "dispatch", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("ix_note_notices", "note", ["case_number", "id"], sqlite_where=_NOTICES, postgresql_where=_NOTICES)
