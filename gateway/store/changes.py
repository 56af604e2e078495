"""What changes in the ledger, as it happens: the lines of the history behind a mark, with what each is about.

A database server gives out ids before the rows are committed, so that a line may turn up behind lines that are already
there: the mark remembers which ids are missing (:class:`~gateway.store.tallies.Mark`), and they are looked for again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.store.tables import dispatch, history, inbound, message
from gateway.store.tallies import MOST_MISSING, Mark

BATCH: Final = 500
"""How many lines are read at a time."""


class Change(NamedTuple):
    """One line of the history. ``own_unit`` is the unit of this party whose message it is, ``unit`` its recipient."""

    id: int
    at: datetime
    direction: str
    message_id: str
    type: str
    unit: str
    own_unit: str
    event: str
    state: str


_LINE = (history.c.id, history.c.at, history.c.direction, history.c.message_id)
_BECAME = (history.c.event, history.c.state)
_SENT = (
    select(*_LINE, dispatch.c.type, history.c.unit, message.c.sender_unit, *_BECAME)
    .select_from(history)
    .join(dispatch, and_(dispatch.c.message_id == history.c.message_id, dispatch.c.unit == history.c.unit))
    .join(message, message.c.message_id == history.c.message_id)
    .where(history.c.direction == "out", dispatch.c.type != ACKNOWLEDGEMENT)
)
# One id may stand on several messages that came; a line is about one of them.
_SAME = inbound.alias()
_FIRST = select(func.min(_SAME.c.id)).where(_SAME.c.message_id == history.c.message_id, _SAME.c.unit == history.c.unit)
_CAME = (
    select(*_LINE, inbound.c.type, history.c.unit, history.c.unit.label("own_unit"), *_BECAME)
    .select_from(history)
    .join(inbound, inbound.c.id == _FIRST.correlate(history).scalar_subquery())
    .where(history.c.direction == "in")
)


async def end(tx: Transaction, now: datetime) -> Mark:
    """Return the mark behind all that is there, with the ids before it that may yet turn up."""
    last = (await tx.execute(select(func.max(history.c.id)))).scalar_one() or 0
    near = select(history.c.id).where(history.c.id > last - MOST_MISSING)
    return Mark("changes").moved([*(await tx.execute(near)).scalars()], now)


async def ids_behind(tx: Transaction, mark: Mark) -> list[int]:
    """Return the ids of the next lines behind a mark, :data:`BATCH` at most, and of those that had been missing."""
    query = select(history.c.id)
    found = [*(await tx.execute(query.where(history.c.id > mark.last).order_by(history.c.id).limit(BATCH))).scalars()]
    if mark.missing:
        found += (await tx.execute(query.where(history.c.id.in_([*mark.missing])))).scalars()
    return found


async def of_ids(tx: Transaction, ids: Collection[int]) -> list[Change]:
    """Return the lines with some ids, in order; acknowledgements are left out, as they are in the ledger."""
    return await _read(tx, history.c.id.in_([*ids])) if ids else []


async def after(tx: Transaction, last: int, until: int) -> tuple[list[Change], int]:
    """Return the next lines after ``last``, up to ``until``, and up to which id that was."""
    near = select(history.c.id).where(history.c.id > last, history.c.id <= until).order_by(history.c.id).limit(BATCH)
    ids: Sequence[int] = [*(await tx.execute(near)).scalars()]
    if not ids:
        return [], until
    return await _read(tx, history.c.id.between(ids[0], ids[-1])), ids[-1]


async def _read(tx: Transaction, which: ColumnElement[bool]) -> list[Change]:
    queries: tuple[Select[Any], ...] = (_SENT, _CAME)
    rows = [Change(*row) for query in queries for row in (await tx.execute(query.where(which))).all()]
    return sorted(rows, key=lambda one: one.id)
