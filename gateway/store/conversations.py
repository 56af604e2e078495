"""What has been said in a case: its messages both ways, how far each got, and what each was answered with.

Content is left out, unless it is asked for: which message one of a partner answers stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import null, select
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import InEvent, OutEvent
from gateway.messages import Duty
from gateway.store.bulk import several
from gateway.store.tables import dispatch, history, inbound, message

MOST: Final = 200
"""Messages of a case that are looked at each way, the latest ones: a case of many years has fewer."""

_ANSWERS_OUT = (
    OutEvent.RECEIVED,
    OutEvent.REGISTERED,
    OutEvent.ACKNOWLEDGED,
    OutEvent.PARTIAL,
    OutEvent.REJECTED,
    OutEvent.ANSWERED,
)
_ANSWERS_IN = {
    InEvent.VALIDATE.value: OutEvent.RECEIVED,
    InEvent.REGISTER.value: OutEvent.REGISTERED,
    InEvent.ACKNOWLEDGE.value: OutEvent.ACKNOWLEDGED,
    InEvent.REJECT.value: OutEvent.REJECTED,
}
"""What this party answers when something happens to a message that came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """One message between two units (HSA-ids): sent by this party, or ``came`` to it ``at`` a time."""

    number: int
    message_id: str
    type: str
    came: bool
    from_unit: str
    to_unit: str
    party: str
    at: datetime
    duty: Duty
    state: str
    due_at: datetime | None
    in_reply_to: str | None = None
    """The message that an own one answers."""
    xml: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A receipt that a message has been given: how far it got, as the sender was told, and when."""

    message_id: str
    came: bool
    unit: str
    at: datetime
    event: OutEvent


async def of_case(
    tx: Transaction, number: str, units: frozenset[str] | None, *, with_content: bool = False, most: int = MOST
) -> list[Exchanged]:
    """Return the messages of a case that are of ``units``, the earliest first; ``with_content`` also what came says.

    Acknowledgements are left out: they are what :func:`answers_of` tells.
    """
    sent = (
        select(
            dispatch.c.id,
            dispatch.c.message_id,
            dispatch.c.type,
            dispatch.c.own_unit,
            dispatch.c.unit,
            dispatch.c.party,
            dispatch.c.created_at,
            dispatch.c.duty,
            dispatch.c.state,
            dispatch.c.due_at,
            message.c.in_reply_to,
        )
        .join(message, message.c.message_id == dispatch.c.message_id)
        .where(dispatch.c.case_number == number, dispatch.c.type != ACKNOWLEDGEMENT)
        .order_by(dispatch.c.id.desc())
        .limit(most)
    )
    came = (
        select(
            inbound.c.id,
            inbound.c.message_id,
            inbound.c.type,
            inbound.c.sender_unit,
            inbound.c.unit,
            inbound.c.party,
            inbound.c.received_at,
            inbound.c.duty,
            inbound.c.state,
            inbound.c.due_at,
            *([inbound.c.xml] if with_content else [null()]),
        )
        .where(inbound.c.case_number == number)
        .order_by(inbound.c.id.desc())
        .limit(most)
    )
    if units is not None:
        sent = sent.where(dispatch.c.own_unit.in_(sorted(units)))
        came = came.where(inbound.c.unit.in_(sorted(units)))
    found = [_exchanged(row, came=False, in_reply_to=row[-1]) for row in (await tx.execute(sent)).all()]
    found += [_exchanged(row, came=True, xml=row[-1]) for row in (await tx.execute(came)).all()]
    return sorted(found, key=lambda one: (one.at, one.number))


def _exchanged(
    row: Sequence[Any], *, came: bool, in_reply_to: str | None = None, xml: bytes | None = None
) -> Exchanged:
    number, message_id, kind, from_unit, to_unit, party, at, duty, state, due_at, _ = row
    return Exchanged(
        number=number,
        message_id=message_id,
        type=kind,
        came=came,
        from_unit=from_unit,
        to_unit=to_unit,
        party=party,
        at=at,
        duty=Duty(duty),
        state=state,
        due_at=due_at,
        in_reply_to=in_reply_to,
        xml=xml,
    )


_HAPPENED = (
    select(history.c.direction, history.c.message_id, history.c.unit, history.c.at, history.c.event)
    .where(
        history.c.message_id.in_(several("ids")),
        history.c.event.in_([*(event.value for event in _ANSWERS_OUT), *_ANSWERS_IN]),
    )
    .order_by(history.c.id)
)


async def answers_of(tx: Transaction, message_ids: Collection[str]) -> list[Answered]:
    """Return the receipts of messages, each once, in the order in which they were written down."""
    if not message_ids:
        return []
    found: dict[tuple[bool, str, str, OutEvent], Answered] = {}
    for direction, message_id, unit, at, said in (await tx.execute(_HAPPENED, {"ids": list(message_ids)})).all():
        came = direction == "in"
        event = _ANSWERS_IN[said] if came else OutEvent(said)
        one = Answered(message_id=message_id, came=came, unit=unit, at=at, event=event)
        found.setdefault((came, message_id, unit, event), one)
    return list(found.values())
