"""Outgoing messages and their ledger rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT, content_hash
from gateway.ledger import Dispatch
from gateway.lifecycle import Outcome, OutState, Owner
from gateway.messages import Message
from gateway.store.tables import dispatch, message

WAITING = (OutState.QUEUED.value, OutState.RETRYING.value)
"""States in which the relay has something to do."""

_COLUMNS = [column.name for column in dispatch.columns]
_KEPT = {"id", "message_id", "type", "case_number", "party", "unit", "duty", "created_at"}
_UPDATE = (
    update(dispatch)
    .where(dispatch.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in _COLUMNS if name not in _KEPT})
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A ledger row taken by a relay, with the bytes to publish."""

    dispatch: Dispatch
    created_at: datetime
    xml: bytes
    sender_unit: str
    in_reply_to: str | None


def as_dispatch(row: Any) -> Dispatch:
    """Return a row of the table as a ledger row."""
    values = {name: row._mapping[name] for name in _COLUMNS}
    values["state"] = OutState(values["state"])
    values["owner"] = Owner(values["owner"]) if values["owner"] else None
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return Dispatch(**values)


async def add(tx: Transaction, made: Message, xml: bytes, rows: Iterable[Dispatch], *, applied: bool = True) -> None:
    """Keep a message and one ledger row per recipient."""
    await tx.execute(
        insert(message).values(
            message_id=made.header.message_id,
            type=made.type,
            case_number=made.header.case_number,
            created_at=made.header.created_at,
            content_hash=content_hash(xml),
            xml=xml,
            sender_unit=made.header.sender.unit,
            in_reply_to=made.header.in_reply_to,
            applied=applied,
        )
    )
    values = [{name: value for name, value in asdict(row).items() if name != "id"} for row in rows]
    if values:
        await tx.execute(insert(dispatch), values)


async def mark_applied(tx: Transaction, message_id: str) -> None:
    """Remember that a message that was held has moved its case."""
    await tx.execute(update(message).where(message.c.message_id == message_id).values(applied=True))


async def save(tx: Transaction, rows: Sequence[Dispatch]) -> None:
    """Write ledger rows back as they now are."""
    if rows:
        await tx.execute(
            _UPDATE,
            [{**{n: v for n, v in asdict(row).items() if n not in _KEPT}, "row_id": row.id} for row in rows],
        )


async def next_position(tx: Transaction) -> int:
    """Return the place behind everything that is in line."""
    return ((await tx.execute(select(func.max(dispatch.c.position)))).scalar() or 0) + 1


