"""Acknowledgements that settle nothing, each with the message that it most probably is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import InvalidDocumentError
from gateway.items import Item, ItemKind
from gateway.ledger import Dispatch
from gateway.lifecycle import Level
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
    told = [_said(row["party"], row["xml"]) for row in rows]
    suggested = await _suggested(tx, {says for says in told if says is not None}, units)
    found = [
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
            suggestion=suggested.get(says) if says is not None else None,
        )
        for row, says in zip(rows, told, strict=True)
    ]
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


async def _suggested(
    tx: Transaction, strays: Collection[Stray], units: frozenset[str] | None
) -> dict[Stray, Suggestion | None]:
    """Return what each is most probably about, of messages of ``units``.

    All that are named are looked up at once, then the cases of all that named nothing; only what is left costs a
    look of its own.
    """
    mine = select(*OUT)
    if units is not None:
        mine = mine.where(dispatch.c.own_unit.in_(sorted(units)))
    named = await _rows(tx, mine.where(dispatch.c.message_id.in_(sorted({one.message_id for one in strays}))))
    found = {one: suggest(one, [row for row in named if row.message_id == one.message_id]) for one in strays}
    left = [one for one in strays if found[one] is None]
    pairs = sorted({(one.case_number, one.unit) for one in left})
    of_cases = await _rows(tx, mine.where(tuple_(dispatch.c.case_number, dispatch.c.unit).in_(pairs))) if pairs else []
    looked: dict[tuple[Level, str, str, str], list[Dispatch]] = {}
    for one in left:
        alike = one.level, one.party, one.type, one.unit
        if alike not in looked:
            looked[alike] = await _open_ones(tx, mine, one)
        in_case = [row for row in of_cases if (row.case_number, row.unit) == (one.case_number, one.unit)]
        both = {row.id: row for row in (*named, *in_case, *looked[alike])}
        found[one] = suggest(one, both.values())
    return found


async def _open_ones(tx: Transaction, mine: Select[Any], says: Stray) -> list[Dispatch]:
    """Return messages of any case that an acknowledgement may be about, the latest deadlines first, but not many."""
    query = mine.where(
        text(f"dispatch.{OPEN}"),
        dispatch.c.state.in_(sorted(AWAITING[says.level])),
        dispatch.c.party == says.party,
        dispatch.c.type == says.type,
        dispatch.c.unit == says.unit,
    )
    return await _rows(tx, query.order_by(dispatch.c.due_at.desc()).limit(MOST_CANDIDATES))


async def _rows(tx: Transaction, query: Select[Any]) -> list[Dispatch]:
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]
