"""Marks: somebody in a unit has read what came for information, and it leaves the work list. No sender is told."""

from __future__ import annotations

from collections.abc import Collection

from gateway.access import Actor
from gateway.accountability import Attempt
from gateway.actions import Result, Said, each, missing
from gateway.audit import Action
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault
from gateway.items import Item, ItemKind
from gateway.store import items, worklist
from gateway.store.sheet import Sheet

NOTHING_TO_MARK = Fault(
    "inbox.nothing-to-mark",
    "Det är redan markerat som läst, eller är inget som bara ska läsas.",
    "It has been marked as read already, or is nothing that is only to be read.",
)
FOR_INFORMATION = "Läst i inkorgen."
"""Why something is marked, where nobody says more."""


async def mark_read(
    context: Context,
    chosen: Collection[Item],
    *,
    by: Actor | str,
    reason: str = FOR_INFORMATION,
    dry_run: bool = False,
) -> list[Result]:
    """Mark messages that came for information as read in the unit each came for; return what became of each.

    See :func:`gateway.actions.each` for ``by``, ``dry_run`` and what is raised.
    """

    async def work(sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
        found = await items.received(sheet.tx, item.number) if item.kind is ItemKind.RECEIVED else None
        if found is None:
            raise missing(attempt)
        attempt.about(found.message_id, unit=found.own_unit, case_number=found.case_number)
        if not await worklist.mark_read(sheet.tx, item.number, sheet.now):
            raise CaseRuleError(NOTHING_TO_MARK.at())
        return Said(f"Läst av {found.own_unit}.", f"Read by {found.own_unit}.")

    action = Action.MESSAGE_MARKED_READ
    return await each(context, work, chosen, action=action, by=by, reason=reason, dry_run=dry_run)
