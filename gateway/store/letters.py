"""Messages that go by letter, and what people have stated about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch
from gateway.lifecycle import OutEvent, OutState
from gateway.store import items
from gateway.store.bulk import insertion
from gateway.store.rows import OUT, as_dispatch
from gateway.store.tables import ON_PAPER, dispatch, message, statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A ledger row that goes by letter, or went, with the message it is about and the unit (HSA-id) that wrote it."""

    dispatch: Dispatch
    sender_unit: str
    xml: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What somebody, known by their HSA-id, has stated about a letter: that it was mailed, or answered, and why."""

    message_id: str
    unit: str
    event: OutEvent
    by: str
    reason: str
    at: datetime


_LETTER = select(*OUT, message.c.sender_unit, message.c.xml).join(
    message, message.c.message_id == dispatch.c.message_id
)
_COLUMNS = ("message_id", "unit", "event", "by", "reason", "at")
_INSERT = insertion(statement, _COLUMNS)


async def on_paper(tx: Transaction, *, mailed: bool = False) -> list[Letter]:
    """Return the letters that are to be sent, the first deadline first; with ``mailed``, then those that were sent."""
    query = _LETTER.where(text(ON_PAPER)).order_by(dispatch.c.due_at.is_(None), dispatch.c.due_at, dispatch.c.id)
    if not mailed:
        query = query.where(dispatch.c.state == OutState.LETTER.value)
    return [Letter(dispatch=as_dispatch(row), sender_unit=row[-2], xml=row[-1]) for row in await tx.execute(query)]


async def find(tx: Transaction, message_id: str, unit: str) -> Letter | None:
    """Return the row of a message to a unit, whatever way it goes; the beginning of an id will do if it is the only."""
    begins = items.begins(dispatch, message_id)
    found = (await tx.execute(_LETTER.where(begins, dispatch.c.unit == unit).limit(2))).all()
    if len(found) != 1:
        return None
    return Letter(dispatch=as_dispatch(found[0]), sender_unit=found[0][-2], xml=found[0][-1])


async def stated(tx: Transaction, message_id: str, unit: str) -> dict[OutEvent, Statement]:
    """Return what has been stated about a message to a unit, by what it says, the first first."""
    about = (statement.c.message_id == message_id, statement.c.unit == unit)
    query = select(statement).where(*about).order_by(statement.c.at)
    found = [Statement(**{**row, "event": OutEvent(row["event"])}) for row in (await tx.execute(query)).mappings()]
    return {one.event: one for one in found}


async def keep(tx: Transaction, one: Statement) -> None:
    """Keep a statement."""
    await _INSERT.execute(tx, [tuple(getattr(one, name) for name in _COLUMNS)])