async def claim(tx: Transaction, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """Take up to ``limit`` rows that are due, in line order, and lease them to the caller.

    A row waits while an earlier one of the same case to the same unit waits for its next try or is leased: the order
    about a person is kept, other persons are not blocked. Acknowledgements are matched by id, and wait for nobody.
    """
    earlier = dispatch.alias("earlier")
    free = or_(dispatch.c.lease_until.is_(None), dispatch.c.lease_until <= now)
    due = or_(dispatch.c.next_attempt_at.is_(None), dispatch.c.next_attempt_at <= now)
    lawful = or_(dispatch.c.leave_by.is_(None), dispatch.c.leave_by > now)
    blocked = exists().where(
        earlier.c.case_number == dispatch.c.case_number,
        earlier.c.unit == dispatch.c.unit,
        earlier.c.position < dispatch.c.position,
        earlier.c.type != ACKNOWLEDGEMENT,
        earlier.c.state.in_(WAITING),
        or_(earlier.c.next_attempt_at > now, earlier.c.lease_until > now),
    )
    query = (
        select(*dispatch.columns, message.c.xml, message.c.sender_unit, message.c.in_reply_to)
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(dispatch.c.state.in_(WAITING), free, due, lawful, or_(dispatch.c.type == ACKNOWLEDGEMENT, ~blocked))
        .order_by(dispatch.c.position)
        .limit(limit)
        .with_for_update(of=dispatch, skip_locked=True)
    )
    found = (await tx.execute(query)).all()
    numbers = await _last_sequences(tx, [row for row in found if row.sequence is None and row.type != ACKNOWLEDGEMENT])
    claimed = []
    for row in found:
        taken = _leased(as_dispatch(row), now + lease, numbers)
        claimed.append(Claimed(taken, row.created_at, row.xml, row.sender_unit, row.in_reply_to))
    await save(tx, [one.dispatch for one in claimed])
    return claimed


def _leased(row: Dispatch, until: datetime, numbers: dict[tuple[str, str], int]) -> Dispatch:
    changes: dict[str, Any] = {"lease_until": until, "attempts": row.attempts + 1}
    if row.sequence is None and row.type != ACKNOWLEDGEMENT:
        stream = (row.case_number, row.unit)
        numbers[stream] = numbers.get(stream, 0) + 1
        changes["sequence"] = numbers[stream]
    return Dispatch(**{**asdict(row), **changes})


async def _last_sequences(tx: Transaction, rows: Sequence[Any]) -> dict[tuple[str, str], int]:
    streams = {(row.case_number, row.unit) for row in rows}
    if not streams:
        return {}
    query = (
        select(dispatch.c.case_number, dispatch.c.unit, func.max(dispatch.c.sequence))
        .where(or_(*(and_(dispatch.c.case_number == case, dispatch.c.unit == unit) for case, unit in streams)))
        .group_by(dispatch.c.case_number, dispatch.c.unit)
    )
    return {(case, unit): last or 0 for case, unit, last in (await tx.execute(query)).all()}


async def of_case(tx: Transaction, case_number: str) -> list[Dispatch]:
    """Return the ledger rows of a case in the order they were made, acknowledgements left out."""
    query = (
        select(dispatch)
        .where(dispatch.c.case_number == case_number, dispatch.c.type != ACKNOWLEDGEMENT)
        .order_by(dispatch.c.id)
    )
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def to_units(tx: Transaction, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Dispatch]:
    """Return the ledger rows of these message ids and units."""
    wanted = set(keys)
    query = select(dispatch).where(dispatch.c.message_id.in_({message_id for message_id, _ in wanted}))
    rows = [as_dispatch(row) for row in (await tx.execute(query)).all()]
    return {(row.message_id, row.unit): row for row in rows if (row.message_id, row.unit) in wanted}


async def with_id(tx: Transaction, ids: Iterable[int]) -> dict[int, Dispatch]:
    """Return ledger rows by their own id."""
    rows = (await tx.execute(select(dispatch).where(dispatch.c.id.in_(list(ids))))).all()
    return {row.id: as_dispatch(row) for row in rows}


async def unapplied(tx: Transaction, case_number: str) -> list[tuple[str, bytes]]:
    """Return id and XML of the messages of a case that wait for a consent, in the order they were made."""
    query = (
        select(message.c.message_id, message.c.xml)
        .where(message.c.case_number == case_number, message.c.applied.is_(False))
        .join(dispatch, dispatch.c.message_id == message.c.message_id)
        .where(dispatch.c.state == OutState.HELD.value)
        .group_by(message.c.message_id, message.c.xml)
        .order_by(func.min(dispatch.c.id))
    )
    return [(row.message_id, row.xml) for row in (await tx.execute(query)).all()]


async def overdue(tx: Transaction, states: Iterable[OutState], now: datetime, limit: int) -> list[Dispatch]:
    """Return ledger rows in one of ``states`` whose deadline has passed, the longest overdue first."""
    query = (
        select(dispatch)
        .where(dispatch.c.state.in_([state.value for state in states]), dispatch.c.due_at <= now)
        .order_by(dispatch.c.due_at)
        .limit(limit)
    )
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def without_consent(tx: Transaction, now: datetime, limit: int) -> list[Dispatch]:
    """Return ledger rows that still wait for the exchange though the consent they were to leave under has run out."""
    query = select(dispatch).where(dispatch.c.state.in_(WAITING), dispatch.c.leave_by <= now).limit(limit)
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def answers_to(tx: Transaction, message_id: str, unit: str) -> list[Dispatch]:
    """Return the ledger rows of the acknowledgements this party has made of a message it received for ``unit``."""
    query = (
        select(*dispatch.columns)
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(message.c.in_reply_to == message_id, message.c.type == ACKNOWLEDGEMENT, message.c.sender_unit == unit)
        .order_by(dispatch.c.id)
    )
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def content(tx: Transaction, message_id: str) -> bytes:
    """Return the XML of a message of this party."""
    xml: bytes = (await tx.execute(select(message.c.xml).where(message.c.message_id == message_id))).scalar_one()
    return xml


async def rewrite(tx: Transaction, message_id: str, xml: bytes) -> None:
    """Replace the XML of a message that nobody outside has seen."""
    await tx.execute(
        update(message).where(message.c.message_id == message_id).values(xml=xml, content_hash=content_hash(xml))
    )


async def release_leases(tx: Transaction) -> None:
    """Give back what an earlier process of this gateway was publishing when it ended; it is published again."""
    await tx.execute(update(dispatch).where(dispatch.c.lease_until.is_not(None)).values(lease_until=None))
