"""The life of each message: every attempt and every change of state, in order. Ids and codes only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch, Inbound
from gateway.store.tables import history


async def record(
    tx: Transaction, rows: Iterable[Dispatch | Inbound], event: str, now: datetime, code: str | None = None
) -> None:
    """Write that ``event`` brought each of ``rows`` to the state it now has."""
    lines = [
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
    if lines:
        await tx.execute(insert(history), lines)
