"""Counts that every process adds to by what it writes, and that no restart loses: rows are counted once, by their ids.

Whoever counts reads the rows behind a mark and moves it in the transaction that keeps the counts. Two that count at
once are told apart by the mark's revision: the slower keeps nothing.

A database server gives out ids before the rows are committed, so that a row may turn up behind the mark. Ids that are
missing are remembered for a while and looked for again; those of transactions that came to nothing never turn up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, Table, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.store.engine import insert_ignore
from gateway.store.moments import Moment
from gateway.store.observation_tables import tally, tally_mark
from gateway.store.tables import dispatch, event, history, inbound, parked, unexpected, verdict

BATCH: Final = 1000
"""How many rows are counted at a time."""
MISSED_FOR: Final = timedelta(minutes=5)
"""How long an id is looked for: longer than a transaction may take."""
MOST_MISSING: Final = 2000
"""How many ids are looked for at most, the latest ones."""

Key = tuple[str, tuple[str, ...]]
"""A metric and its labels."""


class HourKey(NamedTuple):
    """What is counted of an hour: whose (an own unit, or empty for all of them), when it began, what, how long."""

    unit: str
    at: datetime
    kind: str
    step: int = 0


@dataclass(slots=True)
class Counts:
    """What is to be added to counts, to those of hours, and the latest of points in time (milliseconds since 1970)."""

    added: dict[Key, int] = field(default_factory=dict)
    latest: dict[Key, int] = field(default_factory=dict)
    by_hour: dict[HourKey, int] = field(default_factory=dict)

    def add(self, metric: str, *labels: str, number: int = 1) -> None:
        """Count ``number`` more."""
        self.added[metric, labels] = self.added.get((metric, labels), 0) + number

    def happened(self, metric: str, *labels: str, at: datetime) -> None:
        """Note that something happened; the latest counts."""
        then = int(at.timestamp() * 1000)
        self.latest[metric, labels] = max(then, self.latest.get((metric, labels), then))


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to which id the rows of a source are counted, and which ids before it have been missing since when (ms)."""

    source: str
    last: int = 0
    missing: Mapping[int, int] = field(default_factory=dict)
    revision: int = 0

    def moved(self, ids: Sequence[int], now: datetime) -> Mark:
        """Return the mark behind ``ids``, all of which have been counted."""
        then, found = int(now.timestamp() * 1000), set(ids)
        last = max(self.last, *ids) if ids else self.last
        # What stands before the very first row has been removed long ago, or was never there.
        first = self.last + 1 if self.last else min(found, default=1)
        gaps = {one: then for one in range(max(first, last - MOST_MISSING), last + 1) if one not in found}
        since = then - int(MISSED_FOR.total_seconds() * 1000)
        still = {one: at for one, at in self.missing.items() if one not in found and since < at <= then}
        return replace(self, last=last, missing=dict(sorted((still | gaps).items())[-MOST_MISSING:]))


_SOURCES: dict[str, tuple[Table, tuple[Column[Any], ...]]] = {
    "history": (history, ()),  # what it is about stands elsewhere; see below
    "hours": (history, ()),  # the same by the hour, counted by itself so that it may begin late
    "parked": (parked, (parked.c.party, parked.c.type, parked.c.arrived_at)),
    "unexpected": (unexpected, (unexpected.c.party, unexpected.c.code, unexpected.c.arrived_at)),
    "event": (event, (event.c.source, event.c.state, event.c.received_at)),
}
SOURCES: Final = tuple(_SOURCES)
"""The tables that are counted."""


async def mark_of(tx: Transaction, source: str) -> Mark:
    """Return how far a table has been counted."""
    row = (await tx.execute(select(tally_mark).where(tally_mark.c.source == source))).first()
    if row is None:
        return Mark(source)
    return Mark(source, row.last, {int(one): at for one, at in row.missing.items()}, row.revision)


async def rows_behind(tx: Transaction, mark: Mark) -> list[Row[Any]]:
    """Return rows that have not been counted, each with its ``id``: :data:`BATCH` at most, and what was missing."""
    table, columns = _SOURCES[mark.source]
    query = select(table.c.id, *columns)
    found = list((await tx.execute(query.where(table.c.id > mark.last).order_by(table.c.id).limit(BATCH))).all())
    if mark.missing:
        found += (await tx.execute(query.where(table.c.id.in_(list(mark.missing))))).all()
    return found


def runs(ids: Sequence[int]) -> list[list[int]]:
    """Return ``ids`` as runs without a gap: between the first and the last of each there is no other row."""
    found: list[list[int]] = []
    for one in sorted(ids):
        if found and found[-1][-1] + 1 == one:
            found[-1].append(one)
        else:
            found.append([one])
    return found


