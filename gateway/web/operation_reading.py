"""Operations as they are looked at: one by its id, and what became of its items, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store import operations
from gateway.store.operations import ItemResult, Operation
from gateway.web import cursor
from gateway.web.forms import Paged
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.visit import Visit


@dataclass(frozen=True, slots=True)
class OperationShown:
    """An operation, a page of what became of its items, in order, and the cursor of the next page, if there is one."""

    operation: Operation
    results: Sequence[ItemResult]
    next: str | None


async def operation_in(visit: Visit) -> Operation:
    """Return the operation that the address names, if whoever asks may see it. Raises :class:`NotFoundError`."""
    async with visit.window.context.store.reading() as tx:
        found = await operations.find(tx, visit.named("operation"), visit.units)
    if found is None:
        raise NotFoundError(NOT_FOUND.at())
    return found


async def operation_shown(visit: Visit, asked: Paged) -> OperationShown:
    """Return the operation that the address names with a page of its results.

    Raises:
        NotFoundError: there is none that may be seen.
        UsageError: no page begins so.
    """
    one, after = await operation_in(visit), cursor.place_of(asked.cursor) or 0
    async with visit.window.context.store.reading() as tx:
        results = await operations.results(tx, one, asked.limit, after)
    last = results[-1].position if results else one.total
    return OperationShown(one, results, cursor.written(last) if last < one.total else None)
