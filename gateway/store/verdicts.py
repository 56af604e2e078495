"""What recipients answered, and answers that settle nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import Envelope
from gateway.errors import Finding
from gateway.lifecycle import Level, Outcome
from gateway.store.engine import insert_ignore
from gateway.store.tables import unexpected, verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer of one recipient at one level."""

    message_id: str
    unit: str
    level: Level
    outcome: Outcome
    acknowledgement_id: str
    at: datetime
    arrived_at: datetime
    record_id: str | None
    reasons: list[dict[str, Any]]
    late: bool


async def first(tx: Transaction, answer: Verdict) -> bool:
    """Keep an answer if it is the first at its level; tell whether it was. The first one stands for good."""
    return await insert_ignore(
        tx,
        verdict,
        {
            "message_id": answer.message_id,
            "unit": answer.unit,
            "level": answer.level.value,
            "outcome": answer.outcome.value,
            "acknowledgement_id": answer.acknowledgement_id,
            "at": answer.at,
            "arrived_at": answer.arrived_at,
            "record_id": answer.record_id,
            "reasons": answer.reasons,
            "late": int(answer.late),
        },
    )


async def standing(tx: Transaction, message_id: str, unit: str, level: Level) -> RowMapping | None:
    """Return the answer that stands at a level."""
    query = select(verdict).where(
        verdict.c.message_id == message_id, verdict.c.unit == unit, verdict.c.level == level.value
    )
    return (await tx.execute(query)).mappings().first()


async def park(
    tx: Transaction, envelope: Envelope, findings: Iterable[Finding], about: tuple[str, str] | None, now: datetime
) -> bool:
    """Keep an acknowledgement that settles nothing, with the reason; tell whether it is the first time.

    ``about`` is the message id and unit it names.
    """
    found = list(findings)
    return await insert_ignore(
        tx,
        unexpected,
        {
            "acknowledgement_id": envelope.message_id,
            "party": envelope.sender,
            "code": found[0].code,
            "message_id": about[0] if about else None,
            "unit": about[1] if about else None,
            "xml": envelope.body,
            "findings": [finding.as_json() for finding in found],
            "arrived_at": now,
        },
    )
