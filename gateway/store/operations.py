"""Operations over many as they stand in the database: begun, claimed, carried out one by one, turned, and looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, insert, or_, select, text, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.access import Actor, Role
from gateway.items import Item, ItemKind
from gateway.operation import TURNS, ItemOutcome, OperationAction, OperationState, Turn
from gateway.store.failed import Cause
from gateway.store.operation_tables import LEFT, UNDER_WAY, operation, operation_item, operation_unit

_AT_ONCE: Final = 500
"""Rows of one INSERT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One action over many: by whom, with the units they saw then, why, how far it is, and what became of how many.

    ``cause`` is that of the group of failures that it was begun for, and ``undoes`` the operation that it takes back.
    """

    id: str
    action: OperationAction
    by: Actor
    reason: str
    is_dry_run: bool
    begun_at: datetime
    total: int
    cause: Cause | None = None
    undoes: str | None = None
    state: OperationState = OperationState.WAITING
    done: int = 0
    refused: int = 0
    failed: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    number: int = 0
    """Given by the store."""

    @property
    def looked_at(self) -> int:
        """How many items have a result."""
        return self.done + self.refused + self.failed


@dataclass(frozen=True, slots=True)
class Target:
    """Something that an operation is to be done to, with the message that it is, where that is known."""

    item: Item
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The item of an operation that is in somebody's hands, by its ``position``; ``tries`` counts this one too."""

    operation: Operation
    claim: str
    position: int
    item: Item
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemResult:
    """What became of an item, with the code of why not, and a sentence for staff; nothing yet without an outcome."""

    position: int
    item: Item
    message_id: str | None = None
    outcome: ItemOutcome | None = None
    code: str | None = None
    sv: str | None = None
    en: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """Operations, the newest first, and where the next page begins; ``None`` where there is no more."""

    operations: Sequence[Operation]
    next: int | None


async def begin(tx: Transaction, new: Operation, targets: Sequence[Target]) -> Operation:
    """Keep an operation that waits, with what it is to be done to, in order."""
    by, cause = new.by, new.cause
    values = {
        "id": new.id,
        "action": new.action.value,
        "state": new.state.value,
        "is_dry_run": new.is_dry_run,
        "by": by.name,
        "role": by.role.value,
        "assignment": by.assignment,
        "of_all_units": by.units is None,
        "reason": new.reason,
        "kind": cause.kind.value if cause is not None else None,
        "code": cause.code if cause is not None else None,
        "party": cause.party if cause is not None else None,
        "undoes": new.undoes,
        "total": len(targets),
        "done": 0,
        "refused": 0,
        "failed": 0,
        "begun_at": new.begun_at,
    }
    number = (await tx.execute(insert(operation).values(values).returning(operation.c.number))).scalar_one()
    if by.units:
        await tx.execute(insert(operation_unit), [{"operation": number, "unit": unit} for unit in sorted(by.units)])
    rows = [
        {
            "operation": number,
            "position": position,
            "kind": one.item.kind.value,
            "number": one.item.number,
            "message_id": one.message_id,
            "tries": 0,
        }
        for position, one in enumerate(targets, start=1)
    ]
    for first in range(0, len(rows), _AT_ONCE):
        await tx.execute(insert(operation_item), rows[first : first + _AT_ONCE])
    return replace(new, number=number, total=len(targets))


# --- carrying them out ----------------------------------------------------------------------------------------------


async def claim(tx: Transaction, who: str, now: datetime, lease: timedelta) -> Held | None:
    """Take the next item of the operation that was begun first, of those that are to go on and that nobody else holds.

    An operation that has nothing left is done, and the next one is taken; ``None`` where there is none.
    """
    free = or_(operation.c.lease_until.is_(None), operation.c.lease_until <= now, operation.c.claim == who)
    going = operation.c.state.in_([OperationState.WAITING.value, OperationState.RUNNING.value])
    query = select(operation).where(text(UNDER_WAY), going, free).order_by(operation.c.number).limit(1)
    while (row := (await tx.execute(query.with_for_update(skip_locked=True))).mappings().first()) is not None:
        number = row["number"]
        its = operation_item.c.operation == number
        left = select(operation_item).where(its, text(LEFT)).order_by(operation_item.c.position).limit(1)
        one = (await tx.execute(left)).mappings().first()
        if one is None:
            await tx.execute(
                update(operation).where(operation.c.number == number).values(_over(OperationState.DONE, now))
            )
            continue
        values = {
            "state": OperationState.RUNNING.value,
            "started_at": row["started_at"] or now,
            "claim": who,
            "lease_until": now + lease,
        }
        await tx.execute(update(operation).where(operation.c.number == number).values(values))
        mine = its, operation_item.c.position == one["position"]
        await tx.execute(update(operation_item).where(*mine).values(tries=operation_item.c.tries + 1))
        (found,) = await _read(tx, [{**row, **values}])
        item = Item(ItemKind(one["kind"]), one["number"])
        return Held(operation=found, claim=who, position=one["position"], item=item, tries=one["tries"] + 1)
    return None


