"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A verdict never flips, whatever code asks for it.
_VERDICT_STANDS = {
    "sqlite": (
        """
        CREATE TRIGGER verdict_stands BEFORE UPDATE ON verdict
        BEGIN SELECT RAISE(ABORT, 'a verdict never changes'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION verdict_stands() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'a verdict never changes' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        "CREATE TRIGGER verdict_stands BEFORE UPDATE ON verdict FOR EACH ROW EXECUTE FUNCTION verdict_stands()",
    ),
}


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.create_table(
        "case_series",
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_case_series")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=True),
        sa.CheckConstraint("state IN ('accepted', 'refused')", name=op.f("ck_event_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("source", "content_hash", name=op.f("uq_event_source_content_hash")),
    )
    op.create_index(
        "uq_event_accepted",
        "event",
        ["source", "event_id"],
        unique=True,
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_history_direction")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    op.create_index("ix_history_message_id", "history", ["message_id", "id"], unique=False)
    op.create_table(
        "inbound",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("case_number", sa.String(length=9), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("sender_unit", sa.String(length=31), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=True),
        sa.Column("received_at", sa.String(length=32), nullable=False),
        sa.Column("registered_at", sa.String(length=32), nullable=True),
        sa.Column("acknowledged_at", sa.String(length=32), nullable=True),
        sa.Column("record_id", sa.String(length=200), nullable=True),
        sa.Column("findings", sa.JSON(), nullable=True),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('stored', 'validated', 'delivering', 'waiting_for_system', 'registered', 'acknowledged', 'rejected')",
            name=op.f("ck_inbound_state"),
        ),
        sa.CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name=op.f("ck_inbound_deadline_has_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint("party", "type", "message_id", "unit", name=op.f("uq_inbound_party_type_message_id_unit")),
    )
    op.create_index("ix_inbound_state_next", "inbound", ["state", "next_attempt_at", "id"], unique=False)
    op.create_index("ix_inbound_stream", "inbound", ["case_number", "party", "unit", "sequence"], unique=False)
    op.create_table(
        "message",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("sender_unit", sa.String(length=31), nullable=False),
        sa.Column("in_reply_to", sa.String(length=36), nullable=True),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message")),
    )
    op.create_index("ix_message_case_number", "message", ["case_number"], unique=False)
    op.create_index("ix_message_in_reply_to", "message", ["in_reply_to"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=9), nullable=False),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=True),
        sa.Column("written_at", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name=op.f("ck_note_deadline_has_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sa.UniqueConstraint("message_id", name=op.f("uq_note_message_id")),
    )
    op.create_index("ix_note_open", "note", ["written_at", "next_attempt_at", "id"], unique=False)
    op.create_table(
        "parked",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("arrived_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        sa.UniqueConstraint(
            "party",
            "type",
            "message_id",
            "unit",
            "content_hash",
            name=op.f("uq_parked_party_type_message_id_unit_content_hash"),
        ),
    )
    op.create_index("ix_parked_stream", "parked", ["case_number", "party", "unit", "sequence"], unique=False)
    op.create_table(
        "sip_case",
        sa.Column("case_number", sa.String(length=9), nullable=False),
        sa.Column("convener", sa.String(length=31), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("person_root", sa.String(length=64), nullable=True),
        sa.Column("person_extension", sa.String(length=40), nullable=True),
        sa.Column("snapshot", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.String(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("case_number", name=op.f("pk_sip_case")),
    )
    op.create_index("ix_sip_case_person", "sip_case", ["person_root", "person_extension"], unique=False)
    op.create_table(
        "unexpected",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("acknowledgement_id", sa.String(length=36), nullable=True),
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("unit", sa.String(length=31), nullable=True),
        sa.Column("xml", sa.LargeBinary(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("arrived_at", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unexpected")),
        sa.UniqueConstraint(
            "party", "acknowledgement_id", "code", name=op.f("uq_unexpected_party_acknowledgement_id_code")
        ),
    )
    op.create_table(
        "verdict",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("acknowledgement_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("arrived_at", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=200), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("late", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("level IN ('received', 'registered', 'acknowledged')", name=op.f("ck_verdict_level")),
        sa.CheckConstraint("outcome IN ('accepted', 'partial', 'rejected', 'retry')", name=op.f("ck_verdict_outcome")),
        sa.PrimaryKeyConstraint("message_id", "unit", "level", name=op.f("pk_verdict")),
    )
    op.create_table(
        "case_reference",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("case_number", sa.String(length=9), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["sip_case.case_number"], name=op.f("fk_case_reference_case_number")),
        sa.PrimaryKeyConstraint("source", "reference", name=op.f("pk_case_reference")),
    )
    op.create_table(
        "dispatch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=9), nullable=False),
        sa.Column("party", sa.String(length=31), nullable=False),
        sa.Column("unit", sa.String(length=31), nullable=False),
        sa.Column("duty", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("queued_at", sa.String(length=32), nullable=True),
        sa.Column("leave_by", sa.String(length=32), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("sent_at", sa.String(length=32), nullable=True),
        sa.Column("received_at", sa.String(length=32), nullable=True),
        sa.Column("registered_at", sa.String(length=32), nullable=True),
        sa.Column("acknowledged_at", sa.String(length=32), nullable=True),
        sa.Column("record_id", sa.String(length=200), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'queued', 'retrying', 'sent', 'received', 'registered', 'acknowledged', 'partial', 'rejected', 'expired', 'stopped')",
            name=op.f("ck_dispatch_state"),
        ),
        sa.CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name=op.f("ck_dispatch_deadline_has_owner")),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"], name=op.f("fk_dispatch_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatch")),
        sa.UniqueConstraint("case_number", "unit", "sequence", name=op.f("uq_dispatch_case_number_unit_sequence")),
        sa.UniqueConstraint("message_id", "unit", name=op.f("uq_dispatch_message_id_unit")),
    )
    op.create_index("ix_dispatch_case_number_unit", "dispatch", ["case_number", "unit", "position"], unique=False)
    op.create_index("ix_dispatch_due", "dispatch", ["due_at"], unique=False)
    op.create_index("ix_dispatch_state_position", "dispatch", ["state", "position"], unique=False)
    for statement in _VERDICT_STANDS[op.get_bind().dialect.name]:
        op.execute(statement)
