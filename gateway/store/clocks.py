"""What is awaited: the ledger rows that have a deadline, and the cases whose clocks may run.

All are read by indexes that hold nothing else, however long the ledger is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import OutState
from gateway.process import TERMINAL, SipCase
from gateway.store import rows
from gateway.store.cases import case_in
from gateway.store.rows import as_dispatch, as_inbound
from gateway.store.tables import OPEN, dispatch, inbound, sip_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which awaited answers are looked for; ``None`` is anything.

    ``units`` are the own units (HSA-ids) whose messages may be seen, and ``unit`` one that sent or was sent it.
    ``before`` is a time by which they are due, and ``after`` the deadline and the number of the row that the page
    follows. Acknowledgements, which nobody answers, are left out unless they are asked for.
    """

    states: Collection[OutState] | None = None
    party: str | None = None
    type: str | None = None
    unit: str | None = None
    units: frozenset[str] | None = None
    before: datetime | None = None
    after: tuple[datetime, int] | None = None
    with_acknowledgements: bool = False


@dataclass(frozen=True, slots=True)
class AwaitedPage:
    """Messages, the first deadline first, and where the next page begins; ``None`` where there is no more."""

    rows: Sequence[Dispatch]
    next: tuple[datetime, int] | None


async def awaited_answers(tx: Transaction, sought: Sought, limit: int) -> AwaitedPage:
    """Return ``limit`` outgoing messages at most that wait for something, the first deadline first."""
    some = _looked_at(sought).order_by(dispatch.c.due_at, dispatch.c.id).limit(limit + 1).subquery()
    query = select(*rows.OUT).join(some, some.c.id == dispatch.c.id).order_by(some.c.due_at, some.c.id)
    found = [as_dispatch(row) for row in (await tx.execute(query)).all()]
    if len(found) <= limit:
        return AwaitedPage(found, None)
    last = found[limit - 1]
    assert last.due_at is not None  # it waits by then
    return AwaitedPage(found[:limit], (last.due_at, last.id))


async def owed_answers(tx: Transaction, limit: int) -> list[Inbound]:
    """Return ``limit`` incoming messages at most for which something is still owed here, the first deadline first."""
    first = select(inbound.c.id).where(text(OPEN)).order_by(inbound.c.due_at, inbound.c.id).limit(limit).subquery()
    query = select(*rows.IN).join(first, first.c.id == inbound.c.id).order_by(inbound.c.due_at, inbound.c.id)
    return [as_inbound(row) for row in (await tx.execute(query)).all()]


async def open_cases(tx: Transaction, limit: int | None = None) -> list[SipCase]:
    """Return every case that has not ended, or the first ``limit`` of them by number."""
    over = [state.value for state in TERMINAL]
    query = (
        select(cast(sip_case.c.snapshot, Text)).where(sip_case.c.state.not_in(over)).order_by(sip_case.c.case_number)
    )
    return [case_in(snapshot) for (snapshot,) in (await tx.execute(query.limit(limit))).all()]


def _looked_at(sought: Sought) -> Select[Any]:
    """Return the query for the rows that an index can tell: number and deadline."""
    conditions: list[ColumnElement[bool]] = [text(OPEN)]  # type: ignore[list-item]
    if not sought.with_acknowledgements:
        conditions.append(dispatch.c.type != ACKNOWLEDGEMENT)
    if sought.states is not None:
        conditions.append(dispatch.c.state.in_(sorted(state.value for state in sought.states)))
    if sought.party is not None:
        conditions.append(dispatch.c.party == sought.party)
    if sought.type is not None:
        conditions.append(dispatch.c.type == sought.type)
    if sought.units is not None:
        conditions.append(dispatch.c.own_unit.in_(sorted(sought.units)))
    if sought.unit is not None:
        conditions.append((dispatch.c.unit == sought.unit) | (dispatch.c.own_unit == sought.unit))
    if sought.before is not None:
        conditions.append(dispatch.c.due_at < sought.before)
    if sought.after is not None:
        due_at, number = sought.after
        later = dispatch.c.due_at > due_at
        conditions.append(or_(later, and_(dispatch.c.due_at == due_at, dispatch.c.id > number)))
    return select(dispatch.c.id, dispatch.c.due_at).where(*conditions)
