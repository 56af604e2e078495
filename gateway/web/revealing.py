"""*Visa*: somebody says why they need to read about a person, and is let see it for ten minutes. It is logged.

A session is let see one message, or one case, at a time. A program has no session: it says why each time it reads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from gateway import sessions
from gateway.access import REFUSED, AccessRefusedError, Right
from gateway.accountability import Attempt, acting
from gateway.audit import Action, is_case_number
from gateway.case_number import CaseNumber
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError
from gateway.messages import parse_xml
from gateway.store import Transaction, subjects
from gateway.store.subjects import Content
from gateway.web import masking
from gateway.web.forms import Asked
from gateway.web.page import own_path, page, to
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.route import Route
from gateway.web.visit import Visit

WITHDRAWN = Fault(
    "reveal.withdrawn",
    "Meddelandet är återtaget eller felsänt: det får inte läsas här längre.",
    "The message was taken back or misdirected: it is not to be read here any more.",
)
PROTECTED = Fault(
    "reveal.protected",
    "Personen har skyddade personuppgifter. Bekräfta att du måste se dem.",
    "The person has a protected identity. Confirm that you have to see it.",
)

CONFIRMED = "confirmed"
"""The field in which somebody confirms that they have to see whoever has a protected identity."""


class RevealAsked(Asked):
    """Where somebody was who wants to see something."""

    back: Annotated[str, Field(max_length=2000)] = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What somebody wants to read: a message or a case (``target``), of one of the units (HSA-ids) they see.

    ``contents`` is the message as those units have it, without what they may not read any more; empty for a case.
    """

    target: str
    action: Action
    unit: str | None
    case_number: str
    is_mine: bool
    is_protected: bool
    contents: Sequence[Content] = ()
    is_withdrawn: bool = False


async def shown_until(visit: Visit, target: str) -> datetime | None:
    """Return until when whoever asks may see what ``target`` (message id, case number) says; ``None``: they may not.

    What came and was taken back or misdirected since is not to be read all the same: that stands in its state.
    """
    return (await shown_among(visit, [target])).get(target)


async def shown_among(visit: Visit, targets: Collection[str]) -> Mapping[str, datetime]:
    """Return which of ``targets`` whoever asks may see, and until when; see :func:`shown_until`."""
    if visit.session is None or not visit.who.may(Right.SEE_CONTENT):
        return {}
    async with visit.window.context.store.reading() as tx:
        return await sessions.revealed_among(tx, visit.session, targets, visit.now)


@asynccontextmanager
async def reading(
    visit: Visit, target: str, reason: str, *, is_confirmed: bool = True
) -> AsyncIterator[tuple[Transaction, Subject]]:
    """Let whoever asks read about ``target`` in the block, and keep that they did and why, or that they were refused.

    Without ``is_confirmed`` nothing is read about whoever has a protected identity.

    Raises:
        AccessRefusedError: their role does not read content.
        NotFoundError: there is no such message or case, or it is not of a unit that they see.
        CaseRuleError: the reason is missing or holds a person number; the message is not to be read any more; or it
            must be confirmed.
    """
    context = visit.window.context
    action = Action.CASE_READ if is_case_number(target) else Action.MESSAGE_READ
    attempt = Attempt(action=action, by=visit.who, reason=reason, named=target)
    try:
        async with acting(context.store, context.clock, attempt) as tx:
            subject = await _subject(tx, visit, target)
            if not subject.is_mine:
                raise _ForeignError(REFUSED.at(right=action.right.value))
            attempt.about(subject.target, unit=subject.unit, case_number=subject.case_number)
            if subject.is_withdrawn:
                raise CaseRuleError(WITHDRAWN.at())
            if subject.is_protected and not is_confirmed:
                raise CaseRuleError(PROTECTED.at())
            yield tx, subject
    except _ForeignError:
        raise NotFoundError(NOT_FOUND.at()) from None


async def ask_about_message(visit: Visit) -> web.Response:
    """Answer with the page that asks why somebody needs to see whom a message is about."""
    return await _ask(visit, visit.named("id"))


async def ask_about_case(visit: Visit) -> web.Response:
    """Answer with the page that asks why somebody needs to see whom a case is about."""
    return await _ask(visit, visit.named("number"))


