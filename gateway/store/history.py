"""The life of each message: every attempt and every change of state, in order. Ids and codes only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch, Inbound
from gateway.store.tables import history

_INSERT = insert(history)


def lines(
    rows: Iterable[Dispatch | Inbound], event: str, now: datetime, code: str | None = None
) -> list[dict[str, Any]]:
    """Return what to write down when ``event`` has brought each of ``rows`` to the state it now has."""
    return [
        {
            "direction": "out" if isinstance(row, Dispatch) else "in",
            "message_id": row.message_id,
            "unit": row.unit,
            "at": now,
            "event": event,
            "state": row.state.value,
            "code": code,
        }
        for row in rows
    ]


async def add(tx: Transaction, written: Sequence[dict[str, Any]]) -> None:
    """Add lines to the history."""
    if written:
        await tx.execute(_INSERT, written)


async def record(
    tx: Transaction, rows: Iterable[Dispatch | Inbound], event: str, now: datetime, code: str | None = None
) -> None:
    """Write that ``event`` brought each of ``rows`` to the state it now has."""
    await add(tx, lines(rows, event, now, code))
