"""Actions: what somebody does by hand to some items, each by itself and with a result of its own.

Each item has its transaction, which also keeps who did it and why, so that one that cannot be done undoes no other. A
dry run does the same work, tells what it came to, and lets all of it be undone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.access import Actor
from gateway.accountability import Attempt, answering_for
from gateway.audit import Action
from gateway.context import Context, begins_again
from gateway.errors import CaseRuleError, DependencyDownError, Fault, Finding, GatewayError, NotYetError
from gateway.items import Item, ItemKind
from gateway.store import Transaction, audit
from gateway.store import items as items_of
from gateway.store.sheet import Sheet

MOST = 500
"""How many items one call may name."""

TOO_MANY = Fault(
    "by-hand.too-many",
    "Högst {limit} åt gången.",
    "At most {limit} at a time.",
)
NO_SUCH_MESSAGE = Fault(
    "by-hand.unknown-message",
    "Det finns inget meddelande med det id:t, eller flera som börjar så.",
    "There is no message with that id, or there are several that begin so.",
)
NO_SUCH_ITEM = Fault(
    "by-hand.unknown",
    "Det finns inget sådant.",
    "There is no such thing.",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What happens to an item, in a sentence for staff that holds ids and numbers only."""

    sv: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one item: done, or what would be done in a dry run, as ``said``; or refused, with ``findings``.

    ``message_id`` is that of the message it is, where that is known and the actor may see it.
    """

    item: Item
    message_id: str | None = None
    said: Said | None = None
    findings: tuple[Finding, ...] = ()
    dry_run: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether nothing was, or would be, done."""
        return self.said is None

    @property
    def outcome(self) -> str:
        """``done``, ``would-be-done`` or ``refused``."""
        return "refused" if self.is_refused else "would-be-done" if self.dry_run else "done"

    def as_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        said = {"sv": self.said.sv, "en": self.said.en} if self.said is not None else {}
        told = {"item": str(self.item), "messageId": self.message_id, "outcome": self.outcome, **said}
        return {**told, "findings": [finding.as_json() for finding in self.findings]}


Work = Callable[[Sheet, Item, Attempt, Actor], Awaitable[Said]]
"""What is done to an item in a transaction.

It tells the attempt what the item is about before anything of it is shown, and raises why it cannot be done.
"""


Along = Callable[[Transaction, Result], Awaitable[None]]
"""Keeps something more in the transaction that does something to an item; what it raises lets nothing be done."""


class Verb(Protocol):
    """Does something to items, such as :func:`gateway.sending_again.resend`."""

    def __call__(
        self, context: Context, chosen: Collection[Item], *, by: Actor | str, reason: str, dry_run: bool = False
    ) -> Awaitable[list[Result]]:
        """Do it to each of ``chosen``, and return what became of it."""


class _OnlySaidError(Exception):
    """Undoes the transaction of a dry run."""

    def __init__(self, said: Said) -> None:
        self.said = said


async def each(
    context: Context,
    work: Work,
    items: Collection[Item],
    *,
    action: Action,
    of_events: Action | None = None,
    by: Actor | str,
    reason: str,
    dry_run: bool = False,
    along: Along | None = None,
) -> list[Result]:
    """Do ``work`` to each item, in their order, and return what became of it. What is named twice is done once.

    ``of_events`` is what the action is called when it is about an event, where that is something else. What is to be
    kept ``along`` with what was done is kept in the same transaction; in a dry run there is none.

    Raises:
        AccessRefusedError: the actor may not.
        CaseRuleError: too many are named, or no reason is given; nothing has been done.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer, and nothing has been done.
    """
    async with answering_for(context.store, context.clock, Attempt(action=action, by=by, reason=reason)):
        if len(set(items)) > MOST:
            raise CaseRuleError(TOO_MANY.at(limit=MOST))
    results: list[Result] = []
    away: DependencyDownError | None = None
    for item in dict.fromkeys(items):
        its = of_events if of_events is not None and item.kind is ItemKind.EVENT else action
        attempt = Attempt(action=its, by=by, reason=reason)
        if away is None:
            try:
                results.append(await _one(context, work, item, attempt, dry_run=dry_run, along=along))
                continue
            except DependencyDownError as error:
                if not results:
                    raise
                away = error
        results.append(Result(item=item, findings=away.findings, dry_run=dry_run))
    context.outgoing.ring()
    context.incoming.ring()
    return results


async def _one(
    context: Context, work: Work, item: Item, attempt: Attempt, *, dry_run: bool, along: Along | None
) -> Result:
    def refused(error: GatewayError) -> Result:
        return Result(item=item, findings=error.findings, dry_run=dry_run)

    try:
        async with answering_for(context.store, context.clock, attempt) as actor:
            try:
                said = await _carried_out(context, work, item, attempt, actor, dry_run=dry_run, along=along)
            except (CaseRuleError, NotYetError) as error:
                if dry_run:  # to be told so is what was asked for, and no failure
                    return refused(error)
                raise
    except DependencyDownError:
        raise
    except GatewayError as error:
        return refused(error)
    return Result(item=item, message_id=_message_id(item, attempt), said=said, dry_run=dry_run)


def _message_id(item: Item, attempt: Attempt) -> str | None:
    return attempt.target if item.kind in (ItemKind.SENT, ItemKind.RECEIVED) else None


@begins_again
async def _carried_out(
    context: Context, work: Work, item: Item, attempt: Attempt, actor: Actor, *, dry_run: bool, along: Along | None
) -> Said:
    try:
        async with context.store.writing() as tx:
            sheet = Sheet(tx, context.clock.now())
            said = await work(sheet, item, attempt, actor)
            attempt.check_unit()
            if dry_run:
                raise _OnlySaidError(said)
            await sheet.write()
            if along is not None:  # before the audit log, which everybody waits for
                await along(tx, Result(item=item, message_id=_message_id(item, attempt), said=said))
            await audit.append(tx, attempt.entry(sheet.now))
            return said
    except _OnlySaidError as only:
        return only.said


async def meant(
    context: Context, verb: Verb, names: Collection[str], *, unit: str | None = None, by: Actor | str, reason: str
) -> list[Item]:
    """Return the items that somebody means by ``names``: ``kind:number``, or a message id, or the beginning of one.

    A message may be several items: of those, the ones that ``verb`` can do something about, or all where it can do
    nothing about any, so that each tells why. With ``unit`` a message id is only what it is to, or for, that unit.

    Raises:
        CaseRuleError: there is no such message, or the name is neither an id nor an item.
    """
    chosen: list[Item] = []
    for name in names:
        if ":" in name:
            chosen.append(Item.parse(name))
            continue
        async with context.store.reading() as tx:
            found = await items_of.named(tx, name, unit=unit)
        if not found:
            raise CaseRuleError(NO_SUCH_MESSAGE.at())
        would = await verb(context, found, by=by, reason=reason, dry_run=True)
        chosen += [one.item for one in would if not one.is_refused] or found
    return list(dict.fromkeys(chosen))


def missing(attempt: Attempt) -> CaseRuleError:
    """Return what to raise about an item that is not there; whoever does not see all units is not told even that.

    Raises:
        AccessRefusedError: the actor does not see all units.
    """
    attempt.check_unit()
    return CaseRuleError(NO_SUCH_ITEM.at())
