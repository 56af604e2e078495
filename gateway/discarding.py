"""Discarding: a failure that nobody need look at any more is put aside, and may be restored; nothing is removed.

Only what is not tried any longer can be discarded, so that nothing is lost by it that would have arrived. What happens
to it later all the same (an answer that comes late) counts, and brings it back if it is a failure still.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.access import Actor
from gateway.accountability import Attempt
from gateway.actions import Along, Result, Said, each, missing
from gateway.audit import Action
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault
from gateway.items import Decision, Item, ItemKind
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import FAILED, InState, OutState, Owner
from gateway.store import decisions, events, items
from gateway.store.decisions import Decided
from gateway.store.items import Aside
from gateway.store.sheet import Sheet

NOT_FAILED = Fault(
    "discard.not-failed",
    "Det är inget som har gått fel för gott: det är klart, eller görs om av sig självt.",
    "It has not failed for good: it is done, or is tried again by itself.",
)
ALREADY = Fault("discard.already", "Det är redan avskrivet.", "It has been discarded already.")
NOT_DISCARDED = Fault("restore.not-discarded", "Det är inte avskrivet.", "It has not been discarded.")

_CONSEQUENCE: Final[Mapping[OutState | InState | ItemKind, Said]] = {
    OutState.EXPIRED: Said(
        "Skickas inte igen; mottagaren har det inte, såvitt känt. Ett svar som kommer ändå gäller.",
        "Is not sent again; the recipient does not have it, as far as is known. An answer that still comes counts.",
    ),
    OutState.PARTIAL: Said(
        "Det som mottagaren inte tog emot skickas inte härifrån.",
        "What the recipient did not take is not sent from here.",
    ),
    OutState.REJECTED: Said(
        "Mottagaren har avvisat det och har det inte.",
        "The recipient has refused it and does not have it.",
    ),
    ItemKind.RECEIVED: Said(
        "Tas inte emot; avsändaren har fått veta att det avvisades.",
        "Is not taken; its sender has been told that it was refused.",
    ),
    ItemKind.PARKED: Said(
        "Blir inget meddelande; avsändaren har fått veta det, om det gick att läsa vem det är.",
        "Becomes no message; its sender has been told so, if it could be read who that is.",
    ),
    ItemKind.UNEXPECTED: Said(
        "Kvittensen ändrar ingenting: det som gällde gäller.",
        "The acknowledgement changes nothing: what stood stands.",
    ),
    ItemKind.DEAD_LETTER: Said(
        "Tas aldrig emot, om det inte återställs, och avsändaren har inte fått veta det.",
        "Is never taken, unless it is restored, and its sender has not been told so.",
    ),
    ItemKind.EVENT: Said(
        "Händelsen blir inget meddelande.",
        "The event becomes no message.",
    ),
}
"""What it means that something is discarded."""


async def discard(
    context: Context,
    chosen: Collection[Item],
    *,
    by: Actor | str,
    reason: str,
    dry_run: bool = False,
    along: Along | None = None,
) -> list[Result]:
    """Let failures be looked at by nobody any more; return what became of each, and what that means.

    See :func:`gateway.sending_again.resend` for ``by``, ``dry_run`` and what is raised.
    """

    async def work(sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
        decided = Decided(decision=Decision.DISCARDED, at=sheet.now, by=actor.name, reason=reason.strip())
        row = await _row(sheet, item, attempt)
        if row is None:
            return await _aside_discarded(sheet, item, attempt, decided)
        if row.discarded_at is not None:
            raise CaseRuleError(ALREADY.at())
        if row.state not in (*FAILED, InState.REJECTED):
            raise CaseRuleError(NOT_FAILED.at())
        await _keep(sheet, item, replace(decided, due_at=row.due_at, owner=row.owner))
        _put(sheet, row._replace(discarded_at=sheet.now, due_at=None, owner=None), "discard", actor)
        return _CONSEQUENCE[row.state if isinstance(row, Dispatch) else ItemKind.RECEIVED]

    of_events = Action.EVENT_DISCARDED
    action = Action.MESSAGE_DISCARDED
    return await each(
        context, work, chosen, action=action, of_events=of_events, by=by, reason=reason, dry_run=dry_run, along=along
    )


async def restore(
    context: Context,
    chosen: Collection[Item],
    *,
    by: Actor | str,
    reason: str,
    dry_run: bool = False,
    along: Along | None = None,
) -> list[Result]:
    """Let what was discarded be a failure again, with the deadline it had; see :func:`discard`."""

    async def work(sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
        decided = Decided(decision=Decision.RESTORED, at=sheet.now, by=actor.name, reason=reason.strip())
        row = await _row(sheet, item, attempt)
        if row is None:
            await _aside_restored(sheet, item, attempt, decided)
        elif row.discarded_at is None:
            raise CaseRuleError(NOT_DISCARDED.at())
        else:
            due_at, owner = await _deadline_before(sheet, item)
            await _keep(sheet, item, decided)
            _put(sheet, row._replace(discarded_at=None, due_at=due_at, owner=owner), "restore", actor)
        return Said("Visas bland felen igen.", "Is shown among the failures again.")

    of_events = Action.EVENT_DISCARDED  # as the same is called where only events are
    action = Action.MESSAGE_RESTORED
    return await each(
        context, work, chosen, action=action, of_events=of_events, by=by, reason=reason, dry_run=dry_run, along=along
    )


async def _row(sheet: Sheet, item: Item, attempt: Attempt) -> Dispatch | Inbound | None:
    """Return the row of the ledger that an item is, ``None`` for what stands beside it."""
    if item.kind not in (ItemKind.SENT, ItemKind.RECEIVED):
        return None
    is_sent = item.kind is ItemKind.SENT
    found = await (items.sent if is_sent else items.received)(sheet.tx, item.number)
    if found is None:
        raise missing(attempt)
    attempt.about(found.message_id, unit=found.own_unit, case_number=found.case_number)
    await sheet.read_cases([found.case_number])  # first, as everyone does
    row: Dispatch | Inbound | None
    if is_sent:
        await sheet.read_dispatches([found.message_id])
        row = sheet.dispatch(found.message_id, found.unit)
    else:
        await sheet.read_inbound([found.message_id])
        row = sheet.inbound((found.party, found.type, found.message_id, found.unit))
    assert row is not None  # it was found above, and rows are never removed
    return row


def _put(sheet: Sheet, row: Dispatch | Inbound, event: str, actor: Actor) -> None:
    if isinstance(row, Dispatch):
        sheet.put_dispatches([row], event, actor.name)
    else:
        sheet.put_inbound(row, event, actor.name)


async def _aside_discarded(sheet: Sheet, item: Item, attempt: Attempt, decided: Decided) -> Said:
    found = await _beside(sheet, item, attempt)
    if found.discarded_at is not None:
        raise CaseRuleError(ALREADY.at())
    if found.is_over or found.waits:
        raise CaseRuleError(NOT_FAILED.at())
    if item.kind is ItemKind.EVENT:
        await events.discard(sheet.tx, item.number, sheet.now)
    elif item.kind is ItemKind.DEAD_LETTER:
        await items.change(sheet.tx, item, discarded_at=sheet.now, due_at=None, owner=None)
    else:
        await items.change(sheet.tx, item, discarded_at=sheet.now)
    await _keep(sheet, item, replace(decided, due_at=found.due_at, owner=found.owner))
    return _CONSEQUENCE[item.kind]


async def _aside_restored(sheet: Sheet, item: Item, attempt: Attempt, decided: Decided) -> None:
    found = await _beside(sheet, item, attempt)
    if found.discarded_at is None:
        raise CaseRuleError(NOT_DISCARDED.at())
    if item.kind is ItemKind.EVENT:
        await events.discard(sheet.tx, item.number, None)
    elif item.kind is ItemKind.DEAD_LETTER:
        due_at, owner = await _deadline_before(sheet, item)
        await items.change(sheet.tx, item, discarded_at=None, due_at=due_at, owner=owner)
    else:
        await items.change(sheet.tx, item, discarded_at=None)
    await _keep(sheet, item, decided)


async def _beside(sheet: Sheet, item: Item, attempt: Attempt) -> Aside:
    found = await items.aside(sheet.tx, item)
    if found is None:
        raise missing(attempt)
    target = str(item.number) if item.kind is ItemKind.EVENT else str(item)
    attempt.about(target, unit=found.own_unit)
    return found


async def _deadline_before(sheet: Sheet, item: Item) -> tuple[datetime | None, Owner | None]:
    """Return the deadline and the owner that an item had when it was discarded."""
    before = await decisions.last(sheet.tx, item, Decision.DISCARDED)
    if before is None or before.due_at is None or before.owner is None:
        return None, None
    return before.due_at, Owner(before.owner)


async def _keep(sheet: Sheet, item: Item, decided: Decided) -> None:
    """Keep what was decided; of an event where such decisions have always been kept."""
    if item.kind is not ItemKind.EVENT:
        await decisions.keep(sheet.tx, item, decided)
        return
    word, by, reason = decided.decision.value, decided.by, decided.reason
    await events.keep_decision(sheet.tx, item.number, word, at=decided.at, by=by, reason=reason)
