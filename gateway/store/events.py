"""Events of the case system: what was said, and what it was answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.store.tables import event


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event as it is kept: accepted with its ``answer``, or refused with its ``findings``.

    ``id`` is the row of the same event as it was refused before, if it was; the new answer takes its place.
    """

    source: str
    event_id: str | None
    kind: str | None
    content_hash: str
    content: bytes
    received_at: datetime
    answer: dict[str, Any] | None = None
    findings: list[dict[str, Any]] | None = None
    id: int | None = None


_KEPT = [member.name for member in fields(KeptEvent) if member.name != "id"]


async def find_same(tx: Transaction, source: str, hashes: Collection[str]) -> dict[str, RowMapping]:
    """Return, by content hash, the events that came from ``source`` with exactly the same bytes before."""
    columns = (event.c.id, event.c.content_hash, event.c.state, event.c.answer)
    query = select(*columns).where(event.c.source == source, event.c.content_hash.in_(hashes))
    return {row["content_hash"]: row for row in (await tx.execute(query)).mappings()} if hashes else {}


async def find_accepted(tx: Transaction, source: str, event_ids: Collection[str]) -> set[str]:
    """Return those of ``event_ids`` under which an event from ``source`` was accepted before."""
    accepted = event.c.state == "accepted"
    query = select(event.c.event_id).where(event.c.source == source, event.c.event_id.in_(event_ids), accepted)
    return set((await tx.execute(query)).scalars()) if event_ids else set()


async def keep(tx: Transaction, kept: Iterable[KeptEvent]) -> None:
    """Keep events with what they were answered."""
    new = []
    for one in kept:
        values = {name: getattr(one, name) for name in _KEPT}
        values["state"] = "accepted" if one.findings is None else "refused"
        if one.id is None:
            new.append(values)
        else:
            await tx.execute(update(event).where(event.c.id == one.id).values(values))
    if new:
        await tx.execute(insert(event), new)


async def refused(tx: Transaction) -> list[RowMapping]:
    """Return the refused events, oldest first."""
    return list((await tx.execute(select(event).where(event.c.state == "refused").order_by(event.c.id))).mappings())
