"""Meeting booking (Mötesbokning): the call to a SIP meeting.

A principal that is summoned (kallad) must take part; relatives and actors without that duty are invited (inbjudna),
as "Göteborgs Stads rutin för SIP" tells them apart. The call states why the person wants to meet and which questions
the meeting shall answer ("Riktlinje för SIP i Västra Götaland").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.binding import element, elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import (
    Contract,
    InformationType,
    MessageType,
    Rule,
    SenderKind,
)
from gateway.messages.deadline import REPLY_SOURCE, working_days
from gateway.messages.meeting import Meeting, Slot
from gateway.messages.meeting_rules import (
    alternatives_have_length,
    meeting_can_be_attended,
    meeting_has_length,
    meeting_is_ahead,
    reply_before_meeting,
)
from gateway.messages.model import Duty, Message, Principal, User


class InviteeKind(StrEnum):
    """Whether one must come or may come."""

    SUMMONS = "summons"
    """Kallelse: to a unit of a principal, which must take part or send a substitute."""
    INVITE = "invite"
    """Inbjudan: to a relative or an actor without a duty to take part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chair:
    """Who leads the meeting (mötesledare); ``independent`` when the chair works for none of the parties' units."""

    name: str
    role: str | None = None
    unit: str | None = None
    independent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """A unit (HSA-id) or a person called to the meeting, in which role, with which profession wished for, and why."""

    kind: InviteeKind
    principal: Principal | None = None
    unit: str | None = None
    name: str | None = None
    role: str | None = None
    requested_profession: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingBooking:
    """Why to meet, what to answer, when and where, who leads, who is called, and what to prepare.

    ``purpose`` is the person's long-term goal. ``adaptation`` is what the person needs to take part, such as an
    interpreter. ``reply_to`` is the member of staff who answers questions about the meeting.
    """

    purpose: str
    questions: tuple[str, ...] = element("question")
    agenda: tuple[str, ...] = elements("agendaItem")
    meeting: Meeting
    alternatives: tuple[Slot, ...] = elements("alternative")
    chair: Chair
    invitees: tuple[Invitee, ...] = element("invitee")
    person_attends: bool
    person_absent_reason: str | None = None
    adaptation: str | None = None
    preparation: str | None = None
    reply_by: datetime | None = None
    reply_to: User


def _both_principals_are_called(message: Message) -> Iterable[str]:
    booking: MeetingBooking = message.body
    called = {invitee.principal for invitee in booking.invitees if invitee.unit is not None}
    if not called.issuperset(Principal):
        yield "body"


def _summons_is_addressed(message: Message) -> Iterable[str]:
    booking: MeetingBooking = message.body
    for n, invitee in enumerate(booking.invitees, 1):
        if invitee.kind is InviteeKind.SUMMONS and (invitee.unit is None or invitee.principal is None):
            yield f"body/invitee[{n}]"


def _invite_is_addressed(message: Message) -> Iterable[str]:
    booking: MeetingBooking = message.body
    for n, invitee in enumerate(booking.invitees, 1):
        if invitee.kind is InviteeKind.INVITE and invitee.unit is None and invitee.name is None:
            yield f"body/invitee[{n}]"


def _recipients_are_invited(message: Message) -> Iterable[str]:
    booking: MeetingBooking = message.body
    invited = {invitee.unit for invitee in booking.invitees}
    for n, recipient in enumerate(message.header.recipients, 1):
        if recipient.unit not in invited:
            yield f"header/recipient[{n}]/unit"


def _absence_has_reason(message: Message) -> Iterable[str]:
    booking: MeetingBooking = message.body
    if booking.person_attends != (booking.person_absent_reason is None):
        yield "body/personAttends"


TYPE = MessageType(
    name="meetingBooking",
    title_sv="Mötesbokning",
    title_en="Meeting booking",
    body=MeetingBooking,
    moves=CaseEvent.BOOK,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.REPLY,
        deadline=working_days(3, remind=2),
        deadline_source=REPLY_SOURCE,
        consent=InformationType.MEETING,
        carries_person=True,
        answers=("invitationReply", "invitationForward", "misdirectedReport", "acknowledgement"),
        retractable=True,
    ),
    rules=(
        Rule(
            Fault(
                "meeting-booking.end-before-start",
                "Mötet måste sluta efter att det har börjat.",
                "The meeting must end after it has started.",
            ),
            meeting_has_length,
        ),
        Rule(
            Fault(
                "meeting-booking.alternative-end-before-start",
                "Ett alternativt mötestillfälle måste sluta efter att det har börjat.",
                "An alternative time must end after it has started.",
            ),
            alternatives_have_length,
        ),
        Rule(
            Fault(
                "meeting-booking.nowhere-to-meet",
                "Ange plats, länk eller telefonnummer för mötet.",
                "State a place, a link or a telephone number for the meeting.",
            ),
            meeting_can_be_attended,
        ),
        Rule(
            Fault(
                "meeting-booking.meeting-in-the-past",
                "Mötet kan inte börja innan kallelsen skapades.",
                "The meeting cannot start before the call was created.",
            ),
            meeting_is_ahead,
        ),
        Rule(  # SFS 2009:981, HSL 16:4: the plan is made by municipality and region together
            Fault(
                "meeting-booking.principal-not-called",
                "Minst en enhet från vardera huvudmannen måste kallas eller bjudas in.",
                "At least one unit of each principal must be summoned or invited.",
            ),
            _both_principals_are_called,
        ),
        Rule(
            Fault(
                "meeting-booking.summons-incomplete",
                "En kallelse måste ange både enhet och huvudman.",
                "A summons must name both a unit and its principal.",
            ),
            _summons_is_addressed,
        ),
        Rule(
            Fault(
                "meeting-booking.invite-incomplete",
                "En inbjudan måste ange en enhet eller en person.",
                "An invitation must name a unit or a person.",
            ),
            _invite_is_addressed,
        ),
        Rule(  # nobody is told of a meeting to which nobody has called them
            Fault(
                "meeting-booking.recipient-not-invited",
                "Mottagaren finns inte bland dem som kallas eller bjuds in.",
                "The recipient is not among those summoned or invited.",
            ),
            _recipients_are_invited,
        ),
        Rule(
            Fault(
                "meeting-booking.reply-after-meeting",
                "Svar måste begäras till en tidpunkt före mötet.",
                "Replies must be asked for at a time before the meeting.",
            ),
            reply_before_meeting,
        ),
        Rule(  # SFS 2009:981: when possible, the plan is made together with the person
            Fault(
                "meeting-booking.absence-reason",
                "Ange skäl när den enskilde inte deltar i mötet, och bara då.",
                "Give a reason when the person does not take part in the meeting, and only then.",
            ),
            _absence_has_reason,
        ),
    ),
)
