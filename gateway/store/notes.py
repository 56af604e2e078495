"""What is to be written into the own case system: steps of a case into its log of events, and notices to its units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.errors import Finding
from gateway.lifecycle import Owner
from gateway.messages import Message
from gateway.messages.binding import from_json, to_json
from gateway.notices import Notice
from gateway.store.bulk import insertion_once
from gateway.store.tables import NOTICES, inbound, message, note

NOTICE = "notice"
"""Stands where a step has the type of its message."""

_CLOCK = timedelta(minutes=60)
"""How long a step or a notice may wait to be written before operations must look."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is still to be written, and the tries made: the step that a message is (``xml``), or a notice to a unit."""

    id: int
    message_id: str
    case_number: str
    xml: bytes | None
    notice: Notice | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ToldNotice:
    """A notice, when it was made, and when the case system took it, if it has."""

    notice: Notice
    made_at: datetime
    told_at: datetime | None


_INSERT = insertion_once(note, ["message_id", "type", "case_number", "created_at", "due_at", "owner"])


def new(made: Message, now: datetime) -> tuple[Any, ...]:
    """Return what to keep so that the step that ``made`` is will be written."""
    header = made.header
    return header.message_id, made.type, header.case_number, now, now + _CLOCK, Owner.OPERATIONS.value


async def add(tx: Transaction, steps: Sequence[tuple[Any, ...]]) -> None:
    """Remember to write steps, each once: its message may be for several units."""
    await _INSERT.execute(tx, steps)


_TELL = insertion_once(note, ["message_id", "type", "case_number", "notice", "created_at", "due_at", "owner"])


async def tell(tx: Transaction, told: Sequence[Notice], now: datetime) -> list[Notice]:
    """Remember to tell units what they have not been told before; return what that is."""
    by_id = {notice.notice_id: notice for notice in told}
    if not by_id:
        return []
    known = set((await tx.execute(select(note.c.message_id).where(note.c.message_id.in_(list(by_id))))).scalars())
    new = [notice for notice_id, notice in by_id.items() if notice_id not in known]
    owner = Owner.OPERATIONS.value
    rows = [(one.notice_id, NOTICE, one.case_number, to_json(one), now, now + _CLOCK, owner) for one in new]
    await _TELL.execute(tx, rows)
    return new


async def notices(tx: Transaction, *, untold: bool = False) -> list[ToldNotice]:
    """Return the notices there are, the newest last; with ``untold`` only those the case system has not taken."""
    query = select(note.c.notice, note.c.created_at, note.c.written_at).where(note.c.type == NOTICE)
    if untold:
        query = query.where(text("note.written_at IS NULL"))
    found = (await tx.execute(query.order_by(note.c.id))).all()
    return [
        ToldNotice(notice, made_at, told_at)
        for kept, made_at, told_at in found
        if (notice := _notice_in(kept)) is not None
    ]


async def notices_of(tx: Transaction, case_number: str, *, most: int = 100) -> list[ToldNotice]:
    """Return the latest notices about a case, the newest last."""
    query = (
        select(note.c.notice, note.c.created_at, note.c.written_at)
        .where(text(f"note.{NOTICES}"), note.c.case_number == case_number)
        .order_by(note.c.id.desc())
        .limit(most)
    )
    found = reversed((await tx.execute(query)).all())
    return [ToldNotice(one, made, told) for kept, made, told in found if (one := _notice_in(kept)) is not None]


def _notice_in(kept: dict[str, Any] | None) -> Notice | None:
    if kept is None:
        return None
    findings: list[Finding] = []
    notice = from_json(Notice, kept, findings)
    assert notice is not None, findings  # the gateway wrote it
    return notice


async def claim(tx: Transaction, now: datetime, lease: timedelta, limit: int) -> list[Note]:
    """Take up to ``limit`` steps that are due, in order, and lease them to the caller.

    A step waits while an earlier one of the same case waits for its next try. A notice waits for nothing, and nothing
    waits for it: a system that takes no notices still gets its steps.
    """
    earlier = note.alias("earlier")
    blocked = exists().where(
        earlier.c.case_number == note.c.case_number,
        earlier.c.id < note.c.id,
        earlier.c.type != NOTICE,
        note.c.type != NOTICE,
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
        Note(row.id, row.message_id, row.case_number, row.xml, _notice_in(row.notice), row.attempts + 1)
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
