"""Requests that may come again under a key, and what was answered to them: claimed before they are carried out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.store.answer_tables import kept_answer
from gateway.store.engine import insert_ignore

MOST_FORGOTTEN = 100
"""How many old answers are forgotten at a time: whoever comes does not wait for a long absence of others."""


@dataclass(frozen=True, slots=True)
class Claim:
    """That a request of ``actor`` under ``key`` (a hash) is in hand; ``id`` tells who has it from who had it before."""

    actor: str
    key: str
    id: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What is known of a request: its content as a hash, since when who has it, and what was answered, if anything."""

    content_hash: str
    claim: Claim
    claimed_at: datetime
    status: int | None
    body: str | None


async def claim(tx: Transaction, one: Claim, content_hash: str, now: datetime) -> KeptAnswer | None:
    """Claim a request that is not known; return what is known of it otherwise."""
    values = {"actor": one.actor, "key": one.key, "content_hash": content_hash, "claim": one.id, "claimed_at": now}
    while not await insert_ignore(tx, kept_answer, values):
        row = (await tx.execute(select(kept_answer).where(_same(one)))).first()
        if row is not None:  # else whoever had it has released it just now
            held = Claim(row.actor, row.key, row.claim)
            return KeptAnswer(row.content_hash, held, row.claimed_at, row.status, row.body)
    return None


async def take_over(tx: Transaction, left: Claim, one: Claim, now: datetime) -> bool:
    """Claim what somebody has left; tell ``False`` when another was quicker, or it has been answered meanwhile."""
    done = await tx.execute(update(kept_answer).where(_held(left)).values(claim=one.id, claimed_at=now))
    return done.rowcount == 1


async def keep(tx: Transaction, one: Claim, status: int, body: str) -> bool:
    """Keep what a request is answered; tell ``False``, and keep nothing, when another has taken it over."""
    done = await tx.execute(update(kept_answer).where(_held(one)).values(status=status, body=body))
    return done.rowcount == 1


async def release(tx: Transaction, one: Claim) -> None:
    """Forget a request that has come to nothing, unless it has been answered, or another has taken it over."""
    await tx.execute(delete(kept_answer).where(_held(one)))


async def forget(tx: Transaction, before: datetime, *, most: int = MOST_FORGOTTEN) -> None:
    """Forget requests that were claimed before a moment, at most ``most``; not those that others forget."""
    key = kept_answer.c.actor, kept_answer.c.key
    old = select(*key).where(kept_answer.c.claimed_at < before).order_by(kept_answer.c.claimed_at).limit(most)
    found = [tuple(row) for row in (await tx.execute(old.with_for_update(skip_locked=True))).all()]
    if found:
        await tx.execute(delete(kept_answer).where(tuple_(*key).in_(found)))


def _same(one: Claim) -> ColumnElement[bool]:
    return and_(kept_answer.c.actor == one.actor, kept_answer.c.key == one.key)


def _held(one: Claim) -> ColumnElement[bool]:
    return and_(_same(one), kept_answer.c.claim == one.id, kept_answer.c.status.is_(None))
