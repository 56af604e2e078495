"""The meeting of a case: its versions, who is called to it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.errors import CaseRuleError
from gateway.messages import InvitationAnswer, InviteeKind, MeetingBooking, Message, Slot
from gateway.messages.invitation_forward import InvitationForward
from gateway.messages.invitation_reply import InvitationReply
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange
from gateway.process.case import MeetingState, Participation, ParticipationState, SipCase
from gateway.process.faults import (
    ALREADY_REDIRECTED,
    NOT_CALLED,
    OTHER_INVITATION,
    OTHER_MEETING,
    SUBSTITUTE_MISSING,
)

_ANSWERED = {
    InvitationAnswer.CONFIRM: ParticipationState.CONFIRMED,
    InvitationAnswer.DECLINE: ParticipationState.DECLINED,
    InvitationAnswer.TENTATIVE: ParticipationState.TENTATIVE,
    InvitationAnswer.REDIRECT: ParticipationState.REDIRECTED,
}


def book(case: SipCase, message: Message) -> SipCase:
    """Call the units of ``message`` to a meeting. A call beside an earlier one is a new version of the booking.

    A call that answers a redirect is for the right unit alone: it changes neither the version nor what the others have
    answered.
    """
    booking: MeetingBooking = message.body
    header = message.header
    if header.in_reply_to is not None:
        units = {to.unit for to in header.recipients}
        return replace(
            case,
            called=tuple(
                replace(one, ref=header.message_id) if one.unit in units and one.ref is None else one
                for one in case.called
            ),
        )
    kinds = {invitee.unit: invitee.kind for invitee in booking.invitees if invitee.unit is not None}
    return replace(
        case,
        meeting=MeetingState.BOOKED,
        booking_version=case.booking_version + 1,
        booking_ref=header.message_id,
        change_ref=None,
        slot=_slot(booking.meeting),
        called=tuple(
            Participation(party=to.party, unit=to.unit, kind=kinds[to.unit], ref=header.message_id)
            for to in header.recipients
            if to.unit in kinds
        ),
    )


def reschedule(case: SipCase, message: Message) -> SipCase:
    """Move the meeting: the next version of the booking, to which everyone replies anew."""
    change: MeetingChange = message.body
    _check_slot(case, change.previous, "body/previous")
    return replace(
        case,
        meeting=MeetingState.BOOKED,
        booking_version=case.booking_version + 1,
        change_ref=message.header.message_id,
        slot=_slot(change.meeting),
        called=tuple(
            one
            if one.state is ParticipationState.REDIRECTED
            else replace(one, state=ParticipationState.SENT, ref=message.header.message_id)
            for one in case.called
        ),
    )


def call_off(case: SipCase, message: Message) -> SipCase:
    """Call the meeting off."""
    cancellation: MeetingCancellation = message.body
    _check_slot(case, cancellation.slot, "body/slot")
    return cancelled(case)


def cancelled(case: SipCase) -> SipCase:
    """Return ``case`` with what was booked called off; what was held was held."""
    if case.meeting is not MeetingState.BOOKED:
        return case
    return replace(case, meeting=MeetingState.CANCELLED, slot=None, called=())


def hold(case: SipCase, _: Message) -> SipCase:
    """Note that the meeting was held."""
    return replace(case, meeting=MeetingState.HELD)


def reply(case: SipCase, message: Message) -> SipCase:
    """Take the reply of a unit that was called."""
    answer: InvitationReply = message.body
    mine = _called(case, message)
    summoned = mine.kind is InviteeKind.SUMMONS
    if answer.answer is InvitationAnswer.DECLINE and summoned and answer.substitute is None:
        raise CaseRuleError(SUBSTITUTE_MISSING.at("body/answer"))
    case = _changed(case, mine.unit, lambda one: replace(one, state=_ANSWERED[answer.answer]))
    return _call_instead(case, mine, answer.redirect_unit) if answer.redirect_unit is not None else case


def forward(case: SipCase, message: Message) -> SipCase:
    """Take note that a unit that was called has handed its invitation to the right one."""
    handed: InvitationForward = message.body
    mine = _called(case, message)
    case = _changed(case, mine.unit, lambda one: replace(one, state=ParticipationState.REDIRECTED))
    return _call_instead(case, mine, handed.to_unit)


def misdirect(case: SipCase, unit: str) -> SipCase:
    """Take note that a unit that was called is the wrong one; the convener looks for another."""
    return _changed(case, unit, lambda one: replace(one, state=ParticipationState.MISDIRECTED))


def acknowledge(case: SipCase, unit: str) -> SipCase:
    """Take note that someone at a unit has taken charge of its invitation, and still owes the reply."""

    def acknowledged(one: Participation) -> Participation:
        waits = one.state is ParticipationState.SENT
        return replace(one, state=ParticipationState.ACKNOWLEDGED) if waits else one

    return _changed(case, unit, acknowledged)


def _slot(meeting: Slot) -> Slot:
    return Slot(start=meeting.start, end=meeting.end)


def _check_slot(case: SipCase, slot: Slot, path: str) -> None:
    if case.slot is None or (slot.start, slot.end) != (case.slot.start, case.slot.end):
        raise CaseRuleError(OTHER_MEETING.at(path))


def _called(case: SipCase, message: Message) -> Participation:
    """Return how the unit that sends ``message`` was called, which has not handed that on to another."""
    found = case.participation(message.header.sender.unit)
    if found is None:
        raise CaseRuleError(NOT_CALLED.at("header/sender/unit"))
    if found.state is ParticipationState.REDIRECTED:
        raise CaseRuleError(ALREADY_REDIRECTED.at("header/sender/unit"))
    if found.ref != message.header.in_reply_to:
        raise CaseRuleError(OTHER_INVITATION.at("header/inReplyTo"))
    return found


def _changed(case: SipCase, unit: str, change: Callable[[Participation], Participation]) -> SipCase:
    return replace(case, called=tuple(change(one) if one.unit == unit else one for one in case.called))


def _call_instead(case: SipCase, mine: Participation, unit: str) -> SipCase:
    """Call ``unit`` instead of the one that redirected; one that is called already keeps what it has answered."""
    if case.participation(unit) is not None:
        return case
    called = Participation(party=mine.party, unit=unit, kind=mine.kind, instead_of=mine.unit)
    return replace(case, called=(*case.called, called))


CHANGES: Mapping[str, Callable[[SipCase, Message], SipCase]] = {
    "meetingBooking": book,
    "followUpInvitation": book,
    "meetingChange": reschedule,
    "meetingCancellation": call_off,
    "meetingHeld": hold,
    "invitationReply": reply,
    "invitationForward": forward,
}
"""What each type about a meeting changes in its case."""
