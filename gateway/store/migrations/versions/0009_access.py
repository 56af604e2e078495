"""Tokens, and the audit log, which is only ever added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# A row that was written stands, whatever code asks for it; and where the log ends only moves on.
_LOG_STANDS = {
    "sqlite": (
        """
        CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
        """,
        """
        CREATE TRIGGER audit_kept BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
        """,
        # INSERT OR REPLACE deletes without asking the trigger above.
        """
        CREATE TRIGGER audit_grows BEFORE INSERT ON audit
        WHEN NEW.number <= (SELECT max(number) FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
        """,
        """
        CREATE TRIGGER audit_end_moves_on BEFORE UPDATE ON audit_end WHEN NEW.number <= OLD.number
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
        """,
        """
        CREATE TRIGGER audit_end_kept BEFORE DELETE ON audit_end
        BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION audit_stands() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation'; END $$
        """,
        "CREATE TRIGGER audit_stands BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stands()",
        "CREATE TRIGGER audit_kept BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stands()",
        """
        CREATE TRIGGER audit_end_moves_on BEFORE UPDATE ON audit_end FOR EACH ROW
        WHEN (NEW.number <= OLD.number) EXECUTE FUNCTION audit_stands()
        """,
        "CREATE TRIGGER audit_end_kept BEFORE DELETE ON audit_end FOR EACH ROW EXECUTE FUNCTION audit_stands()",
        "CREATE TRIGGER audit_end_there BEFORE TRUNCATE ON audit_end FOR EACH STATEMENT EXECUTE FUNCTION audit_stands()",
    ),
}


def upgrade() -> None:
    """Bring the tables up to this revision."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("assignment", sa.String(length=200), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=True),
        sa.Column("unit", sa.String(length=31), nullable=True),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=True),
        sa.Column("case_number", sa.String(length=10), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'refused', 'failed')", name=op.f("ck_audit_outcome")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index(
        "ix_audit_case_number",
        "audit",
        ["case_number", "number"],
        sqlite_where=sa.text("case_number IS NOT NULL"),
        postgresql_where=sa.text("case_number IS NOT NULL"),
    )
    op.create_table(
        "audit_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_end")),
    )
    op.create_table(
        "token",
        sa.Column("name", sa.String(length=31), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("units", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("created_by", sa.String(length=31), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("expires_at", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", sa.String(length=32), nullable=True),
        sa.Column("revoked_by", sa.String(length=31), nullable=True),
        sa.Column("revoked_reason", sa.String(length=500), nullable=True),
        sa.Column("used_at", sa.String(length=32), nullable=True),
        sa.Column("refused_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_token")),
        sa.UniqueConstraint("hash", name=op.f("uq_token_hash")),
    )
    for statement in _LOG_STANDS[op.get_bind().dialect.name]:
        op.execute(statement)
