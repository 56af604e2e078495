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
    InviteeKind,
    MeetingBooking,
    MeetingChange,
    Message,
    MisdirectedReport,
    Recipient,
    Retraction,
    render_xml,
)
from gateway.messages.correction import MisdirectedReason
from gateway.opening import message_in
from gateway.process import CaseEvent, MeetingState, ParticipationState
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
        await call_all_who_wait(desk, message)
    elif isinstance(body, MisdirectedReport) and body.target_type in process.CALL_TYPES:
        await _call_whom_the_principal_names(desk, message)


async def call_all_who_wait(desk: Desk, because: Message | None = None) -> None:
    """Call each unit that has been redirected to and not been called; ``because`` of a reply, or after a review."""
    case = desk.case
    assert case is not None
    if case.booking_ref is None or case.meeting is not MeetingState.BOOKED:
        return
    waiting = [one for one in case.called if one.ref is None]
    if because is None and waiting:
        because = message_in(await desk.sheet.content(case.booking_ref))
    for one in waiting:
        assert because is not None
        await _call(desk, because, one.unit, one.kind)


async def _call_whom_the_principal_names(desk: Desk, because: Message) -> None:
    """Call another unit of a principal after one has said that it is the wrong one: the duty to come stays there.

    That is the unit it suggests, else the one that takes in what nobody else does. Where the report says that the whole
    principal is the wrong one, or both have been called, a person decides; so does one about a person whose identity is
    protected, who is told of to units that someone has named, and to no other.
    """
    report: MisdirectedReport = because.body
    case, sender, directory = desk.case, because.header.sender, desk.context.directory
    assert case is not None
    wrong = case.participation(sender.unit)
    if wrong is None or wrong.state is not ParticipationState.MISDIRECTED or report.reason not in _STAYS_THERE:
        return
    for unit in (report.suggested_unit, None if case.is_protected else directory.intake_of(sender.unit)):
        known = directory.units.get(unit) if unit is not None else None
        if known is not None and known.party == sender.party and case.participation(known.hsa_id) is None:
            await _call(desk, because, known.hsa_id, wrong.kind)
            return


_STAYS_THERE = frozenset({MisdirectedReason.PERSON_UNKNOWN, MisdirectedReason.WRONG_UNIT})
"""Why a unit is the wrong one, where another of the same principal must come."""


async def _call(desk: Desk, because: Message, unit: str, kind: InviteeKind) -> None:
    """Send the invitation to ``unit`` as well, so that the case is never without someone who owes a reply.

    A meeting that has begun is not called to any longer, and nothing leaves a frozen case: there the one that was
    called still owes the reply, and whoever reviews the case decides.
    """
    case = desk.case
    assert case is not None
    if case.is_frozen or case.booking_ref is None or case.slot is None or case.slot.start <= desk.now:
        return
    first = message_in(await desk.sheet.content(case.booking_ref))
    booking: MeetingBooking = first.body
    if case.change_ref is not None:
        change: MeetingChange = message_in(await desk.sheet.content(case.change_ref)).body
        booking = replace(booking, meeting=change.meeting, reply_by=change.reply_by)
    party = desk.context.directory.unit(unit).party
    if unit not in {invitee.unit for invitee in booking.invitees}:
        principal = desk.context.directory.parties[party].principal
        booking = replace(booking, invitees=(*booking.invitees, Invitee(kind=kind, principal=principal, unit=unit)))
    if booking.reply_by is not None and booking.reply_by <= desk.now:
        booking = replace(booking, reply_by=None)
    assert first.header.person is not None  # the contract of a call
    header = replace(
        first.header,
        message_id=str(uuid5(UUID(because.header.message_id), f"call/{unit}/{len(case.reviews)}")),
        created_at=desk.now,
        recipients=(Recipient(party=party, unit=unit, duty=TYPES[first.type].duty_of(booking)),),
        in_reply_to=because.header.message_id,
        consent_ref=case.consent_ref,
        due_at=desk.due(first.type, booking, (unit,)),
        reserve_routine=None,
        person=replace(first.header.person, protected_level=case.protected_level),
    )
    call = Message(first.type, header, booking)
    xml = render_xml(call)
    desk.sheet.put_case(process.apply(case, call))
    desk.keep(call, xml)
