"""The answers that are awaited, over the API: how far each message got, and who owes the next answer. No person."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from gateway.duties import Urgency
from gateway.lifecycle import OutState, Owner
from gateway.messages import Duty
from gateway.web.acknowledgement_reading import AnswersAsked, AnswerShown, Awaits, answers_of
from gateway.web.forms import MOST, Moment, Told
from gateway.web.route import Route
from gateway.web.visit import Visit


class AnswersOverApiAsked(AnswersAsked):
    """Which awaited answers are asked for, and how many."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="Rows, at most.")] = 50


class AnswerTold(Told):
    """A message to one recipient that waits for something: when it reached each level, and who owes the next."""

    id: str
    type: str
    case_number: str
    party: str
    unit: Annotated[str, Field(description="HSA-id of the unit it is for.")]
    sender_unit: str
    duty: Duty
    state: OutState
    sent_at: Moment | None
    received_at: Moment | None
    registered_at: Moment | None
    acknowledged_at: Moment | None
    awaits: Awaits
    due_at: Moment
    urgency: Urgency
    owner: Owner | None
    owed_by: Annotated[str, Field(description="HSA-id of the unit that owes it.")]
    told: Annotated[str, Field(description="HSA-id of the unit that is told of it now.")]

    @classmethod
    def of(cls, shown: AnswerShown) -> Self:
        """Return a message that waits, to be told."""
        row, duty = shown.row, shown.duty
        return cls(
            id=row.message_id,
            type=row.type,
            case_number=row.case_number,
            party=row.party,
            unit=row.unit,
            sender_unit=row.own_unit,
            duty=row.duty,
            state=row.state,
            sent_at=row.sent_at,
            received_at=row.received_at,
            registered_at=row.registered_at,
            acknowledged_at=row.acknowledged_at,
            awaits=Awaits(duty.awaited),
            due_at=duty.due_at,
            urgency=shown.urgency,
            owner=row.owner,
            owed_by=duty.unit,
            told=shown.told,
        )


class AnswersTold(Told):
    """A page of awaited answers, the first deadline first."""

    acknowledgements: list[AnswerTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


async def acknowledgements(visit: Visit) -> AnswersTold:
    """Answer with a page of awaited answers."""
    asked: AnswersOverApiAsked = visit.query
    context = visit.window.context
    async with context.store.reading() as tx:
        found = await answers_of(tx, context, asked.sought(visit.units, visit.now), visit.now, asked.limit)
    return AnswersTold(acknowledgements=[AnswerTold.of(one) for one in found.rows], next=found.next)


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/acknowledgements",
        acknowledgements,
        "Väntade kvittenser och svar, det mest brådskande först.",
        "Awaited acknowledgements and replies, the most urgent first.",
        query=AnswersOverApiAsked,
        returns=AnswersTold,
    ),
)
