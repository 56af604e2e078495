"""*Meddelande*: one message, how far it got with each recipient, what it says, and what can be done with it by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Final, NamedTuple

from aiohttp import web
from pydantic import Field

from gateway import charge, discarding, sending_again
from gateway.access import Right
from gateway.actions import Result
from gateway.errors import CaseRuleError, Finding
from gateway.messages import Duty
from gateway.web.conversation import steps_of, title_of
from gateway.web.forms import Asked
from gateway.web.ledger_reading import message_id_of
from gateway.web.message_reading import ByHand, MessageShown, RowShown, message_of
from gateway.web.moments import length
from gateway.web.page import page, to
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.revealing import shown_until
from gateway.web.route import Route
from gateway.web.sequence import diagram
from gateway.web.state_words import DUTY_WORDS, OWNER_WORDS
from gateway.web.visit import Visit


class View(StrEnum):
    """How what a message says is shown."""

    DOCUMENT = "document"
    XML = "xml"


class MessageAsked(Asked):
    """How one message is to be shown, and what has just been done to it."""

    view: Annotated[View, Field(description="The content as a document, or as XML.")] = View.DOCUMENT
    done: ByHand | None = None


class _Words(NamedTuple):
    """What an action is called on its button, and what is said when it is done."""

    name: tuple[str, str]
    done: tuple[str, str]


_ACTIONS: Final[Mapping[ByHand, _Words]] = {
    ByHand.ACKNOWLEDGE: _Words(
        ("Kvittera", "Acknowledge"), ("Kvitterat: avsändaren får veta det.", "Acknowledged: the sender is told so.")
    ),
    ByHand.RESEND: _Words(("Skicka igen", "Send again"), ("Skickas igen.", "It is sent again.")),
    ByHand.DISCARD: _Words(
        ("Skriv av", "Discard"),
        ("Avskrivet: det visas inte bland felen längre.", "Discarded: it is not shown among the failures any more."),
    ),
    ByHand.RESTORE: _Words(("Återställ", "Restore"), ("Återställt: det visas bland felen igen.", "Restored.")),
}

VERBS: Final[Mapping[ByHand, Callable[..., Awaitable[list[Result]]]]] = {
    ByHand.RESEND: sending_again.resend,
    ByHand.DISCARD: discarding.discard,
    ByHand.RESTORE: discarding.restore,
    ByHand.ACKNOWLEDGE: charge.acknowledge,
}
"""What carries out each action."""


_USUAL: Final = "Kvitterat på meddelandets sida."
"""Why a message is acknowledged, where nobody says more: a unit does what it owes."""


async def message(visit: Visit) -> web.Response:
    """Answer with one message."""
    asked: MessageAsked = visit.query
    number = message_id_of(visit)
    until = await shown_until(visit, number)
    shown = await one_of(visit, number, in_full=until is not None)
    return page(
        visit,
        "message.html",
        shown=shown,
        until=until,
        as_xml=asked.view is View.XML,
        diagram=diagram(
            steps_of(shown.thread, shown.receipts, visit.now), _titles(visit, shown), visit.language, name="thread"
        ),
        actions=[
            (action, rows)
            for action in _ACTIONS
            if visit.who.may(action.right) and (rows := [one for one in shown.rows if action in one.by_hand])
        ],
        done=_ACTIONS[asked.done].done if asked.done is not None else None,
        action_words=lambda action: _ACTIONS[action].name,
        title_of_type=title_of,
        duty=lambda kind: DUTY_WORDS[Duty(kind)],
        owner=OWNER_WORDS.__getitem__,
        length=lambda span: length(span, visit.language),
    )


async def one_of(visit: Visit, number: str, *, in_full: bool = False) -> MessageShown:
    """Return a message that whoever asks may see. Raises :class:`NotFoundError`."""
    context = visit.window.context
    async with context.store.reading() as tx:
        shown = await message_of(context, tx, number, visit.units, in_full=in_full)
    if shown is None:
        raise NotFoundError(NOT_FOUND.at())
    return shown


def _titles(visit: Visit, shown: MessageShown) -> dict[str, str]:
    return {unit: visit.window.title_of(unit) for one in shown.thread for unit in (one.from_unit, one.to_unit)}


def _acting(action: ByHand) -> Callable[[Visit], Awaitable[web.Response]]:
    """Return what answers a form for ``action``: first it says what will happen, and does it once confirmed."""

    async def act(visit: Visit) -> web.Response:
        shown = await one_of(visit, message_id_of(visit))
        chosen = _chosen(visit, shown)
        reason = visit.form.one("reason") or (_USUAL if action is ByHand.ACKNOWLEDGE else "")
        confirmed = visit.form.one("confirmed") == "yes"
        results: Sequence[Result] = ()
        findings: Sequence[Finding] = ()
        try:
            results = await VERBS[action](
                visit.window.context, [one.item for one in chosen], by=visit.who, reason=reason, dry_run=not confirmed
            )
        except CaseRuleError as error:
            findings = error.findings
        if confirmed and results and not any(one.is_refused for one in results):
            return to(f"/messages/{shown.message_id}?done={action.value}")
        units = {one.item: one.row.unit for one in shown.rows}
        refused = findings or all(one.is_refused for one in results)
        return page(
            visit,
            "message_act.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
            message_id=shown.message_id,
            title=title_of(shown.type),
            action=action,
            words=_ACTIONS[action].name,
            results=[(units[one.item], one) for one in results],
            possible=[one.item for one in results if not one.is_refused],
            findings=findings,
            reason=reason,
            confirmed=confirmed,
        )

    act.__name__ = action.value
    return act


def _chosen(visit: Visit, shown: MessageShown) -> list[RowShown]:
    """Return the rows of a message that a form names; they are all of the message, and so of units that are seen.

    Raises:
        NotFoundError: it names one that is not, or none.
    """
    by_name = {str(one.item): one for one in shown.rows}
    named = list(dict.fromkeys(visit.form.all("item")))
    if not named or not set(named) <= set(by_name):
        raise NotFoundError(NOT_FOUND.at())
    return [by_name[one] for one in named]


ROUTES = (
    Route.page(
        "GET",
        "/messages/{id}",
        message,
        "Ett meddelande: hur långt det har kommit, vad det säger, och vad som kan göras.",
        "One message: how far it got, what it says, and what can be done.",
        query=MessageAsked,
    ),
    Route.page(
        "POST",
        "/messages/{id}/resend",
        _acting(ByHand.RESEND),
        "Skickar ett meddelande igen, när det är bekräftat.",
        "Sends a message again, once it is confirmed.",
        right=Right.RESEND,
    ),
    Route.page(
        "POST",
        "/messages/{id}/discard",
        _acting(ByHand.DISCARD),
        "Skriver av ett meddelande som har gått fel, när det är bekräftat.",
        "Discards a message that has failed, once it is confirmed.",
        right=Right.DISCARD,
    ),
    Route.page(
        "POST",
        "/messages/{id}/restore",
        _acting(ByHand.RESTORE),
        "Återställer ett avskrivet meddelande, när det är bekräftat.",
        "Restores a discarded message, once it is confirmed.",
        right=Right.DISCARD,
    ),
    Route.page(
        "POST",
        "/messages/{id}/acknowledge",
        _acting(ByHand.ACKNOWLEDGE),
        "Kvitterar ett mottaget meddelande, när det är bekräftat.",
        "Acknowledges a received message, once it is confirmed.",
        right=Right.ACKNOWLEDGE,
    ),
)
