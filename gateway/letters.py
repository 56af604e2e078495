"""Letters: what goes to a unit without an inbox is sent by people, who state by hand what became of it.

Who stated it (HSA-id), when and why is kept; the history of the message shows who and when. What was stated stands:
stating it once more changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from gateway import process
from gateway.by_hand import check_actor
from gateway.errors import CaseRuleError, Fault
from gateway.lifecycle import ON_PAPER, OutEvent, OutState
from gateway.store import Transaction, letters
from gateway.store.letters import Letter, Statement
from gateway.store.sheet import Sheet

NOT_A_LETTER = Fault(
    "letter.unknown",
    "Det finns inget meddelande med det id:t som går per brev till enheten.",
    "There is no message with that id that goes to the unit by letter.",
)
HELD = Fault(
    "letter.held",
    "Brevet får inte skickas: det väntar på ett samtycke som omfattar mottagaren, eller på att ärendet granskas.",
    "The letter may not be sent: it waits for a consent that covers the recipient, or for a review of the case.",
)
STOPPED = Fault(
    "letter.stopped",
    "Brevet ska inte skickas: det är stoppat eller återtaget. Är det redan postat: kontakta mottagaren.",
    "The letter is not to be sent: it was stopped or taken back. If it is in the post, contact the recipient.",
)
NOT_MAILED = Fault(
    "letter.not-mailed",
    "Ange först att brevet är skickat.",
    "State first that the letter was sent.",
)


async def letter_of(tx: Transaction, message_id: str, unit: str) -> Letter:
    """Return the letter that a message is for a unit: one to be sent, or that was sent.

    Raises:
        CaseRuleError: there is none, it may not be sent yet, or it is no longer to be sent.
    """
    found = await letters.find(tx, message_id, unit)
    if found is None:
        raise CaseRuleError(NOT_A_LETTER.at())
    row = found.dispatch
    if row.state in ON_PAPER:
        return found
    was_sent = OutEvent.MAILED in await letters.stated(tx, row.message_id, row.unit)
    if row.state is OutState.ACKNOWLEDGED and was_sent:
        return found
    if row.state is OutState.HELD:
        raise CaseRuleError(HELD.at())
    is_over = row.state is OutState.STOPPED or (row.state is OutState.RETRACTED and was_sent)
    raise CaseRuleError(STOPPED.at() if is_over else NOT_A_LETTER.at())


async def state(
    tx: Transaction, happens: OutEvent, message_id: str, unit: str, *, by: str, reason: str, now: datetime
) -> bool:
    """Keep what somebody states about a letter: that it was ``MAILED``, or ``ANSWERED``. Tell whether that is new.

    Whoever answers a call, or sends a receipt for it, has taken charge of it, and the case learns so.

    Raises:
        CaseRuleError: it is no letter, may not be sent, or was not sent; or the reason is missing or too long.
        InvalidDocumentError: ``by`` is no HSA-id.
    """
    check_actor(by, reason)
    found = (await letter_of(tx, message_id, unit)).dispatch
    # The case first, as everyone does: whoever has it keeps others from its ledger.
    sheet = Sheet(tx, now)
    await sheet.read_cases([found.case_number])
    await sheet.read_dispatches([found.message_id])
    row = sheet.dispatch(found.message_id, unit)
    assert row is not None  # it was found above, and rows are never removed
    if happens in await letters.stated(tx, row.message_id, unit):
        return False
    if happens is OutEvent.MAILED and row.state is OutState.LETTER:
        moved = row.after(happens, now, sent_at=now)
    elif happens is OutEvent.ANSWERED and row.state is OutState.MAILED:
        moved = row.after(happens, now, acknowledged_at=now)
        case = sheet.case(row.case_number)
        if case is not None and row.type in process.MOVED_BY_CHARGE:
            sheet.put_case(process.take_charge(case, row.message_id, unit))
    else:  # stopped or taken back a moment ago, or not sent yet
        raise CaseRuleError(NOT_MAILED.at() if row.state is OutState.LETTER else STOPPED.at())
    sheet.put_dispatches([moved], happens, by)
    await letters.keep(
        tx, Statement(message_id=row.message_id, unit=unit, event=happens, by=by, reason=reason.strip(), at=now)
    )
    await sheet.write()
    return True