async def keep_result(
    tx: Transaction, held: Held, outcome: ItemOutcome, now: datetime, lease: timedelta, **said: str | None
) -> bool:
    """Keep what became of an item that is held: ``code``, ``sv``, ``en``, ``message_id``. With the last it is done.

    Tell ``False``, and keep nothing, where the operation no longer runs, another has taken it, or there is a result.
    """
    counter = operation.c["done" if outcome is ItemOutcome.WOULD_BE_DONE else outcome.value]
    still = and_(
        operation.c.number == held.operation.number,
        operation.c.state == OperationState.RUNNING.value,
        operation.c.claim == held.claim,
        exists().where(
            operation_item.c.operation == held.operation.number,
            operation_item.c.position == held.position,
            operation_item.c.outcome.is_(None),
        ),
    )
    moved = {counter.name: counter + 1, "lease_until": now + lease}
    if (await tx.execute(update(operation).where(still).values(moved))).rowcount != 1:
        return False
    mine = operation_item.c.operation == held.operation.number, operation_item.c.position == held.position
    kept = {name: value for name, value in said.items() if value is not None}
    await tx.execute(update(operation_item).where(*mine).values(outcome=outcome.value, at=now, **kept))
    has_all = operation.c.done + operation.c.refused + operation.c.failed >= operation.c.total
    over = operation.c.number == held.operation.number, has_all
    await tx.execute(update(operation).where(*over).values(_over(OperationState.DONE, now)))
    return True


def _over(state: OperationState, now: datetime) -> dict[str, Any]:
    return {"state": state.value, "ended_at": now, "claim": None, "lease_until": None}


async def turn(tx: Transaction, one: Operation, how: Turn, now: datetime) -> Operation | None:
    """Pause, continue or stop an operation; ``None`` where it cannot be done in the state that it is in."""
    before, after = TURNS[how]
    values = _over(after, now) | ({} if after.is_over else {"ended_at": None})
    mine = operation.c.number == one.number, operation.c.state.in_([state.value for state in before])
    query = update(operation).where(*mine).values(values).returning(operation)
    row = (await tx.execute(query)).mappings().first()
    return (await _read(tx, [row]))[0] if row is not None else None


# --- looking at them ------------------------------------------------------------------------------------------------


async def find(tx: Transaction, name: str, units: frozenset[str] | None) -> Operation | None:
    """Return the operation with an id, for somebody who sees ``units``: it is of all the units it was begun with."""
    query = select(operation).where(operation.c.id == name, *_seen(units))
    row = (await tx.execute(query)).mappings().first()
    return (await _read(tx, [row]))[0] if row is not None else None


async def page(
    tx: Transaction, limit: int, *, units: frozenset[str] | None, before: int | None = None
) -> OperationsPage:
    """Return a page of what somebody who sees ``units`` may see, the newest first; ``before`` a number."""
    query = select(operation).where(*_seen(units)).order_by(operation.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(operation.c.number < before)
    found = await _read(tx, (await tx.execute(query)).mappings().all())
    return OperationsPage(found, found[-1].number if len(found) == limit else None)


async def results(tx: Transaction, one: Operation, limit: int, after: int = 0) -> list[ItemResult]:
    """Return what became of the items of an operation, in order, those after a position."""
    mine = operation_item.c.operation == one.number, operation_item.c.position > after
    query = select(operation_item).where(*mine).order_by(operation_item.c.position).limit(limit)
    return [
        ItemResult(
            position=row["position"],
            item=Item(ItemKind(row["kind"]), row["number"]),
            message_id=row["message_id"],
            outcome=ItemOutcome(row["outcome"]) if row["outcome"] is not None else None,
            code=row["code"],
            sv=row["sv"],
            en=row["en"],
            at=row["at"],
        )
        for row in (await tx.execute(query)).mappings()
    ]


async def done_by(tx: Transaction, one: Operation) -> list[Target]:
    """Return what an operation has been done to."""
    mine = operation_item.c.operation == one.number, operation_item.c.outcome == ItemOutcome.DONE.value
    columns = operation_item.c.kind, operation_item.c.number, operation_item.c.message_id
    rows = (await tx.execute(select(*columns).where(*mine).order_by(operation_item.c.position))).all()
    return [Target(Item(ItemKind(kind), number), message_id) for kind, number, message_id in rows]


def _seen(units: frozenset[str] | None) -> list[ColumnElement[bool]]:
    if units is None:
        return []
    theirs = operation_unit.c.unit.not_in(sorted(units))
    another = exists().where(operation_unit.c.operation == operation.c.number, theirs)
    return [operation.c.of_all_units.is_(False), ~another]


async def _read(tx: Transaction, rows: Sequence[RowMapping | dict[str, Any]]) -> list[Operation]:
    """Return operations as they are known, with the units of each."""
    numbers = [row["number"] for row in rows if not row["of_all_units"]]
    units: dict[int, set[str]] = {number: set() for number in numbers}
    if numbers:
        query = select(operation_unit).where(operation_unit.c.operation.in_(numbers))
        for number, unit in (await tx.execute(query)).all():
            units[number].add(unit)
    return [_operation(row, units.get(row["number"])) for row in rows]


def _operation(row: RowMapping | dict[str, Any], units: Iterable[str] | None) -> Operation:
    cause = Cause(kind=ItemKind(row["kind"]), code=row["code"], party=row["party"]) if row["kind"] else None
    seen = frozenset(units) if units is not None else None
    return Operation(
        number=row["number"],
        id=row["id"],
        action=OperationAction(row["action"]),
        state=OperationState(row["state"]),
        by=Actor(name=row["by"], role=Role(row["role"]), units=seen, assignment=row["assignment"]),
        reason=row["reason"],
        is_dry_run=bool(row["is_dry_run"]),
        cause=cause,
        undoes=row["undoes"],
        total=row["total"],
        done=row["done"],
        refused=row["refused"],
        failed=row["failed"],
        begun_at=row["begun_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
