"""The review of a frozen case: someone with the right to do so lets it go on, and what waited for that happens."""

from __future__ import annotations

from gateway.arrivals import call_all_who_wait
from gateway.by_hand import check_actor
from gateway.context import Context
from gateway.gate import Desk
from gateway.store import Transaction
from gateway.store.sheet import Sheet


async def review(context: Context, tx: Transaction, number: str, *, by: str, reason: str) -> None:
    """Let the case with ``number`` go on. What was held back leaves, and units that have been redirected to are called.

    ``by`` is the HSA-id of whoever has reviewed it; that, when and why is kept with the case.

    Raises:
        CaseRuleError: there is no such case, it is not frozen, or no reason is given.
        InvalidDocumentError: ``by`` is no HSA-id.
    """
    check_actor(by, reason)
    sheet = Sheet(tx, context.clock.now())
    desk = await Desk.open(context, sheet, number)
    await desk.reviewed(by=by, reason=reason)
    if desk.circle.leads:
        await call_all_who_wait(desk)
    await sheet.write()
    context.outgoing.ring()
