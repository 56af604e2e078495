"""The hours of the ledger: what happened in each, for all units and for each, read without looking at any message.

The tally counts lines of the history into them, as it counts everything else, so that a day with a million messages is
read as fast as one with ten. Hours are kept for some days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, delete, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.hour import Hour, hour_of, step_of
from gateway.lifecycle import InEvent, Level, Outcome, OutEvent
from gateway.store.observation_tables import hour_tally
from gateway.store.tables import dispatch, history, message, verdict
from gateway.store.tallies import FIRST_ANSWERS, Counts, HourKey, between

KEPT: Final = timedelta(days=3)
"""How long an hour is kept."""

_ALL = ""
_WAIT = "wait."
_COUNTED = ("sent", "received", "acknowledged", "taken")
_CAME = {"store": "received", InEvent.ACKNOWLEDGE.value: "taken"}

_HOUR = func.substr(history.c.at, 1, 13).label("hour")
_MESSAGE_OF_ROW = message.c.message_id == dispatch.c.message_id
SENT_BY_HOUR: Final = (
    select(_HOUR, message.c.sender_unit.label("unit"), func.count().label("number"))
    .select_from(history)
    .join(
        dispatch,
        (dispatch.c.message_id == history.c.message_id)
        & (dispatch.c.unit == history.c.unit)
        & (dispatch.c.sent_at == history.c.at),  # what is sent again has left before
    )
    .join(message, _MESSAGE_OF_ROW)
    .where(
        history.c.direction == "out",
        history.c.event == OutEvent.PUBLISHED.value,
        dispatch.c.type != ACKNOWLEDGEMENT,
    )
    .group_by(literal_column("hour"), message.c.sender_unit)
)
CAME_BY_HOUR: Final = (
    select(_HOUR, history.c.unit, history.c.event, func.count().label("number"))
    .where(history.c.direction == "in", history.c.event.in_(list(_CAME)))
    .group_by(literal_column("hour"), history.c.unit, history.c.event)
)
_ACCEPTED = (
    FIRST_ANSWERS.add_columns(message.c.sender_unit)
    .join(message, _MESSAGE_OF_ROW)
    .where(verdict.c.outcome == Outcome.ACCEPTED.value)
)


async def count(tx: Transaction, ids: Sequence[int], into: Counts) -> None:
    """Count what the lines of a history say; ``ids`` are all there are between the first and the last."""
    mine = between(ids)
    for row in (await tx.execute(SENT_BY_HOUR.where(mine))).all():
        _add(into, row.unit, _start(row.hour), "sent", number=row.number)
    for row in (await tx.execute(CAME_BY_HOUR.where(mine))).all():
        _add(into, row.unit, _start(row.hour), _CAME[row.event], number=row.number)
    for unit, level, arrived_at, left_at, number in (await tx.execute(answers_by_unit(ids))).all():
        at = hour_of(arrived_at)
        _add(into, unit, at, _WAIT + level, step_of(arrived_at - left_at), number)
        if level == Level.ACKNOWLEDGED:
            _add(into, unit, at, "acknowledged", number=number)


def answers_by_unit(ids: Sequence[int]) -> Select[Any]:
    """Return the query for how many first answers that say yes stand in the lines, alike ones counted together."""
    each = _ACCEPTED.where(between(ids)).subquery()
    alike = (each.c.sender_unit, each.c.level, each.c.arrived_at, each.c.left_at)
    return select(*alike, func.count()).group_by(*alike)


def _start(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=UTC)


def _add(into: Counts, unit: str, at: datetime, kind: str, step: int = 0, number: int = 1) -> None:
    for whose in (unit, _ALL):
        key = HourKey(whose, at, kind, step)
        into.by_hour[key] = into.by_hour.get(key, 0) + number


async def add(tx: Transaction, counted: Mapping[HourKey, int], now: datetime) -> None:
    """Add to what hours have counted, and forget those that are older than is kept."""
    rows = [{**key._asdict(), "number": number} for key, number in sorted(counted.items()) if key.at >= now - KEPT]
    if not rows:
        return
    insert = (postgresql if tx.dialect.name == "postgresql" else sqlite).insert(hour_tally)
    more = {"number": hour_tally.c.number + insert.excluded.number}
    await tx.execute(insert.on_conflict_do_update(index_elements=list(HourKey._fields), set_=more), rows)
    await tx.execute(delete(hour_tally).where(hour_tally.c.at < now - KEPT))


async def last_before(tx: Transaction, since: datetime) -> int:
    """Return the id of the last line of the history before ``since``, 0 where there is none.

    Lines are written in the order of their times, so that some twenty looks find it in a million.
    """
    low, high = 0, (await tx.execute(select(func.max(history.c.id)))).scalar() or 0
    while low < high:
        middle = (low + high + 1) // 2
        query = select(history.c.id, history.c.at).where(history.c.id.between(low + 1, middle))
        row = (await tx.execute(query.order_by(history.c.id.desc()).limit(1))).first()
        if row is not None and row.at >= since:
            high = row.id - 1
        else:
            low = middle
    return int(high)


async def read(tx: Transaction, starts: Sequence[datetime], units: frozenset[str] | None) -> list[Hour]:
    """Return the hours that began at ``starts`` (UTC), for the own ``units`` (HSA-ids) or all; empty ones are zero."""
    if not starts:
        return []
    whose = [_ALL] if units is None else sorted(units)
    query = (
        select(hour_tally.c.at, hour_tally.c.kind, hour_tally.c.step, func.sum(hour_tally.c.number).label("number"))
        .where(hour_tally.c.unit.in_(whose), hour_tally.c.at.between(min(starts), max(starts)))
        .group_by(hour_tally.c.at, hour_tally.c.kind, hour_tally.c.step)
    )
    found: dict[datetime, dict[str, dict[int, int]]] = {at: {} for at in starts}
    for at, kind, step, number in (await tx.execute(query)).all():
        if (kinds := found.get(at)) is None:
            continue
        if (steps := kinds.get(kind)) is None:
            steps = kinds[kind] = {}
        steps[step] = int(number)
    return [_hour(at, kinds) for at, kinds in found.items()]


def _hour(at: datetime, kinds: Mapping[str, Mapping[int, int]]) -> Hour:
    waits = {level: kinds[_WAIT + level] for level in Level if _WAIT + level in kinds}
    sent, received, acknowledged, taken = (sum(kinds.get(name, {}).values()) for name in _COUNTED)
    return Hour(at=at, sent=sent, received=received, acknowledged=acknowledged, taken=taken, waits=waits)
