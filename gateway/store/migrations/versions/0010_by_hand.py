"""What needs a person, since when and why; what people have decided about it, and written beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KINDS = "'sent', 'received', 'parked', 'unexpected', 'dead-letter', 'note', 'event'"
_FAILED = "failed_at IS NOT NULL AND discarded_at IS NULL"
_NOT_DISCARDED = "discarded_at IS NULL"
_REFUSED_EVENT = "state = 'refused' AND discarded_at IS NULL"
_SPENT = "settled_at IS NULL AND next_attempt_at IS NULL AND discarded_at IS NULL"

_COLUMNS = {
    "dispatch": {"failed_at": 32, "failed_code": 100, "discarded_at": 32},
    "inbound": {"failed_at": 32, "failed_code": 100, "discarded_at": 32},
    "parked": {"code": 100, "discarded_at": 32},
    "unexpected": {"discarded_at": 32},
    "dead_letter": {"discarded_at": 32},
    "event": {"code": 100},
}
_INDEXES = {
    "ix_dispatch_failed": ("dispatch", ["failed_code", "party", "failed_at", "id", "discarded_at"], _FAILED),
    "ix_inbound_failed": (
        "inbound",
        ["failed_code", "party", "failed_at", "id", "due_at", "unit", "discarded_at"],
        _FAILED,
    ),
    "ix_parked_open": ("parked", ["code", "party", "arrived_at", "id", "unit", "discarded_at"], _NOT_DISCARDED),
    "ix_unexpected_open": ("unexpected", ["code", "party", "arrived_at", "id", "discarded_at"], _NOT_DISCARDED),
    "ix_dead_letter_spent": ("dead_letter", ["reason", "party", "arrived_at", "id", "unit"], _SPENT),
    "ix_event_refused": ("event", ["code", "source", "received_at", "id", "state", "discarded_at"], _REFUSED_EVENT),
}

_FIRST_CODE = {"sqlite": "json_extract({0}, '$[0].code')", "postgresql": "{0}->0->>'code'"}


def upgrade() -> None:
    """Bring the tables up to this revision."""
    for table, columns in _COLUMNS.items():
        for name, length in columns.items():
            op.add_column(table, sa.Column(name, sa.String(length=length), nullable=True))
    _tell_of_what_has_failed(_FIRST_CODE[op.get_bind().dialect.name])
    for name, (table, columns_of, condition) in _INDEXES.items():
        where = sa.text(condition)
        op.create_index(name, table, columns_of, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("due_at", sa.String(length=32), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=True),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_decision_kind")),
        sa.CheckConstraint(
            "decision IN ('resent', 'discarded', 'restored', 'acknowledged')", name=op.f("ck_decision_decision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_item", "decision", ["kind", "number", "id"])
    op.create_table(
        "failure_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.CheckConstraint(f"kind IN ({_KINDS})", name=op.f("ck_failure_note_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure_note")),
    )
    op.create_index("ix_failure_note_group", "failure_note", ["kind", "code", "party", "id"])


def _tell_of_what_has_failed(first_code: str) -> None:
    """Write since when and why messages have failed, as the history and the answers tell it."""
    verdict, findings = first_code.format("verdict.reasons"), first_code.format("findings")
    answered = (
        f"(SELECT {verdict} FROM verdict WHERE verdict.message_id = dispatch.message_id "  # noqa: S608 -- our own words
        "AND verdict.unit = dispatch.unit AND verdict.outcome IN ('rejected', 'partial') "
        "ORDER BY verdict.arrived_at LIMIT 1)"
    )
    for table, direction, states, made, why in (
        ("dispatch", "out", "'rejected', 'partial', 'expired'", "created_at", answered),
        ("inbound", "in", "'rejected'", "received_at", findings),
    ):
        code = f"COALESCE({why}, CASE state WHEN 'expired' THEN 'message.given-up' ELSE state END)"
        at = (
            f"(SELECT min(history.at) FROM history WHERE history.message_id = {table}.message_id "  # noqa: S608
            f"AND history.unit = {table}.unit AND history.direction = '{direction}' "
            f"AND history.state = {table}.state)"
        )
        op.execute(
            f"UPDATE {table} SET failed_code = {code}, failed_at = COALESCE({at}, {made}) "  # noqa: S608
            f"WHERE state IN ({states})"
        )
    for table, which in (("parked", "1 = 1"), ("event", "state = 'refused'")):
        op.execute(f"UPDATE {table} SET code = COALESCE({findings}, 'unknown') WHERE {which}")  # noqa: S608
