"""Operations as pages: begun for a group of failures, followed while they run, paused, continued, stopped, undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway import operations
from gateway.access import Right
from gateway.actions import Result
from gateway.errors import CaseRuleError, Finding
from gateway.items import Item, ItemKind
from gateway.operation import OperationAction, Turn, turns_in
from gateway.operations import MOST, Wanted, may_be_undone, opposite
from gateway.store import failed
from gateway.store.failed import Group
from gateway.web.failure_reading import group_id, group_in
from gateway.web.failures import link_of, words
from gateway.web.forms import Paged
from gateway.web.operation_reading import operation_in, operation_shown
from gateway.web.operation_words import ACTION_WORDS, OPERATION_WORDS, OUTCOME_WORDS, TURN_WORDS
from gateway.web.page import page, to
from gateway.web.route import Route
from gateway.web.visit import Visit

FORETOLD: Final = 50
"""For how many of a group it is told beforehand what will happen; for all an operation that is a dry run tells."""


class OperationAsked(Paged):
    """Which page of the results is asked for."""

    refresh: Annotated[Literal["on", "off"], Field(description="Whether it is fetched anew by itself.")] = "on"


async def operation(visit: Visit) -> web.Response:
    """Answer with one operation."""
    return await _operation(visit, visit.query)


async def _operation(
    visit: Visit, asked: OperationAsked, status: HTTPStatus = HTTPStatus.OK, findings: Sequence[Finding] = ()
) -> web.Response:
    shown = await operation_shown(visit, asked)
    one = shown.operation
    here, acts = f"/operations/{one.id}", visit.session is not None and visit.who.may(one.action.right)
    is_try = one.cause is not None and one.total == 1 and one.action is OperationAction.RESEND and one.state.is_over
    group = None
    if is_try and one.cause is not None:
        async with visit.window.context.store.reading() as tx:
            group = await failed.group_of(tx, one.cause, visit.now, units=visit.units)
    return page(
        visit,
        "operation.html",
        status,
        findings=findings,
        shown=shown,
        one=one,
        asked=asked,
        address=here,
        refreshes=asked.refresh == "on" and not one.state.is_over,
        next=f"{here}?{urlencode({'cursor': shown.next, 'refresh': asked.refresh})}" if shown.next else None,
        turns=[(turn, TURN_WORDS[turn]) for turn in turns_in(one.state)] if acts else [],
        may_undo=acts and one.state.is_over and may_be_undone(one),
        rest=group if acts else None,
        action=ACTION_WORDS[one.action],
        state_of=OPERATION_WORDS.__getitem__,
        outcome_of=OUTCOME_WORDS.__getitem__,
        link_of=link_of,
        **words(visit),
    )


def _turning(how: Turn) -> Callable[[Visit], Awaitable[web.Response]]:
    """Return what turns an operation."""

    async def turn(visit: Visit) -> web.Response:
        one = await operation_in(visit)
        try:
            await operations.turn(visit.window.context, one.id, how, by=visit.who)
        except CaseRuleError as error:
            return await _operation(visit, OperationAsked(), HTTPStatus.CONFLICT, error.findings)
        return to(f"/operations/{one.id}")

    turn.__name__ = how.value
    return turn


async def undo(visit: Visit) -> web.Response:
    """Begin an operation that takes back what another has done."""
    one, context = await operation_in(visit), visit.window.context
    try:
        if not may_be_undone(one):
            raise CaseRuleError(operations.NOT_UNDONE.at())
        new = await operations.begin(
            context, opposite(one.action), Wanted(undoes=one), by=visit.who, reason=visit.form.one("reason")
        )
    except CaseRuleError as error:
        return await _operation(visit, OperationAsked(), HTTPStatus.UNPROCESSABLE_ENTITY, error.findings)
    return to(f"/operations/{new.id}")


def _beginning(action: OperationAction) -> Callable[[Visit], Awaitable[web.Response]]:
    """Return what begins an operation over a group: over one at once, over all when it has been told what will happen.

    A dry run over all is begun at once too: it changes nothing.
    """

    async def begin(visit: Visit) -> web.Response:
        context, reason = visit.window.context, visit.form.one("reason")
        async with context.store.reading() as tx:
            group = await group_in(tx, visit)
            newest = await failed.of_group(tx, group.cause, visit.now, FORETOLD, units=visit.units)
        only_told = visit.form.one("dry_run") == "yes"
        is_first = visit.form.one("first") == "yes"
        try:
            if is_first or only_told or visit.form.one("confirmed") == "yes":
                wanted = Wanted(cause=group.cause, first=is_first)
                new = await operations.begin(context, action, wanted, by=visit.who, reason=reason, dry_run=only_told)
                return to(f"/operations/{new.id}")
            chosen = [one.item for one in newest.items]
            results = await _foretold(visit, action, chosen, reason)
        except CaseRuleError as error:
            return _ahead(visit, action, group, [], error.findings, reason)
        return _ahead(visit, action, group, results, (), reason)

    begin.__name__ = action.value
    return begin


async def _foretold(visit: Visit, action: OperationAction, chosen: Sequence[Item], reason: str) -> list[Result]:
    """Return what would become of some items; of events nothing is told before they are taken up."""
    if action is OperationAction.RESEND and any(one.kind is ItemKind.EVENT for one in chosen):
        return []
    verb = operations.VERBS[action]
    return await verb(visit.window.context, chosen, by=visit.who, reason=reason, dry_run=True)


def _ahead(
    visit: Visit,
    action: OperationAction,
    group: Group,
    results: Sequence[Result],
    findings: Sequence[Finding],
    reason: str,
) -> web.Response:
    """Answer with what will happen, and ask whether it shall."""
    why_not = Counter((one.findings[0].code, one.findings[0].sv, one.findings[0].en) for one in results if one.findings)
    return page(
        visit,
        "operation_ahead.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if findings else HTTPStatus.OK,
        address=f"/failures/{group_id(group.cause)}",
        action=action,
        action_words=ACTION_WORDS[action],
        group=group,
        is_more=group.more or group.count > MOST,
        count=min(group.count, MOST),
        foretold=len(results),
        possible=[one for one in results if not one.is_refused],
        why_not=why_not.most_common(),
        findings=findings,
        reason=reason,
        **words(visit),
    )


def _post(path: str, answer: Callable[[Visit], Awaitable[web.Response]], sv: str, en: str, right: Right) -> Route:
    return Route.page("POST", path, answer, sv, en, right=right)


ROUTES = (
    Route.page(
        "GET",
        "/operations/{operation}",
        operation,
        "En åtgärd för många: hur långt den har kommit, och vad som blev av var sak.",
        "An operation over many: how far it is, and what became of each.",
        query=OperationAsked,
    ),
    _post(
        "/failures/{group}/resend",
        _beginning(OperationAction.RESEND),
        "Försöker igen med ett fel, eller med alla av en orsak när det är bekräftat.",
        "Tries one failure again, or all of a cause once that is confirmed.",
        Right.RESEND,
    ),
    _post(
        "/failures/{group}/discard",
        _beginning(OperationAction.DISCARD),
        "Skriver av alla fel av en orsak, när det är bekräftat.",
        "Discards all failures of a cause, once that is confirmed.",
        Right.DISCARD,
    ),
    _post("/operations/{operation}/pause", _turning(Turn.PAUSE), "Pausar.", "Pauses.", Right.RESEND),
    _post("/operations/{operation}/continue", _turning(Turn.CONTINUE), "Fortsätter.", "Continues.", Right.RESEND),
    _post("/operations/{operation}/stop", _turning(Turn.STOP), "Stoppar.", "Stops.", Right.RESEND),
    _post("/operations/{operation}/undo", undo, "Ångrar det som gjordes.", "Undoes what was done.", Right.DISCARD),
)
