"""Where the notices about a case are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NOTICES = sa.text("type = 'notice'")


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.create_index(
        "ix_note_notices",
        "note",
        ["case_number", "id"],
        sqlite_where=_NOTICES,
        postgresql_where=_NOTICES,
    )
