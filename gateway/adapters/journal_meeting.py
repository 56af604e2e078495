"""Appointments in the regional journal: called, answered, handed on, moved, called off and held.

Each stands in the member ``appointment`` of its event, an answer in ``answer`` and what is handed on in ``forward``.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_coding import organization
from gateway.adapters.journal_event import ACTING, MAYBE_ORGANIZATION, PERFORMER
from gateway.adapters.kinds import count, flag, line, moment, phone, plan_item, prose
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Field, Shape, every, inside, optional, required, within
from gateway.messages.follow_up_invitation import FollowUpInvitation
from gateway.messages.invitation_forward import ForwardStep, InvitationForward
from gateway.messages.invitation_reply import Attending, InvitationReply, Substitute
from gateway.messages.meeting import Attendee, Meeting, Slot
from gateway.messages.meeting_booking import Chair, Invitee, MeetingBooking
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange
from gateway.messages.meeting_held import MeetingHeld

SLOT: Final = Shape(Slot, start=required("start", moment), end=required("end", moment))
"""A period that a meeting has or could have."""

MEETING: Final = Shape(
    Meeting,
    start=inside("period", required("start", moment)),
    end=inside("period", required("end", moment)),
    place=optional("location", line),
    online_link=optional("virtualService", line),
    phone=optional("phone", phone),
)

ATTENDEE: Final = Shape(
    Attendee,
    name=required("name", line),
    role=required("role", line),
    unit=MAYBE_ORGANIZATION,
    principal=principal_behind(MAYBE_ORGANIZATION),
    present=required("present", flag),
)
"""Someone called to a meeting that has been held."""

CALLED_UNITS: Final = inside("appointment", every("participants", within(MAYBE_ORGANIZATION)))
"""The organization of everyone who is called, ``None`` for those who come for themselves."""

_CALLED = Shape(
    Invitee,
    kind=required("type", codes.PARTICIPATION),
    principal=principal_behind(MAYBE_ORGANIZATION),
    unit=MAYBE_ORGANIZATION,
    name=optional("name", line),
    role=optional("role", line),
    requested_profession=optional("specialty", line),
    reason=optional("reason", prose),
)
_APPOINTMENT: Final[dict[str, Field[Any]]] = {
    "purpose": required("purpose", prose),
    "questions": every("questions", prose, least=1),
    "agenda": every("agenda", line),
    "meeting": MEETING.here,
    "alternatives": every("alternatives", SLOT),
    "chair": required(
        "chair",
        Shape(
            Chair,
            name=required("name", line),
            role=optional("role", line),
            unit=MAYBE_ORGANIZATION,
            independent=optional("independent", flag, False),
        ),
    ),
    "invitees": every("participants", _CALLED, least=1),
    "person_attends": required("patientAttends", flag),
    "person_absent_reason": optional("patientAbsenceReason", prose),
    "adaptation": optional("adaptation", prose),
    "preparation": optional("instruction", prose),
    "reply_by": optional("replyBy", moment),
    "reply_to": PERFORMER,
}
APPOINTMENT: Final = Shape(MeetingBooking, **_APPOINTMENT)
"""A call to a SIP meeting (sip.appointment)."""

REVIEW_APPOINTMENT: Final = Shape(
    FollowUpInvitation,
    plan_version=required("planVersion", count),
    items_due=every("due", plan_item),
    **_APPOINTMENT,
)
"""A call to a follow-up (sip.review-appointment)."""

_ATTENDING = Shape(
    Attending,
    name=required("name", line),
    profession=optional("specialty", line),
    may_decide=optional("mayDecide", flag),
)
_SUBSTITUTE = Shape(Substitute, name=required("name", line), role=required("role", line), unit=MAYBE_ORGANIZATION)
ANSWER: Final = Shape(
    InvitationReply,
    answer=required("status", codes.PARTICIPATION_STATUS),
    attendee=optional("participant", _ATTENDING),
    substitute=optional("substitute", _SUBSTITUTE),
    redirect_unit=MAYBE_ORGANIZATION,
    clarification=optional("comment", prose),
    alternatives=every("alternatives", SLOT),
)
"""The answer to a call (sip.appointment-answered); the organization is the right one, when this is not."""

_STEP = Shape(
    ForwardStep,
    from_unit=required("from", organization),
    to_unit=required("to", organization),
    at=required("time", moment),
)
FORWARD: Final = Shape(
    InvitationForward,
    from_unit=ACTING,
    to_unit=required("to", organization),
    reason=required("reason", prose),
    earlier=every("history", _STEP),
)
"""A call handed on to the right organization (sip.appointment-forwarded), by the one that acted."""

_CHANGE_REASON: Final[dict[str, Field[Any]]] = {
    "reason": required("reason", codes.CHANGE_REASON),
    "text": optional("comment", prose),
}
CHANGE: Final = Shape(
    MeetingChange,
    previous=required("previousPeriod", SLOT),
    meeting=MEETING.here,
    reply_by=optional("replyBy", moment),
    **_CHANGE_REASON,
)
"""A meeting that is moved (sip.appointment-changed)."""

CANCELLATION: Final = Shape(MeetingCancellation, slot=required("period", SLOT), **_CHANGE_REASON)
"""A meeting that is called off (sip.appointment-cancelled)."""

HELD: Final = Shape(
    MeetingHeld,
    meeting=required("period", SLOT),
    mode=required("mode", codes.MEETING_MODE),
    attendees=every("participants", ATTENDEE, least=1),
    person_present=required("patientPresent", flag),
    person_absent_reason=optional("patientAbsenceReason", prose),
    outcome=required("outcome", codes.MEETING_OUTCOME),
    no_plan_reason=optional("noPlanReason", prose),
)
"""A meeting that has been held (sip.appointment-held)."""
