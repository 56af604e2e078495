"""Operations: one action over many, begun by somebody and carried out in the background, each item by itself.

Each item goes through the same verb as one that is done by hand, with the same audit row, and its result is kept in the
transaction that does it. So a process may die at any point: the next one goes on where it was, and nothing is done
twice. Whoever pauses an operation waits for the item in hand at most; none is done after that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog

from gateway import actions, discarding, resending, sending_again
from gateway.access import Actor
from gateway.accountability import Attempt, answering_for
from gateway.actions import Result, Said
from gateway.audit import Action
from gateway.context import Context, begins_again, trace_of
from gateway.errors import (
    CaseRuleError,
    ConfigurationError,
    ConflictError,
    DependencyDownError,
    Fault,
    Finding,
    GatewayError,
    WrittenMeanwhileError,
)
from gateway.items import Item, ItemKind
from gateway.operation import ItemOutcome, OperationAction, Turn
from gateway.ports import Adapter
from gateway.store import Transaction, audit, failed
from gateway.store import operations as kept
from gateway.store.failed import Cause
from gateway.store.operations import Held, Operation, Target

MOST: Final = 10_000
"""How many items one operation is over, at most."""
LEASE: Final = timedelta(seconds=60)
"""How long nobody else takes up an operation after the last sign of whoever carries it out."""
MOST_TRIES: Final = 5
"""How often an item is begun before it is left: one that ends the process must not hold up the others for good."""
_PAGE: Final = 1_000

NOTHING = Fault(
    "operation.nothing",
    "Det finns inget att göra det med.",
    "There is nothing to do it to.",
)
TOO_MANY = Fault(
    "operation.too-many",
    "Högst {limit} i en åtgärd.",
    "At most {limit} in one operation.",
)
NO_SUCH_OPERATION = Fault(
    "operation.unknown",
    "Det finns ingen sådan åtgärd.",
    "There is no such operation.",
)
NOT_NOW = Fault(
    "operation.not-now",
    "Åtgärden är {state} och kan inte ändras så.",
    "The operation is {state} and cannot be turned so.",
)
NOT_UNDONE = Fault(
    "operation.not-undone",
    "Bara det som har skrivits av eller återställts kan ångras, när åtgärden är över.",
    "Only what was discarded or restored can be undone, once the operation is over.",
)
HELD_BACK = Fault(
    "operation.held-back",
    "Åtgärden pausades eller stoppades innan detta hann göras.",
    "The operation was paused or stopped before this could be done.",
)
UNFORESEEN = Fault(
    "operation.unforeseen",
    "Något gick fel som ingen hade räknat med. Se loggen.",
    "Something went wrong that nobody foresaw. See the log.",
)
LEFT = Fault(
    "operation.left",
    "Det gick inte att slutföra på {limit} försök.",
    "It could not be completed in {limit} tries.",
)

_AUDITED: Final[Mapping[Turn, Action]] = {
    Turn.PAUSE: Action.OPERATION_PAUSED,
    Turn.CONTINUE: Action.OPERATION_CONTINUED,
    Turn.STOP: Action.OPERATION_STOPPED,
}
_OPPOSITE: Final[Mapping[OperationAction, OperationAction]] = {
    OperationAction.DISCARD: OperationAction.RESTORE,
    OperationAction.RESTORE: OperationAction.DISCARD,
}
VERBS: Final = {
    OperationAction.RESEND: sending_again.resend,
    OperationAction.DISCARD: discarding.discard,
    OperationAction.RESTORE: discarding.restore,
}
"""What carries out each action; an event is taken up again by :func:`gateway.resending.resend`."""

Along = Callable[[Transaction, Operation], Awaitable[None]]
"""Keeps something more in the transaction that begins or turns an operation."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an operation is to be over: some ``items``, what fails for a ``cause`` as it begins, or what another did.

    Of a cause all is taken, at most :data:`MOST` of the newest, or the ``first`` alone.
    """

    items: Sequence[Item] = ()
    cause: Cause | None = None
    first: bool = False
    undoes: Operation | None = None


async def begin(
    context: Context,
    action: OperationAction,
    wanted: Wanted,
    *,
    by: Actor | str,
    reason: str,
    dry_run: bool = False,
    along: Along | None = None,
) -> Operation:
    """Begin an operation: it is kept, and carried out when its turn comes. In a ``dry_run`` nothing is changed by it.

    Raises:
        AccessRefusedError: the actor may not do so to anything; whether to each item is seen when its turn comes.
        CaseRuleError: there is nothing to do it to, or too much, or no reason is given.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """
    attempt = Attempt(action=Action.OPERATION_BEGUN, by=by, reason=reason, named=str(uuid4()))
    async with answering_for(context.store, context.clock, attempt) as actor:
        actor.check(action.right)
        if wanted.undoes is not None and not (wanted.undoes.state.is_over and may_be_undone(wanted.undoes)):
            raise CaseRuleError(NOT_UNDONE.at())
        new = await _begun(context, action, wanted, attempt, actor, dry_run=dry_run, along=along)
    log.info("operation.begun", party=context.party, operation=new.id, action=action, total=new.total)
    context.operating.ring()
    return new


@begins_again
async def _begun(
    context: Context,
    action: OperationAction,
    wanted: Wanted,
    attempt: Attempt,
    actor: Actor,
    *,
    dry_run: bool,
    along: Along | None,
) -> Operation:
    now = context.clock.now()
    assert attempt.named is not None  # it was given one
    async with context.store.writing() as tx:
        targets = await _targets(context, tx, wanted, actor)
        if not targets:
            raise CaseRuleError(NOTHING.at())
        if len(targets) > MOST:
            raise CaseRuleError(TOO_MANY.at(limit=MOST))
        new = Operation(
            id=attempt.named,
            action=action,
            by=actor,
            reason=attempt.reason.strip(),
            is_dry_run=dry_run,
            begun_at=now,
            total=len(targets),
            cause=wanted.cause,
            undoes=wanted.undoes.id if wanted.undoes is not None else None,
        )
        new = await kept.begin(tx, new, targets)
        if along is not None:
            await along(tx, new)
        await audit.append(tx, attempt.entry(now))
    return new


async def _targets(context: Context, tx: Transaction, wanted: Wanted, actor: Actor) -> list[Target]:
    if wanted.undoes is not None:
        return await kept.done_by(tx, wanted.undoes)
    if wanted.cause is None:
        return [Target(item) for item in dict.fromkeys(wanted.items)]
    limit = 1 if wanted.first else MOST
    found: list[Target] = []
    place = None
    while len(found) < limit:
        size = min(_PAGE, limit - len(found))
        at = context.clock.now()
        page = await failed.of_group(tx, wanted.cause, at, size, units=actor.units, before=place)
        found += [Target(one.item, one.message_id if _is_message(one.item) else None) for one in page.items]
        place = page.next
        if place is None:
            break
    return found


def _is_message(item: Item) -> bool:
    return item.kind in (ItemKind.SENT, ItemKind.RECEIVED)


def may_be_undone(one: Operation) -> bool:
    """Tell whether what an operation has done can be taken back."""
    return one.action in _OPPOSITE and one.done > 0 and not one.is_dry_run


def opposite(action: OperationAction) -> OperationAction:
    """Return what takes back what an action has done, where :func:`may_be_undone` says so."""
    return _OPPOSITE[action]


async def turn(
    context: Context, name: str, how: Turn, *, by: Actor, reason: str | None = None, along: Along | None = None
) -> Operation:
    """Pause, continue or stop an operation; without a ``reason`` it is the one that the operation was begun for.

    Raises:
        AccessRefusedError: the actor may not.
        CaseRuleError: there is no such operation that they may see, or its state does not allow it.
        DependencyDownError: the database does not answer.
    """
    async with context.store.reading() as tx:
        one = await kept.find(tx, name, by.units)
    why = reason or (one.reason if one is not None else "–")
    attempt = Attempt(action=_AUDITED[how], by=by, reason=why, named=name)
    async with answering_for(context.store, context.clock, attempt) as actor:
        if one is None:
            raise CaseRuleError(NO_SUCH_OPERATION.at())
        actor.check(one.action.right)
        now = context.clock.now()
        async with context.store.writing() as tx:
            turned = await kept.turn(tx, one, how, now)
            if turned is None:
                now_it_is = await kept.find(tx, name, by.units)
                raise CaseRuleError(NOT_NOW.at(state=(now_it_is or one).state.value))
            if along is not None:
                await along(tx, turned)
            await audit.append(tx, attempt.entry(now))
    context.operating.ring()
    return turned


class Operations:
    """Carries out the operations of one gateway, one item at a time; events go to ``adapter``, if by ``sources``."""

    def __init__(self, context: Context, adapter: Adapter, sources: Collection[str] = ()) -> None:
        self._context = context
        self._adapter = adapter
        self._sources = frozenset(sources)
        self._claim = str(uuid4())

    async def step(self) -> int:
        """Do what is next to one item, and return 1; 0 where there is nothing to do.

        Raises:
            DependencyDownError: the database does not answer; the item is tried again.
        """
        context = self._context
        async with context.store.writing() as tx:
            held = await kept.claim(tx, self._claim, context.clock.now(), LEASE)
        if held is None:
            return 0
        if held.tries > MOST_TRIES:
            await self._keep(held, ItemOutcome.FAILED, finding=LEFT.at(limit=MOST_TRIES))
            return 1
        try:
            result = await self._done(held)
        except (DependencyDownError, ConfigurationError, WrittenMeanwhileError):
            raise
        except GatewayError as error:
            result = Result(item=held.item, findings=error.findings)
        except Exception as error:  # nobody foresaw it; the others are not its hostages
            log.error("operation.failed", party=context.party, operation=held.operation.id, **trace_of(error))
            await self._keep(held, ItemOutcome.FAILED, finding=UNFORESEEN.at())
            return 1
        if result.is_refused and result.findings[0].code != HELD_BACK.code:
            await self._keep(held, ItemOutcome.REFUSED, finding=result.findings[0])
        elif held.operation.is_dry_run and result.said is not None:
            await self._keep(held, ItemOutcome.WOULD_BE_DONE, said=result.said, message_id=result.message_id)
        return 1

    async def _done(self, held: Held) -> Result:
        """Do to an item what the operation is for, and keep with it that it is done."""
        context, one = self._context, held.operation

        async def along(tx: Transaction, result: Result) -> None:
            said = result.said
            assert said is not None  # it has been done
            told = {"sv": said.sv, "en": said.en, "message_id": result.message_id}
            if not await kept.keep_result(tx, held, ItemOutcome.DONE, context.clock.now(), LEASE, **told):
                raise ConflictError(HELD_BACK.at())

        if held.item.kind is ItemKind.EVENT and one.action is OperationAction.RESEND:
            return await self._event(held, along)
        verb = VERBS[one.action]
        (result,) = await verb(context, [held.item], by=one.by, reason=one.reason, dry_run=one.is_dry_run, along=along)
        return result

    async def _event(self, held: Held, along: actions.Along) -> Result:
        """Let a refused event be taken up again."""
        one, number = held.operation, held.item.number
        taken = Result(item=held.item, said=_TAKEN)
        (again,) = await resending.resend(
            self._context,
            self._adapter,
            self._sources,
            [number],
            by=one.by,
            reason=one.reason,
            dry_run=one.is_dry_run,
            along=lambda tx: along(tx, taken),
        )
        if again.findings:
            return Result(item=held.item, findings=again.findings)
        return Result(item=held.item, said=_WOULD, dry_run=True) if one.is_dry_run else taken

    async def _keep(
        self,
        held: Held,
        outcome: ItemOutcome,
        *,
        said: Said | None = None,
        finding: Finding | None = None,
        message_id: str | None = None,
    ) -> None:
        """Keep what became of an item to which nothing was done."""
        told: dict[str, str | None] = {"message_id": message_id}
        if finding is not None:
            told |= {"code": finding.code, "sv": finding.sv, "en": finding.en}
        if said is not None:
            told |= {"sv": said.sv, "en": said.en}
        async with self._context.store.writing() as tx:
            await kept.keep_result(tx, held, outcome, self._context.clock.now(), LEASE, **told)


_WOULD: Final = Said("Går att förstå nu, och tas upp igen.", "Can be understood now, and is taken up again.")
_TAKEN: Final = Said("Har tagits upp igen.", "Was taken up again.")
