"""Call to a follow-up (Kallelse till uppföljning): the overall responsible calls those who made the plan.

A follow-up is mandatory ("Göteborgs Stads rutin för SIP"). The call is an invitation like the first one, about a plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.messages import meeting_booking
from gateway.messages.binding import elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import MessageType
from gateway.messages.meeting_booking import MeetingBooking


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpInvitation(MeetingBooking):
    """An invitation, the version of the plan that is followed up, and the sub-goals and measures that are due."""

    plan_version: int
    items_due: tuple[str, ...] = elements("itemDue")


TYPE = MessageType(
    name="followUpInvitation",
    title_sv="Kallelse till uppföljning",
    title_en="Call to a follow-up",
    body=FollowUpInvitation,
    moves=CaseEvent.CALL_FOLLOW_UP,
    contract=meeting_booking.TYPE.contract,
    extends=meeting_booking.TYPE,
)
