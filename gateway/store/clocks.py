"""What is awaited: the ledger rows that have a deadline, and the cases whose clocks may run."""

from __future__ import annotations

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch, Inbound
from gateway.process import TERMINAL, SipCase
from gateway.store import rows
from gateway.store.cases import case_in
from gateway.store.rows import as_dispatch, as_inbound
from gateway.store.tables import dispatch, inbound, sip_case


async def awaited_answers(tx: Transaction) -> list[Dispatch]:
    """Return the outgoing messages that wait for something, the first deadline first."""
    query = select(*rows.OUT).where(dispatch.c.due_at.is_not(None)).order_by(dispatch.c.due_at, dispatch.c.id)
    return [as_dispatch(row) for row in (await tx.execute(query)).all()]


async def owed_answers(tx: Transaction) -> list[Inbound]:
    """Return the incoming messages for which this party still owes something, the first deadline first."""
    query = select(*rows.IN).where(inbound.c.due_at.is_not(None)).order_by(inbound.c.due_at, inbound.c.id)
    return [as_inbound(row) for row in (await tx.execute(query)).all()]


async def open_cases(tx: Transaction) -> list[SipCase]:
    """Return every case that has not ended."""
    over = [state.value for state in TERMINAL]
    query = (
        select(cast(sip_case.c.snapshot, Text)).where(sip_case.c.state.not_in(over)).order_by(sip_case.c.case_number)
    )
    return [case_in(snapshot) for (snapshot,) in (await tx.execute(query)).all()]
