"""The table of what has been answered to requests that may come again."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from gateway.store.moments import Moment
from gateway.store.tables import metadata

kept_answer = Table(
    "kept_answer",
    metadata,
    Column("actor", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("claim", String(36), nullable=False),
    Column("claimed_at", Moment, nullable=False, index=True),
    Column("status", Integer),
    Column("body", Text),
)
"""What somebody was answered to the request they sent under a key (its SHA-256), and for which content (its SHA-256).

Without a status the request is under way, in the hands of whoever has ``claim``.
"""
