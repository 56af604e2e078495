"""Operations over the API: begun over items or a group of failures, followed, paused, continued and stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from gateway import operations
from gateway.access import Right
from gateway.items import Item
from gateway.operation import OperationAction, OperationState, Turn
from gateway.operations import MOST, Wanted
from gateway.store import Transaction, failed
from gateway.store import operations as kept
from gateway.store.operations import ItemResult, Operation
from gateway.web import cursor
from gateway.web.failure_reading import cause_of, group_id
from gateway.web.forms import Act, Asked, Moment, Paged, Told
from gateway.web.operation_reading import operation_in, operation_shown
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.route import Route
from gateway.web.visit import Visit


class OperationTold(Told):
    """One action over many: how far it is, and what became of how many."""

    id: str
    action: OperationAction
    state: OperationState
    dry_run: bool
    by: str
    reason: str
    group: Annotated[str | None, Field(description="The group of failures that it was begun for.")]
    total: int
    done: Annotated[int, Field(description="How many it was done to, or would be in a dry run.")]
    refused: int
    failed: int
    begun_at: Moment
    started_at: Moment | None
    ended_at: Moment | None

    @classmethod
    def of(cls, one: Operation) -> OperationTold:
        """Return an operation, to be told."""
        return cls(
            id=one.id,
            action=one.action,
            state=one.state,
            dry_run=one.is_dry_run,
            by=one.by.name,
            reason=one.reason,
            group=group_id(one.cause) if one.cause is not None else None,
            total=one.total,
            done=one.done,
            refused=one.refused,
            failed=one.failed,
            begun_at=one.begun_at,
            started_at=one.started_at,
            ended_at=one.ended_at,
        )


class OperationsTold(Told):
    """A page of operations, the newest first."""

    operations: list[OperationTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class ItemTold(Told):
    """What became of one item; nothing yet where there is no outcome."""

    item: str
    message_id: str | None
    outcome: Annotated[str | None, Field(description="`done`, `would-be-done`, `refused` or `failed`.")]
    code: Annotated[str | None, Field(description="Why it was not done.")]
    sv: str | None
    en: str | None
    at: Moment | None

    @classmethod
    def of(cls, one: ItemResult) -> ItemTold:
        """Return what became of an item, to be told."""
        outcome = one.outcome.value if one.outcome is not None else None
        return cls(
            item=str(one.item),
            message_id=one.message_id,
            outcome=outcome,
            code=one.code,
            sv=one.sv,
            en=one.en,
            at=one.at,
        )


class OperationInFull(Told):
    """One operation, and a page of what became of its items, in order."""

    operation: OperationTold
    results: list[ItemTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class Begun(Act):
    """What is to be done to many: to ``items``, or to what has failed of the cause of a ``group`` as it stands now."""

    action: OperationAction
    items: Annotated[
        list[Annotated[str, Field(max_length=30)]] | None,
        Field(min_length=1, max_length=MOST, description="By kind and number, such as `sent:17`."),
    ] = None
    group: Annotated[str | None, Field(max_length=500, description="The id of a group of failures.")] = None
    first: Annotated[bool, Field(description="Only the newest of the group.")] = False


class Turned(Asked):
    """Why an operation is paused, continued or stopped; without it, why it was begun."""

    reason: Annotated[str | None, Field(min_length=1, max_length=500)] = None


async def listed(visit: Visit) -> OperationsTold:
    """Answer with a page of the operations."""
    asked: Paged = visit.query
    before = cursor.place_of(asked.cursor)
    async with visit.window.context.store.reading() as tx:
        found = await kept.page(tx, asked.limit, units=visit.units, before=before)
    return OperationsTold(
        operations=[OperationTold.of(one) for one in found.operations], next=cursor.written(found.next)
    )


async def begin(visit: Visit) -> OperationTold:
    """Begin an operation."""
    asked: Begun = visit.body
    wanted = Wanted(items=[Item.parse(one) for one in asked.items or ()])
    if asked.group is not None:
        cause = cause_of(asked.group)
        async with visit.window.context.store.reading() as tx:
            if await failed.group_of(tx, cause, visit.now, units=visit.units) is None:
                raise NotFoundError(NOT_FOUND.at())
        wanted = Wanted(cause=cause, first=asked.first)
    new = await operations.begin(
        visit.window.context,
        asked.action,
        wanted,
        by=visit.who,
        reason=asked.reason,
        dry_run=asked.dry_run,
        along=_answering(visit),
    )
    return OperationTold.of(new)


async def one(visit: Visit) -> OperationInFull:
    """Answer with one operation."""
    found = await operation_shown(visit, visit.query)
    results = [ItemTold.of(one) for one in found.results]
    return OperationInFull(operation=OperationTold.of(found.operation), results=results, next=found.next)


def _turning(how: Turn) -> Callable[[Visit], Awaitable[OperationTold]]:
    """Return what turns an operation."""

    async def turn(visit: Visit) -> OperationTold:
        asked: Turned = visit.body
        found = await operation_in(visit)
        context, reason = visit.window.context, asked.reason
        turned = await operations.turn(context, found.id, how, by=visit.who, reason=reason, along=_answering(visit))
        return OperationTold.of(turned)

    turn.__name__ = how.value
    return turn


def _answering(visit: Visit) -> operations.Along:
    """Return what keeps the answer with what it tells of, for a request that comes again."""

    async def along(tx: Transaction, found: Operation) -> None:
        await visit.keep(tx, OperationTold.of(found))

    return along


def _turn(how: Turn, sv: str, en: str) -> Route:
    return Route.api(
        "POST",
        f"/api/v1/operations/{{operation}}/{how.value}",
        _turning(how),
        sv,
        en,
        right=Right.RESEND,
        body=Turned,
        returns=OperationTold,
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    )


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/operations",
        listed,
        "Åtgärder för många, de nyaste först.",
        "Operations over many, the newest first.",
        query=Paged,
        returns=OperationsTold,
    ),
    Route.api(
        "POST",
        "/api/v1/operations",
        begin,
        "Börjar en åtgärd: den utförs i bakgrunden, en sak i taget.",
        "Begins an operation: it is carried out in the background, one thing at a time.",
        right=Right.RESEND,
        body=Begun,
        returns=OperationTold,
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_FOUND),
    ),
    Route.api(
        "GET",
        "/api/v1/operations/{operation}",
        one,
        "En åtgärd, och vad som blev av var sak.",
        "One operation, and what became of each.",
        query=Paged,
        returns=OperationInFull,
    ),
    _turn(Turn.PAUSE, "Pausar en åtgärd.", "Pauses an operation."),
    _turn(Turn.CONTINUE, "Låter en pausad åtgärd fortsätta.", "Lets a paused operation go on."),
    _turn(Turn.STOP, "Stoppar en åtgärd för gott.", "Stops an operation for good."),
)
