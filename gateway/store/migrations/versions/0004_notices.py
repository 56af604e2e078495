"""When a case or a ledger row is to be looked over, notices to units, and when the meeting of a case is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WATCHED = sa.text("look_at IS NOT NULL")
_HAS_MEETING = sa.text("meeting_start IS NOT NULL")


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.add_column("note", sa.Column("notice", sa.JSON()))
    for table in ("sip_case", "dispatch", "inbound"):
        op.add_column(table, sa.Column("look_at", sa.String(length=32)))
    for column in ("meeting_start", "meeting_end"):
        op.add_column("sip_case", sa.Column(column, sa.String(length=32)))
    op.add_column("sip_case", sa.Column("meeting_chair", sa.String(length=64)))
    # Everything that is open is looked over once; what is due by then is told.
    op.execute("UPDATE sip_case SET look_at = updated_at")
    op.execute("UPDATE dispatch SET look_at = due_at WHERE state = 'registered'")
    op.execute("UPDATE inbound SET look_at = due_at WHERE state = 'registered'")
    for table in ("sip_case", "dispatch", "inbound"):
        op.create_index(f"ix_{table}_watched", table, ["look_at"], sqlite_where=_WATCHED, postgresql_where=_WATCHED)
    op.create_index(
        "ix_sip_case_meeting",
        "sip_case",
        ["meeting_start"],
        sqlite_where=_HAS_MEETING,
        postgresql_where=_HAS_MEETING,
    )
