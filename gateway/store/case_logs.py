"""What was told about cases, for whoever looks back: own messages and accepted ones of partners, person by person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.case_log import Told
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import InState, OutState
from gateway.messages import ProtectedLevel, parse_xml
from gateway.process import TERMINAL
from gateway.store.tables import dispatch, inbound, message, sip_case

PAGE = 32
"""How many persons are read at a time."""

_ACCEPTED = (
    InState.VALIDATED,
    InState.DELIVERING,
    InState.WAITING_FOR_SYSTEM,
    InState.REGISTERED,
    InState.ACKNOWLEDGED,
)
"""States of incoming messages that the case has taken and that may still be read."""

_SENT_BACK = (OutState.REJECTED, OutState.MISDIRECTED)
"""States of own messages that have left and that the unit does not have all the same."""

_BEFORE_CONSENT = ("sipStart", "consent")
"""Types that say something about a case even while nothing may leave, and after a no."""

_PERSON = (sip_case.c.person_root, sip_case.c.person_extension)


async def logs(tx: Transaction, *, since: datetime, until: datetime, page: int = PAGE) -> AsyncIterator[list[Told]]:
    """Yield what was told about each person who has a case touched from ``since`` up to, not including, ``until``.

    Such a case had begun before ``until``, and has not ended or has changed since ``since``. A log has all cases of
    the person, the earlier ones too: what happens in one explains another. Persons whose identity is protected in any
    of them are left out. No more than ``page`` persons are held in memory at a time.
    """
    people = _touched(since, until).order_by(*_PERSON).limit(page)
    found = (await tx.execute(people)).all()
    while found:
        for log in await _logs_of(tx, [(root, extension) for root, extension in found]):
            yield log
        found = (await tx.execute(people.where(tuple_(*_PERSON) > tuple(found[-1])))).all()


async def count(tx: Transaction, *, since: datetime, until: datetime, most: int) -> int:
    """Return how many persons :func:`logs` goes through, also those it leaves out; one more than ``most`` at most."""
    people = _touched(since, until).limit(most + 1).subquery()
    return int((await tx.execute(select(func.count()).select_from(people))).scalar_one())


def _touched(since: datetime, until: datetime) -> Select[Any]:
    touched = or_(sip_case.c.updated_at >= since, sip_case.c.state.not_in([state.value for state in TERMINAL]))
    return select(*_PERSON).where(sip_case.c.person_root.is_not(None), sip_case.c.opened_at < until, touched).distinct()


async def _logs_of(tx: Transaction, people: Sequence[tuple[str, str]]) -> list[list[Told]]:
    query = select(sip_case.c.case_number, sip_case.c.snapshot, *_PERSON).where(tuple_(*_PERSON).in_(people))
    numbers: dict[tuple[str, str], list[str]] = {}
    protected = set()
    for number, snapshot, root, extension in (await tx.execute(query)).all():
        numbers.setdefault((root, extension), []).append(number)
        if snapshot.get("protectedLevel", ProtectedLevel.NONE) != ProtectedLevel.NONE:
            protected.add((root, extension))
    found = await _told(tx, [one for person, cases in numbers.items() if person not in protected for one in cases])
    return [
        [told for number in cases for told in found.get(number, ())]
        for person, cases in numbers.items()
        if person not in protected
    ]


async def _told(tx: Transaction, numbers: Sequence[str]) -> dict[str, list[Told]]:
    """Return the messages of cases by case number."""
    left = select(dispatch.c.message_id, dispatch.c.unit).where(
        dispatch.c.case_number.in_(numbers),
        dispatch.c.sent_at.is_not(None),
        dispatch.c.state.not_in([state.value for state in _SENT_BACK]),
    )
    own = select(message.c.case_number, message.c.message_id, message.c.xml).where(
        message.c.case_number.in_(numbers),
        message.c.type != ACKNOWLEDGEMENT,
        or_(message.c.applied, message.c.type.in_(_BEFORE_CONSENT)),
    )
    came = (
        select(inbound.c.case_number, inbound.c.party, inbound.c.message_id, inbound.c.unit, inbound.c.xml)
        .where(inbound.c.case_number.in_(numbers), inbound.c.state.in_([state.value for state in _ACCEPTED]))
        .order_by(inbound.c.id)
    )
    units: dict[tuple[str, str], set[str]] = {}
    for message_id, unit in (await tx.execute(left)).all():
        units.setdefault(("", message_id), set()).add(unit)
    contents = {("", message_id): (number, xml) for number, message_id, xml in (await tx.execute(own)).all()}
    for number, party, message_id, unit, xml in (await tx.execute(came)).all():
        units.setdefault((party, message_id), set()).add(unit)
        contents[party, message_id] = (number, xml)
    found: dict[str, list[Told]] = {}
    for key, (number, xml) in contents.items():
        # Read here and not kept at hand: a report passes by once, and must not push out what the hops work with.
        found.setdefault(number, []).append(Told(parse_xml(xml), frozenset(units.get(key, ()))))
    for case in found.values():
        case.sort(key=lambda told: told.message.header.happened_at)
    return found
