"""Incoming messages, what could not become one, and what was answered about our own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import Envelope, content_hash
from gateway.errors import Finding
from gateway.ledger import Inbound
from gateway.lifecycle import InState, Owner
from gateway.store.engine import insert_ignore
from gateway.store.tables import inbound, parked

_COLUMNS = [column.name for column in inbound.columns]
_KEPT = {"id", "party", "type", "message_id", "unit", "case_number", "sequence", "sender_unit", "content_hash", "xml"}
_UPDATE = (
    update(inbound)
    .where(inbound.c.id == bindparam("row_id"))
    .values({name: bindparam(name) for name in _COLUMNS if name not in _KEPT})
)
_DELIVERABLE = (InState.VALIDATED.value, InState.DELIVERING.value, InState.WAITING_FOR_SYSTEM.value)


def _inbound(row: Any) -> Inbound:
    values = {name: row._mapping[name] for name in _COLUMNS}
    values["state"] = InState(values["state"])
    values["owner"] = Owner(values["owner"]) if values["owner"] else None
    return Inbound(**values)


async def add(tx: Transaction, row: Inbound) -> int:
    """Store a message for a unit and return its row id; a second one with the same sender, type, id and unit fails."""
    values = {name: value for name, value in asdict(row).items() if name != "id"}
    return int((await tx.execute(insert(inbound).values(values).returning(inbound.c.id))).scalar_one())


async def save(tx: Transaction, rows: Sequence[Inbound]) -> None:
    """Write rows back as they now are."""
    if rows:
        await tx.execute(
            _UPDATE,
            [{**{n: v for n, v in asdict(row).items() if n not in _KEPT}, "row_id": row.id} for row in rows],
        )


async def find(tx: Transaction, envelope: Envelope) -> Inbound | None:
    """Return what is stored under the sender, type, message id and unit of ``envelope``."""
    query = select(inbound).where(
        inbound.c.party == envelope.sender,
        inbound.c.type == envelope.type,
        inbound.c.message_id == envelope.message_id,
        inbound.c.unit == envelope.unit,
    )
    row = (await tx.execute(query)).first()
    return _inbound(row) if row is not None else None


async def for_unit(tx: Transaction, message_id: str, unit: str) -> Inbound | None:
    """Return the message with this id for ``unit``, whoever sent it."""
    query = select(inbound).where(inbound.c.message_id == message_id, inbound.c.unit == unit)
    row = (await tx.execute(query)).first()
    return _inbound(row) if row is not None else None


async def seen_for_other_unit(tx: Transaction, row: Inbound) -> bool:
    """Tell whether the same message has been taken for another unit of this party."""
    query = select(inbound.c.id).where(
        inbound.c.party == row.party,
        inbound.c.type == row.type,
        inbound.c.message_id == row.message_id,
        inbound.c.unit != row.unit,
        inbound.c.state.not_in([InState.STORED.value, InState.REJECTED.value]),
    )
    return (await tx.execute(query.limit(1))).first() is not None


async def last_sequence(tx: Transaction, party: str, case_number: str, unit: str) -> int:
    """Return the number of the last message of a stream that has been judged or parked, 0 when there is none."""
    judged = select(func.max(inbound.c.sequence)).where(
        inbound.c.party == party,
        inbound.c.case_number == case_number,
        inbound.c.unit == unit,
        inbound.c.state != InState.STORED.value,
    )
    set_aside = select(func.max(parked.c.sequence)).where(*_parked_stream(party, case_number, unit))
    return max((await tx.execute(judged)).scalar() or 0, (await tx.execute(set_aside)).scalar() or 0)


def _parked_stream(party: str, case_number: str, unit: str) -> tuple[ColumnElement[bool], ...]:
    return parked.c.party == party, parked.c.case_number == case_number, parked.c.unit == unit


async def is_parked_at(tx: Transaction, party: str, case_number: str, unit: str, sequence: int) -> bool:
    """Tell whether number ``sequence`` of a stream could not become a message here."""
    query = select(parked.c.id).where(*_parked_stream(party, case_number, unit), parked.c.sequence == sequence)
    return (await tx.execute(query.limit(1))).first() is not None


async def at_sequence(tx: Transaction, party: str, case_number: str, unit: str, sequence: int) -> Inbound | None:
    """Return the message that has number ``sequence`` of its stream."""
    query = select(inbound).where(
        inbound.c.party == party,
        inbound.c.case_number == case_number,
        inbound.c.unit == unit,
        inbound.c.sequence == sequence,
    )
    row = (await tx.execute(query)).first()
    return _inbound(row) if row is not None else None


async def overdue(tx: Transaction, now: datetime, limit: int) -> list[Inbound]:
    """Return the first message of each stream that has waited too long for the one before it."""
    earlier = inbound.alias("earlier")
    has_earlier = exists().where(
        earlier.c.state == InState.STORED.value,
        earlier.c.party == inbound.c.party,
        earlier.c.case_number == inbound.c.case_number,
        earlier.c.unit == inbound.c.unit,
        earlier.c.sequence < inbound.c.sequence,
    )
    query = (
        select(inbound)
        .where(inbound.c.state == InState.STORED.value, inbound.c.due_at <= now, ~has_earlier)
        .order_by(inbound.c.id)
        .limit(limit)
    )
    return [_inbound(row) for row in (await tx.execute(query)).all()]


async def claimable(tx: Transaction, now: datetime, limit: int) -> list[Inbound]:
    """Return messages that are due for the case system, in the order they came.

    A message waits while an earlier one of its stream has not been registered. Earlier is what the sender numbered so:
    one that overtook another has come first all the same.
    """
    earlier = inbound.alias("earlier")
    blocked = exists().where(
        earlier.c.case_number == inbound.c.case_number,
        earlier.c.party == inbound.c.party,
        earlier.c.unit == inbound.c.unit,
        tuple_(func.coalesce(earlier.c.sequence, 0), earlier.c.id)
        < tuple_(func.coalesce(inbound.c.sequence, 0), inbound.c.id),
        earlier.c.state.in_(_DELIVERABLE),
    )
    query = (
        select(inbound)
        .where(
            inbound.c.state.in_(_DELIVERABLE),
            or_(inbound.c.lease_until.is_(None), inbound.c.lease_until <= now),
            or_(inbound.c.next_attempt_at.is_(None), inbound.c.next_attempt_at <= now),
            ~blocked,
        )
        .order_by(inbound.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_inbound(row) for row in (await tx.execute(query)).all()]


async def release_leases(tx: Transaction) -> None:
    """Give back what an earlier process of this gateway was delivering when it ended."""
    await tx.execute(update(inbound).where(inbound.c.lease_until.is_not(None)).values(lease_until=None))


async def park(tx: Transaction, envelope: Envelope, findings: Iterable[Finding], now: datetime) -> None:
    """Keep a delivery that cannot become a message here, as it came, with the reasons. Once, however often it comes."""
    await insert_ignore(
        tx,
        parked,
        {
            "party": envelope.sender,
            "type": envelope.type,
            "message_id": envelope.message_id,
            "unit": envelope.unit,
            "case_number": envelope.case_ref[:64],
            "sequence": envelope.sequence,
            "content_hash": content_hash(envelope.body),
            "body": envelope.body,
            "findings": [finding.as_json() for finding in findings],
            "arrived_at": now,
        },
    )
