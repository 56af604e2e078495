"""Incoming messages, and what could not become one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import Envelope, content_hash, storable
from gateway.errors import Finding
from gateway.ledger import Inbound
from gateway.lifecycle import InState
from gateway.store import rows
from gateway.store.bulk import several
from gateway.store.engine import insert_ignore
from gateway.store.rows import as_inbound
from gateway.store.tables import DELIVERABLE, inbound, parked

Stream = tuple[str, str, str]
"""The messages of one party about one case to one unit here: party, case number and unit."""

_STORED = f"inbound.state = '{InState.STORED.value}'"

_OF_MESSAGES = select(*rows.IN).where(inbound.c.message_id.in_(several("ids"))).order_by(inbound.c.id).with_for_update()


async def add(tx: Transaction, new: Sequence[Inbound]) -> None:
    """Store messages, each for a unit; a second one with the same sender, type, id and unit fails."""
    await rows.NEW_INBOUND.execute(tx, new)


async def save(tx: Transaction, changed: Iterable[tuple[Inbound, Inbound]]) -> None:
    """Write rows back, each given as it was read and as it now is."""
    await rows.write_changes(tx, inbound, changed)


async def of_messages(tx: Transaction, message_ids: Collection[str]) -> list[Inbound]:
    """Return what is stored under these message ids, whoever sent it; others wait for it."""
    return [as_inbound(row) for row in (await tx.execute(_OF_MESSAGES, {"ids": list(message_ids)})).all()]


_CASES_OF_MESSAGES = select(inbound.c.case_number).where(inbound.c.message_id.in_(several("ids"))).distinct()


async def case_numbers(tx: Transaction, message_ids: Collection[str]) -> set[str]:
    """Return the numbers of the cases that messages are about; nobody waits for them."""
    if not message_ids:
        return set()
    return set((await tx.execute(_CASES_OF_MESSAGES, {"ids": list(message_ids)})).scalars())


# --- streams --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class StreamState:
    """How far a stream has come: the last number judged or parked, the numbers parked, and what is at some numbers.

    ``held`` has every message that waits for the one before it, and those at the numbers that were asked for.
    """

    last: int = 0
    parked: set[int] = field(default_factory=set)
    held: dict[int, Inbound] = field(default_factory=dict)


_OF_CASES = inbound.c.case_number.in_(several("numbers"))
_JUDGED = (
    select(inbound.c.party, inbound.c.case_number, inbound.c.unit, func.max(inbound.c.sequence))
    .where(_OF_CASES, inbound.c.state != InState.STORED.value)
    .group_by(inbound.c.party, inbound.c.case_number, inbound.c.unit)
)
_SET_ASIDE = select(parked.c.party, parked.c.case_number, parked.c.unit, parked.c.sequence).where(
    parked.c.case_number.in_(several("numbers")), parked.c.sequence.is_not(None)
)
_HELD = select(*rows.IN).where(_OF_CASES, or_(text(_STORED), inbound.c.sequence.in_(several("sequences"))))


async def streams(
    tx: Transaction, case_numbers: Collection[str], sequences: Collection[int]
) -> Mapping[Stream, StreamState]:
    """Return the streams of cases, with what is stored at ``sequences``."""
    found: dict[Stream, StreamState] = {}
    numbers = {"numbers": list(case_numbers)}
    for party, case, unit, last in (await tx.execute(_JUDGED, numbers)).all():
        found.setdefault((party, case, unit), StreamState()).last = last or 0
    for party, case, unit, sequence in (await tx.execute(_SET_ASIDE, numbers)).all():
        state = found.setdefault((party, case, unit), StreamState())
        state.parked.add(sequence)
        state.last = max(state.last, sequence)
    for row in (await tx.execute(_HELD, {**numbers, "sequences": list(sequences)})).all():
        one = as_inbound(row)
        if one.sequence is not None:
            found.setdefault((one.party, one.case_number, one.unit), StreamState()).held[one.sequence] = one
    return found


async def overdue(tx: Transaction, now: datetime, limit: int) -> list[Inbound]:
    """Return the first message of each stream that has waited too long for the one before it."""
    earlier = inbound.alias("earlier")
    has_earlier = exists().where(
        text(f"earlier.state = '{InState.STORED.value}'"),
        earlier.c.party == inbound.c.party,
        earlier.c.case_number == inbound.c.case_number,
        earlier.c.unit == inbound.c.unit,
        earlier.c.sequence < inbound.c.sequence,
    )
    query = (
        select(*rows.IN)
        .where(text(_STORED), inbound.c.due_at <= now, ~has_earlier)
        .order_by(inbound.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=inbound)
    )
    return [as_inbound(row) for row in (await tx.execute(query)).all()]


# --- for the case system --------------------------------------------------------------------------------------------


async def claimable(
    tx: Transaction,
    now: datetime,
    limit: int,
    *,
    early: bool = False,
    units: Collection[str] | None = None,
    but: Collection[str] = (),
) -> list[Inbound]:
    """Return messages that are due for the case system, in the order they came.

    ``early`` gives what has been tried least, also what still waits for its next try. ``units`` are those to look for,
    where not for all ``but`` some.

    A message waits while an earlier one of its stream has not been registered. Earlier is what the sender numbered so:
    one that overtook another has come first all the same.
    """
    earlier = inbound.alias("earlier")
    blocked = exists().where(
        earlier.c.case_number == inbound.c.case_number,
        earlier.c.party == inbound.c.party,
        earlier.c.unit == inbound.c.unit,
        tuple_(func.coalesce(earlier.c.sequence, 0), earlier.c.id)
        < tuple_(func.coalesce(inbound.c.sequence, 0), inbound.c.id),
        text(f"earlier.{DELIVERABLE}"),
    )
    due = or_(inbound.c.next_attempt_at.is_(None), inbound.c.next_attempt_at <= now)
    query = (
        select(*rows.IN)
        .where(
            text(f"inbound.{DELIVERABLE}"),
            or_(inbound.c.lease_until.is_(None), inbound.c.lease_until <= now),
            ~blocked,
            *([] if early else [due]),
            *_for_units(units, but),
        )
        .order_by(*([inbound.c.attempts] if early else []), inbound.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=inbound)
    )
    return [as_inbound(row) for row in (await tx.execute(query)).all()]


async def release_leases(tx: Transaction) -> None:
    """Give back what an earlier process of this gateway was delivering when it ended."""
    leased = text(DELIVERABLE), inbound.c.lease_until.is_not(None)
    await tx.execute(update(inbound).where(*leased).values(lease_until=None))


async def hurry(tx: Transaction, *, units: Collection[str] | None = None, but: Collection[str] = ()) -> None:
    """Let what waits for its next try at the case system be due at once, for ``units`` or all ``but`` some."""
    waits = text(DELIVERABLE), inbound.c.next_attempt_at.is_not(None)
    await tx.execute(update(inbound).where(*waits).where(*_for_units(units, but)).values(next_attempt_at=None))


def _for_units(units: Collection[str] | None, but: Collection[str]) -> list[ColumnElement[bool]]:
    if units is not None:
        return [inbound.c.unit.in_(list(units))]
    return [inbound.c.unit.not_in(list(but))] if but else []


# --- what is no message here ----------------------------------------------------------------------------------------


async def park(tx: Transaction, envelope: Envelope, findings: Iterable[Finding], now: datetime) -> None:
    """Keep a delivery that cannot become a message here, as it came, with the reasons. Once, however often it comes."""
    fit, found = storable(envelope), list(findings)
    values: dict[str, Any] = {
        "party": fit.sender,
        "type": fit.type,
        "message_id": fit.message_id,
        "unit": fit.unit,
        "case_number": fit.case_ref,
        "sequence": fit.sequence,
        "content_hash": content_hash(envelope.body),
        "body": envelope.body,
        "findings": [finding.as_json() for finding in found],
        "code": found[0].code,
        "arrived_at": now,
    }
    await insert_ignore(tx, parked, values)
