"""The inbox over the API: what units have to do, and taking charge of a message. Persons are told for a reason only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from gateway.access import Right
from gateway.accountability import Attempt, answering_for
from gateway.audit import Action
from gateway.charge import acknowledge as take_charge
from gateway.duties import Urgency
from gateway.items import Item, ItemKind
from gateway.ledger import Inbound
from gateway.messages import Duty
from gateway.store import audit, browse
from gateway.store.worklist import Wanted
from gateway.web.forms import Asked, Moment, Told
from gateway.web.inbox import BY_A_BUTTON
from gateway.web.inbox_reading import MOST, Listed, listed, protected_among, rows_of
from gateway.web.ledger_reading import message_id_of
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.results import ResultsTold
from gateway.web.route import Route
from gateway.web.visit import Visit


class InboxOverApiAsked(Asked):
    """Whose inbox is asked for, and what of it; what is not given is anything."""

    unit: Annotated[str | None, Field(max_length=31, description="HSA-id of the unit.")] = None
    type: Annotated[str | None, Field(max_length=64, description="The type of the message, such as `plan`.")] = None
    overdue: Annotated[bool, Field(description="Only what should have been done already.")] = False
    reason: Annotated[
        str | None,
        Field(max_length=500, description="Why persons are to be told too; kept in the audit log for each message."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST, description="Messages, at most.")] = MOST
    cursor: Annotated[
        str | None, Field(max_length=100, description="Where the page begins: `next` of the page before.")
    ] = None


class PersonTold(Told):
    """Whom a message is about."""

    number: str
    name: str


class ConcernTold(Told):
    """What a message is about."""

    sv: str
    en: str


class ListedTold(Told):
    """A message in the inbox of a unit."""

    id: str
    item: Annotated[str, Field(description="The message as this unit has it.")]
    type: str
    case_number: str
    party: str
    sender_unit: str
    unit: str
    to_do: Annotated[Duty, Field(description="What the unit has to do: `notify` is only to be read.")]
    due_at: Moment | None
    urgency: Urgency | None
    received_at: Moment
    is_withdrawn: Annotated[bool, Field(description="It was taken back: nothing of what it said may be read.")]
    is_protected: Annotated[bool, Field(description="The person has a protected identity, and is never told here.")]
    person: Annotated[PersonTold | None, Field(description="Told only where a reason is given.")]
    concerns: Annotated[ConcernTold | None, Field(description="What it is about; free text only with a reason.")]

    @classmethod
    def of(cls, row: Listed) -> Self:
        """Return a row of the inbox, to be told."""
        number, name = row.person.number, row.person.name
        return cls(
            id=row.message_id,
            item=str(Item(ItemKind.RECEIVED, row.number)),
            type=row.type,
            case_number=row.case_number,
            party=row.party,
            sender_unit=row.sender_unit,
            unit=row.unit,
            to_do=row.duty,
            due_at=row.due_at,
            urgency=row.urgency,
            received_at=row.received_at,
            is_withdrawn=row.is_withdrawn,
            is_protected=row.person.is_protected,
            person=PersonTold(number=number, name=name) if number is not None and name is not None else None,
            concerns=ConcernTold(sv=row.concern.sv, en=row.concern.en) if row.concern is not None else None,
        )


class InboxTold(Told):
    """A page of the inbox: first what must be done, the first to be due first; then what is only to be read."""

    messages: list[ListedTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class AcknowledgeAsked(Asked):
    """How somebody takes charge of a message."""

    unit: Annotated[str | None, Field(max_length=31, description="For which unit; else for all it came for.")] = None
    name: Annotated[
        str | None, Field(max_length=200, description="Whoever takes charge, as the sender is told of them.")
    ] = None
    not_concerned: Annotated[bool, Field(description="The unit takes note, and wants no more of the case.")] = False
    reason: Annotated[
        str | None, Field(min_length=1, max_length=500, description="Why, if that must be said; kept in the audit log.")
    ] = None
    dry_run: Annotated[bool, Field(description="Only tell what would happen.")] = False


async def inbox(visit: Visit) -> InboxTold:
    """Answer with a page of the inbox."""
    asked: InboxOverApiAsked = visit.query
    context = visit.window.context
    before = visit.now if asked.overdue else None
    wanted = Wanted(units=visit.units_of(asked.unit), type=asked.type, before=before)
    async with context.store.reading() as tx:
        rows, following = await rows_of(tx, wanted, asked.cursor, asked.limit)
        hidden = await protected_among(tx, rows)
    is_shown = asked.reason is not None
    found = [
        listed(row, visit.window.party, context.times, visit.now, hidden=hidden, is_shown=is_shown) for row in rows
    ]
    if asked.reason is not None:
        told = {one.number for one in found if not one.is_withdrawn and not one.person.is_protected}
        await _keep_reading(visit, asked.reason, [row for row in rows if row.id in told])
    return InboxTold(messages=[ListedTold.of(row) for row in found], next=following)


async def _keep_reading(visit: Visit, reason: str, rows: Sequence[Inbound]) -> None:
    """Keep that somebody reads whom messages are about, one by one, before any is told.

    Raises:
        AccessRefusedError: their role does not read content.
        CaseRuleError: the reason holds a person number, or nothing.
    """
    context = visit.window.context
    attempt = Attempt(action=Action.INBOX_READ, by=visit.who, reason=reason)
    async with answering_for(context.store, context.clock, attempt), context.store.writing() as tx:
        for row in rows:
            attempt.about(row.message_id, unit=row.unit, case_number=row.case_number)
            await audit.append(tx, attempt.entry(visit.now))


async def acknowledge(visit: Visit) -> ResultsTold:
    """Take charge of a message for the units it came for."""
    asked: AcknowledgeAsked = visit.body
    number = message_id_of(visit)
    async with visit.window.context.store.reading() as tx:
        _, came = await browse.of_message(tx, number, visit.units)
    chosen = [Item(ItemKind.RECEIVED, row["id"]) for row in came if asked.unit in (None, row["unit"])]
    if not chosen:
        raise NotFoundError(NOT_FOUND.at())
    results = await take_charge(
        visit.window.context,
        chosen,
        by=visit.who,
        reason=asked.reason or BY_A_BUTTON,
        name=asked.name,
        not_concerned=asked.not_concerned,
        dry_run=asked.dry_run,
    )
    return ResultsTold.of(results)


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/inbox",
        inbox,
        "Inkorgen: vad enheterna har att göra, det mest brådskande först.",
        "The inbox: what the units have to do, the most urgent first.",
        query=InboxOverApiAsked,
        returns=InboxTold,
    ),
    Route.api(
        "POST",
        "/api/v1/messages/{id}/acknowledge",
        acknowledge,
        "Kvitterar ett mottaget meddelande.",
        "Acknowledges a message that was received.",
        right=Right.ACKNOWLEDGE,
        body=AcknowledgeAsked,
        returns=ResultsTold,
    ),
)
