"""What has failed and waits for a person, grouped by cause, and the items of each group.

A cause is a kind of item, a code and whose it is. Every group is found and counted by an index that holds nothing but
failures that nobody has discarded, so it costs the same however long the ledger is; past :data:`MOST_COUNTED` nothing
is counted any more. Whoever sees some units only has all failures looked at for theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, insert, literal, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.errors import Fault
from gateway.items import Item, ItemKind
from gateway.store.decision_tables import failure_note
from gateway.store.items import TABLES
from gateway.store.moments import Moment
from gateway.store.tables import FAILED, NOT_DISCARDED, REFUSED_EVENT, SPENT, message

MOST_COUNTED: Final = 10_000
"""How many items of a group are counted; of one that has more it is known that it has."""
MOST_GROUPS: Final = 200
"""How many groups of each kind are looked for."""

NOT_TAKEN = Fault(
    "note.not-taken",
    "Verksamhetssystemet har inte tagit emot det gatewayen ville berätta, på en timme.",
    "The case system has not taken what the gateway wanted to tell it, for an hour.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNote:
    """What somebody (HSA-id or token) has written about a group."""

    text: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something has failed: the kind of item, the code, and the partner's party, or the adapter of an event.

    ``party`` is empty for what nobody in particular has to do with.
    """

    kind: ItemKind
    code: str
    party: str


NOTES_NOT_TAKEN: Final = Cause(kind=ItemKind.NOTE, code=NOT_TAKEN.code, party="")
"""Why steps that the own case system has not taken are failures: there is no other reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The failures of one cause: how many, whether there are ``more``, since when, the newest, and the last note."""

    cause: Cause
    count: int
    more: bool
    first_at: datetime
    last_at: datetime
    note: GroupNote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedItem:
    """One failure. What it has not got, or nobody knows, is ``None``; ``own_unit`` and ``unit`` are HSA-ids.

    ``unit`` is the recipient's where it was sent, and the own one where it came.
    """

    item: Item
    at: datetime
    message_id: str | None = None
    type: str | None = None
    case_number: str | None = None
    own_unit: str | None = None
    unit: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends, and the next begins: the time and the number of its last item."""

    at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class FailedPage:
    """Items of one group, the newest first, and where the next page begins; ``None`` where there is no more."""

    items: Sequence[FailedItem]
    next: Place | None


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the failures of a kind stand: the condition of their index, and what stands for code, party and time."""

    condition: str
    code: str
    party: str
    at: str
    own_unit: str | None = "unit"
    """What stands for the own unit; ``None`` where it is the one that sent the message that is named."""


_SOURCES: Final = {
    ItemKind.SENT: _Source(FAILED, "failed_code", "party", "failed_at", own_unit="own_unit"),
    ItemKind.RECEIVED: _Source(FAILED, "failed_code", "party", "failed_at"),
    ItemKind.PARKED: _Source(NOT_DISCARDED, "code", "party", "arrived_at"),
    ItemKind.UNEXPECTED: _Source(NOT_DISCARDED, "code", "party", "arrived_at", own_unit=None),
    ItemKind.DEAD_LETTER: _Source(SPENT, "reason", "party", "arrived_at"),
    ItemKind.EVENT: _Source(REFUSED_EVENT, "code", "source", "received_at"),
}
_OF_ALL_UNITS = frozenset({ItemKind.EVENT, ItemKind.NOTE})
"""Kinds that are of no single unit: only who sees all units sees them."""


async def groups(
    tx: Transaction,
    now: datetime,
    *,
    units: frozenset[str] | None = None,
    kinds: Collection[ItemKind] = tuple(ItemKind),
    most: int = MOST_COUNTED,
) -> list[Group]:
    """Return the groups of failures, the one with the newest first; only of ``units`` where those are given.

    At most ``most`` of each are counted.

    A message that waits for the case system, or a step that is to be written there, is a failure when its deadline has
    passed: until then it is tried by itself.
    """
    found = [group for kind in kinds if kind in _SOURCES for group in await _groups_of(tx, kind, now, units, most)]
    if ItemKind.NOTE in kinds and units is None:
        found += [group for group in [await _counted(tx, NOTES_NOT_TAKEN, now, None, most)] if group is not None]
    if units is None:  # what stands in a note may be about anyone
        notes = await _last_notes(tx)
        found = [replace(group, note=notes.get(group.cause)) for group in found]
    return sorted(found, key=lambda group: group.last_at, reverse=True)


