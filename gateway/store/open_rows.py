"""What is open now, counted by the indexes that hold nothing else, however long the ledger is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, case, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import OutState
from gateway.store.moments import Moment
from gateway.store.tables import OPEN, dead_letter, dispatch, inbound, note

_NOW = bindparam("now", type_=Moment)

OUTGOING: Final = (
    select(
        dispatch.c.state,
        dispatch.c.party,
        func.count().label("number"),
        func.sum(case((dispatch.c.due_at < _NOW, 1), else_=0)).label("overdue"),
        func.min(dispatch.c.queued_at, type_=Moment).label("since"),
    )
    .where(text(OPEN))
    .group_by(dispatch.c.state, dispatch.c.party)
)
INCOMING: Final = (
    select(
        inbound.c.state,
        func.count().label("number"),
        func.sum(case((inbound.c.due_at < _NOW, 1), else_=0)).label("overdue"),
        func.min(inbound.c.received_at, type_=Moment).label("since"),
    )
    .where(text(OPEN))
    .group_by(inbound.c.state)
)
UNDER_WAY: Final = (
    select(
        dispatch.c.state,
        dispatch.c.party,
        func.count().label("number"),
        func.min(dispatch.c.due_at, type_=Moment).label("due"),
    )
    .where(
        text(OPEN),
        dispatch.c.state.in_([state.value for state in (OutState.QUEUED, OutState.RETRYING, OutState.SENT)]),
        dispatch.c.type != ACKNOWLEDGEMENT,
    )
    .group_by(dispatch.c.state, dispatch.c.party)
)
DEAD_LETTERS: Final = (
    select(func.count()).select_from(dead_letter).where(text("settled_at IS NULL AND discarded_at IS NULL"))
)
NOTES: Final = select(func.count()).select_from(note).where(text("written_at IS NULL"))


async def outgoing(tx: Transaction, now: datetime) -> list[Row[Any]]:
    """Return by ``state`` and ``party`` the ``number`` of outgoing rows with a deadline, and how many are ``overdue``.

    ``since`` is from when the first of them may leave, ``None`` where none may.
    """
    return list((await tx.execute(OUTGOING, {"now": now})).all())


async def incoming(tx: Transaction, now: datetime) -> list[Row[Any]]:
    """Return by ``state`` the ``number`` of incoming rows with a deadline, how many are ``overdue``, and since when."""
    return list((await tx.execute(INCOMING, {"now": now})).all())


async def under_way(tx: Transaction) -> list[Row[Any]]:
    """Return by ``state`` and ``party`` the ``number`` of messages not known to be received, and the first deadline.

    Acknowledgements are left out: nobody answers them.
    """
    return list((await tx.execute(UNDER_WAY)).all())


async def dead_letters(tx: Transaction) -> int:
    """Return how many dead letters nobody has settled."""
    return int((await tx.execute(DEAD_LETTERS)).scalar_one())


async def notes(tx: Transaction) -> int:
    """Return how many steps and notices wait to be written."""
    return int((await tx.execute(NOTES)).scalar_one())