async def keep(tx: Transaction, before: Mark, after: Mark, counts: Counts) -> bool:
    """Move a mark and keep what was counted on the way; tell ``False``, and keep nothing, when another was quicker."""
    values = {
        "last": after.last,
        "missing": {str(one): at for one, at in after.missing.items()},
        "revision": before.revision + 1,
    }
    if before.revision:
        mine = tally_mark.c.source == before.source, tally_mark.c.revision == before.revision
        done = (await tx.execute(update(tally_mark).where(*mine).values(values))).rowcount == 1
    else:
        done = await insert_ignore(tx, tally_mark, {"source": before.source, **values})
    if not done:
        return False
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(tally)
    key, new = ["metric", "labels"], insert.excluded.value
    adding = insert.on_conflict_do_update(index_elements=key, set_={"value": tally.c.value + new})
    later = insert.on_conflict_do_update(
        index_elements=key, set_={"value": case((new > tally.c.value, new), else_=tally.c.value)}
    )
    for statement, counted in ((adding, counts.added), (later, counts.latest)):
        for (metric, labels), value in sorted(counted.items()):
            await tx.execute(statement, {"metric": metric, "labels": json.dumps(labels), "value": value})
    return True


async def counted(tx: Transaction, metric: str | None = None) -> dict[Key, int]:
    """Return what has been counted: everything, or one metric."""
    query = select(tally.c.metric, tally.c.labels, tally.c.value)
    found = (await tx.execute(query if metric is None else query.where(tally.c.metric == metric))).all()
    return {(metric, tuple(json.loads(labels))): value for metric, labels, value in found}


# --- what the lines of a history are about: put together by the database, for most lines of a batch are alike ---------


_ABOUT_SENT = and_(dispatch.c.message_id == history.c.message_id, dispatch.c.unit == history.c.unit)
SENT_LINES: Final = (
    select(
        history.c.event,
        history.c.code,
        dispatch.c.party,
        dispatch.c.type,
        func.count().label("number"),
        func.max(history.c.at, type_=Moment).label("at"),
    )
    .select_from(history)
    .join(dispatch, _ABOUT_SENT)
    .where(history.c.direction == "out")
    .group_by(history.c.event, history.c.code, dispatch.c.party, dispatch.c.type)
)
# One id may stand on several messages that came; a line is about one of them.
_SAME = inbound.alias()
_FIRST = select(func.min(_SAME.c.id)).where(_SAME.c.message_id == history.c.message_id, _SAME.c.unit == history.c.unit)
_HANDED_OVER = inbound.c.attempts > 0
RECEIVED_LINES: Final = (
    select(
        history.c.event,
        inbound.c.party,
        inbound.c.type,
        _HANDED_OVER.label("handed_over"),
        func.count().label("number"),
        func.max(history.c.at, type_=Moment).label("at"),
    )
    .select_from(history)
    .join(inbound, inbound.c.id == _FIRST.correlate(history).scalar_subquery())
    .where(history.c.direction == "in")
    .group_by(history.c.event, inbound.c.party, inbound.c.type, _HANDED_OVER)
)
FIRST_ANSWERS: Final = (
    select(
        verdict.c.message_id,
        verdict.c.unit,
        verdict.c.level,
        verdict.c.outcome,
        verdict.c.late,
        verdict.c.arrived_at,
        dispatch.c.party,
        func.coalesce(dispatch.c.sent_at, dispatch.c.queued_at, dispatch.c.created_at, type_=Moment).label("left_at"),
    )
    .select_from(history)
    .join(dispatch, _ABOUT_SENT)
    .join(
        verdict,
        and_(
            verdict.c.message_id == history.c.message_id,
            verdict.c.unit == history.c.unit,
            verdict.c.arrived_at == history.c.at,
            or_(verdict.c.level == history.c.event, verdict.c.outcome == history.c.event),
        ),
    )
    .where(history.c.direction == "out")
    .distinct()  # two that came at one moment are two
)


async def sent_in(tx: Transaction, ids: Sequence[int]) -> list[Row[Any]]:
    """Return by event, code, party and type the ``number`` of lines about outgoing rows, and when the last was written.

    ``ids`` are those of the lines, all there are between the first and the last.
    """
    return list((await tx.execute(SENT_LINES.where(between(ids)))).all())


async def received_in(tx: Transaction, ids: Sequence[int]) -> list[Row[Any]]:
    """Return the same for incoming rows, by event, party, type and whether the own system has been handed them."""
    return list((await tx.execute(RECEIVED_LINES.where(between(ids)))).all())


async def verdicts_in(tx: Transaction, ids: Sequence[int]) -> list[Row[Any]]:
    """Return the ``number`` of first answers by party, level, outcome, lateness, ``left_at`` and ``arrived_at``."""
    each = FIRST_ANSWERS.where(between(ids)).subquery()
    kinds = (each.c.party, each.c.level, each.c.outcome, each.c.late, each.c.arrived_at, each.c.left_at)
    return list((await tx.execute(select(*kinds, func.count().label("number")).group_by(*kinds))).all())


def between(ids: Sequence[int]) -> ColumnElement[bool]:
    """Return what holds for lines from the first to the last of ``ids``."""
    return history.c.id.between(ids[0], ids[-1])
