"""What is owed for an incoming message stands beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.add_column("inbound", sa.Column("duty", sa.String(length=16), server_default="notify", nullable=False))
    # Until now a booking was the only type for which anything was owed.
    op.execute("UPDATE inbound SET duty = 'acknowledge' WHERE type = 'meetingBooking'")
