"""Items as they stand in the database: whose each is, what else must be known of it, and what is written on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.items import Item, ItemKind
from gateway.store.tables import dead_letter, dispatch, event, inbound, message, note, parked, unexpected

TABLES: Final[dict[ItemKind, Table]] = {
    ItemKind.SENT: dispatch,
    ItemKind.RECEIVED: inbound,
    ItemKind.PARKED: parked,
    ItemKind.UNEXPECTED: unexpected,
    ItemKind.DEAD_LETTER: dead_letter,
    ItemKind.NOTE: note,
    ItemKind.EVENT: event,
}
"""Where items of each kind stand."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a ledger row is about: the message, the case, the partner's party, ``own_unit`` and the unit it is for."""

    message_id: str
    type: str
    case_number: str
    party: str
    unit: str
    own_unit: str


async def sent(tx: Transaction, number: int) -> Belonging | None:
    """Return what an outgoing row is about; nobody waits for it."""
    query = (
        select(
            dispatch.c.message_id,
            dispatch.c.type,
            dispatch.c.case_number,
            dispatch.c.party,
            dispatch.c.unit,
            message.c.sender_unit,
        )
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(dispatch.c.id == number)
    )
    row = (await tx.execute(query)).first()
    return Belonging(*row) if row is not None else None


async def received(tx: Transaction, number: int) -> Belonging | None:
    """Return what an incoming row is about; nobody waits for it."""
    query = select(
        inbound.c.message_id,
        inbound.c.type,
        inbound.c.case_number,
        inbound.c.party,
        inbound.c.unit,
        inbound.c.unit.label("own_unit"),
    ).where(inbound.c.id == number)
    row = (await tx.execute(query)).first()
    return Belonging(*row) if row is not None else None


@dataclass(frozen=True, slots=True)
class Aside:
    """What stands beside the ledger, with the own unit it is of, where it is of one, and whether it is over.

    ``waits`` is whether it is tried again by itself, and ``has_content`` whether there is anything to try.
    """

    own_unit: str | None
    is_over: bool
    waits: bool
    has_content: bool
    discarded_at: datetime | None
    due_at: datetime | None
    owner: str | None


async def aside(tx: Transaction, item: Item) -> Aside | None:
    """Return what stands beside the ledger; others wait for it."""
    table = TABLES[item.kind]
    names = [name for name in _LOOKED_AT if name in table.c]
    query = select(*(table.c[name] for name in names)).where(table.c.id == item.number).with_for_update(of=table)
    found = (await tx.execute(query)).mappings().first()
    if found is None:
        return None
    row: dict[str, Any] = {**dict.fromkeys(_LOOKED_AT), **found}
    if item.kind is ItemKind.UNEXPECTED:  # the unit that it names is the partner's; the own one sent the message
        row["unit"] = await _unit_that_sent(tx, row["message_id"])
    return Aside(
        own_unit=row["unit"] if item.kind is not ItemKind.DEAD_LETTER else row["unit"] or None,
        is_over=row["settled_at"] is not None or row["written_at"] is not None or row["state"] == "accepted",
        waits=item.kind is ItemKind.NOTE or row["next_attempt_at"] is not None,
        has_content=item.kind is not ItemKind.DEAD_LETTER or bool(row["envelope"]),
        discarded_at=row["discarded_at"],
        due_at=row["due_at"],
        owner=row["owner"],
    )


_LOOKED_AT = (
    "unit",
    "message_id",
    "envelope",
    "state",
    "settled_at",
    "written_at",
    "next_attempt_at",
    "discarded_at",
    "due_at",
    "owner",
)


async def _unit_that_sent(tx: Transaction, message_id: str | None) -> str | None:
    query = select(message.c.sender_unit).where(message.c.message_id == message_id)
    unit: str | None = (await tx.execute(query)).scalar()
    return unit


async def change(tx: Transaction, item: Item, **values: Any) -> None:
    """Write on what stands beside the ledger."""
    table = TABLES[item.kind]
    await tx.execute(update(table).where(table.c.id == item.number).values(values))


async def named(tx: Transaction, message_id: str, *, unit: str | None = None) -> list[Item]:
    """Return what a partner was sent, or has sent, with a message id; with ``unit`` only what is to it, or for it.

    The beginning of an id will do where no other id of a message begins so.
    """
    found: list[Item] = []
    ids: set[str] = set()
    for kind in (ItemKind.SENT, ItemKind.RECEIVED, ItemKind.PARKED, ItemKind.DEAD_LETTER):
        table = TABLES[kind]
        query = select(table.c.id, table.c.message_id).where(begins(table, message_id)).order_by(table.c.id).limit(100)
        if unit is not None:
            query = query.where(table.c.unit == unit)
        for number, its in (await tx.execute(query)).all():
            ids.add(its)
            found.append(Item(kind, number))
    return found if len(ids) == 1 else []


def begins(table: Table, beginning: str) -> Any:
    """Say that a message id begins so, in a way that an index answers: ids are written in ASCII."""
    return (table.c.message_id >= beginning) & (table.c.message_id < beginning + "g")
