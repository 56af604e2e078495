"""The own unit of each outgoing row that has failed, in the index that failures are counted by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_FAILED = sa.text("failed_at IS NOT NULL AND discarded_at IS NULL")
_COLUMNS = ["failed_code", "party", "failed_at", "id", "discarded_at", "own_unit"]


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.drop_index("ix_dispatch_failed", "dispatch")
    op.create_index("ix_dispatch_failed", "dispatch", _COLUMNS, sqlite_where=_FAILED, postgresql_where=_FAILED)
