"""The own unit of each outgoing row, and where the notices about a case are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NOTICES = sa.text("type = 'notice'")
_OWN_UNITS = (
    "UPDATE dispatch SET own_unit = "
    "(SELECT message.sender_unit FROM message WHERE message.message_id = dispatch.message_id)"
)


def upgrade() -> None:
    """Bring the tables up to this revision."""
    column = sa.Column("own_unit", sa.String(length=31), nullable=False, server_default="")
    op.add_column("dispatch", column)
    op.execute(_OWN_UNITS)
    op.create_index("ix_note_notices", "note", ["case_number", "id"], sqlite_where=_NOTICES, postgresql_where=_NOTICES)
