"""Reading the ledger: what was sent to whom, and how far it got."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.ledger import Dispatch
from gateway.lifecycle import InState, OutState
from gateway.store import items
from gateway.store.rows import OUT, as_dispatch
from gateway.store.tables import dead_letter, dispatch, event, history, inbound, message, note, parked, unexpected

_AT_REST = (
    OutState.HELD.value,
    OutState.STOPPED.value,
    OutState.REJECTED.value,
    OutState.EXPIRED.value,
    OutState.PARTIAL.value,
    OutState.ACKNOWLEDGED.value,
    OutState.RETRACTED.value,
    OutState.MISDIRECTED.value,
    OutState.LETTER.value,
    OutState.MAILED.value,
)
_DONE_WITH = (
    InState.ACKNOWLEDGED.value,
    InState.REJECTED.value,
    InState.RETRACTED.value,
    InState.MISDIRECTED.value,
)


async def sent_messages(tx: Transaction, *, state: str | None = None, limit: int = 1000) -> list[Dispatch]:
    """Return the newest ``limit`` ledger rows in the order they were made, acknowledgements left out."""
    query = select(*OUT).where(dispatch.c.type != ACKNOWLEDGEMENT).order_by(dispatch.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(dispatch.c.state == state)
    return [as_dispatch(row) for row in reversed((await tx.execute(query)).all())]


async def received_messages(tx: Transaction, *, state: str | None = None, limit: int = 1000) -> list[RowMapping]:
    """Return the newest ``limit`` messages that came, in the order they came, without their content."""
    columns = [column for column in inbound.columns if column.name != "xml"]
    query = select(*columns).order_by(inbound.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(inbound.c.state == state)
    return list(reversed(list((await tx.execute(query)).mappings())))


async def life_of(tx: Transaction, message_id: str) -> list[RowMapping]:
    """Return every attempt and change of state of a message, oldest first.

    The beginning of an id will do where no other id begins so; where several do, nothing is returned.
    """
    mine = items.begins(history, message_id)
    if len((await tx.execute(select(history.c.message_id).where(mine).distinct().limit(2))).all()) != 1:
        return []
    query = select(history).where(mine).order_by(history.c.id)
    return list((await tx.execute(query)).mappings())


async def unsettled(tx: Transaction) -> bool:
    """Tell whether anything is still on its way: to the exchange, to the case system, or waiting for an answer."""
    acknowledgement = dispatch.c.type == ACKNOWLEDGEMENT
    moving = or_(
        ~acknowledgement & dispatch.c.state.not_in(_AT_REST),
        acknowledgement & (dispatch.c.state != OutState.SENT.value),
    )
    coming = inbound.c.state.not_in(_DONE_WITH)
    query = select(exists().where(moving) | exists().where(coming) | exists().where(note.c.written_at.is_(None)))
    return bool((await tx.execute(query)).scalar())


async def held_by_receiver(tx: Transaction, sent: Dispatch, content_hash: str) -> bool:
    """Tell, in the receiver's store, whether it holds a message with this content, or parked it with its reason."""
    stored = exists().where(
        inbound.c.message_id == sent.message_id, inbound.c.unit == sent.unit, inbound.c.content_hash == content_hash
    )
    set_aside = exists().where(parked.c.message_id == sent.message_id, parked.c.unit == sent.unit)
    return bool((await tx.execute(select(stored | set_aside))).scalar())


async def hash_of(tx: Transaction, message_id: str) -> str:
    """Return the content hash of a message of this party."""
    query = select(message.c.content_hash).where(message.c.message_id == message_id)
    return str((await tx.execute(query)).scalar_one())


async def set_aside(tx: Transaction) -> list[dict[str, Any]]:
    """Return what settled nothing and became nothing, oldest first, each with the code of its first reason.

    These are events that were refused, deliveries that were parked, acknowledgements that were not expected, and dead
    letters that have not been taken since; what somebody has discarded is left out.
    """
    found = [
        {"kind": kind, "id": row[0], "from": row[1], "code": row[2][0]["code"], "at": row[3]}
        for kind, query in (
            (
                "event",
                select(event.c.event_id, event.c.source, event.c.findings, event.c.received_at).where(
                    event.c.state == "refused", event.c.discarded_at.is_(None)
                ),
            ),
            (
                "message",
                select(parked.c.message_id, parked.c.party, parked.c.findings, parked.c.arrived_at).where(
                    parked.c.discarded_at.is_(None)
                ),
            ),
            (
                "acknowledgement",
                select(
                    unexpected.c.acknowledgement_id, unexpected.c.party, unexpected.c.findings, unexpected.c.arrived_at
                ).where(unexpected.c.discarded_at.is_(None)),
            ),
        )
        for row in (await tx.execute(query)).all()
    ]
    dead = select(dead_letter).where(dead_letter.c.settled_at.is_(None), dead_letter.c.discarded_at.is_(None))
    for row in (await tx.execute(dead)).mappings():
        told = {"id": row["message_id"], "from": row["party"], "code": row["reason"], "at": row["arrived_at"]}
        found.append({"kind": "dead-letter", **told})
    return sorted(found, key=lambda one: one["at"])
