"""What is kept about adapters: pauses, keys of events, what has been fetched, and when something last got through."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.store.adapter_tables import fetch_mark, fetch_said, idempotency, pause
from gateway.store.engine import insert_ignore
from gateway.store.tables import event, inbound


@dataclass(frozen=True, slots=True)
class Pause:
    """That ``adapter`` neither takes nor hands over anything since ``at``, who has decided so (HSA-id), and why."""

    adapter: str
    at: datetime
    by: str
    reason: str


_NOW = text("ended_at IS NULL")


async def pauses(tx: Transaction) -> dict[str, Pause]:
    """Return the adapters that are paused, by name."""
    query = select(pause.c.adapter, pause.c.at, pause.c.by, pause.c.reason).where(_NOW)
    return {row.adapter: Pause(*row) for row in (await tx.execute(query)).all()}


async def is_paused(tx: Transaction, adapter: str) -> bool:
    """Tell whether an adapter is paused."""
    return (await tx.execute(select(pause.c.id).where(pause.c.adapter == adapter, _NOW))).first() is not None


async def put_on_hold(tx: Transaction, one: Pause) -> bool:
    """Pause an adapter; tell whether it was at work. The first who paused it stands."""
    values = {"adapter": one.adapter, "at": one.at, "by": one.by, "reason": one.reason}
    return await insert_ignore(tx, pause, values)


async def resume(tx: Transaction, adapter: str, *, at: datetime, by: str, reason: str) -> bool:
    """Let an adapter work, and keep who has said so and why; tell whether it was paused."""
    ended = {"ended_at": at, "ended_by": by, "ended_reason": reason}
    return bool((await tx.execute(update(pause).where(pause.c.adapter == adapter, _NOW).values(ended))).rowcount)


async def claim_key(tx: Transaction, source: str, key: str, content_hash: str, now: datetime) -> bool:
    """Keep which content ``key`` (a hash) is for; tell whether it is this one."""
    values = {"source": source, "key": key, "content_hash": content_hash, "at": now}
    if await insert_ignore(tx, idempotency, values):
        return True
    mine = idempotency.c.source == source, idempotency.c.key == key
    known: str = (await tx.execute(select(idempotency.c.content_hash).where(*mine))).scalar_one()
    return known == content_hash


async def forget_keys(tx: Transaction, before: datetime) -> int:
    """Forget the keys that were first used before a moment, and return how many they were."""
    return (await tx.execute(delete(idempotency).where(idempotency.c.at < before))).rowcount


async def mark_of(tx: Transaction, adapter: str, kind: str) -> tuple[datetime, dict[str, str]] | None:
    """Return how far a ``kind`` of resource has been fetched, and the versions just before then, with their times."""
    mine = fetch_mark.c.adapter == adapter, fetch_mark.c.kind == kind
    row = (await tx.execute(select(fetch_mark.c.at, fetch_mark.c.versions).where(*mine))).first()
    return (row.at, row.versions) if row is not None else None


async def keep_mark(tx: Transaction, adapter: str, kind: str, at: datetime, versions: Mapping[str, str]) -> None:
    """Keep how far a ``kind`` of resource has been fetched."""
    values = {"at": at, "versions": dict(versions)}
    if not await insert_ignore(tx, fetch_mark, {"adapter": adapter, "kind": kind, **values}):
        mine = fetch_mark.c.adapter == adapter, fetch_mark.c.kind == kind
        await tx.execute(update(fetch_mark).where(*mine).values(values))


async def said_by(tx: Transaction, adapter: str, resource: str) -> str | None:
    """Return the digest of what a resource (a hash) said when it was last fetched; ``None`` where it never was."""
    mine = fetch_said.c.adapter == adapter, fetch_said.c.resource == resource
    said: str | None = (await tx.execute(select(fetch_said.c.digest).where(*mine))).scalar()
    return said


async def keep_said(tx: Transaction, adapter: str, resource: str, digest: str) -> None:
    """Keep the digest of what a resource said."""
    if not await insert_ignore(tx, fetch_said, {"adapter": adapter, "resource": resource, "digest": digest}):
        mine = fetch_said.c.adapter == adapter, fetch_said.c.resource == resource
        await tx.execute(update(fetch_said).where(*mine).values(digest=digest))


async def last_event(tx: Transaction, source: str) -> datetime | None:
    """Return when an event from ``source`` was last kept as accepted."""
    query = select(event.c.received_at).where(event.c.source == source, event.c.state == "accepted")
    at: datetime | None = (await tx.execute(query.order_by(event.c.id.desc()).limit(1))).scalar()
    return at


async def last_registration(
    tx: Transaction, *, units: Collection[str] | None = None, but: Collection[str] = ()
) -> datetime | None:
    """Return when a case system last registered a message: for one of ``units``, or for any ``but`` some."""
    query = select(inbound.c.registered_at).where(inbound.c.registered_at.is_not(None))
    query = query.where(inbound.c.unit.in_(list(units)) if units is not None else inbound.c.unit.not_in(list(but)))
    at: datetime | None = (await tx.execute(query.order_by(inbound.c.id.desc()).limit(1))).scalar()
    return at