async def _groups_of(
    tx: Transaction, kind: ItemKind, now: datetime, units: frozenset[str] | None, most: int
) -> list[Group]:
    source, table = _SOURCES[kind], TABLES[kind]
    if units is not None and kind in _OF_ALL_UNITS:
        return []
    code, party = table.c[source.code], table.c[source.party]
    if units is not None:  # to find theirs, all are looked at; so they are counted at once
        at = table.c[source.at]
        newest = func.max(at, type_=Moment)
        all_of_them = select(code, party, func.count(), func.min(at, type_=Moment), newest).group_by(code, party)
        rows = (await tx.execute(_seen(all_of_them, kind, now, units).limit(MOST_GROUPS))).all()
        return [_group(Cause(kind=kind, code=row[0], party=row[1]), row[2], most, row[3], row[4]) for row in rows]
    rows = (await tx.execute(_causes(kind, now, most))).all()
    return [_group(Cause(kind=kind, code=row[0], party=row[1]), row[2], most, row[3], row[4]) for row in rows]


def _causes(kind: ItemKind, now: datetime, most: int) -> Select[Any]:
    """Return the query for the causes of a kind: how many each has, up to ``most`` and one more, and since when.

    It goes from one cause to the next in the index, past all that are alike, and counts each no further than that.
    """
    source, table = _SOURCES[kind], TABLES[kind]
    code, party, at = table.c[source.code], table.c[source.party], table.c[source.at]

    def following(column: Any, *after: Any) -> Any:
        return _seen(select(column), kind, now, None).where(*after).order_by(code, party).limit(1).scalar_subquery()

    begin = select(following(code).label("code"), following(party).label("party"))
    cause = begin.cte("cause", recursive=True)
    later = tuple_(code, party) > tuple_(cause.c.code, cause.c.party)
    cause = cause.union_all(select(following(code, later), following(party, later)).where(cause.c.code.is_not(None)))
    alike = _seen(select(at.label("at")), kind, now, None).where(code == cause.c.code, party == cause.c.party)
    counted = select(func.count()).select_from(alike.limit(most + 1).correlate(cause).subquery())
    return (
        select(
            cause.c.code,
            cause.c.party,
            counted.scalar_subquery(),
            alike.order_by(at).limit(1).correlate(cause).scalar_subquery(),
            alike.order_by(at.desc()).limit(1).correlate(cause).scalar_subquery(),
        )
        .where(cause.c.code.is_not(None))
        .limit(MOST_GROUPS)
    )


async def _counted(
    tx: Transaction, cause: Cause, now: datetime, units: frozenset[str] | None, most: int
) -> Group | None:
    at = _at(cause.kind)
    some = _of(cause, select(at.label("at")), now, units).order_by(at).limit(most + 1).subquery()
    counted = select(func.count(), func.min(some.c.at, type_=Moment), func.max(some.c.at, type_=Moment))
    count, first, newest = (await tx.execute(counted)).one()
    if not count:
        return None
    if count > most:
        newest = (await tx.execute(_of(cause, select(at), now, units).order_by(at.desc()).limit(1))).scalar_one()
    return _group(cause, count, most, first, newest)


def _group(cause: Cause, count: int, most: int, first: datetime, newest: datetime) -> Group:
    return Group(cause=cause, count=min(count, most), more=count > most, first_at=first, last_at=newest)


async def group_of(
    tx: Transaction, cause: Cause, now: datetime, *, units: frozenset[str] | None = None, most: int = MOST_COUNTED
) -> Group | None:
    """Return the group of a cause as :func:`groups` has it; ``None`` where nothing of it may be seen."""
    if units is not None and cause.kind in _OF_ALL_UNITS:
        return None
    if cause.kind is ItemKind.NOTE and cause != NOTES_NOT_TAKEN:
        return None
    found = await _counted(tx, cause, now, units, most)
    if found is None or units is not None:
        return found
    return replace(found, note=next(iter(await notes_of(tx, cause)), None))


async def is_there(tx: Transaction, cause: Cause, now: datetime) -> bool:
    """Tell whether anything has failed for a cause."""
    return await _counted(tx, cause, now, None, 1) is not None


