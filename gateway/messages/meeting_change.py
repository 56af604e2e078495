"""Meeting change and cancellation (Ombokning, Avbokning): a booked meeting is moved, or will not take place.

A meeting that is moved is a new version of its booking: everyone replies anew, and earlier confirmations no longer
count. The two types have their own schemas and share what a change is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.deadline import REPLY_SOURCE, working_days
from gateway.messages.meeting import Meeting, Slot
from gateway.messages.meeting_rules import (
    meeting_can_be_attended,
    meeting_has_length,
    meeting_is_ahead,
    reply_before_meeting,
)
from gateway.messages.model import Duty, Message


class MeetingChangeReason(StrEnum):
    """Why a meeting is moved or called off."""

    PERSON_REQUEST = "person-request"
    UNIT_HINDERED = "unit-hindered"
    ILLNESS = "illness"
    CONSENT = "consent"
    ADMITTED = "admitted"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingChange:
    """The old time, the new meeting, and why. What is changed is the booking with the old time."""

    previous: Slot
    meeting: Meeting
    reason: MeetingChangeReason
    text: str | None = None
    reply_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingCancellation:
    """Which meeting is called off, by its time, and why."""

    slot: Slot
    reason: MeetingChangeReason
    text: str | None = None


def _change_is_explained(message: Message) -> Iterable[str]:
    if message.body.reason is MeetingChangeReason.OTHER and message.body.text is None:
        yield "body/reason"


CHANGE = MessageType(
    name="meetingChange",
    title_sv="Ombokning",
    title_en="Meeting change",
    body=MeetingChange,
    moves=CaseEvent.RESCHEDULE,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.REPLY,
        deadline=working_days(3, remind=2),
        deadline_source=REPLY_SOURCE,
        consent=InformationType.MEETING,
        carries_person=True,
        answers=("invitationReply", "invitationForward", "misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "meeting-change.end-before-start",
                "Mötet måste sluta efter att det har börjat.",
                "The meeting must end after it has started.",
            ),
            meeting_has_length,
        ),
        Rule(
            Fault(
                "meeting-change.nowhere-to-meet",
                "Ange plats, länk eller telefonnummer för mötet.",
                "State a place, a link or a telephone number for the meeting.",
            ),
            meeting_can_be_attended,
        ),
        Rule(
            Fault(
                "meeting-change.meeting-in-the-past",
                "Mötet kan inte flyttas till en tid som har varit.",
                "The meeting cannot be moved to a time that has been.",
            ),
            meeting_is_ahead,
        ),
        Rule(
            Fault(
                "meeting-change.reply-after-meeting",
                "Svar måste begäras till en tidpunkt före mötet.",
                "Replies must be asked for at a time before the meeting.",
            ),
            reply_before_meeting,
        ),
        Rule(
            Fault(
                "meeting-change.other-not-explained",
                "Ange skälet med ord när ”annat” är valt.",
                "Put the reason in words when 'other' is chosen.",
            ),
            _change_is_explained,
        ),
    ),
)

CANCELLATION = MessageType(
    name="meetingCancellation",
    title_sv="Avbokning",
    title_en="Meeting cancellation",
    body=MeetingCancellation,
    moves=CaseEvent.CALL_OFF,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told",
        consent=InformationType.MEETING,
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "meeting-cancellation.other-not-explained",
                "Ange skälet med ord när ”annat” är valt.",
                "Put the reason in words when 'other' is chosen.",
            ),
            _change_is_explained,
        ),
    ),
)
