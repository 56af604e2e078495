"""What is kept about adapters: pauses, keys of events, what has been fetched, and when something last got through."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Table, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.store.adapter_tables import fetch_mark, fetch_said, heartbeat, idempotency, pause
from gateway.store.engine import insert_ignore
from gateway.store.tables import event, inbound


@dataclass(frozen=True, slots=True)
class Pause:
    """That ``adapter`` neither takes nor hands over anything since ``at``, who has decided so (HSA-id), and why."""

    adapter: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Beat:
    """When the system of ``adapter`` was last asked, why it did not answer (no ``codes``: it did), and since when."""

    adapter: str
    at: datetime
    since: datetime
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a resource said last, as a digest, and the version (a hash) that was fetched last.

    ``answer`` is what the event was answered that said so, where it was fetched and not posted.
    """

    version: str | None
    digest: str | None
    answer: Mapping[str, Any] | None


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


async def keep_beat(tx: Transaction, adapter: str, at: datetime, codes: Collection[str]) -> bool:
    """Keep that a system has answered, or why not; tell whether it is another answer than the last."""
    mine = heartbeat.c.adapter == adapter
    before = (await tx.execute(select(heartbeat.c.codes).where(mine))).scalar()
    if before is None:
        values = {"adapter": adapter, "at": at, "since": at, "codes": list(codes)}
        await insert_ignore(tx, heartbeat, values)
        return bool(codes)  # one that has always answered is no news
    turned = bool(before) != bool(codes)
    changed = {"at": at, "codes": list(codes), **({"since": at} if turned else {})}
    await tx.execute(update(heartbeat).where(mine).values(changed))
    return turned


async def beats(tx: Transaction) -> dict[str, Beat]:
    """Return what each system that is asked has answered last, by the name of its adapter."""
    query = select(heartbeat.c.adapter, heartbeat.c.at, heartbeat.c.since, heartbeat.c.codes)
    return {
        row.adapter: Beat(row.adapter, row.at, row.since, tuple(row.codes)) for row in (await tx.execute(query)).all()
    }


async def mark_of(tx: Transaction, adapter: str, kind: str) -> datetime | None:
    """Return up to when a ``kind`` of resource has been fetched."""
    mine = fetch_mark.c.adapter == adapter, fetch_mark.c.kind == kind
    at: datetime | None = (await tx.execute(select(fetch_mark.c.at).where(*mine))).scalar()
    return at


async def keep_mark(tx: Transaction, adapter: str, kind: str, at: datetime) -> None:
    """Keep up to when a ``kind`` of resource has been fetched."""
    if not await insert_ignore(tx, fetch_mark, {"adapter": adapter, "kind": kind, "at": at}):
        mine = fetch_mark.c.adapter == adapter, fetch_mark.c.kind == kind
        await tx.execute(update(fetch_mark).where(*mine).values(at=at))


async def said_by(tx: Transaction, adapter: str, resources: Collection[str]) -> dict[str, Said]:
    """Return what each of some resources (hashes) said last; those that never said anything are left out."""
    mine = fetch_said.c.adapter == adapter, fetch_said.c.resource.in_(list(resources))
    query = select(fetch_said.c.resource, fetch_said.c.version, fetch_said.c.digest, fetch_said.c.answer).where(*mine)
    return {row.resource: Said(row.version, row.digest, row.answer) for row in (await tx.execute(query)).all()}


async def keep_version(tx: Transaction, adapter: str, resource: str, version: str) -> None:
    """Keep which version of a resource was fetched last; what it said stays."""
    await _keep_said(tx, adapter, resource, {"version": version})


async def keep_said(
    tx: Transaction, adapter: str, resource: str, digest: str, answer: Mapping[str, Any] | None
) -> None:
    """Keep what a resource said, and what its event was answered, where it was fetched."""
    values = {"digest": digest, "answer": dict(answer) if answer is not None else None}
    await _keep_said(tx, adapter, resource, values)


async def _keep_said(tx: Transaction, adapter: str, resource: str, values: Mapping[str, Any]) -> None:
    if not await insert_ignore(tx, fetch_said, {"adapter": adapter, "resource": resource, **values}):
        mine = fetch_said.c.adapter == adapter, fetch_said.c.resource == resource
        await tx.execute(update(fetch_said).where(*mine).values(**values))


async def last_event(tx: Transaction, source: str, *, within: int | None = None) -> datetime | None:
    """Return when an event from ``source`` was last kept as accepted; looked for ``within`` so many of the newest."""
    query = select(event.c.received_at).where(event.c.source == source, event.c.state == "accepted")
    if within is not None:
        query = query.where(event.c.id > _before_newest(event, within))
    at: datetime | None = (await tx.execute(query.order_by(event.c.id.desc()).limit(1))).scalar()
    return at


async def last_registration(
    tx: Transaction,
    *,
    units: Collection[str] | None = None,
    but: Collection[str] = (),
    within: int | None = None,
) -> datetime | None:
    """Return when a case system last registered a message: for one of ``units``, or for any ``but`` some.

    It is looked for ``within`` so many of the newest that came.
    """
    query = select(inbound.c.registered_at).where(inbound.c.registered_at.is_not(None))
    query = query.where(inbound.c.unit.in_(list(units)) if units is not None else inbound.c.unit.not_in(list(but)))
    if within is not None:
        query = query.where(inbound.c.id > _before_newest(inbound, within))
    at: datetime | None = (await tx.execute(query.order_by(inbound.c.id.desc()).limit(1))).scalar()
    return at


def _before_newest(table: Table, number: int) -> ScalarSelect[int]:
    """Return the id behind which the ``number`` newest rows of a log stand."""
    return select(func.coalesce(func.max(table.c.id), 0) - number).scalar_subquery()