async def of_group(
    tx: Transaction,
    cause: Cause,
    now: datetime,
    limit: int,
    *,
    units: frozenset[str] | None = None,
    before: Place | None = None,
) -> FailedPage:
    """Return a page of the failures of a cause, the newest first; it begins after what the page before told."""
    if units is not None and cause.kind in _OF_ALL_UNITS:
        return FailedPage([], None)
    table, at = TABLES[cause.kind], _at(cause.kind)
    names = [name for name in _SHOWN if name in table.c]
    query = _of(cause, select(table.c.id, at.label("at"), *(table.c[name] for name in names)), now, units)
    if cause.kind is ItemKind.UNEXPECTED:
        if units is None:
            query = query.outerjoin(message, message.c.message_id == table.c.message_id)
        query = query.add_columns(message.c.sender_unit.label("own_unit"))
    if before is not None:
        query = query.where(tuple_(at, table.c.id) < tuple_(literal(before.at, Moment), literal(before.number)))
    rows = (await tx.execute(query.order_by(at.desc(), table.c.id.desc()).limit(limit))).mappings().all()
    found = [_item(cause.kind, dict(row)) for row in rows]
    return FailedPage(found, Place(found[-1].at, found[-1].item.number) if len(found) == limit else None)


_SHOWN = ("message_id", "type", "case_number", "own_unit", "unit", "state")


def _item(kind: ItemKind, row: dict[str, Any]) -> FailedItem:
    shown = {name: row.get(name) for name in _SHOWN}
    if kind not in (ItemKind.SENT, ItemKind.UNEXPECTED):
        shown["own_unit"] = shown["unit"]
    return FailedItem(item=Item(kind, row["id"]), at=row["at"], **shown)


def _at(kind: ItemKind) -> Any:
    table = TABLES[kind]
    return table.c[_SOURCES[kind].at] if kind in _SOURCES else table.c.created_at


def _of(cause: Cause, query: Select[Any], now: datetime, units: frozenset[str] | None) -> Select[Any]:
    """Return ``query`` for the failures of a cause alone."""
    table, query = TABLES[cause.kind], _seen(query, cause.kind, now, units)
    if cause.kind is ItemKind.NOTE:
        return query
    source = _SOURCES[cause.kind]
    return query.where(table.c[source.code] == cause.code, table.c[source.party] == cause.party)


def _seen(query: Select[Any], kind: ItemKind, now: datetime, units: frozenset[str] | None) -> Select[Any]:
    """Return ``query`` for the failures of a kind that whoever asks may see."""
    table = TABLES[kind]
    query = query.select_from(table).where(*_conditions(kind, now))
    if units is None:
        return query
    own_unit = _SOURCES[kind].own_unit
    if own_unit is None:
        query = query.join(message, message.c.message_id == table.c.message_id)
        return query.where(message.c.sender_unit.in_(sorted(units)))
    return query.where(table.c[own_unit].in_(sorted(units)))


def _conditions(kind: ItemKind, now: datetime) -> list[Any]:
    table = TABLES[kind]
    if kind is ItemKind.NOTE:
        return [text("note.written_at IS NULL"), table.c.due_at <= now]
    found: list[Any] = [text(_SOURCES[kind].condition)]
    if kind is ItemKind.RECEIVED:
        found.append(or_(table.c.due_at.is_(None), table.c.due_at <= now))
    return found


# --- notes ----------------------------------------------------------------------------------------------------------


async def add_note(tx: Transaction, cause: Cause, note: GroupNote) -> None:
    """Keep what somebody has written about a group; what was written before is kept too."""
    values = {"kind": cause.kind.value, "code": cause.code, "party": cause.party}
    await tx.execute(insert(failure_note).values(text=note.text, at=note.at, by=note.by, **values))


async def notes_of(tx: Transaction, cause: Cause) -> list[GroupNote]:
    """Return what has been written about a group, the newest first."""
    mine = failure_note.c.kind == cause.kind.value, failure_note.c.code == cause.code
    query = select(failure_note.c.text, failure_note.c.at, failure_note.c.by)
    query = query.where(*mine, failure_note.c.party == cause.party).order_by(failure_note.c.id.desc()).limit(100)
    return [GroupNote(text=row.text, at=row.at, by=row.by) for row in (await tx.execute(query)).all()]


async def _last_notes(tx: Transaction) -> dict[Cause, GroupNote]:
    last = select(func.max(failure_note.c.id)).group_by(failure_note.c.kind, failure_note.c.code, failure_note.c.party)
    rows = (await tx.execute(select(failure_note).where(failure_note.c.id.in_(last)))).all()
    return {
        Cause(kind=ItemKind(row.kind), code=row.code, party=row.party): GroupNote(text=row.text, at=row.at, by=row.by)
        for row in rows
    }
