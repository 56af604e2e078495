"""What an arriving message brings with it beyond its case: corrections of earlier ones, and calls to the right unit."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from gateway import process
from gateway.errors import CaseRuleError, Fault
from gateway.gate import Desk
from gateway.ledger import Inbound
from gateway.lifecycle import IllegalTransitionError, InEvent, InState, OutEvent
from gateway.messages import (
    TYPES,
    Closure,
    ClosureReason,
    Invitee,
    MeetingBooking,
    MeetingChange,
    Message,
    MisdirectedReport,
    Recipient,
    Retraction,
    render_xml,
)
from gateway.opening import message_in
from gateway.process import CaseEvent
from gateway.store.sheet import Sheet

NOT_SENT_HERE = Fault(
    "retraction.unknown-message",
    "Meddelandet som tas tillbaka har inte kommit till enheten från den avsändaren.",
    "The message that is taken back has not come to the unit from that sender.",
)
NOT_SENT_THERE = Fault(
    "misdirected-report.unknown-message",
    "Meddelandet som är felsänt har inte skickats till den enheten.",
    "The misdirected message was not sent to that unit.",
)


def take_back(sheet: Sheet, row: Inbound, retraction: Retraction) -> None:
    """Hide the message that its sender takes back with ``row``. What was refused needs no hiding.

    Raises:
        CaseRuleError: nothing of the kind has come from that sender.
    """
    about = sheet.inbound((row.party, retraction.target_type, retraction.target_message_id, row.unit))
    if about is None or about.sender_unit != row.sender_unit:
        raise CaseRuleError(NOT_SENT_HERE.at("body/targetMessageId"))
    if about.state in (InState.STORED, InState.REJECTED, InState.RETRACTED):
        return
    sheet.put_inbound(about.after(InEvent.RETRACT, sheet.now), InEvent.RETRACT, retraction.reason.value)


def misdirected(sheet: Sheet, row: Inbound, report: MisdirectedReport) -> None:
    """Note on the ledger that a message came to the wrong unit: nothing more is owed there.

    Raises:
        CaseRuleError: the message was not sent to that unit.
    """
    sent = sheet.dispatch(report.target_message_id, row.sender_unit)
    if sent is None or sent.party != row.party or sent.type != report.target_type:
        raise CaseRuleError(NOT_SENT_THERE.at("body/targetMessageId"))
    try:
        moved = sent.after(OutEvent.MISDIRECT, sheet.now, next_attempt_at=None)
    except IllegalTransitionError:
        return  # refused or stopped: there is nothing that could be owed
    sheet.put_dispatches([moved], OutEvent.MISDIRECT, report.reason.value)


async def follow(desk: Desk, message: Message) -> None:
    """Do what falls to who leads the case when ``message`` has come from a participant and has moved the case."""
    happens = process.event_of(message)
    body = message.body
    if happens is CaseEvent.WITHDRAW:
        await desk.sheet.read_ledgers([desk.number])
        desk.withdrawn(message)
    elif isinstance(body, Closure) and body.reason is ClosureReason.DIED:
        await desk.sheet.read_ledgers([desk.number])
        desk.died(message)
    elif happens in (CaseEvent.REPLY, CaseEvent.FORWARD):
        await _call_right_unit(desk, message)


async def _call_right_unit(desk: Desk, because: Message) -> None:
    """Send the invitation to the unit it was redirected to, so that the case is never without someone who owes a reply.

    A meeting that has begun is not called to any longer.
    """
    case = desk.case
    assert case is not None
    waiting = next((one for one in case.called if one.ref is None), None)
    if waiting is None or case.booking_ref is None or case.slot is None or case.slot.start <= desk.now:
        return
    first = message_in(await desk.sheet.content(case.booking_ref))
    booking: MeetingBooking = first.body
    if case.change_ref is not None:
        change: MeetingChange = message_in(await desk.sheet.content(case.change_ref)).body
        booking = replace(booking, meeting=change.meeting, reply_by=change.reply_by)
    if waiting.unit not in {invitee.unit for invitee in booking.invitees}:
        unit = desk.context.directory.unit(waiting.unit)
        principal = desk.context.directory.parties[unit.party].principal
        invitee = Invitee(kind=waiting.kind, principal=principal, unit=waiting.unit)
        booking = replace(booking, invitees=(*booking.invitees, invitee))
    if booking.reply_by is not None and booking.reply_by <= desk.now:
        booking = replace(booking, reply_by=None)
    kind = TYPES[first.type]
    header = replace(
        first.header,
        message_id=str(uuid5(UUID(because.header.message_id), "call")),
        created_at=desk.now,
        recipients=(Recipient(party=waiting.party, unit=waiting.unit, duty=kind.duty_of(booking)),),
        in_reply_to=because.header.message_id,
        consent_ref=case.consent_ref,
        due_at=desk.due(first.type, booking, (waiting.unit,)),
        reserve_routine=None,
    )
    call = Message(first.type, header, booking)
    xml = render_xml(call)
    desk.sheet.put_case(process.apply(case, call))
    desk.keep(call, xml)
