"""*Ärende*: a case as a timeline, with who takes part, what it waits for, and every message in and out."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gateway.access import Right
from gateway.case_number import CaseNumber
from gateway.errors import InvalidDocumentError
from gateway.process.case import ParticipationState
from gateway.web.case_reading import CaseShown, case_of
from gateway.web.case_words import AWAITED_WORDS, CASE_WORDS, PARTICIPATION_WORDS
from gateway.web.conversation import steps_of
from gateway.web.forms import Moment, Told
from gateway.web.ledger_reading import Direction
from gateway.web.page import page
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.revealing import shown_until
from gateway.web.route import Route
from gateway.web.sequence import diagram
from gateway.web.visit import Visit


class UnitTold(Told):
    """A unit that takes part."""

    party: str
    unit: Annotated[str, Field(description="HSA-id.")]
    leads: bool
    responsible: Annotated[bool, Field(description="Whether it has the overall responsibility.")]
    reply: Annotated[str | None, Field(description="How it stands with the meeting it is called to.")]


class AwaitedTold(Told):
    """Something that the case waits for."""

    what: str
    party: str
    unit: str
    since: Moment
    due_at: Moment
    source: Annotated[str, Field(description="The law or agreement that the time comes from.")]


class CaseMessageTold(Told):
    """A message of the case, to one recipient."""

    id: str
    direction: Direction
    type: str
    sender_unit: str
    unit: Annotated[str, Field(description="HSA-id of the unit that receives it.")]
    at: Moment
    state: str
    due_at: Moment | None


class NoticeTold(Told):
    """What a unit was told without being asked."""

    kind: str
    unit: str
    at: Moment
    message_id: str | None


class CaseTold(Told):
    """A case: where it stands, who takes part, what it waits for, and what was said, in order. No person."""

    number: str
    state: Annotated[str | None, Field(description="Null where every message of it was refused.")]
    opened_at: Moment | None
    frozen: bool
    units: list[UnitTold]
    awaited: list[AwaitedTold]
    messages: list[CaseMessageTold]
    notices: list[NoticeTold]


async def case(visit: Visit) -> web.Response:
    """Answer with a case."""
    number = number_of(visit)
    until = await shown_until(visit, number.value)
    shown = await _one_of(visit, number, is_shown=until is not None)
    lanes = {unit for one in shown.exchanged for unit in (one.from_unit, one.to_unit)}
    return page(
        visit,
        "case.html",
        shown=shown,
        until=until,
        state_word=CASE_WORDS[shown.case.state] if shown.case is not None else None,
        reply_word=lambda reply: PARTICIPATION_WORDS[ParticipationState(reply)],
        awaited_words=AWAITED_WORDS.__getitem__,
        diagram=diagram(
            steps_of(shown.exchanged, shown.receipts, visit.now),
            {unit: visit.window.title_of(unit) for unit in lanes},
            visit.language,
        ),
        may_see=visit.who.may(Right.SEE_CONTENT),
    )


async def told_case(visit: Visit) -> CaseTold:
    """Answer with a case, without its person."""
    shown = await _one_of(visit, number_of(visit), is_shown=False)
    return CaseTold(
        number=shown.number,
        state=shown.case.state.value if shown.case is not None else None,
        opened_at=shown.case.opened_at if shown.case is not None else None,
        frozen=shown.case is not None and shown.case.is_frozen,
        units=[
            UnitTold(party=one.party, unit=one.unit, leads=one.leads, responsible=one.is_responsible, reply=one.reply)
            for one in shown.units
        ],
        awaited=[
            AwaitedTold(
                what=one.awaited.value,
                party=one.party,
                unit=one.unit,
                since=one.since,
                due_at=one.due_at,
                source=one.source,
            )
            for one in shown.awaited
        ],
        messages=[
            CaseMessageTold(
                id=one.message_id,
                direction=Direction.RECEIVED if one.came else Direction.SENT,
                type=one.type,
                sender_unit=one.from_unit,
                unit=one.to_unit,
                at=one.at,
                state=one.state,
                due_at=one.due_at,
            )
            for one in shown.exchanged
        ],
        notices=[
            NoticeTold(
                kind=one.notice.kind.value, unit=one.notice.unit, at=one.made_at, message_id=one.notice.message_id
            )
            for one in shown.notices
        ],
    )


def number_of(visit: Visit) -> CaseNumber:
    """Return the case number in the address. Raises :class:`NotFoundError`."""
    try:
        return CaseNumber.parse(visit.named("number"))
    except InvalidDocumentError:
        raise NotFoundError(NOT_FOUND.at()) from None


async def _one_of(visit: Visit, number: CaseNumber, *, is_shown: bool) -> CaseShown:
    context = visit.window.context
    async with context.store.reading() as tx:
        shown = await case_of(context, tx, number, visit.units, is_shown=is_shown)
    if shown is None:
        raise NotFoundError(NOT_FOUND.at())
    return shown


ROUTES = (
    Route.page(
        "GET",
        "/cases/{number}",
        case,
        "Ett ärende: läge, deltagare, det som väntas, och allt som har sagts, i ordning.",
        "A case: its state, who takes part, what is awaited, and all that was said, in order.",
    ),
    Route.api(
        "GET",
        "/api/v1/cases/{number}",
        told_case,
        "Ett ärende: läge, deltagare, det som väntas, och allt som har sagts, i ordning.",
        "A case: its state, who takes part, what is awaited, and all that was said, in order.",
        returns=CaseTold,
    ),
)
