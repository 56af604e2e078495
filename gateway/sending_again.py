"""Sending again by hand: a message that was given up or is stuck goes once more, under the same id and as it was.

So it is with what waits for the own case system, and with deliveries that the exchange gave up. What a recipient has
refused, or has taken already, is not sent again: its verdict stands, and another message is what it takes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.access import Actor
from gateway.accountability import Attempt
from gateway.actions import Along, Result, Said, each, missing
from gateway.audit import Action
from gateway.circuit import TO_SYSTEM
from gateway.context import Context
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import CaseRuleError, Fault
from gateway.gate import Desk
from gateway.items import Decision, Item, ItemKind
from gateway.lifecycle import InEvent, InState, OutEvent, OutState
from gateway.store import Transaction, circuits, decisions, items
from gateway.store.decisions import Decided
from gateway.store.sheet import Sheet

MOST_RESENDS: Final = 3
"""How often one message may be sent again by hand to one recipient."""

CAP = Fault(
    "resend.cap",
    "Det har redan skickats igen för hand {limit} gånger. Ta reda på varför det inte går fram.",
    "It has been sent again by hand {limit} times already. Find out why it does not get through.",
)
ON_ITS_WAY = Fault(
    "resend.on-its-way",
    "Det är redan på väg och behöver inte skickas igen.",
    "It is on its way already and need not be sent again.",
)
HELD = Fault(
    "resend.held",
    "Det får inte skickas: det väntar på ett samtycke som omfattar mottagaren, eller på att ärendet granskas.",
    "It may not be sent: it waits for a consent that covers the recipient, or for a review of the case.",
)
WAITS_FOR_EARLIER = Fault(
    "resend.waits-for-earlier",
    "Det väntar på ett tidigare meddelande i ärendet och går vidare av sig självt.",
    "It waits for an earlier message of the case and goes on by itself.",
)
ARRIVED = Fault(
    "resend.arrived",
    "Det har kommit fram och tas inte emot igen.",
    "It has arrived and is not taken again.",
)
PARTLY_TAKEN = Fault(
    "resend.partial",
    "Mottagaren har tagit emot en del. Skicka det som saknas i ett nytt meddelande.",
    "The recipient has taken part of it. Send what is missing in a new message.",
)
REFUSED_THERE = Fault(
    "resend.refused",
    "Mottagaren har avvisat det, och beskedet står fast. Rätta och skicka ett nytt meddelande.",
    "The recipient has refused it, and that verdict stands. Correct it and send a new message.",
)
REFUSED_HERE = Fault(
    "resend.refused-here",
    "Det är avvisat här, och avsändaren har fått besked. Avsändaren får skicka ett nytt meddelande.",
    "It was refused here, and its sender has been told. The sender has to send a new message.",
)
ENDED = Fault(
    "resend.ended",
    "Det är stoppat, återtaget eller felsänt och ska inte skickas.",
    "It was stopped, taken back or misdirected and is not to be sent.",
)
BY_LETTER = Fault(
    "resend.letter",
    "Det går per brev; det som händer med brevet anges för hand.",
    "It goes by letter; what becomes of the letter is stated by hand.",
)
NO_ENVELOPE = Fault(
    "resend.unreadable",
    "Det går inte att läsa vart det skulle, så det kan inte tas emot.",
    "Where it was to go cannot be read, so it cannot be taken.",
)
DISCARDED = Fault(
    "resend.discarded",
    "Det är avskrivet: återställ det först.",
    "It has been discarded: restore it first.",
)
AN_EVENT = Fault(
    "resend.event",
    "En avvisad händelse tas upp igen med gateway events resend.",
    "A refused event is taken up again with gateway events resend.",
)

NOT_SENT_AGAIN: Final = {
    OutState.HELD: HELD,
    OutState.QUEUED: ON_ITS_WAY,
    OutState.REGISTERED: ARRIVED,
    OutState.ACKNOWLEDGED: ARRIVED,
    OutState.PARTIAL: PARTLY_TAKEN,
    OutState.REJECTED: REFUSED_THERE,
    OutState.RETRACTED: ENDED,
    OutState.MISDIRECTED: ENDED,
    OutState.STOPPED: ENDED,
    OutState.LETTER: BY_LETTER,
    OutState.MAILED: BY_LETTER,
}
"""Why an outgoing message is not sent again, by its state; in every other state it may be."""
NOT_HANDED_OVER_AGAIN: Final = {
    InState.STORED: WAITS_FOR_EARLIER,
    InState.VALIDATED: ON_ITS_WAY,
    InState.DELIVERING: ON_ITS_WAY,
    InState.REGISTERED: ARRIVED,
    InState.ACKNOWLEDGED: ARRIVED,
    InState.REJECTED: REFUSED_HERE,
    InState.RETRACTED: ENDED,
    InState.MISDIRECTED: ENDED,
}
"""Why an incoming message is not handed over again, by its state; in every other state it may be."""


async def resend(
    context: Context,
    chosen: Collection[Item],
    *,
    by: Actor | str,
    reason: str,
    dry_run: bool = False,
    along: Along | None = None,
) -> list[Result]:
    """Let items go again; return what became of each, in their order, or would become in a ``dry_run``.

    ``by`` is who decides: whoever has been let in, or the HSA-id of somebody at the machine. Who, when and why is kept.
    For ``along`` see :func:`gateway.actions.each`.

    Raises:
        AccessRefusedError: the actor may not; for a unit that is not theirs, the result of that item says so.
        CaseRuleError: more than :data:`gateway.actions.MOST` are named, or no reason is given.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """

    async def work(sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
        match item.kind:
            case ItemKind.SENT:
                said = await _sent(context, sheet, item, attempt, actor)
            case ItemKind.RECEIVED:
                said = await _received(context, sheet, item, attempt, actor)
            case _:
                said = await _aside(sheet, item, attempt)
        decided = Decided(decision=Decision.RESENT, at=sheet.now, by=actor.name, reason=reason.strip())
        await decisions.keep(sheet.tx, item, decided)
        return said

    return await each(
        context, work, chosen, action=Action.MESSAGE_RESENT, by=by, reason=reason, dry_run=dry_run, along=along
    )


async def _sent(context: Context, sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
    found = await items.sent(sheet.tx, item.number)
    if found is None:
        raise missing(attempt)
    attempt.about(found.message_id, unit=found.own_unit, case_number=found.case_number)
    desk = await Desk.open(context, sheet, found.case_number)  # the case first, as everyone does
    await sheet.read_dispatches([found.message_id])
    row = sheet.dispatch(found.message_id, found.unit)
    assert row is not None  # it was found above, and rows are never removed
    if row.state in NOT_SENT_AGAIN:
        raise CaseRuleError(NOT_SENT_AGAIN[row.state].at())
    if row.discarded_at is not None:
        raise CaseRuleError(DISCARDED.at())
    which = await _which(sheet.tx, item)
    if row.type == ACKNOWLEDGEMENT:  # it says nothing about the person, and is given up by nobody
        moved = row.after(OutEvent.RESEND, sheet.now, next_attempt_at=None)
    else:
        moved = await desk.sent_again(row)
    sheet.put_dispatches([moved], OutEvent.RESEND, actor.name)
    return await _told(
        sheet.tx,
        found.party,
        f"Skickas igen till {found.unit}, med samma id ({which} av {MOST_RESENDS}).",
        f"Is sent again to {found.unit}, under the same id ({which} of {MOST_RESENDS}).",
    )


async def _received(context: Context, sheet: Sheet, item: Item, attempt: Attempt, actor: Actor) -> Said:
    found = await items.received(sheet.tx, item.number)
    if found is None:
        raise missing(attempt)
    attempt.about(found.message_id, unit=found.own_unit, case_number=found.case_number)
    await sheet.read_cases([found.case_number])
    await sheet.read_inbound([found.message_id])
    row = sheet.inbound((found.party, found.type, found.message_id, found.unit))
    assert row is not None  # it was found above, and rows are never removed
    if row.state in NOT_HANDED_OVER_AGAIN:
        raise CaseRuleError(NOT_HANDED_OVER_AGAIN[row.state].at())
    which = await _which(sheet.tx, item)
    again = row.after(InEvent.RESEND, sheet.now, next_attempt_at=None)
    waits = row._replace(next_attempt_at=again.next_attempt_at)  # it has waited for as long as it has
    sheet.put_inbound(waits, InEvent.RESEND, actor.name)
    return await _told(
        sheet.tx,
        context.party,
        f"Lämnas över till verksamhetssystemet igen, för {found.unit} ({which} av {MOST_RESENDS}).",
        f"Is handed over to the case system again, for {found.unit} ({which} of {MOST_RESENDS}).",
    )


async def _aside(sheet: Sheet, item: Item, attempt: Attempt) -> Said:
    found = await items.aside(sheet.tx, item)
    if found is None:
        raise missing(attempt)
    attempt.about(str(item), unit=found.own_unit)
    if item.kind is ItemKind.EVENT:
        raise CaseRuleError(AN_EVENT.at())
    if item.kind in (ItemKind.PARKED, ItemKind.UNEXPECTED):
        raise CaseRuleError(REFUSED_HERE.at())
    if found.is_over:
        raise CaseRuleError(ARRIVED.at())
    if found.discarded_at is not None:
        raise CaseRuleError(DISCARDED.at())
    if not found.has_content:
        raise CaseRuleError(NO_ENVELOPE.at())
    which = await _which(sheet.tx, item)
    of = f"{which} av {MOST_RESENDS}", f"{which} of {MOST_RESENDS}"
    if item.kind is ItemKind.NOTE:
        await items.change(sheet.tx, item, next_attempt_at=None)
        return Said(f"Lämnas till verksamhetssystemet igen ({of[0]}).", f"Is given to the case system again ({of[1]}).")
    await items.change(sheet.tx, item, next_attempt_at=sheet.now)
    return Said(f"Tas emot på nytt ({of[0]}).", f"Is taken anew ({of[1]}).")


async def _which(tx: Transaction, item: Item) -> int:
    """Return which time this is that somebody lets an item go again.

    Raises:
        CaseRuleError: it has been often enough.
    """
    before = await decisions.count(tx, item, Decision.RESENT)
    if before >= MOST_RESENDS:
        raise CaseRuleError(CAP.at(limit=MOST_RESENDS))
    return before + 1


async def _told(tx: Transaction, to: str, sv: str, en: str) -> Said:
    """Return what happens, and that it waits where whoever it is for cannot be reached now."""
    names = {one.party for one in await circuits.unhealthy(tx) if one.opened_at is not None}
    if to in names or f"{TO_SYSTEM}{to}" in names:
        sv, en = (
            f"{sv} Mottagaren nås inte nu: det går när den svarar.",
            f"{en} It cannot be reached now: it goes when it answers.",
        )
    return Said(sv, en)