async def _ask(visit: Visit, target: str) -> web.Response:
    asked: RevealAsked = visit.query
    async with visit.window.context.store.reading() as tx:
        subject = await _subject(tx, visit, target)
    if not subject.is_mine:
        raise NotFoundError(NOT_FOUND.at())
    return page(visit, "reveal.html", subject=subject, to_go=own_path(asked.back), findings=())


async def reveal(visit: Visit) -> web.Response:
    """Let the session see what was asked for, and go back to where somebody was."""
    assert visit.session is not None  # a form is sent by a session
    target, back = visit.form.one("target"), own_path(visit.form.one("back"))
    try:
        is_confirmed = visit.form.one(CONFIRMED) == "yes"
        async with reading(visit, target, visit.form.one("reason"), is_confirmed=is_confirmed) as (tx, subject):
            await sessions.reveal(tx, visit.session, subject.target, visit.now)
    except CaseRuleError as error:
        async with visit.window.context.store.reading() as tx:
            subject = await _subject(tx, visit, target)
        if not subject.is_mine:
            raise NotFoundError(NOT_FOUND.at()) from None
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return page(visit, "reveal.html", status, subject=subject, to_go=back, findings=error.findings)
    return to(back)


class _ForeignError(AccessRefusedError):
    """It is not of a unit that the actor sees: kept as a refusal, and answered as if there were no such thing."""


async def _subject(tx: Transaction, visit: Visit, target: str) -> Subject:
    """Return what ``target`` is. Raises :class:`NotFoundError`."""
    if is_case_number(target):
        return await _case(tx, visit, CaseNumber.parse(target).value)
    try:
        return await _message(tx, visit, str(UUID(target)))
    except ValueError:
        raise NotFoundError(NOT_FOUND.at()) from None


async def _message(tx: Transaction, visit: Visit, message_id: str) -> Subject:
    found = await subjects.contents(tx, message_id)
    if not found:
        raise NotFoundError(NOT_FOUND.at())
    mine = [one for one in found if visit.who.sees(one.unit)]
    readable = [one for one in mine if not one.is_withdrawn]
    first = next(iter([*readable, *mine, *found]))
    hidden = await subjects.protected(tx, [first.case_number])
    return Subject(
        target=message_id,
        action=Action.MESSAGE_READ,
        unit=first.unit,
        case_number=first.case_number,
        is_mine=bool(mine),
        is_protected=bool(hidden) or any(_is_protected(one) for one in readable),
        contents=readable,
        is_withdrawn=not readable,
    )


def _is_protected(content: Content) -> bool:
    """Tell whether a message says that its person is protected; one that cannot be read any more may say so."""
    try:
        return masking.is_protected(parse_xml(content.xml).header.person)
    except InvalidDocumentError:
        return True


async def _case(tx: Transaction, visit: Visit, number: str) -> Subject:
    units = await subjects.units_of_case(tx, number, visit.window.party)
    if units is None:
        raise NotFoundError(NOT_FOUND.at())
    mine = sorted(unit for unit in units if visit.who.sees(unit))
    return Subject(
        target=number,
        action=Action.CASE_READ,
        # Whoever sees all units reads for none of them in particular.
        unit=mine[0] if mine and visit.units is not None else None,
        case_number=number,
        is_mine=bool(mine) or visit.units is None,
        is_protected=bool(await subjects.protected(tx, [number])),
    )


ROUTES = (
    Route.page(
        "GET",
        "/messages/{id}/reveal",
        ask_about_message,
        "Frågar varför någon behöver se vem ett meddelande gäller.",
        "Asks why somebody needs to see whom a message is about.",
        right=Right.SEE_CONTENT,
        query=RevealAsked,
    ),
    Route.page(
        "GET",
        "/cases/{number}/reveal",
        ask_about_case,
        "Frågar varför någon behöver se vem ett ärende gäller.",
        "Asks why somebody needs to see whom a case is about.",
        right=Right.SEE_CONTENT,
        query=RevealAsked,
    ),
    Route.page(
        "POST",
        "/reveal",
        reveal,
        "Visar det i tio minuter, och loggar vem som bad om det och varför.",
        "Shows it for ten minutes, and logs who asked for it and why.",
        right=Right.SEE_CONTENT,
    ),
)
