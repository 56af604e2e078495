"""The audit log as it is kept: adding to it, walking it, and finding in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, insert, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.audit import CUT, MISSING, NOT_AS_NOTED, SAID, START, Action, Anchor, Entry, Link, digest, misfit, plain
from gateway.errors import Finding
from gateway.store.access_tables import audit, audit_end
from gateway.store.engine import insert_ignore
from gateway.store.tables import event, inbound, message

PAGE = 500
"""How many rows are read at a time."""

_THE_END = 1
_END = select(audit_end.c.number, audit_end.c.hash).where(audit_end.c.id == _THE_END)
# As they stand, whatever was made of them: a time that is none must not stop whoever looks for what was changed.
ROW = select(
    audit.c.number,
    *(type_coerce(audit.c[name], String).label(name) for name in SAID),
    audit.c.previous,
    audit.c.hash,
)
"""What is read of a row."""


async def append(tx: Transaction, entry: Entry) -> Anchor:
    """Add a row, and return it by number and hash.

    To be called last: until the transaction ends, no other can add one, so whoever holds this place must not wait for
    what others hold. The row is there if the transaction commits, and its number is then never given out again.
    """
    last = (await tx.execute(_END.with_for_update())).first()
    if last is None:  # the very first: of several at once, the others wait here, and then see it
        await insert_ignore(tx, audit_end, {"id": _THE_END, "number": START.number, "hash": START.hash})
        last = (await tx.execute(_END.with_for_update())).one()
    said = plain(entry)
    added = Anchor(last.number + 1, digest(last.number + 1, last.hash, said))
    values = {name: getattr(entry, name) for name in SAID}
    await tx.execute(insert(audit).values(values | {"number": added.number, "previous": last.hash, "hash": added.hash}))
    await tx.execute(update(audit_end).where(audit_end.c.id == _THE_END).values(number=added.number, hash=added.hash))
    return added


async def end(tx: Transaction) -> Anchor:
    """Return the last row, by number and hash; others may add one right after it."""
    last = (await tx.execute(_END)).first()
    return Anchor(*last) if last is not None else START


@dataclass(frozen=True, slots=True)
class Walked:
    """How far the log is as it was written, and what does not fit after that, if anything.

    ``is_whole`` tells that it was walked to its end, or to what does not fit.
    """

    end: Anchor
    finding: Finding | None
    is_whole: bool = True


async def walk(
    tx: Transaction,
    anchors: Collection[Anchor] = (),
    *,
    page: int = PAGE,
    after: Anchor = START,
    most: int | None = None,
) -> Walked:
    """Walk the log from its first row until one does not fit, and hold its end against where it should be.

    ``anchors`` are rows that were noted earlier, in any order: each must still be there. No more than ``page`` rows
    are in memory at a time. The walk begins ``after`` a row, which is taken for right, and goes ``most`` rows far.
    """
    noted = {one.number: one for one in anchors}
    end = after
    async for rows in _pages(tx, page, after.number):
        for row in rows:
            if most is not None and end.number - after.number >= most:
                return Walked(end, None, is_whole=False)
            finding = misfit(end, row)
            if finding is None and (known := noted.pop(row.number, None)) is not None and known.hash != row.hash:
                finding = NOT_AS_NOTED.at(number=row.number)
            if finding is not None:
                return Walked(end, finding)
            end = Anchor(row.number, row.hash)
    kept = (await tx.execute(_END)).first()
    should = [Anchor(*kept)] if kept is not None else [START]
    should += [one for one in noted.values() if one != START]
    if beyond := [one for one in should if one != end]:
        return Walked(end, CUT.at(number=max(one.number for one in beyond)))
    return Walked(end, None)


async def walk_newest(tx: Transaction, count: int) -> Walked:
    """Walk the newest ``count`` rows alone; those before them are taken for right."""
    last = await end(tx)
    if last.number <= count:
        return await walk(tx)
    before = last.number - count
    found = (await tx.execute(select(audit.c.hash).where(audit.c.number == before))).scalar()
    if found is None:
        return Walked(START, MISSING.at(number=before))
    return await walk(tx, after=Anchor(before, found))


async def _pages(tx: Transaction, page: int, after: int) -> AsyncIterator[list[Link]]:
    query = ROW.order_by(audit.c.number).limit(page)
    rows = await links(tx, query.where(audit.c.number > after))
    while rows:
        yield rows
        rows = await links(tx, query.where(audit.c.number > rows[-1].number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows somebody looks for: from ``since`` up to, not including, ``until``, of one action, by one actor."""

    since: datetime | None = None
    until: datetime | None = None
    action: Action | None = None
    by: str | None = None


async def find(tx: Transaction, wanted: Wanted, *, limit: int) -> list[Link]:
    """Return the newest ``limit`` rows that are wanted, the oldest of them first."""
    query = ROW.order_by(audit.c.number.desc()).limit(limit)
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    if wanted.action is not None:
        query = query.where(audit.c.action == wanted.action.value)
    if wanted.by is not None:
        query = query.where(audit.c.by == wanted.by)
    return list(reversed(await links(tx, query)))


async def about(tx: Transaction, cases: Collection[str], events: Collection[int] = ()) -> list[Link]:
    """Return every row about some cases, their messages, or some events, the oldest first."""
    found: list[Link] = []
    if cases:
        own = select(message.c.message_id).where(message.c.case_number.in_(list(cases)))
        came = select(inbound.c.message_id).where(inbound.c.case_number.in_(list(cases)))
        named = audit.c.case_number.is_(None) & audit.c.target.in_(own.union_all(came))
        found += await links(tx, ROW.where(audit.c.case_number.in_(list(cases)) | named))
    if events:
        targets = [str(number) for number in events]
        found += await links(tx, ROW.where(_ABOUT_EVENT, audit.c.target.in_(targets)))
    return sorted({row.number: row for row in found}.values(), key=lambda row: row.number)


_ABOUT_EVENT = audit.c.action.in_([Action.EVENT_READ.value, Action.EVENT_RESENT.value, Action.EVENT_DISCARDED.value])


async def events_named(tx: Transaction) -> AsyncIterator[tuple[int, bytes, str | None]]:
    """Yield each event that the log tells of: its number, what came, and the number of the case that it was taken into.

    An event that was refused belongs to no case: only what came tells whom it is about. One is in memory at a time.
    """
    targets = select(audit.c.target).where(_ABOUT_EVENT, audit.c.target.is_not(None)).distinct()
    for number in sorted(int(target) for target in (await tx.execute(targets)).scalars() if target.isdecimal()):
        row = (await tx.execute(select(event.c.content, event.c.answer).where(event.c.id == number))).first()
        if row is not None:
            yield number, row.content, (row.answer or {}).get("caseNumber")


async def links(tx: Transaction, query: Select[Any]) -> list[Link]:
    """Return the rows that a query over :data:`ROW` finds."""
    return [_link(row) for row in (await tx.execute(query)).all()]


def _link(row: Sequence[Any]) -> Link:
    number, *said, previous, own = row
    return Link(number, dict(zip(SAID, said, strict=True)), previous, own)
