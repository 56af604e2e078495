"""The meeting of a case: its versions, who is called to it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gateway.errors import CaseRuleError
from gateway.messages import InvitationAnswer, InviteeKind, MeetingBooking, Message, Slot
from gateway.messages.follow_up_invitation import FollowUpInvitation
from gateway.messages.invitation_forward import InvitationForward
from gateway.messages.invitation_reply import InvitationReply
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange
from gateway.messages.meeting_held import MeetingHeld
from gateway.process.case import OPEN, MeetingState, Participation, ParticipationState, SipCase
from gateway.process.faults import (
    ALREADY_REDIRECTED,
    NO_MEETING,
    NOT_CALLED,
    OTHER_INVITATION,
    OTHER_MEETING,
    PLAN_VERSION,
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

    A call that answers a message is for its recipients alone, the right unit after a redirect or a wrong address, and
    to the meeting that is booked. It changes neither the version nor what the others have answered.
    """
    booking: MeetingBooking = message.body
    header = message.header
    if isinstance(booking, FollowUpInvitation) and booking.plan_version != case.plan_version:
        raise CaseRuleError(PLAN_VERSION.at("body/planVersion", expected=case.plan_version))
    kinds = {invitee.unit: invitee.kind for invitee in booking.invitees if invitee.unit is not None}
    asked: dict[str, Any] = {"ref": header.message_id, "since": header.happened_at, "reply_by": booking.reply_by}
    called = tuple(
        Participation(party=to.party, unit=to.unit, kind=kinds[to.unit], **asked)
        for to in header.recipients
        if to.unit in kinds
    )
    if header.in_reply_to is not None:
        if case.meeting is not MeetingState.BOOKED:
            raise CaseRuleError(NO_MEETING.at("header/inReplyTo"))
        return _called_as_well(case, called)
    return replace(
        case,
        meeting=MeetingState.BOOKED,
        booking_version=case.booking_version + 1,
        booking_ref=header.message_id,
        change_ref=None,
        slot=_slot(booking.meeting),
        chair=booking.chair,
        held_by=None,
        held_outcome=None,
        called=called,
    )


def _called_as_well(case: SipCase, called: tuple[Participation, ...]) -> SipCase:
    """Return ``case`` with ``called`` beside those called before, who keep what they have answered."""
    for one in called:
        before = case.participation(one.unit)
        if before is None:
            case = replace(case, called=(*case.called, one))
        elif before.ref is None or before.state is ParticipationState.MISDIRECTED:
            case = _put(case, replace(one, instead_of=before.instead_of))
    return case


def reschedule(case: SipCase, message: Message) -> SipCase:
    """Move the meeting: the next version of the booking, to which everyone replies anew.

    A unit that redirected its invitation is not called again, and one that is still to be called, or is the wrong one,
    is called only when the change goes to it.
    """
    change: MeetingChange = message.body
    if not _was_held_unknown_to(case, message):
        _check_slot(case, change.previous, "body/previous")
    header = message.header
    told = {to.unit for to in header.recipients}
    asked: dict[str, Any] = {"ref": header.message_id, "since": header.happened_at, "reply_by": change.reply_by}

    def moved(one: Participation) -> Participation:
        waits = one.ref is None or one.state is ParticipationState.MISDIRECTED
        if one.state is ParticipationState.REDIRECTED or (waits and one.unit not in told):
            return one
        return replace(one, state=ParticipationState.SENT, **asked)

    return replace(
        case,
        meeting=MeetingState.BOOKED,
        booking_version=case.booking_version + 1,
        change_ref=message.header.message_id,
        slot=_slot(change.meeting),
        called=tuple(moved(one) for one in case.called),
    )


def call_off(case: SipCase, message: Message) -> SipCase:
    """Call the meeting off."""
    cancellation: MeetingCancellation = message.body
    if _was_held_unknown_to(case, message):
        return case
    _check_slot(case, cancellation.slot, "body/slot")
    return cancelled(case)


def cancelled(case: SipCase) -> SipCase:
    """Return ``case`` with what was booked called off; what was held was held."""
    if case.meeting is not MeetingState.BOOKED:
        return case
    return replace(case, meeting=MeetingState.CANCELLED, slot=None, chair=None, called=())


def hold(case: SipCase, message: Message) -> SipCase:
    """Note that the meeting was held, and when."""
    held: MeetingHeld = message.body
    return replace(over(case), held_at=held.meeting.end, held_by=message.header.sender.party, held_outcome=held.outcome)


def _was_held_unknown_to(case: SipCase, message: Message) -> bool:
    """Tell whether the meeting was held, and the party that sends ``message`` does not know: the note stays at home."""
    return case.meeting is MeetingState.HELD and case.held_by not in (None, message.header.sender.party)


def over(case: SipCase) -> SipCase:
    """Return ``case`` with its meeting held. Whoever has not replied by then is listed as absent."""

    def absent(one: Participation) -> Participation:
        return replace(one, state=ParticipationState.NO_REPLY) if one.state in OPEN else one

    called = tuple(map(absent, case.called))
    return replace(case, meeting=MeetingState.HELD, slot=None, chair=None, held_by=None, called=called)


