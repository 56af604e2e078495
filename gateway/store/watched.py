"""What is to be looked over because somebody may have to be told: cases and ledger rows, by when to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch, Inbound
from gateway.process import TERMINAL, SipCase
from gateway.store import rows
from gateway.store.cases import StoredCase, case_in, chair_hash
from gateway.store.rows import as_dispatch, as_inbound
from gateway.store.tables import dispatch, inbound, message, sip_case, verdict

MOST_BESIDE = 10
"""How many meetings beside one are looked at."""


@dataclass(frozen=True, slots=True)
class WatchedDispatch:
    """An outgoing row, the own unit that sent its message, and the code of the reason why it was not taken, if any."""

    row: Dispatch
    sender_unit: str
    code: str | None


async def cases_to_look_over(tx: Transaction, now: datetime, limit: int) -> list[StoredCase]:
    """Return cases whose time has come, in the order of their numbers."""
    query = (
        select(cast(sip_case.c.snapshot, Text), sip_case.c.revision)
        .where(sip_case.c.look_at <= now)
        .order_by(sip_case.c.case_number)
        .limit(limit)
    )
    return [StoredCase(case_in(snapshot), revision) for snapshot, revision in (await tx.execute(query)).all()]


async def cases_looked_over(tx: Transaction, looked: Sequence[tuple[SipCase, int, datetime | None]]) -> None:
    """Remember when to look at cases next, each with the revision it was read at: one that has changed is left."""
    for case, revision, look_at in looked:
        mine = sip_case.c.case_number == case.number, sip_case.c.revision == revision
        await tx.execute(update(sip_case).where(*mine).values(look_at=look_at))


async def meetings_beside(tx: Transaction, case: SipCase, travel: timedelta) -> list[SipCase]:
    """Return other cases with a meeting that overlaps that of ``case``, of the same person or with the same chair.

    Whoever leads more than some at a time is not one person, and need not hear of each.
    """
    if case.slot is None:
        return []
    mine = sip_case.c.person_root == case.person.root, sip_case.c.person_extension == case.person.extension
    same = (mine[0] & mine[1], *([sip_case.c.meeting_chair == chair_hash(case)] if case.chair is not None else []))
    query = (
        select(cast(sip_case.c.snapshot, Text))
        .where(
            sip_case.c.meeting_start < case.slot.end + travel,
            sip_case.c.meeting_end > case.slot.start - travel,
            sip_case.c.case_number != case.number,
            or_(*same),
        )
        .order_by(sip_case.c.case_number)
        .limit(MOST_BESIDE)
    )
    return [case_in(snapshot) for (snapshot,) in (await tx.execute(query)).all()]


async def open_case(tx: Transaction, number: str) -> SipCase | None:
    """Return a case that has not ended."""
    query = select(cast(sip_case.c.snapshot, Text)).where(
        sip_case.c.case_number == number, sip_case.c.state.not_in([state.value for state in TERMINAL])
    )
    snapshot = (await tx.execute(query)).scalar()
    return case_in(snapshot) if snapshot is not None else None


async def dispatches_to_look_over(tx: Transaction, now: datetime, limit: int) -> list[WatchedDispatch]:
    """Return outgoing rows whose time has come; others leave them alone meanwhile."""
    query = (
        select(*rows.OUT, message.c.sender_unit)
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(dispatch.c.look_at <= now)
        .order_by(dispatch.c.id)
        .limit(limit)
        .with_for_update(of=dispatch, skip_locked=True)
    )
    found = [(as_dispatch(row), row.sender_unit) for row in (await tx.execute(query)).all()]
    codes = await _reasons(tx, [row for row, _ in found])
    return [WatchedDispatch(row, unit, codes.get((row.message_id, row.unit))) for row, unit in found]


async def _reasons(tx: Transaction, about: Sequence[Dispatch]) -> dict[tuple[str, str], str]:
    """Return the code of the first reason that a recipient gave for not taking a message, by message and unit."""
    if not about:
        return {}
    query = select(verdict.c.message_id, verdict.c.unit, verdict.c.reasons).where(
        verdict.c.message_id.in_({row.message_id for row in about})
    )
    found = (await tx.execute(query)).all()
    return {(message_id, unit): reasons[0]["code"] for message_id, unit, reasons in found if reasons}


async def inbound_to_look_over(tx: Transaction, now: datetime, limit: int) -> list[Inbound]:
    """Return incoming rows whose time has come; others leave them alone meanwhile."""
    query = (
        select(*rows.IN)
        .where(inbound.c.look_at <= now)
        .order_by(inbound.c.id)
        .limit(limit)
        .with_for_update(of=inbound, skip_locked=True)
    )
    return [as_inbound(row) for row in (await tx.execute(query)).all()]
