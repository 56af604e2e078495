"""The inbox of units: what has come for them that they have not done what they owe for, the first deadline first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.items import Item, ItemKind
from gateway.lifecycle import InState
from gateway.messages import Duty
from gateway.store.moments import Moment
from gateway.store.tables import OPEN, inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A message that ``unit`` owes its ``duty`` for, by ``due_at``. Whom it is about is not told."""

    item: Item
    message_id: str
    type: str
    case_number: str
    unit: str
    party: str
    sender_unit: str
    state: InState
    duty: Duty
    due_at: datetime
    received_at: datetime
    registered_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwedPage:
    """Messages, the first deadline first, and where the next page begins; ``None`` where there is no more."""

    rows: Sequence[Owed]
    next: tuple[datetime, int] | None


_OWED = (text(f"inbound.{OPEN}"), inbound.c.state == InState.REGISTERED.value)
_COLUMNS = (
    "message_id",
    "type",
    "case_number",
    "unit",
    "party",
    "sender_unit",
    "state",
    "duty",
    "due_at",
    "received_at",
    "registered_at",
)


async def owed(
    tx: Transaction,
    limit: int,
    *,
    units: frozenset[str] | None = None,
    unit: str | None = None,
    type_name: str | None = None,
    after: tuple[datetime, int] | None = None,
) -> OwedPage:
    """Return a page of what units owe: of ``units`` whoever asks may see. It begins after what the page before told."""
    query = select(inbound.c.id, *(inbound.c[name] for name in _COLUMNS)).where(*_OWED, *_for(units, unit, type_name))
    if after is not None:
        query = query.where(
            tuple_(inbound.c.due_at, inbound.c.id) > tuple_(literal(after[0], Moment), literal(after[1]))
        )
    query = query.order_by(inbound.c.due_at, inbound.c.id).limit(limit)
    rows = [_owed(dict(row)) for row in (await tx.execute(query)).mappings()]
    return OwedPage(rows, (rows[-1].due_at, rows[-1].item.number) if len(rows) == limit else None)


async def owed_count(
    tx: Transaction, most: int, *, units: frozenset[str] | None = None, unit: str | None = None
) -> int:
    """Return how many messages units owe something for, counted up to ``most``."""
    some = select(inbound.c.id).where(*_OWED, *_for(units, unit, None)).limit(most).subquery()
    return int((await tx.execute(select(func.count()).select_from(some))).scalar_one())


def _for(units: frozenset[str] | None, unit: str | None, type_name: str | None) -> list[Any]:
    found: list[Any] = [inbound.c.unit.in_(sorted(units))] if units is not None else []
    found += [inbound.c.unit == unit] if unit is not None else []
    return found + ([inbound.c.type == type_name] if type_name is not None else [])


def _owed(row: dict[str, Any]) -> Owed:
    number = row.pop("id")
    return Owed(
        item=Item(ItemKind.RECEIVED, number), **row | {"state": InState(row["state"]), "duty": Duty(row["duty"])}
    )
