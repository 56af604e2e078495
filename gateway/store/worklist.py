"""The work list of units: what they owe for messages that came, and what else came that nobody has marked as read.

Each is read by an index that holds nothing else, however long the log is. What some units have is found at once; for
whoever sees all units, what nobody has read is looked for :data:`~gateway.store.browse.FARTHEST` rows of the log at a
time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Inbound
from gateway.store.browse import FARTHEST
from gateway.store.rows import IN, as_inbound
from gateway.store.tables import DELIVERABLE, OWED, UNREAD, inbound

COUNTED: Final = 100
"""How far is counted what is waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; ``None`` is anything.

    ``units`` are the own units (HSA-ids) whose work it is, and ``before`` a time by which it is due.
    """

    units: frozenset[str] | None = None
    type: str | None = None
    before: datetime | None = None


async def owed(tx: Transaction, wanted: Wanted, after: tuple[datetime, int] | None, limit: int) -> list[Inbound]:
    """Return ``limit`` messages at most that must be acknowledged or replied to, the first to be due first.

    ``after`` is the deadline and the number of the row that the page follows.
    """
    query = select(inbound.c.id).where(text(OWED), *_conditions(wanted))
    if wanted.before is not None:
        query = query.where(inbound.c.due_at < wanted.before)
    if after is not None:
        due_at, number = after
        query = query.where(or_(inbound.c.due_at > due_at, and_(inbound.c.due_at == due_at, inbound.c.id > number)))
    return await _rows(tx, query.order_by(inbound.c.due_at, inbound.c.id).limit(limit))


async def unread(
    tx: Transaction, wanted: Wanted, before: int | None, limit: int, *, farthest: int = FARTHEST
) -> tuple[list[Inbound], int | None]:
    """Return ``limit`` messages at most that ask for nothing and that nobody has marked as read, the newest first.

    ``before`` is the number of the row that the page follows; where the next page begins is told too, if there is one.
    """
    query = select(inbound.c.id).where(text(UNREAD), *_conditions(wanted))
    bottom = 0
    if wanted.units is None:
        if before is None:
            before = ((await tx.execute(select(func.max(inbound.c.id)))).scalar() or 0) + 1
        bottom = max(before - farthest, 0)
        query = query.where(inbound.c.id >= bottom)
    if before is not None:
        query = query.where(inbound.c.id < before)
    found = await _rows(tx, query.order_by(inbound.c.id.desc()).limit(limit))
    if len(found) == limit:
        return found, found[-1].id
    return found, bottom if bottom > 1 else None


async def count_owed(tx: Transaction, units: Collection[str] | None, *, before: datetime | None = None) -> int:
    """Return how many messages must be acknowledged or replied to, or were to be ``before`` a time.

    What is more than :data:`COUNTED` is one more.
    """
    query = select(inbound.c.id).where(text(OWED), *_of(units))
    if before is not None:
        query = query.where(inbound.c.due_at < before)
    return await _count(tx, query)


async def count_on_the_way(tx: Transaction, units: Collection[str] | None) -> int:
    """Return how many messages the case system has not taken yet, counted as in :func:`count_owed`."""
    return await _count(tx, select(inbound.c.id).where(text(DELIVERABLE), *_of(units)))


async def mark_read(tx: Transaction, number: int, now: datetime) -> bool:
    """Mark a row as read; tell whether it was to be, and was not."""
    mine = text(UNREAD), inbound.c.id == number
    return bool((await tx.execute(update(inbound).where(*mine).values(read_at=now))).rowcount)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    of_type = [inbound.c.type == wanted.type] if wanted.type is not None else []
    return [*_of(wanted.units), *of_type]


def _of(units: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [inbound.c.unit.in_(sorted(units))] if units is not None else []


async def _count(tx: Transaction, query: Select[Any]) -> int:
    counted = select(func.count()).select_from(query.limit(COUNTED + 1).subquery())
    return int((await tx.execute(counted)).scalar_one())


async def _rows(tx: Transaction, chosen: Select[Any]) -> list[Inbound]:
    """Return the rows whose numbers ``chosen`` finds, in its order; their content is read for no other."""
    numbers = list((await tx.execute(chosen)).scalars())
    if not numbers:
        return []
    found = {row.id: as_inbound(row) for row in (await tx.execute(select(*IN).where(inbound.c.id.in_(numbers)))).all()}
    return [found[number] for number in numbers]
