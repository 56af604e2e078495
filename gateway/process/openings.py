"""How a case begins: with its need, with an admission, or for a party that joins one that is under way. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.messages import Message
from gateway.messages.admission import AdmissionNotice
from gateway.messages.participant import ParticipantAdded
from gateway.messages.sip_start import SipStart
from gateway.process.case import MeetingState, Participant, SipCase, Stay
from gateway.process.states import CaseState


def _open(message: Message, state: CaseState, **more: object) -> SipCase:
    header = message.header
    assert header.person is not None  # the contract of each type that opens a case
    return replace(
        SipCase(
            number=header.case_number,
            convener=header.sender.party,
            convening_unit=header.sender.unit,
            state=state,
            opened_at=header.happened_at,
            person=header.person.identifiers[0],
            opening_ref=header.message_id,
            protected_level=header.person.protected_level,
        ),
        **more,  # type: ignore[arg-type]
    )


def _start(message: Message) -> SipCase:
    start: SipStart = message.body
    return _open(message, CaseState.DRAFT, is_placed=start.placement is not None)


def _admit(message: Message) -> SipCase:
    notice: AdmissionNotice = message.body
    return _open(message, CaseState.ADMITTED, stay=Stay(expected_discharge=notice.expected_discharge))


def _join(message: Message) -> SipCase:
    """Open the case for a party that knew nothing of it: where it stands is told by whoever leads it."""
    added: ParticipantAdded = message.body
    opened = _open(
        message,
        CaseState.PREPARING,
        convener=added.convener.party,
        convening_unit=added.convener.unit,
        opened_at=added.opened_at,
    )
    return _as_told(opened, message)


def _as_told(case: SipCase, message: Message) -> SipCase:
    """Return ``case`` where it stands by the word of whoever leads it and lets a unit join."""
    added: ParticipantAdded = message.body
    sender = message.header.sender
    leads = (sender.party, sender.unit) == (added.convener.party, added.convener.unit)
    state = CaseState(added.state.value)
    return replace(
        case,
        state=state,
        meeting=_MEETING_OF.get(state, MeetingState.NONE),
        booking_version=added.booking_version,
        plan_version=added.plan_version,
        responsible_unit=added.responsible_unit,
        follow_up_on=added.follow_up_on,
        is_placed=bool(added.person_placed),
        lead=None if leads else Participant(party=sender.party, unit=sender.unit),
    )


def caught_up(case: SipCase, message: Message) -> SipCase:
    """Return ``case`` brought to where it stands for whoever leads it, when it has fallen behind.

    A call or a plan may have been refused here while the directory or the rules were wrong; letting the unit join anew
    tells where the case has come to. When its meeting is, is not told.
    """
    added: ParticipantAdded = message.body
    if added.plan_version <= case.plan_version and added.booking_version <= case.booking_version:
        return case
    return replace(_as_told(case, message), slot=None, chair=None, called=(), transfer=None)


_MEETING_OF = {
    CaseState.INVITED: MeetingState.BOOKED,
    CaseState.ACTIVE: MeetingState.HELD,
    CaseState.FOLLOW_UP_CALLED: MeetingState.BOOKED,
}
"""Where the meeting stands in a case that a unit joins; when it is, is not told."""

OPENED: Mapping[str, Callable[[Message], SipCase]] = {
    "sipStart": _start,
    "admissionNotice": _admit,
    "participantAdded": _join,
}
"""The case that each type opens, by the type."""
