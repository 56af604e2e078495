"""The ledger over the API: what was sent and received, how far each got, and what has happened to it. No person."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.store import browse, ledger
from gateway.store.browse import Row
from gateway.web import cursor
from gateway.web.forms import Moment, Reason, Since, Told, Until
from gateway.web.ledger_reading import Direction, LedgerAsked, message_id_of, page_of
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.route import Route
from gateway.web.visit import Visit


class MessagesAsked(LedgerAsked):
    """Which messages are looked for, from when and until when; what is not given is anything."""

    since: Annotated[Since, Field(alias="from")] = None
    until: Annotated[Until, Field(alias="to")] = None


class MessageTold(Told):
    """One message and one recipient: how far it got, with the clock of each level, and who owes what by when."""

    id: str
    direction: Direction
    type: str
    case_number: str
    party: str
    unit: Annotated[str, Field(description="HSA-id of the unit that receives it.")]
    sender_unit: str
    duty: str
    state: str
    outcome: str | None
    record_id: Annotated[str | None, Field(description="What the receiving case system calls it.")]
    attempts: int
    created_at: Annotated[Moment | None, Field(description="When it was made here; absent for what came.")]
    sent_at: Moment | None
    received_at: Moment | None
    registered_at: Moment | None
    acknowledged_at: Moment | None
    due_at: Moment | None
    owner: str | None
    findings: list[Reason]


class MessagesTold(Told):
    """A page of messages, the newest first."""

    messages: list[MessageTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class MessageInFull(Told):
    """One message, with a line for each recipient."""

    id: str
    recipients: list[MessageTold]


class EventTold(Told):
    """Something that has happened to a message."""

    at: Moment
    direction: Direction
    unit: str
    event: str
    state: str
    code: str | None


class EventsTold(Told):
    """What has happened to a message, in order."""

    events: list[EventTold]


async def messages(visit: Visit) -> MessagesTold:
    """Answer with a page of the ledger."""
    asked: MessagesAsked = visit.query
    sought = asked.sought(visit.units, asked.since, asked.until)
    async with visit.window.context.store.reading() as tx:
        found = await page_of(tx, asked.direction, sought, asked.limit)
    told = [_told(row, asked.direction) for row in found.rows]
    return MessagesTold(messages=told, next=cursor.written(found.next))


async def message(visit: Visit) -> MessageInFull:
    """Answer with one message."""
    number = message_id_of(visit)
    async with visit.window.context.store.reading() as tx:
        sent, came = await browse.of_message(tx, number, visit.units)
    told = [_told(row, Direction.SENT) for row in sent] + [_told(row, Direction.RECEIVED) for row in came]
    if not told:
        raise NotFoundError(NOT_FOUND.at())
    return MessageInFull(id=number, recipients=told)


async def events(visit: Visit) -> EventsTold:
    """Answer with the life of a message."""
    number = message_id_of(visit)
    async with visit.window.context.store.reading() as tx:
        sent, came = await browse.of_message(tx, number, visit.units)
        life = await ledger.life_of(tx, number) if sent or came else []
    if not life:
        raise NotFoundError(NOT_FOUND.at())
    # A message between two units of the party has a life on each side, and one of them may be another unit's.
    shown = {("out", row["unit"]) for row in sent} | {("in", row["unit"]) for row in came}
    told = [
        EventTold(
            at=line["at"],
            direction=Direction.SENT if line["direction"] == "out" else Direction.RECEIVED,
            unit=line["unit"],
            event=line["event"],
            state=line["state"],
            code=line["code"],
        )
        for line in life
        if (line["direction"], line["unit"]) in shown
    ]
    return EventsTold(events=told)


def _told(row: Row, direction: Direction) -> MessageTold:
    came = direction is Direction.RECEIVED
    return MessageTold(
        id=row["message_id"],
        direction=direction,
        type=row["type"],
        case_number=row["case_number"],
        party=row["party"],
        unit=row["unit"],
        sender_unit=row["sender_unit"],
        duty=row["duty"],
        state=row["state"],
        outcome=None if came else row["outcome"],
        record_id=row["record_id"],
        attempts=row["attempts"],
        created_at=None if came else row["created_at"],
        sent_at=None if came else row["sent_at"],
        received_at=row["received_at"],
        registered_at=row["registered_at"],
        acknowledged_at=row["acknowledged_at"],
        due_at=row["due_at"],
        owner=row["owner"],
        findings=[Reason.of(one) for one in (row["findings"] or [])] if came else [],
    )


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/messages",
        messages,
        "Meddelanden, de nyaste först.",
        "Messages, the newest first.",
        query=MessagesAsked,
        returns=MessagesTold,
    ),
    Route.api(
        "GET",
        "/api/v1/messages/{id}",
        message,
        "Ett meddelande: hur långt det har kommit hos var mottagare.",
        "One message: how far it got with each recipient.",
        returns=MessageInFull,
    ),
    Route.api(
        "GET",
        "/api/v1/messages/{id}/events",
        events,
        "Allt som har hänt med ett meddelande, i ordning.",
        "Everything that has happened to a message, in order.",
        returns=EventsTold,
    ),
)
