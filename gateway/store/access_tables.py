"""The tables of who may come in and what they did: tokens, sessions, and the audit log with where it ends."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, text

from gateway.audit import AuditOutcome
from gateway.store.moments import Moment
from gateway.store.tables import metadata

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    Column("assignment", String(200)),
    Column("role", String(16)),
    Column("unit", String(31)),
    Column("action", String(32), nullable=False),
    Column("target", String(64)),
    Column("case_number", String(10)),
    Column("reason", String(500)),
    Column("outcome", String(16), nullable=False),
    Column("code", String(64)),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    CheckConstraint("outcome IN ({})".format(", ".join(f"'{one.value}'" for one in AuditOutcome)), name="outcome"),
    Index("ix_audit_at", "at"),
    Index(
        "ix_audit_case_number",
        "case_number",
        "number",
        sqlite_where=text("case_number IS NOT NULL"),
        postgresql_where=text("case_number IS NOT NULL"),
    ),
)
"""What people and programs have read and done, in the order it was done; triggers let nobody change or remove a row."""

audit_end = Table(
    "audit_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
"""Its one row is the last of the audit log, by number and hash: whoever adds a row locks it; a log cut short shows."""

token = Table(
    "token",
    metadata,
    Column("name", String(31), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("units", JSON),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(31), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", String(31)),
    Column("revoked_reason", String(500)),
    Column("used_at", Moment),
    Column("refused_at", Moment),
)
"""What programs show to be let in, as its SHA-256: the role and units (none: all) it is for, and until when."""

session = Table(
    "session",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("name", String(64), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("units", JSON),
    Column("assignment", String(200)),
    Column("begun_at", Moment, nullable=False),
    Column("used_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    Column("ended_at", Moment),
)
"""Who is logged in to the pages: their cookie as its SHA-256, whoever it stands for, and until when at most."""

login_link = Table(
    "login_link",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("name", String(64), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("units", JSON),
    Column("assignment", String(200)),
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("used_at", Moment),
    Column("refused_at", Moment),
)
"""Links that log somebody in once, as the SHA-256 of what stands in them: whoever each stands for, and until when."""

reveal = Table(
    "reveal",
    metadata,
    Column("session_id", ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("target", String(64), primary_key=True),
    Column("until", Moment, nullable=False),
)
"""What a session may show without masks, by message id or case number, and until when."""
