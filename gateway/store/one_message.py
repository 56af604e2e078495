"""Everything that is kept of one message: its rows both ways, its life, what it was answered, and its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.ledger import Dispatch, Inbound
from gateway.store import rows, verdicts
from gateway.store.history import Line
from gateway.store.rows import as_dispatch, as_inbound
from gateway.store.tables import dispatch, history, inbound, message
from gateway.store.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message of this party, as it was rendered once."""

    message_id: str
    type: str
    case_number: str
    created_at: datetime
    content_hash: str
    xml: bytes
    sender_unit: str
    in_reply_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A message as far as it is of the units that somebody sees: as they ``wrote`` it, or as it ``came`` to them.

    ``sent`` are its rows, one for each recipient, and ``verdicts`` what those answered; ``answers`` are the
    acknowledgements that the units have given for what came, each with where it stands. ``life`` is what has happened.
    """

    wrote: Written | None
    sent: Sequence[Dispatch]
    came: Sequence[Inbound]
    life: Sequence[Line]
    verdicts: Sequence[Verdict]
    answers: Sequence[tuple[Written, Dispatch]]


_WRITTEN = [message.c[name] for name in Written.__slots__]
_LINE = [history.c[name] for name in Line._fields]


async def kept(tx: Transaction, message_id: str, units: frozenset[str] | None) -> KeptMessage | None:
    """Return what is kept of a message that is of ``units`` (HSA-ids), of any where that is ``None``.

    A message between two units of the party has rows both ways, and each unit sees its own. ``None`` where there is no
    such message, or none of theirs.
    """
    wrote = await _written(tx, message_id, units)
    sent, answered = [], []
    if wrote is not None:
        query = select(*rows.OUT).where(dispatch.c.message_id == message_id).order_by(dispatch.c.id)
        sent = [as_dispatch(row) for row in (await tx.execute(query)).all()]
        answered = await verdicts.of_message(tx, message_id)
    query = select(*rows.IN).where(inbound.c.message_id == message_id).order_by(inbound.c.id)
    if units is not None:
        query = query.where(inbound.c.unit.in_(sorted(units)))
    came = [as_inbound(row) for row in (await tx.execute(query)).all()]
    if wrote is None and not came:
        return None
    shown = {("out", row.unit) for row in sent} | {("in", row.unit) for row in came}
    happened = select(*_LINE).where(history.c.message_id == message_id).order_by(history.c.id)
    life = [Line(*row) for row in (await tx.execute(happened)).all()]
    return KeptMessage(
        wrote=wrote,
        sent=sent,
        came=came,
        life=[line for line in life if (line.direction, line.unit) in shown],
        verdicts=answered,
        answers=await _answers(tx, message_id, {row.unit for row in came}) if came else [],
    )


async def _written(tx: Transaction, message_id: str, units: frozenset[str] | None) -> Written | None:
    query = select(*_WRITTEN).where(message.c.message_id == message_id)
    if units is not None:
        query = query.where(message.c.sender_unit.in_(sorted(units)))
    row = (await tx.execute(query)).mappings().first()
    return Written(**row) if row is not None else None


async def _answers(tx: Transaction, message_id: str, units: set[str]) -> list[tuple[Written, Dispatch]]:
    """Return the acknowledgements that some units have given for a message, in the order in which they were given."""
    query = (
        select(*rows.OUT, *(column.label(f"wrote_{column.name}") for column in _WRITTEN))
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(
            message.c.in_reply_to == message_id,
            message.c.type == ACKNOWLEDGEMENT,
            message.c.sender_unit.in_(sorted(units)),
        )
        .order_by(dispatch.c.id)
    )
    found = (await tx.execute(query)).all()
    names = Written.__slots__
    return [(Written(**dict(zip(names, row[len(rows.OUT) :], strict=True))), as_dispatch(row)) for row in found]
