"""Whom messages and cases are about, for whoever decides what of it may be shown, and to whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Text, cast, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import InState
from gateway.messages import ProtectedLevel
from gateway.store.cases import case_in
from gateway.store.tables import inbound, message, sip_case

WITHDRAWN: Final = (InState.RETRACTED, InState.MISDIRECTED)
"""States of messages that came and that nobody here is to read any more."""

_SAY_NO: Final = (ACKNOWLEDGEMENT, "misdirectedReport")
"""Types that a unit also writes about what was not for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says, as one of the own units (HSA-id) has it: because it wrote it, or because it got it.

    ``party`` is whose message it is, ``None`` for one of our own.
    """

    message_id: str
    type: str
    case_number: str
    unit: str
    party: str | None
    is_withdrawn: bool
    xml: bytes


async def contents(tx: Transaction, message_id: str) -> list[Content]:
    """Return a message as each own unit has it; none, where there is no message of that id."""
    wrote = select(message.c.message_id, message.c.type, message.c.case_number, message.c.sender_unit, message.c.xml)
    came = select(
        inbound.c.message_id,
        inbound.c.type,
        inbound.c.case_number,
        inbound.c.unit,
        inbound.c.party,
        inbound.c.state,
        inbound.c.xml,
    ).order_by(inbound.c.id)
    found = [
        Content(
            message_id=row.message_id,
            type=row.type,
            case_number=row.case_number,
            unit=row.sender_unit,
            party=None,
            is_withdrawn=False,
            xml=row.xml,
        )
        for row in (await tx.execute(wrote.where(message.c.message_id == message_id))).all()
    ]
    found += [
        Content(
            message_id=row.message_id,
            type=row.type,
            case_number=row.case_number,
            unit=row.unit,
            party=row.party,
            is_withdrawn=row.state in WITHDRAWN,
            xml=row.xml,
        )
        for row in (await tx.execute(came.where(inbound.c.message_id == message_id))).all()
    ]
    return found


async def units_of_case(tx: Transaction, number: str, party: str) -> frozenset[str] | None:
    """Return the units (HSA-ids) of ``party``, this one, that a case concerns: they take part, or have messages in it.

    One that only got what was not for it, or was taken back, and has said so, has nothing in it. ``None`` where there
    is no such case.
    """
    known = select(cast(sip_case.c.snapshot, Text)).where(sip_case.c.case_number == number)
    snapshot = (await tx.execute(known)).scalar_one_or_none()
    wrote = select(message.c.sender_unit).where(message.c.case_number == number, message.c.type.not_in(_SAY_NO))
    came = select(inbound.c.unit, inbound.c.state).where(inbound.c.case_number == number).distinct()
    got = (await tx.execute(came)).all()
    units = {*(await tx.execute(wrote.distinct())).scalars()} | {one.unit for one in got if one.state not in WITHDRAWN}
    if snapshot is not None:
        case = case_in(snapshot)
        units |= {one.unit for one in (case.leader, *case.participants) if one.party == party}
    return frozenset(units) if snapshot is not None or units or got else None


async def protected(tx: Transaction, numbers: Collection[str]) -> frozenset[str]:
    """Return which of these cases are about a person whose identity is protected, as any case here of theirs says."""
    if not numbers:
        return frozenset()
    person = sip_case.c.person_root, sip_case.c.person_extension
    query = select(sip_case.c.case_number, *person).where(sip_case.c.case_number.in_(sorted(numbers)))
    people = {number: (root, extension) for number, root, extension in (await tx.execute(query)).all()}
    theirs = select(*person, sip_case.c.snapshot).where(tuple_(*person).in_(sorted(set(people.values()), key=str)))
    hidden = {(root, extension) for root, extension, said in (await tx.execute(theirs)).all() if _is_protected(said)}
    return frozenset(number for number, one in people.items() if one in hidden)


def _is_protected(snapshot: dict[str, str]) -> bool:
    return snapshot.get("protectedLevel", ProtectedLevel.NONE) != ProtectedLevel.NONE
