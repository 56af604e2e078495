"""The life of each message: every attempt and every change of state, in order. Ids and codes only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch, Inbound
from gateway.store.bulk import insertion
from gateway.store.tables import history


class Line(NamedTuple):
    """One line of the history, in the order in which it is written."""

    direction: str
    message_id: str
    unit: str
    at: datetime
    event: str
    state: str
    code: str | None


LONGEST_CODE = 64
"""Characters of a code, at most."""

_INSERT = insertion(history, Line._fields)


def lines(rows: Iterable[Dispatch | Inbound], event: str, now: datetime, code: str | None = None) -> list[Line]:
    """Return what to write down when ``event`` has brought each of ``rows`` to the state it now has.

    A code that a partner gave may be longer than there is room for here; with the verdict it stands in full.
    """
    code = code[:LONGEST_CODE] if code is not None else None
    return [
        Line("out" if isinstance(row, Dispatch) else "in", row.message_id, row.unit, now, event, row.state.value, code)
        for row in rows
    ]


async def add(tx: Transaction, written: Sequence[Line]) -> None:
    """Add lines to the history."""
    await _INSERT.execute(tx, written)


async def record(
    tx: Transaction, rows: Iterable[Dispatch | Inbound], event: str, now: datetime, code: str | None = None
) -> None:
    """Write that ``event`` brought each of ``rows`` to the state it now has."""
    await add(tx, lines(rows, event, now, code))
