"""What people have decided about items: kept for good, and read to know how often, and what to give back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.items import Decision, Item
from gateway.store.decision_tables import decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What somebody (HSA-id or token) has decided, and why; ``due_at`` and ``owner`` are what the item had then."""

    decision: Decision
    at: datetime
    by: str
    reason: str
    due_at: datetime | None = None
    owner: str | None = None


async def keep(tx: Transaction, item: Item, decided: Decided) -> None:
    """Keep what somebody has decided about an item."""
    values: dict[str, Any] = {name: getattr(decided, name) for name in Decided.__slots__}
    await tx.execute(insert(decision).values(values | {"kind": item.kind.value, "number": item.number}))


async def about(tx: Transaction, item: Item) -> list[Decided]:
    """Return what has been decided about an item, the first first."""
    columns = [decision.c[name] for name in Decided.__slots__]
    query = select(*columns).where(*_mine(item)).order_by(decision.c.id)
    return [Decided(**{**row, "decision": Decision(row["decision"])}) for row in (await tx.execute(query)).mappings()]


async def count(tx: Transaction, item: Item, which: Decision) -> int:
    """Return how often something has been decided about an item."""
    query = select(func.count()).select_from(decision).where(*_mine(item), decision.c.decision == which.value)
    return int((await tx.execute(query)).scalar_one())


async def last(tx: Transaction, item: Item, which: Decision) -> Decided | None:
    """Return the last time something was decided about an item."""
    return next((one for one in reversed(await about(tx, item)) if one.decision is which), None)


def _mine(item: Item) -> tuple[Any, ...]:
    return decision.c.kind == item.kind.value, decision.c.number == item.number
