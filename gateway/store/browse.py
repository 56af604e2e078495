"""Browsing the ledger: pages of what was sent and of what came, the newest first, however long the log is.

A page is read by its place in the log, never by counting. One that is asked for by something rare looks no further than
some thousand rows (:data:`FARTHEST`) at a time, and tells where to go on; so each page costs about the same. Where a
day begins in the log is found by halving it, since rows are written in the order of their times but for a few moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, Table, func, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.store.tables import dispatch, inbound

Row = RowMapping
"""One row of the log, by the names of its columns."""

FARTHEST: Final = 20_000
"""How many rows of what was sent one page looks at."""

FARTHEST_IN: Final = 10_000
"""How many rows of what came, which are wider: the content stands in them."""

_OUT_OF_ORDER: Final = timedelta(minutes=10)
"""How much later than its neighbours a row may have been written: no transaction lasts as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is looked for; ``None`` is anything.

    ``units`` are the own units that whoever asks may see. ``since`` and ``until`` bound when a message was made, or
    came. ``before`` is where the page begins: the place that the page before told.
    """

    state: str | None = None
    type: str | None = None
    party: str | None = None
    unit: str | None = None
    case_number: str | None = None
    message_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    units: frozenset[str] | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the newest first, and where the next page begins; ``None`` where there is no more."""

    rows: Sequence[RowMapping]
    next: int | None


_SENT = [
    *(column for column in dispatch.columns if column.name not in ("lease_until", "look_at", "leave_by", "own_unit")),
    dispatch.c.own_unit.label("sender_unit"),
]
_CAME = [column for column in inbound.columns if column.name not in ("xml", "lease_until", "look_at", "content_hash")]


async def sent(tx: Transaction, sought: Sought, limit: int, *, farthest: int = FARTHEST) -> Page:
    """Return a page of what was sent, a row for each recipient, acknowledgements left out.

    It has ``limit`` rows at most, out of the next ``farthest`` of the log.
    """
    query = select(*_SENT).where(dispatch.c.type != ACKNOWLEDGEMENT)
    if sought.units is not None:
        query = query.where(dispatch.c.own_unit.in_(sorted(sought.units)))
    if sought.unit is not None:
        query = query.where((dispatch.c.unit == sought.unit) | (dispatch.c.own_unit == sought.unit))
    return await _page(tx, query, dispatch, "created_at", sought, limit, farthest)


async def received(tx: Transaction, sought: Sought, limit: int, *, farthest: int = FARTHEST_IN) -> Page:
    """Return a page of what came, a row for each own unit, without the content; see :func:`sent`."""
    query = select(*_CAME)
    if sought.units is not None:
        query = query.where(inbound.c.unit.in_(sorted(sought.units)))
    if sought.unit is not None:
        query = query.where((inbound.c.unit == sought.unit) | (inbound.c.sender_unit == sought.unit))
    return await _page(tx, query, inbound, "received_at", sought, limit, farthest)


async def _page(
    tx: Transaction, query: Select[Any], table: Table, when: str, sought: Sought, limit: int, farthest: int
) -> Page:
    end = ((await tx.execute(select(func.max(table.c.id)))).scalar() or 0) + 1
    top, first = end if sought.before is None else min(sought.before, end), 1
    # Those have few rows, which an index finds.
    is_rare = sought.case_number is not None or sought.message_id is not None
    if sought.until is not None and not is_rare:
        top = min(top, await _place_of(tx, table, when, sought.until + _OUT_OF_ORDER, end))
    if sought.since is not None and not is_rare:
        first = await _place_of(tx, table, when, sought.since - _OUT_OF_ORDER, end)
    bottom = first if is_rare else max(top - farthest, first)
    for name in ("state", "type", "party", "case_number", "message_id"):
        if (value := getattr(sought, name)) is not None:
            query = query.where(table.c[name] == value)
    if sought.since is not None:
        query = query.where(table.c[when] >= sought.since)
    if sought.until is not None:
        query = query.where(table.c[when] < sought.until)
    if not is_rare:
        query = query.where(table.c.id >= bottom)
    query = query.where(table.c.id < top).order_by(table.c.id.desc()).limit(limit)
    rows = list((await tx.execute(query)).mappings())
    if len(rows) == limit:
        return Page(rows, rows[-1]["id"])
    return Page(rows, bottom if bottom > first else None)


async def _place_of(tx: Transaction, table: Table, when: str, at: datetime, end: int) -> int:
    """Return the id from which on rows are of ``at`` or later, as far as they are in order; ``end`` where none is."""
    low, high = 1, end
    while low < high:
        middle = (low + high) // 2
        query = select(table.c.id, table.c[when]).where(table.c.id >= middle).order_by(table.c.id).limit(1)
        found = (await tx.execute(query)).first()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0] + 1
    return low


async def of_message(
    tx: Transaction, message_id: str, units: frozenset[str] | None
) -> tuple[Sequence[RowMapping], Sequence[RowMapping]]:
    """Return where a message stands: its rows as it was sent, and as it came, as far as they are of ``units``."""
    out = select(*_SENT).where(dispatch.c.message_id == message_id).order_by(dispatch.c.id)
    came = select(*_CAME).where(inbound.c.message_id == message_id).order_by(inbound.c.id)
    if units is not None:
        out = out.where(dispatch.c.own_unit.in_(sorted(units)))
        came = came.where(inbound.c.unit.in_(sorted(units)))
    return list((await tx.execute(out)).mappings()), list((await tx.execute(came)).mappings())
