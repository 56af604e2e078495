"""Outgoing messages and their ledger rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT, content_hash
from gateway.ledger import Dispatch
from gateway.lifecycle import OutState
from gateway.messages import Message
from gateway.store import rows
from gateway.store.bulk import change, insertion, several
from gateway.store.rows import as_dispatch
from gateway.store.tables import ON_PAPER, UNDER_WAY, WAITING, dispatch, message

_EVERYBODY: frozenset[str] = frozenset()
_NUMBER = change(dispatch, ["sequence"])
_LAST_POSITION = select(func.max(dispatch.c.position))
_OF_MESSAGES = (
    select(*rows.OUT).where(dispatch.c.message_id.in_(several("ids"))).order_by(dispatch.c.id).with_for_update()
)
_WITH_ID = select(*rows.OUT).where(dispatch.c.id.in_(several("ids"))).order_by(dispatch.c.id).with_for_update()
_LAST_SEQUENCES = (
    select(dispatch.c.case_number, dispatch.c.unit, func.max(dispatch.c.sequence))
    .where(dispatch.c.case_number.in_(several("numbers")), dispatch.c.sequence.is_not(None))
    .group_by(dispatch.c.case_number, dispatch.c.unit)
)
_LEASE = (
    update(dispatch)
    .where(dispatch.c.id.in_(several("ids")))
    .values(lease_until=bindparam("until"), attempts=dispatch.c.attempts + 1)
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A ledger row taken by a relay, with the bytes to publish."""

    dispatch: Dispatch
    xml: bytes
    sender_unit: str
    in_reply_to: str | None
    is_numbered: bool
    """Whether it got its sequence number now."""


_KEPT = [column.name for column in message.columns]
_values_of = itemgetter(*_KEPT)
_NEW_MESSAGE = insertion(message, _KEPT)


# --- messages -------------------------------------------------------------------------------------------------------


def new_message(made: Message, xml: bytes, *, applied: bool = True) -> dict[str, Any]:
    """Return what is kept of a message: ``applied`` is false while every recipient waits for a consent."""
    return {
        "message_id": made.header.message_id,
        "type": made.type,
        "case_number": made.header.case_number,
        "created_at": made.header.created_at,
        "content_hash": content_hash(xml),
        "xml": xml,
        "sender_unit": made.header.sender.unit,
        "in_reply_to": made.header.in_reply_to,
        "applied": applied,
    }


async def add_messages(tx: Transaction, made: Sequence[Mapping[str, Any]]) -> None:
    """Keep messages."""
    await _NEW_MESSAGE.execute(tx, [_values_of(one) for one in made])


async def change_message(tx: Transaction, message_id: str, changes: Mapping[str, Any]) -> None:
    """Change what is kept of a message that nobody outside has seen."""
    await tx.execute(update(message).where(message.c.message_id == message_id).values(**changes))


async def content(tx: Transaction, message_id: str) -> bytes:
    """Return the XML of a message of this party."""
    xml: bytes = (await tx.execute(select(message.c.xml).where(message.c.message_id == message_id))).scalar_one()
    return xml


async def held_messages(tx: Transaction, case_numbers: Collection[str]) -> dict[str, tuple[bytes, bool]]:
    """Return XML and ``applied`` of the messages of cases that a recipient waits for, by message id."""
    query = (
        select(message.c.message_id, message.c.xml, message.c.applied)
        .join(dispatch, dispatch.c.message_id == message.c.message_id)
        .where(dispatch.c.case_number.in_(case_numbers), dispatch.c.state == OutState.HELD.value)
        .distinct()
    )
    return {row.message_id: (row.xml, row.applied) for row in (await tx.execute(query)).all()}


# --- ledger rows ----------------------------------------------------------------------------------------------------


async def add(tx: Transaction, made: Message, xml: bytes, to: Iterable[Dispatch], *, applied: bool = True) -> None:
    """Keep a message and one ledger row per recipient."""
    await add_messages(tx, [new_message(made, xml, applied=applied)])
    await add_rows(tx, list(to))


async def add_rows(tx: Transaction, new: Sequence[Dispatch]) -> None:
    """Keep ledger rows of messages that are kept."""
    await rows.NEW_DISPATCH.execute(tx, new)


async def save(tx: Transaction, changed: Iterable[tuple[Dispatch, Dispatch]]) -> None:
    """Write ledger rows back, each given as it was read and as it now is."""
    await rows.write_changes(tx, dispatch, changed)


async def next_position(tx: Transaction) -> int:
    """Return the place behind everything that is in line."""
    return ((await tx.execute(_LAST_POSITION)).scalar() or 0) + 1


