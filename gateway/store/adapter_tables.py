"""The tables of adapters: pauses, keys of events over HTTP, whether systems answer, and how far changes are fetched."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, text

from gateway.store.moments import Moment
from gateway.store.tables import metadata

pause = Table(
    "pause",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("adapter", String(31), nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(31), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", String(31)),
    Column("ended_reason", String(500)),
    Index(
        "uq_pause_now",
        "adapter",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)
"""When somebody (HSA-id) has paused an adapter, by its name in the settings, and let it work again; and why."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("source", String(31), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)
"""For which content a system used a key when it sent an event over HTTP; the key as its SHA-256."""

event_decision = Table(
    "event_decision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Integer, ForeignKey("event.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("by", String(31), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("codes", JSON, nullable=False),
)
"""What somebody (HSA-id) has decided about a refused event, and why: ``resent`` (with the codes of why it was refused
again, if it was), ``discarded``, or ``restored``."""

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("adapter", String(31), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("since", Moment, nullable=False),
    Column("codes", JSON, nullable=False),
)
"""When the system of an adapter was last asked, why it did not answer (no codes: it did), and since when that is so."""

fetch_mark = Table(
    "fetch_mark",
    metadata,
    Column("adapter", String(31), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)
"""Up to when all that had changed of a kind of resource has been fetched for an adapter."""

fetch_said = Table(
    "fetch_said",
    metadata,
    Column("adapter", String(31), primary_key=True),
    Column("resource", String(64), primary_key=True),
    Column("version", String(64)),
    Column("digest", String(64)),
    Column("answer", JSON),
)
"""What a resource (the SHA-256 of its address) said last to an adapter, as a SHA-256, and the version (as a SHA-256)
that was fetched last. ``answer`` is what the event was answered, where the resource was fetched and not posted."""
