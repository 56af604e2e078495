"""Events of the case system: what was said, and what it was answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.store.tables import event


async def find_same(tx: Transaction, source: str, content_hash: str) -> RowMapping | None:
    """Return the event that came with exactly these bytes before."""
    query = select(event).where(event.c.source == source, event.c.content_hash == content_hash)
    return (await tx.execute(query)).mappings().first()


async def find_accepted(tx: Transaction, source: str, event_id: str) -> RowMapping | None:
    """Return the event that was accepted under this id before."""
    query = select(event).where(event.c.source == source, event.c.event_id == event_id, event.c.state == "accepted")
    return (await tx.execute(query)).mappings().first()


async def keep(
    tx: Transaction,
    earlier: RowMapping | None,
    *,
    source: str,
    event_id: str | None,
    kind: str | None,
    content_hash: str,
    content: bytes,
    received_at: datetime,
    answer: dict[str, Any] | None = None,
    findings: list[dict[str, Any]] | None = None,
) -> None:
    """Keep an event: accepted with its ``answer``, or refused with its ``findings``.

    ``earlier`` is the same event as it was refused before, if it was; the new answer takes its place.
    """
    values = {
        "event_id": event_id,
        "kind": kind,
        "received_at": received_at,
        "state": "accepted" if findings is None else "refused",
        "answer": answer,
        "findings": findings,
    }
    if earlier is not None:
        await tx.execute(update(event).where(event.c.id == earlier["id"]).values(**values))
    else:
        same = {"source": source, "content_hash": content_hash, "content": content}
        await tx.execute(insert(event).values(**same, **values))


async def refused(tx: Transaction) -> list[RowMapping]:
    """Return the refused events, oldest first."""
    return list((await tx.execute(select(event).where(event.c.state == "refused").order_by(event.c.id))).mappings())