async def of_cases(tx: Transaction, case_numbers: Collection[str]) -> list[Dispatch]:
    """Return the ledger rows of cases in the order they were made, acknowledgements left out; others wait for them."""
    query = (
        select(*rows.OUT)
        .where(dispatch.c.case_number.in_(case_numbers), dispatch.c.type != ACKNOWLEDGEMENT)
        .order_by(dispatch.c.id)
        .with_for_update()
    )
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def of_case(tx: Transaction, case_number: str) -> list[Dispatch]:
    """Return the ledger rows of a case in the order they were made, acknowledgements left out."""
    return await of_cases(tx, [case_number])


async def of_messages(tx: Transaction, message_ids: Collection[str]) -> list[Dispatch]:
    """Return the ledger rows of messages; others wait for them."""
    return [as_dispatch(row) for row in (await tx.execute(_OF_MESSAGES, {"ids": list(message_ids)})).all()]


async def with_id(tx: Transaction, ids: Collection[int]) -> dict[int, Dispatch]:
    """Return ledger rows by their own id; others wait for them."""
    return {row.id: as_dispatch(row) for row in (await tx.execute(_WITH_ID, {"ids": list(ids)})).all()}


async def answers_to(tx: Transaction, message_ids: Collection[str]) -> list[tuple[str, str, Dispatch]]:
    """Return the acknowledgements this party has made of messages: message id, the unit it came for, and their row."""
    query = (
        select(*rows.OUT, message.c.in_reply_to, message.c.sender_unit)
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(message.c.in_reply_to.in_(message_ids), message.c.type == ACKNOWLEDGEMENT)
        .order_by(dispatch.c.id)
        .with_for_update(of=dispatch)
    )
    return [(row.in_reply_to, row.sender_unit, as_dispatch(row)) for row in (await tx.execute(query)).all()]


