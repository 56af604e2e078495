"""The acknowledgements this gateway gives about what it received, queued in the transaction that earns them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from gateway import process
from gateway.context import Context
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import CaseRuleError, Fault, Finding, NotYetError
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InEvent, InState, Level, Outcome, OutEvent, OutState
from gateway.messages import Duty, Header, Message, Recipient, Sender, User, render_xml
from gateway.messages.acknowledgement import Acknowledgement, Reason
from gateway.store.sheet import Sheet

WAS_REFUSED = Fault(
    "acknowledgement.refused-message",
    "Meddelandet avvisades och kan inte kvitteras.",
    "The message was refused and cannot be acknowledged.",
)
NOT_YET_REGISTERED = Fault(
    "acknowledgement.not-yet-registered",
    "Meddelandet är ännu inte registrerat i verksamhetssystemet; kvittensen tas emot strax.",
    "The message is not yet registered in the case system; the acknowledgement will be taken in a moment.",
)


def answer(
    context: Context,
    sheet: Sheet,
    about: Inbound,
    level: Level,
    outcome: Outcome,
    *,
    reasons: Sequence[Finding] = (),
    acknowledged_by: User | None = None,
    not_concerned: bool | None = None,
    at: datetime | None = None,
) -> None:
    """Put the acknowledgement of ``about`` at ``level`` in line, on the sheet that earns it.

    Its id follows from what it says: the same answer given again is the same message, sent again. ``at`` is when the
    level was reached, now unless told. A rejection carries its reasons; a registration carries the record id that
    ``about`` holds.
    """
    now = sheet.now
    body = Acknowledgement(
        message_id=about.message_id,
        message_type=about.type,
        unit=about.unit,
        level=level,
        outcome=outcome,
        at=at or now,
        record_id=about.record_id if level is Level.REGISTERED and outcome is Outcome.ACCEPTED else None,
        acknowledged_by=acknowledged_by,
        not_concerned=not_concerned,
        reasons=tuple(Reason.of(finding) for finding in reasons),
    )
    said = (about.party, about.sender_unit, about.type, about.unit, level, outcome)
    header = Header(
        message_id=str(uuid5(UUID(about.message_id), "/".join(said))),
        case_number=about.case_number,
        created_at=now,
        sender=Sender(party=context.party, unit=about.unit),
        recipients=(Recipient(party=about.party, unit=about.sender_unit, duty=Duty.NOTIFY),),
        in_reply_to=about.message_id,
    )
    message = Message(ACKNOWLEDGEMENT, header, body)
    row = Dispatch.begin(
        now,
        message_id=header.message_id,
        type=ACKNOWLEDGEMENT,
        case_number=about.case_number,
        party=about.party,
        unit=about.sender_unit,
        own_unit=about.unit,
        duty=Duty.NOTIFY,
        state=OutState.QUEUED,
        queued_at=now,
        position=sheet.next_position(),
    )
    given = sheet.dispatch(row.message_id, row.unit)
    if given is not None:
        _send_again(sheet, [given])
        return
    sheet.add_answer(message, render_xml(message), row)


def take_charge(
    context: Context,
    sheet: Sheet,
    about: Inbound,
    *,
    by: User,
    at: datetime,
    not_concerned: bool | None = None,
) -> None:
    """Let a person or unit take charge of a message (kvittera): level *acknowledged*. Doing so twice changes nothing.

    Raises:
        CaseRuleError: the message was refused.
        NotYetError: it is not yet registered.
    """
    if about.state is InState.REJECTED:
        raise CaseRuleError(WAS_REFUSED.at())
    if about.state in (InState.ACKNOWLEDGED, InState.RETRACTED, InState.MISDIRECTED):
        return
    if about.state is not InState.REGISTERED:
        raise NotYetError(NOT_YET_REGISTERED.at())
    taken = about.after(InEvent.ACKNOWLEDGE, sheet.now, acknowledged_at=at)
    sheet.put_inbound(taken, InEvent.ACKNOWLEDGE)
    if (case := sheet.case(about.case_number)) is not None:
        case = process.take_charge(case, about.message_id, about.unit)
        sheet.put_case(process.part_from(case, about.unit) if not_concerned else case)
    answer(
        context,
        sheet,
        taken,
        Level.ACKNOWLEDGED,
        Outcome.ACCEPTED,
        at=at,
        acknowledged_by=by,
        not_concerned=not_concerned,
    )


def answer_again(sheet: Sheet, about: Inbound) -> None:
    """Send every acknowledgement already given about a message once more: the sender seems not to have got it."""
    _send_again(sheet, sheet.answers(about.message_id, about.unit))


def _send_again(sheet: Sheet, given: Iterable[Dispatch]) -> None:
    again = [row.after(OutEvent.RETRY, sheet.now, next_attempt_at=None) for row in given if row.state is OutState.SENT]
    sheet.put_dispatches(again, OutEvent.RETRY, "duplicate")
