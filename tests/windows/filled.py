"""An inbox with something in it: rows beside those of the journey, with the contents of the published fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from windows.site import Site

from gateway.ledger import Inbound
from gateway.lifecycle import InState, Owner
from gateway.messages import Duty, Message, Person, ProtectedLevel, parse_xml
from gateway.store import incoming
from gateway.store.tables import inbound

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
UNIT = "SE2321000131-E000000000101"
OTHER_UNIT = "SE2321000131-E000000000202"
OFFICE = "SE2120001355-SOCHISINGEN"


@cache
def contents() -> tuple[tuple[bytes, Message], ...]:
    """Return the valid messages of the fixtures that name a person, each as it came and as it is read."""
    found = [file.read_bytes() for file in sorted(FIXTURES.glob("*_valid_*.xml"))]
    read = [(xml, parse_xml(xml)) for xml in found]
    return tuple((xml, one) for xml, one in read if one.header.person is not None)


def person_in(message: Message) -> Person:
    assert message.header.person is not None
    return message.header.person


def is_protected(message: Message) -> bool:
    return person_in(message).protected_level is not ProtectedLevel.NONE


def content_of(type_name: str, *, protected: bool = False) -> tuple[bytes, Message]:
    """Return a message of a type."""
    return next(one for one in contents() if one[1].type == type_name and is_protected(one[1]) is protected)


def words_about(person: Person) -> Iterator[str]:
    """Yield everything that tells who a person is, as it may be written."""
    yield person.name
    for one in person.identifiers:
        yield one.extension
        yield f"{one.extension[2:8]}-{one.extension[8:]}"


def arrived(xml: bytes, message: Message, now: datetime, **changes: Any) -> Inbound:
    """Return a message as it stands in the inbox of a unit; ``due_in`` is how soon its duty is to be done."""
    due_in: timedelta | None = changes.pop("due_in", None)
    values: dict[str, Any] = {
        "party": "kommun",
        "type": message.type,
        "message_id": str(uuid4()),
        "unit": UNIT,
        "case_number": message.header.case_number,
        "sequence": None,
        "sender_unit": OFFICE,
        "content_hash": "0" * 64,
        "xml": xml,
        "state": InState.REGISTERED,
        "received_at": now,
        "registered_at": now,
        "record_id": "J-1",
        "duty": Duty.NOTIFY,
    }
    if due_in is not None:
        values |= {"due_at": now + due_in, "owner": Owner.RECIPIENT, "duty": Duty.ACKNOWLEDGE}
    return Inbound(**(values | changes))


async def put(site: Site, *rows: Inbound) -> list[int]:
    """Put rows in the log, and return their numbers."""
    async with site.store.writing() as tx:
        await incoming.add(tx, rows)
        query = select(inbound.c.message_id, inbound.c.unit, inbound.c.id)
        numbers = {(name, unit): number for name, unit, number in (await tx.execute(query)).all()}
    return [numbers[row.message_id, row.unit] for row in rows]