async def overdue(tx: Transaction, now: datetime, limit: int) -> list[Dispatch]:
    """Return ledger rows under way whose deadline has passed, the longest overdue first."""
    query = (
        select(*rows.OUT)
        .where(text(UNDER_WAY), dispatch.c.due_at <= now)
        .order_by(dispatch.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def without_consent(tx: Transaction, now: datetime, limit: int) -> list[Dispatch]:
    """Return ledger rows that have not left, or may not have, though the consent they were to leave under has run out.

    They wait for the exchange, or for somebody to send them by letter.
    """
    found: list[Dispatch] = []
    for waits in (text(WAITING), and_(text(ON_PAPER), dispatch.c.state == OutState.LETTER.value)):
        query = select(*rows.OUT).where(waits, dispatch.c.leave_by <= now).limit(limit)
        found += [as_dispatch(row) for row in (await tx.execute(query.with_for_update(skip_locked=True))).all()]
    return found


async def release_leases(tx: Transaction) -> None:
    """Give back what an earlier process of this gateway was publishing when it ended; it is published again."""
    leased = and_(text(WAITING), dispatch.c.lease_until.is_not(None))
    await tx.execute(update(dispatch).where(leased).values(lease_until=None))


async def hurry(tx: Transaction, party: str) -> None:
    """Let what waits for its next try to ``party`` be due at once."""
    waits = and_(text(WAITING), dispatch.c.party == party, dispatch.c.next_attempt_at.is_not(None))
    await tx.execute(update(dispatch).where(waits).values(next_attempt_at=None))


# --- claiming -------------------------------------------------------------------------------------------------------


async def claim(
    tx: Transaction,
    now: datetime,
    lease: timedelta,
    limit: int,
    *,
    to: str | None = None,
    not_to: Collection[str] = _EVERYBODY,
    early: bool = False,
) -> list[Claimed]:
    """Take up to ``limit`` rows that are due, in line order, and lease them to the caller.

    ``to`` names the one party to take rows for, ``not_to`` parties to leave out. ``early`` takes what has been tried
    least, also what still waits for its next try: whether a party can be reached, any message tells.

    The order about a person is kept and other persons are not blocked: a row is taken only when it is the first of its
    case to its unit that waits, or follows one that is taken here. So another relay, which skips the rows locked here,
    can take none that would overtake them. Acknowledgements are matched by id, and wait for nobody.
    """
    query = _due(to_one=to is not None, early=early)
    parties = {"to": to} if to is not None else {"not_to": list(not_to)}
    found = list((await tx.execute(query, {"now": now, "most": limit, **parties})).all())
    heads = {(row.case_number, row.unit): row.id for row in found if row.type != ACKNOWLEDGEMENT}
    if heads and len(found) < limit:
        found += await _followers(tx, now, heads, limit - len(found))
        found.sort(key=lambda row: (row.position, row.id))
    numbers = await _last_sequences(tx, {(row.case_number, row.unit) for row in found if _needs_number(row)})
    claimed = [_claimed(row, now + lease, numbers) for row in found]
    await _lease(tx, claimed, now + lease)
    return claimed


_NOW = bindparam("now", type_=dispatch.c.queued_at.type)
_MOST = bindparam("most", type_=Integer)
_WAITING = (
    select(*rows.OUT, message.c.xml, message.c.sender_unit, message.c.in_reply_to)
    .join(message, message.c.message_id == dispatch.c.message_id)
    .where(text(f"dispatch.{WAITING}"), or_(dispatch.c.leave_by.is_(None), dispatch.c.leave_by > _NOW))
)
"""Rows that wait and may lawfully leave, with what is needed to publish them."""


@cache
def _due(*, to_one: bool, early: bool) -> Select[Any]:
    """Return the query for rows that may be claimed, of one party or of all but some."""
    parties = dispatch.c.party == bindparam("to") if to_one else dispatch.c.party.not_in(several("not_to"))
    return (
        _WAITING.where(_free(early=early), or_(dispatch.c.type == ACKNOWLEDGEMENT, ~_is_behind()), parties)
        .order_by(*([dispatch.c.attempts] if early else []), dispatch.c.position, dispatch.c.id)
        .limit(_MOST)
        .with_for_update(of=dispatch, skip_locked=True)
    )


def _free(*, early: bool) -> ColumnElement[bool]:
    """Say that nobody has a row leased and, unless ``early``, that it is not waiting for its next try."""
    unleased = or_(dispatch.c.lease_until.is_(None), dispatch.c.lease_until <= _NOW)
    due = or_(dispatch.c.next_attempt_at.is_(None), dispatch.c.next_attempt_at <= _NOW)
    return unleased if early else and_(unleased, due)


def _is_behind() -> ColumnElement[bool]:
    """Say that an earlier row of the same case to the same unit waits."""
    earlier = dispatch.alias("earlier")
    return exists().where(
        earlier.c.case_number == dispatch.c.case_number,
        earlier.c.unit == dispatch.c.unit,
        earlier.c.position < dispatch.c.position,
        earlier.c.type != ACKNOWLEDGEMENT,
        text(f"earlier.{WAITING}"),
        or_(earlier.c.leave_by.is_(None), earlier.c.leave_by > _NOW),
    )


_BEHIND = (
    _WAITING.where(
        dispatch.c.case_number.in_(several("numbers")),
        dispatch.c.type != ACKNOWLEDGEMENT,
        dispatch.c.id.not_in(several("heads")),
    )
    .order_by(dispatch.c.position, dispatch.c.id)
    .limit(_MOST)
    .with_for_update(of=dispatch, skip_locked=True)
)


async def _followers(tx: Transaction, now: datetime, heads: dict[tuple[str, str], int], limit: int) -> list[Any]:
    """Return the rows that come right behind ``heads`` in their streams, as far as they are free."""
    asked = {"now": now, "most": limit, "numbers": list({case for case, _ in heads}), "heads": list(heads.values())}
    taken, stopped = [], set()
    for row in (await tx.execute(_BEHIND, asked)).all():
        stream = (row.case_number, row.unit)
        is_free = not (row.lease_until and row.lease_until > now) and not (
            row.next_attempt_at and row.next_attempt_at > now
        )
        if stream in heads and stream not in stopped and is_free:
            taken.append(row)
        else:
            stopped.add(stream)
    return taken


def _needs_number(row: Any) -> bool:
    return row.sequence is None and row.type != ACKNOWLEDGEMENT


async def _last_sequences(tx: Transaction, streams: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    if not streams:
        return {}
    found = await tx.execute(_LAST_SEQUENCES, {"numbers": list({case for case, _ in streams})})
    return {(case, unit): last for case, unit, last in found.all()}


async def _lease(tx: Transaction, claimed: Sequence[Claimed], until: datetime) -> None:
    """Write down what claiming has changed."""
    if claimed:
        await tx.execute(_LEASE, {"ids": [one.dispatch.id for one in claimed], "until": until})
    numbered = [(one.dispatch.sequence, one.dispatch.id) for one in claimed if one.is_numbered]
    await _NUMBER.execute(tx, numbered)


def _claimed(row: Any, until: datetime, numbers: dict[tuple[str, str], int]) -> Claimed:
    taken = as_dispatch(row)
    sequence = taken.sequence
    if _needs_number(row):
        stream = (taken.case_number, taken.unit)
        sequence = numbers[stream] = numbers.get(stream, 0) + 1
    leased = taken._replace(lease_until=until, attempts=taken.attempts + 1, sequence=sequence)
    return Claimed(leased, row.xml, row.sender_unit, row.in_reply_to, is_numbered=taken.sequence != sequence)
