"""Indexes that hold only what is under way, partners that cannot be reached, and dead letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WAITING = "state IN ('queued', 'retrying')"
_UNDER_WAY = "state IN ('queued', 'retrying', 'sent')"
_DELIVERABLE = "state IN ('validated', 'delivering', 'waiting_for_system')"
_REPLACED = {
    "dispatch": ("ix_dispatch_state_position", "ix_dispatch_due", "ix_dispatch_case_number_unit"),
    "inbound": ("ix_inbound_state_next",),
    "note": ("ix_note_open",),
}
_PARTIAL = (
    ("ix_dispatch_waiting", "dispatch", ("position",), _WAITING),
    ("ix_dispatch_waiting_stream", "dispatch", ("case_number", "unit", "position"), _WAITING),
    ("ix_dispatch_under_way", "dispatch", ("due_at",), _UNDER_WAY),
    ("ix_inbound_deliverable", "inbound", ("id",), _DELIVERABLE),
    ("ix_inbound_deliverable_stream", "inbound", ("case_number", "party", "unit", "sequence"), _DELIVERABLE),
    ("ix_inbound_stored", "inbound", ("case_number", "party", "unit", "sequence"), "state = 'stored'"),
    ("ix_note_open", "note", ("id",), "written_at IS NULL"),
    ("ix_note_open_case", "note", ("case_number", "id"), "written_at IS NULL"),
)


def upgrade() -> None:
    """Bring the tables up to this revision."""
    for table, names in _REPLACED.items():
        for name in names:
            op.drop_index(name, table)
    for name, table, columns, condition in _PARTIAL:
        op.create_index(
            name, table, list(columns), sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
        )
    with op.batch_alter_table("note") as note:
        note.drop_column("xml")  # it stands with the message that the step is about
    op.create_index("ix_dispatch_position", "dispatch", ["position"])
    op.create_index("ix_inbound_message_id", "inbound", ["message_id"])
    op.create_table(
        "circuit",
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=True),
        sa.Column("probe_at", sa.String(length=32), nullable=True),
        sa.Column("drains_since", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("party", name=op.f("pk_circuit")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=True),
        sa.Column("arrived_at", sa.String(length=32), nullable=False),
        sa.Column("settled_at", sa.String(length=32), nullable=True),
        sa.CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name=op.f("ck_dead_letter_deadline_has_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        sa.UniqueConstraint(
            "party",
            "type",
            "message_id",
            "unit",
            "content_hash",
            name=op.f("uq_dead_letter_party_type_message_id_unit_content_hash"),
        ),
    )
    op.create_index(
        "ix_dead_letter_open",
        "dead_letter",
        ["next_attempt_at"],
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
