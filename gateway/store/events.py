"""Events of the case system: what was said, and what it was answered."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.store.adapter_tables import event_decision
from gateway.store.bulk import insertion, several
from gateway.store.tables import event, message


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
_values_of = attrgetter(*_KEPT)
_INSERT = insertion(event, [*_KEPT, "state", "code"])
_OF_SOURCE = event.c.source == bindparam("named")
_SAME = select(event.c.id, event.c.content_hash, event.c.state, event.c.answer).where(
    _OF_SOURCE, event.c.content_hash.in_(several("hashes"))
)
_ACCEPTED = select(event.c.event_id).where(
    _OF_SOURCE, event.c.event_id.in_(several("ids")), event.c.state == "accepted"
)


async def find_same(tx: Transaction, source: str, hashes: Collection[str]) -> dict[str, RowMapping]:
    """Return, by content hash, the events that came from ``source`` with exactly the same bytes before."""
    if not hashes:
        return {}
    found = await tx.execute(_SAME, {"named": source, "hashes": list(hashes)})
    return {row["content_hash"]: row for row in found.mappings()}


async def find_accepted(tx: Transaction, source: str, event_ids: Collection[str]) -> set[str]:
    """Return those of ``event_ids`` under which an event from ``source`` was accepted before."""
    if not event_ids:
        return set()
    return set((await tx.execute(_ACCEPTED, {"named": source, "ids": list(event_ids)})).scalars())


async def keep(tx: Transaction, kept: Iterable[KeptEvent]) -> None:
    """Keep events with what they were answered."""
    new = []
    for one in kept:
        state = "accepted" if one.findings is None else "refused"
        code = one.findings[0]["code"] if one.findings else None
        if one.id is None:
            new.append((*_values_of(one), state, code))
        else:
            values = dict(zip(_KEPT, _values_of(one), strict=True)) | {"state": state, "code": code}
            await tx.execute(update(event).where(event.c.id == one.id).values(values))
    await _INSERT.execute(tx, new)


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that was refused: its ``number``, its reasons, how many bytes came, and since when nobody need look."""

    number: int
    source: str
    event_id: str | None
    kind: str | None
    received_at: datetime
    findings: list[dict[str, Any]]
    size: int
    discarded_at: datetime | None


async def refused(tx: Transaction, numbers: Collection[int] | None = None) -> list[RefusedEvent]:
    """Return the refused events, or those with some ``numbers``, oldest first."""
    columns = event.c.id, event.c.source, event.c.event_id, event.c.kind, event.c.received_at, event.c.findings
    query = select(*columns, func.length(event.c.content), event.c.discarded_at).where(event.c.state == "refused")
    if numbers is not None:
        query = query.where(event.c.id.in_(list(numbers)))
    return [RefusedEvent(*row) for row in (await tx.execute(query.order_by(event.c.id))).all()]


async def content_of(tx: Transaction, number: int) -> bytes:
    """Return what came, of an event that is there."""
    found: bytes = (await tx.execute(select(event.c.content).where(event.c.id == number))).scalar_one()
    return found


async def discard(tx: Transaction, number: int, at: datetime | None) -> bool:
    """Let a refused event be looked at by nobody any more since ``at``, or again; tell whether that is a change."""
    is_one = event.c.discarded_at.is_(None) if at is not None else event.c.discarded_at.is_not(None)
    mine = event.c.id == number, event.c.state == "refused", is_one
    return bool((await tx.execute(update(event).where(*mine).values(discarded_at=at))).rowcount)


async def has_sent_since(tx: Transaction, case_number: str, moment: datetime) -> bool:
    """Tell whether this party has made a message about a case after a moment."""
    query = select(message.c.message_id).where(message.c.case_number == case_number, message.c.created_at > moment)
    return (await tx.execute(query.where(message.c.type != ACKNOWLEDGEMENT).limit(1))).first() is not None


async def keep_decision(
    tx: Transaction, number: int, decision: str, *, at: datetime, by: str, reason: str, codes: Collection[str] = ()
) -> None:
    """Keep what somebody (HSA-id) has decided about a refused event, why, and why it is still refused, if it is."""
    values = {"event": number, "decision": decision, "at": at, "by": by, "reason": reason, "codes": list(codes)}
    await tx.execute(insert(event_decision).values(values))
