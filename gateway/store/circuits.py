"""Circuits that are not healthy, by the party they lead to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.circuit import Circuit
from gateway.store.engine import insert_ignore
from gateway.store.tables import WAITING, circuit, dispatch


async def load(tx: Transaction) -> dict[str, Circuit]:
    """Return the circuits that are not healthy; others wait to change them."""
    query = select(circuit).order_by(circuit.c.party).with_for_update()
    return {row["party"]: Circuit(**row) for row in (await tx.execute(query)).mappings()}


async def unhealthy(tx: Transaction) -> list[Circuit]:
    """Return the circuits that are not healthy, to look at."""
    return [Circuit(**row) for row in (await tx.execute(select(circuit).order_by(circuit.c.party))).mappings()]


async def save(tx: Transaction, changed: Iterable[Circuit]) -> None:
    """Remember circuits, and forget those that are healthy.

    A row is changed where it stands: whoever waits for one that is taken away would hold its circuit for a healthy one.
    """
    for one in changed:
        mine = circuit.c.party == one.party
        if one.is_healthy:
            await tx.execute(delete(circuit).where(mine))
            continue
        values = {column.name: getattr(one, column.name) for column in circuit.columns}
        if not (await tx.execute(update(circuit).where(mine).values(values))).rowcount:
            await insert_ignore(tx, circuit, values)


async def with_backlog(tx: Transaction) -> set[str]:
    """Return the parties that something waits to be sent to."""
    return set((await tx.execute(select(dispatch.c.party).where(text(WAITING)).distinct())).scalars())
