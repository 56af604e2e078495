"""Deliveries that the exchange gave up, kept as they came, and the tries to take them after all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import Envelope, content_hash, storable
from gateway.lifecycle import Owner
from gateway.store.bulk import insertion_once
from gateway.store.tables import dead_letter

_CLOCK = timedelta(hours=24)
"""How long a dead letter may lie before operations must have looked at it."""


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter as it is kept; ``attempts`` counts the tries that were made here."""

    id: int
    envelope: Envelope
    attempts: int


async def keep(
    tx: Transaction, letters: Sequence[tuple[Envelope | None, bytes, str]], now: datetime, first_try: datetime
) -> None:
    """Keep dead letters: envelope, body and reason. One without an envelope can only be looked at by a person."""
    await _INSERT.execute(tx, [_values(*letter, now, first_try) for letter in letters])


_IDENTITY = ("party", "type", "message_id", "unit")
_KEPT = ("content_hash", "envelope", "body", "reason", "next_attempt_at", "due_at", "owner", "arrived_at")
_INSERT = insertion_once(dead_letter, [*_IDENTITY, *_KEPT])


def _values(envelope: Envelope | None, body: bytes, reason: str, now: datetime, first_try: datetime) -> tuple[Any, ...]:
    fit = storable(envelope) if envelope else None
    return (
        *((fit.sender, fit.type, fit.message_id, fit.unit) if fit else ("", "", "", "")),
        content_hash(body),
        _as_json(envelope) if envelope else {},
        body,
        reason.replace("\0", "")[:64],
        first_try if envelope else None,
        now + _CLOCK,
        Owner.OPERATIONS.value,
        now,
    )


def _as_json(envelope: Envelope) -> dict[str, Any]:
    members = asdict(envelope)
    del members["body"]
    return members | {"created_at": envelope.created_at.isoformat()}


async def next_due(tx: Transaction, now: datetime) -> KeptLetter | None:
    """Return the dead letter that is to be tried first, locked; ``None`` when none is due."""
    query = (
        select(dead_letter)
        .where(text("settled_at IS NULL"), dead_letter.c.next_attempt_at <= now)
        .order_by(dead_letter.c.next_attempt_at, dead_letter.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await tx.execute(query)).mappings().first()
    if row is None:
        return None
    members = row["envelope"] | {"body": row["body"]}
    members["created_at"] = datetime.fromisoformat(members["created_at"])
    return KeptLetter(row["id"], Envelope(**members), row["attempts"])


async def tried(tx: Transaction, letter: KeptLetter, again_at: datetime | None) -> None:
    """Remember that a try begins, and when the next one is due if it does not end well; ``None`` for never."""
    values = {"attempts": letter.attempts + 1, "next_attempt_at": again_at}
    await tx.execute(update(dead_letter).where(dead_letter.c.id == letter.id).values(values))


async def settle(tx: Transaction, letter: KeptLetter, now: datetime) -> None:
    """Remember that a dead letter was taken after all."""
    values = {"settled_at": now, "next_attempt_at": None, "due_at": None, "owner": None}
    await tx.execute(update(dead_letter).where(dead_letter.c.id == letter.id).values(values))