def reply(case: SipCase, message: Message) -> SipCase:
    """Take the reply of a unit that was called."""
    answer: InvitationReply = message.body
    mine = _called(case, message)
    summoned = mine.kind is InviteeKind.SUMMONS
    if answer.answer is InvitationAnswer.DECLINE and summoned and answer.substitute is None:
        raise CaseRuleError(SUBSTITUTE_MISSING.at("body/answer"))
    case = _put(case, replace(mine, state=_ANSWERED[answer.answer]))
    if answer.redirect_unit is not None:
        return _call_instead(case, mine, answer.redirect_unit, "body/redirectUnit")
    # A substitute from another unit comes to know of the case as every unit does: by being called.
    unit = answer.substitute.unit if answer.substitute is not None else None
    return _call_instead(case, mine, unit, "body/substitute/unit") if unit not in (None, mine.unit) else case


def forward(case: SipCase, message: Message) -> SipCase:
    """Take note that a unit that was called has handed its invitation to the right one."""
    handed: InvitationForward = message.body
    mine = _called(case, message)
    case = _put(case, replace(mine, state=ParticipationState.REDIRECTED))
    return _call_instead(case, mine, handed.to_unit, "body/toUnit")


def misdirect(case: SipCase, unit: str, message_id: str) -> SipCase:
    """Take note that a unit that was called, by the message with that id, is the wrong one; another is looked for.

    Nothing changes where the unit has been called anew since, or has named the right one itself.
    """

    def misdirected(one: Participation) -> Participation:
        is_called = one.ref == message_id and one.state is not ParticipationState.REDIRECTED
        return replace(one, state=ParticipationState.MISDIRECTED) if is_called else one

    return _changed(case, unit, misdirected)


def leave(case: SipCase, unit: str) -> SipCase:
    """Return ``case`` without the call of ``unit``; who redirected to it has to come after all."""
    gone = case.participation(unit)
    if gone is None:
        return case
    case = replace(case, called=tuple(one for one in case.called if one.unit != unit))
    if case.meeting is not MeetingState.BOOKED:
        return case
    if gone.state is ParticipationState.REDIRECTED:  # whoever came in its place comes for the one before
        return replace(case, called=tuple(_passed_by(one, gone) for one in case.called))
    of_party = [one for one in case.called if one.party == gone.party]
    nobody_comes = all(one.state is ParticipationState.REDIRECTED for one in of_party)
    for one in of_party:
        stood_in = one.unit == gone.instead_of and one.state in _STOOD_IN_FOR
        if stood_in or (nobody_comes and one.state is ParticipationState.REDIRECTED):
            case = _put(case, replace(one, state=ParticipationState.SENT))
    return case


_STOOD_IN_FOR = frozenset({ParticipationState.REDIRECTED, ParticipationState.DECLINED})
"""States of a unit that another comes instead of."""


def _passed_by(one: Participation, gone: Participation) -> Participation:
    return replace(one, instead_of=gone.instead_of) if one.instead_of == gone.unit else one


def acknowledge(case: SipCase, unit: str) -> SipCase:
    """Take note that someone at a unit has taken charge of its invitation, and still owes the reply."""

    def acknowledged(one: Participation) -> Participation:
        waits = one.state is ParticipationState.SENT
        return replace(one, state=ParticipationState.ACKNOWLEDGED) if waits else one

    return _changed(case, unit, acknowledged)


def _slot(meeting: Slot) -> Slot:
    return Slot(start=meeting.start, end=meeting.end)


def _check_slot(case: SipCase, slot: Slot, path: str) -> None:
    """Refuse what is about another time than the one booked; a party that joined later knows of none."""
    if case.meeting is not MeetingState.BOOKED:
        raise CaseRuleError(NO_MEETING.at())
    if case.slot is not None and (slot.start, slot.end) != (case.slot.start, case.slot.end):
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


def _put(case: SipCase, new: Participation) -> SipCase:
    return _changed(case, new.unit, lambda _: new)


def _call_instead(case: SipCase, mine: Participation, unit: str, path: str) -> SipCase:
    """Call ``unit`` instead of the one that redirected; one that is called already keeps what it has answered.

    One that has redirected itself is not coming, and one that has said it is the wrong one is called anew.
    """
    before = case.participation(unit)
    if before is None:
        called = Participation(
            party=mine.party,
            unit=unit,
            kind=mine.kind,
            since=mine.since,
            reply_by=mine.reply_by,
            instead_of=mine.unit,
        )
        return replace(case, called=(*case.called, called))
    if before.state is ParticipationState.REDIRECTED:
        raise CaseRuleError(ALREADY_REDIRECTED.at(path))
    again = replace(before, instead_of=before.instead_of or mine.unit)
    if before.state is ParticipationState.MISDIRECTED:
        again = replace(again, state=ParticipationState.SENT, ref=None, since=mine.since, reply_by=mine.reply_by)
    return _put(case, again)


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
