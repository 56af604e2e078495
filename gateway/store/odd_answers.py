"""Answers that came late, or once more. They settle what they are about, or change nothing; nobody has to act."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.lifecycle import Level
from gateway.store.tables import LATE, REPEATED, dispatch, history, verdict

FARTHEST: Final = 2_000
"""How many of each are looked at for those of some units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddAnswer:
    """An answer of a unit (HSA-id) about a message of ours: late at a ``level``, or else told once more (``None``)."""

    message_id: str
    type: str
    case_number: str
    unit: str
    at: datetime
    level: Level | None


async def odd_answers(tx: Transaction, units: Collection[str] | None, limit: int) -> list[OddAnswer]:
    """Return ``limit`` answers at most about messages of some units, the newest first."""
    late = select(
        verdict.c.message_id, verdict.c.unit, verdict.c.arrived_at.label("at"), verdict.c.level.label("level")
    )
    late = late.where(text(LATE)).order_by(verdict.c.arrived_at.desc())
    again = select(history.c.message_id, history.c.unit, history.c.at.label("at"), history.c.code.label("level"))
    again = again.where(text(REPEATED), history.c.direction == "out").order_by(history.c.id.desc())
    found = [
        OddAnswer(
            message_id=row.message_id,
            type=row.type,
            case_number=row.case_number,
            unit=row.unit,
            at=row.at,
            level=Level(row.level) if is_late else None,
        )
        for is_late, query in ((True, late), (False, again))
        for row in (await tx.execute(_of(query, units, limit))).all()
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def _of(query: Select[Any], units: Collection[str] | None, limit: int) -> Select[Any]:
    some = query.limit(limit if units is None else FARTHEST).subquery()
    about = (dispatch.c.message_id == some.c.message_id) & (dispatch.c.unit == some.c.unit)
    told = select(some, dispatch.c.type, dispatch.c.case_number).join(dispatch, about)
    if units is not None:
        told = told.where(dispatch.c.own_unit.in_(sorted(units)))
    return told.order_by(some.c.at.desc()).limit(limit)
