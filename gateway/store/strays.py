"""Acknowledgements that settle nothing, each with the message that it most probably is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import InvalidDocumentError
from gateway.items import Item, ItemKind
from gateway.ledger import Dispatch
from gateway.matching import AWAITING, Stray, Suggestion, suggest
from gateway.opening import message_in
from gateway.store.rows import OUT, as_dispatch
from gateway.store.tables import NOT_DISCARDED, OPEN, dispatch, message, unexpected

MOST_CANDIDATES: Final = 20
"""How many messages of other cases are looked at for one acknowledgement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexpected:
    """An acknowledgement that settles nothing: from whom, why not, what it names, and what it says, if it can be read.

    ``own_unit`` is the unit that sent the message it names, where there is such a message.
    """

    item: Item
    acknowledgement_id: str | None
    party: str
    code: str
    message_id: str | None
    unit: str | None
    arrived_at: datetime
    own_unit: str | None
    says: Stray | None = None
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True)
class UnexpectedPage:
    """Acknowledgements, the newest first, and where the next page begins; ``None`` where there is no more."""

    rows: Sequence[Unexpected]
    next: int | None


async def page(
    tx: Transaction, limit: int, *, units: frozenset[str] | None = None, before: int | None = None
) -> UnexpectedPage:
    """Return a page of the acknowledgements that nobody has discarded; only about messages of ``units`` where given.

    ``before`` is where it begins: what the page before told. Nothing is suggested that is not of those units.
    """
    query = select(unexpected, message.c.sender_unit).where(text(f"unexpected.{NOT_DISCARDED}"))
    query = query.outerjoin(message, message.c.message_id == unexpected.c.message_id)
    if units is not None:
        query = query.where(message.c.sender_unit.in_(sorted(units)))
    if before is not None:
        query = query.where(unexpected.c.id < before)
    rows = (await tx.execute(query.order_by(unexpected.c.id.desc()).limit(limit))).mappings().all()
    found = []
    for row in rows:
        says = _said(row["party"], row["xml"])
        candidates = await _candidates(tx, says, units) if says is not None else ()
        found.append(
            Unexpected(
                item=Item(ItemKind.UNEXPECTED, row["id"]),
                acknowledgement_id=row["acknowledgement_id"],
                party=row["party"],
                code=row["code"],
                message_id=row["message_id"],
                unit=row["unit"],
                arrived_at=row["arrived_at"],
                own_unit=row["sender_unit"],
                says=says,
                suggestion=suggest(says, candidates) if says is not None else None,
            )
        )
    return UnexpectedPage(found, found[-1].item.number if len(found) == limit else None)


def _said(party: str, xml: bytes) -> Stray | None:
    """Return what an acknowledgement says; ``None`` for one that cannot be read."""
    try:
        made = message_in(xml)
    except InvalidDocumentError:
        return None
    if made.type != ACKNOWLEDGEMENT:
        return None
    body = made.body
    return Stray(
        party=party,
        message_id=body.message_id,
        type=body.message_type,
        unit=body.unit,
        case_number=made.header.case_number,
        level=body.level,
        at=body.at,
    )


async def _candidates(tx: Transaction, says: Stray, units: frozenset[str] | None) -> Collection[Dispatch]:
    """Return the rows that an acknowledgement may be about, each found by an index."""
    mine = select(*OUT)
    if units is not None:
        mine = mine.join(message, message.c.message_id == dispatch.c.message_id)
        mine = mine.where(message.c.sender_unit.in_(sorted(units)))
    open_ones = mine.where(
        text(f"dispatch.{OPEN}"),
        dispatch.c.state.in_(sorted(AWAITING[says.level])),
        dispatch.c.party == says.party,
        dispatch.c.type == says.type,
        dispatch.c.unit == says.unit,
    )
    found: dict[int, Dispatch] = {}
    for query in (
        mine.where(dispatch.c.message_id == says.message_id),
        mine.where(dispatch.c.case_number == says.case_number, dispatch.c.unit == says.unit),
        open_ones.order_by(dispatch.c.due_at.desc()).limit(MOST_CANDIDATES),
    ):
        rows: Sequence[Any] = (await tx.execute(query)).all()
        found.update({row.id: as_dispatch(row) for row in rows})
    return found.values()
