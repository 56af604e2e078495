"""Meetings in the municipal case system: called, answered, handed on, moved, called off and held."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import addressee, count, flag, line, moment, one_of, phone, plan_item, prose
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Field, Shape, every, optional, required, within
from gateway.adapters.treserva_event import HANDLER, MAYBE_UNIT, UNIT
from gateway.messages.follow_up_invitation import FollowUpInvitation
from gateway.messages.invitation_forward import ForwardStep, InvitationForward
from gateway.messages.invitation_reply import Attending, InvitationReply, Substitute
from gateway.messages.meeting import Attendee, Meeting, Slot
from gateway.messages.meeting_booking import Chair, Invitee, MeetingBooking
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange
from gateway.messages.meeting_held import MeetingHeld

SLOT: Final = Shape(Slot, start=required("start", moment), end=required("slut", moment))
"""A time a meeting has or could have."""

MEETING: Final = Shape(
    Meeting,
    start=required("start", moment),
    end=required("slut", moment),
    place=optional("plats", line),
    online_link=optional("lank", line),
    phone=optional("telefon", phone),
)

ATTENDEE: Final = Shape(
    Attendee,
    name=required("namn", line),
    role=required("roll", line),
    unit=MAYBE_UNIT,
    principal=principal_behind(MAYBE_UNIT),
    present=required("narvarande", flag),
)
"""Someone called to a meeting that has been held."""

CALLED_UNITS: Final = every("kallade", within(MAYBE_UNIT))
"""The unit of everyone who is called, ``None`` for those who come for themselves."""

_CALLED = Shape(
    Invitee,
    kind=required("form", one_of(codes.CALL)),
    principal=principal_behind(MAYBE_UNIT),
    unit=MAYBE_UNIT,
    name=optional("namn", line),
    role=optional("roll", line),
    requested_profession=optional("profession", line),
    reason=optional("skal", prose),
)
_BOOKING: Final[dict[str, Field[Any]]] = {
    "purpose": required("syfte", prose),
    "questions": every("fragestallningar", prose, least=1),
    "agenda": every("dagordning", line),
    "meeting": required("mote", MEETING),
    "alternatives": every("alternativaTider", SLOT),
    "chair": required(
        "motesledare",
        Shape(
            Chair,
            name=required("namn", line),
            role=optional("roll", line),
            unit=MAYBE_UNIT,
            independent=optional("oberoende", flag, False),
        ),
    ),
    "invitees": every("kallade", _CALLED, least=1),
    "person_attends": required("denEnskildeDeltar", flag),
    "person_absent_reason": optional("skalTillFranvaro", prose),
    "adaptation": optional("anpassning", prose),
    "preparation": optional("forberedelse", prose),
    "reply_by": optional("svaraSenast", moment),
    "reply_to": HANDLER,
}
BOOKING: Final = Shape(MeetingBooking, **_BOOKING)
"""A call to a SIP meeting (KALLELSE_BEGARD)."""

FOLLOW_UP_INVITATION: Final = Shape(
    FollowUpInvitation,
    plan_version=required("planversion", count),
    items_due=every("attFoljaUpp", plan_item),
    **_BOOKING,
)
"""A call to a follow-up (UPPFOLJNING_KALLAD)."""

_ATTENDING = Shape(
    Attending,
    name=required("namn", line),
    profession=optional("profession", line),
    may_decide=optional("beslutsmandat", flag),
)
_SUBSTITUTE = Shape(Substitute, name=required("namn", line), role=required("roll", line), unit=MAYBE_UNIT)
REPLY: Final = Shape(
    InvitationReply,
    answer=required("svar", one_of(codes.ANSWER)),
    attendee=optional("deltagare", _ATTENDING),
    substitute=optional("ersattare", _SUBSTITUTE),
    redirect_unit=optional("rattEnhet", addressee),
    clarification=optional("fortydligande", prose),
    alternatives=every("alternativaTider", SLOT),
)
"""The answer to a call (SVAR_PA_KALLELSE)."""

_STEP = Shape(
    ForwardStep,
    from_unit=required("franEnhet", addressee),
    to_unit=required("tillEnhet", addressee),
    at=required("tidpunkt", moment),
)
FORWARD: Final = Shape(
    InvitationForward,
    from_unit=UNIT,
    to_unit=required("tillEnhet", addressee),
    reason=required("skal", prose),
    earlier=every("tidigareLed", _STEP),
)
"""A call handed on to the right unit (KALLELSE_VIDAREBEFORDRAD), by the unit that acted."""

_CHANGE_REASON: Final[dict[str, Field[Any]]] = {
    "reason": required("orsak", one_of(codes.CHANGE_REASON)),
    "text": optional("orsakText", prose),
}
CHANGE: Final = Shape(
    MeetingChange,
    previous=required("tidigareTid", SLOT),
    meeting=required("mote", MEETING),
    reply_by=optional("svaraSenast", moment),
    **_CHANGE_REASON,
)
"""A meeting that is moved (MOTE_OMBOKAT)."""

CANCELLATION: Final = Shape(MeetingCancellation, slot=required("mote", SLOT), **_CHANGE_REASON)
"""A meeting that is called off (MOTE_AVBOKAT)."""

HELD: Final = Shape(
    MeetingHeld,
    meeting=required("mote", SLOT),
    mode=required("motesform", one_of(codes.MEETING_MODE)),
    attendees=every("deltagare", ATTENDEE, least=1),
    person_present=required("denEnskildeDeltog", flag),
    person_absent_reason=optional("skalTillFranvaro", prose),
    outcome=required("resultat", one_of(codes.MEETING_OUTCOME)),
    no_plan_reason=optional("skalTillIngenPlan", prose),
)
"""A meeting that has been held (MOTE_HALLET)."""
