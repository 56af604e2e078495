"""What is owed for an incoming message stands beside it; corrections; numbers of discharge processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_STATES = {
    "dispatch": (
        "'held', 'queued', 'retrying', 'sent', 'received', 'registered', 'acknowledged', 'partial', 'rejected', "
        "'expired', 'retracted', 'misdirected', 'stopped'"
    ),
    "inbound": (
        "'stored', 'validated', 'delivering', 'waiting_for_system', 'registered', 'acknowledged', 'rejected', "
        "'retracted', 'misdirected'"
    ),
}


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.add_column("inbound", sa.Column("duty", sa.String(length=16), server_default="notify", nullable=False))
    # Until now a booking was the only type for which anything was owed.
    op.execute("UPDATE inbound SET duty = 'acknowledge' WHERE type = 'meetingBooking'")
    for table, states in _STATES.items():
        with op.batch_alter_table(table) as changed:
            changed.drop_constraint(op.f(f"ck_{table}_state"), type_="check")
            changed.create_check_constraint(op.f(f"ck_{table}_state"), f"state IN ({states})")
    # A party numbers its SIP cases and its discharge processes apart.
    given = op.get_bind().execute(sa.text("SELECT series, last FROM case_series")).all()
    op.drop_table("case_series")
    series = op.create_table(
        "case_series",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "series", name=op.f("pk_case_series")),
    )
    op.bulk_insert(series, [{"kind": "sip", "series": number, "last": last} for number, last in given])
