"""Steps to write into the own case system's log of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.lifecycle import Owner
from gateway.messages import Message
from gateway.store.bulk import insertion_once
from gateway.store.tables import inbound, message, note

_CLOCK = timedelta(minutes=60)
"""How long a step may wait to be written before operations must look."""


@dataclass(frozen=True, slots=True)
class Note:
    """A step still to be written: the message it is about, and the tries made."""

    id: int
    message_id: str
    case_number: str
    xml: bytes
    attempts: int


_INSERT = insertion_once(note, ["message_id", "type", "case_number", "created_at", "due_at", "owner"])


def new(made: Message, now: datetime) -> tuple[Any, ...]:
    """Return what to keep so that the step that ``made`` is will be written."""
    header = made.header
    return header.message_id, made.type, header.case_number, now, now + _CLOCK, Owner.OPERATIONS.value


async def add(tx: Transaction, steps: Sequence[tuple[Any, ...]]) -> None:
    """Remember to write steps, each once: its message may be for several units."""
    await _INSERT.execute(tx, steps)


async def claim(tx: Transaction, now: datetime, lease: timedelta, limit: int) -> list[Note]:
    """Take up to ``limit`` steps that are due, in order, and lease them to the caller.

    A step waits while an earlier one of the same case waits for its next try.
    """
    earlier = note.alias("earlier")
    blocked = exists().where(
        earlier.c.case_number == note.c.case_number,
        earlier.c.id < note.c.id,
        text("earlier.written_at IS NULL"),
        or_(earlier.c.next_attempt_at > now, earlier.c.lease_until > now),
    )
    came = select(inbound.c.xml).where(inbound.c.message_id == note.c.message_id).limit(1)
    query = (
        select(note, func.coalesce(message.c.xml, came.scalar_subquery()).label("xml"))
        .outerjoin(message, message.c.message_id == note.c.message_id)
        .where(
            text("note.written_at IS NULL"),
            or_(note.c.lease_until.is_(None), note.c.lease_until <= now),
            or_(note.c.next_attempt_at.is_(None), note.c.next_attempt_at <= now),
            ~blocked,
        )
        .order_by(note.c.id)
        .limit(limit)
        .with_for_update(of=note, skip_locked=True)
    )
    taken = [
        Note(row.id, row.message_id, row.case_number, row.xml, row.attempts + 1)
        for row in (await tx.execute(query)).all()
    ]
    if taken:
        leased = {"lease_until": now + lease, "attempts": note.c.attempts + 1}
        await tx.execute(update(note).where(note.c.id.in_([one.id for one in taken])).values(leased))
    return taken


async def written(tx: Transaction, steps: Sequence[Note], now: datetime) -> None:
    """Mark steps as written."""
    if steps:
        done = {"written_at": now, "lease_until": None, "next_attempt_at": None, "due_at": None, "owner": None}
        await tx.execute(update(note).where(note.c.id.in_([one.id for one in steps])).values(done))


async def postponed(tx: Transaction, steps: Sequence[Note], until: datetime) -> None:
    """Try steps again at ``until``."""
    if steps:
        later = {"lease_until": None, "next_attempt_at": until}
        await tx.execute(update(note).where(note.c.id.in_([one.id for one in steps])).values(later))


async def release_leases(tx: Transaction) -> None:
    """Give back what an earlier process of this gateway was writing when it ended."""
    leased = text("written_at IS NULL"), note.c.lease_until.is_not(None)
    await tx.execute(update(note).where(*leased).values(lease_until=None))
