"""Pages of the audit log, the newest rows first, however long it is; see :mod:`gateway.store.browse`.

A page that is asked for by something rare looks no further than :data:`FARTHEST` rows at a time, and tells where to go
on. Where a day begins in the log is found by the index of times, since rows are written in their order but for a few
moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.audit import Action, AuditOutcome, Link
from gateway.store.access_tables import audit
from gateway.store.audit import ROW, links

FARTHEST: Final = 20_000
"""How many rows of the log one page looks at."""
_OUT_OF_ORDER: Final = timedelta(minutes=10)
"""How much later than its neighbours a row may have been written: no transaction lasts as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which rows are looked for; ``None`` is any. ``before`` is the number that the page before told."""

    by: str | None = None
    action: Action | None = None
    target: str | None = None
    case_number: str | None = None
    outcome: AuditOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the newest first, and where the next page begins; ``None`` where there is no more."""

    rows: Sequence[Link]
    next: int | None


async def page(tx: Transaction, sought: Sought, limit: int, *, farthest: int = FARTHEST) -> Page:
    """Return ``limit`` rows at most, out of the next ``farthest`` of the log."""
    end = ((await tx.execute(select(func.max(audit.c.number)))).scalar() or 0) + 1
    top, first = end if sought.before is None else min(sought.before, end), 1
    if sought.until is not None:
        top = min(top, await _place_of(tx, sought.until + _OUT_OF_ORDER, end))
    if sought.since is not None:
        first = await _place_of(tx, sought.since - _OUT_OF_ORDER, end)
    # A case has few rows, which an index finds.
    bottom = first if sought.case_number is not None else max(top - farthest, first)
    query = ROW.where(audit.c.number >= bottom, audit.c.number < top)
    for name in ("by", "action", "target", "case_number", "outcome"):
        if (value := getattr(sought, name)) is not None:
            query = query.where(audit.c[name] == str(value))
    if sought.since is not None:
        query = query.where(audit.c.at >= sought.since)
    if sought.until is not None:
        query = query.where(audit.c.at < sought.until)
    rows = await links(tx, query.order_by(audit.c.number.desc()).limit(limit))
    if len(rows) == limit:
        return Page(rows, rows[-1].number)
    return Page(rows, bottom if bottom > first else None)


async def _place_of(tx: Transaction, at: datetime, end: int) -> int:
    """Return the number from which on rows are of ``at`` or later, as far as they are in order; ``end``: there is none.

    What somebody gave a time that it did not have may be out of order, as everything that was changed may be.
    """
    query = select(audit.c.number).where(audit.c.at >= at).order_by(audit.c.at).limit(1)
    found: int | None = (await tx.execute(query)).scalar()
    return found if found is not None else end
