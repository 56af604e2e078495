"""What recipients answered, and answers that settle nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import Envelope, storable
from gateway.errors import Finding
from gateway.lifecycle import Level, Outcome
from gateway.store.bulk import insertion_once, several
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


_KEPT = [member.name for member in fields(Verdict)]
_values_of = attrgetter(*_KEPT)
_INSERT = insertion_once(verdict, _KEPT)
_STANDING = select(verdict.c.message_id, verdict.c.unit, verdict.c.level, verdict.c.outcome, verdict.c.record_id).where(
    verdict.c.message_id.in_(several("ids"))
)


class Standing(NamedTuple):
    """The answer that stands at a level."""

    outcome: str
    record_id: str | None


async def add(tx: Transaction, answers: Sequence[Verdict]) -> None:
    """Keep answers, each if it is the first at its level. The first one stands for good."""
    await _INSERT.execute(tx, [_values_of(answer) for answer in answers])


async def standing(tx: Transaction, message_ids: Collection[str]) -> dict[tuple[str, str, str], Standing]:
    """Return what stands about messages, by message id, unit and level."""
    found = await tx.execute(_STANDING, {"ids": list(message_ids)})
    return {
        (message_id, unit, level): Standing(outcome, record_id)
        for message_id, unit, level, outcome, record_id in found.all()
    }


async def of_message(tx: Transaction, message_id: str) -> list[Verdict]:
    """Return what recipients have answered about a message, in the order in which it came."""
    query = select(*(verdict.c[name] for name in _KEPT)).where(verdict.c.message_id == message_id)
    found = (await tx.execute(query.order_by(verdict.c.arrived_at, verdict.c.unit, verdict.c.level))).mappings()
    return [
        Verdict(**{**row, "level": Level(row["level"]), "outcome": Outcome(row["outcome"]), "late": bool(row["late"])})
        for row in found
    ]


async def park(
    tx: Transaction, envelope: Envelope, findings: Iterable[Finding], about: tuple[str, str] | None, now: datetime
) -> bool:
    """Keep an acknowledgement that settles nothing, with the reason; tell whether it is the first time.

    ``about`` is the message id and unit it names.
    """
    found, fit = list(findings), storable(envelope)
    return await insert_ignore(
        tx,
        unexpected,
        {
            "acknowledgement_id": fit.message_id,
            "party": fit.sender,
            "code": found[0].code,
            "message_id": about[0] if about else None,
            "unit": about[1] if about else None,
            "xml": envelope.body,
            "findings": [finding.as_json() for finding in found],
            "arrived_at": now,
        },
    )
