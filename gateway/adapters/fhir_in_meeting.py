"""An Appointment becomes a call to a SIP meeting or a follow-up, a moved, a cancelled or a held one."""

from __future__ import annotations

from typing import Any, Final, cast

from gateway.adapters.fhir_codes import (
    APPOINTMENT_STATUS,
    APPOINTMENT_TYPE_SYSTEM,
    CAME,
    FOLLOW_UP,
    PARTICIPANT_REQUIRED,
    PATIENT_ATTENDS,
    codes_of,
)
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, SAYS_TWO_THINGS, Form, acting_unit, has_any, performer, status
from gateway.adapters.fhir_parts import PERIOD, codes_in, extra, maybe, organization, staff
from gateway.adapters.fhir_patient import person
from gateway.adapters.fhir_reader import ResourceReader
from gateway.adapters.kinds import count, flag, line, moment, one_of, phone, plan_item, prose
from gateway.adapters.reading import EMPTY_LIST, Reader
from gateway.adapters.recipients import called, principal_behind
from gateway.adapters.shape import Field, Shape, every, optional, required
from gateway.errors import Fault
from gateway.messages import (
    Attendee,
    Chair,
    FollowUpInvitation,
    Invitee,
    Meeting,
    MeetingBooking,
    MeetingCancellation,
    MeetingChange,
    MeetingChangeReason,
    MeetingHeld,
    MeetingMode,
    MeetingOutcome,
    Person,
    User,
)

NO_PATIENT: Final = Fault(
    "fhir.appointment-without-patient",
    "Ingen deltagare är en Patient; ange den enskilde som deltagare, med status declined om hen inte kommer.",
    "No participant is a Patient; name the person as a participant, with status declined when they do not come.",
)

_UNIT: Final = acting_unit()
_USER: Final = performer()
_MEETING: Final = Shape(
    Meeting,
    start=required("start", moment),
    end=required("end", moment),
    place=maybe("place", line),
    online_link=maybe("link", line),
    phone=maybe("phone", phone),
)
_CHAIR: Final = Shape(
    Chair,
    name=required("name", line),
    role=optional("role", line),
    unit=optional("unit", organization),
    independent=optional("independent", flag, False),
)


def _is_unit(participant: Reader) -> bool:
    """Tell whether the actor of a participant is a unit: one with an identifier, or a resource that is one."""
    actor = participant.members.get("actor")
    if type(actor) is not dict:
        return False
    if actor.get("identifier") is not None:
        return True
    found = _actor_type(participant, actor)
    return found in ("Organization", "HealthcareService", "PractitionerRole")


def _actor_type(participant: Reader, actor: dict[str, Any]) -> str | None:
    reader = cast(ResourceReader, participant)
    found = reader.package.find(str(actor.get("reference")), reader.resource)
    return found.type if found is not None else None


def _unit_of(participant: Reader) -> str | None:
    return organization(participant, "actor") if _is_unit(participant) else None


_INVITEE: Final = Shape(
    Invitee,
    kind=required("required", one_of(PARTICIPANT_REQUIRED)),
    principal=principal_behind(_unit_of),
    unit=_unit_of,
    name=lambda reader: optional("display", line)(reader.inside("actor")),
    role=maybe("role", line),
    requested_profession=maybe("profession", line),
    reason=maybe("invited-because", prose),
)


def _participants(reader: Reader, *, patient: bool) -> list[Reader]:
    """Return the participants that are the patient, or those that are neither the patient nor a place."""
    array, indices = reader.root.array("participant", least=1)
    found = []
    for index in indices:
        participant = array.inside(index)
        actor = participant.members.get("actor")
        kind = None
        if type(actor) is dict:
            kind = actor.get("type") or _actor_type(participant, actor)
        if kind == "Patient" if patient else kind not in ("Patient", "Location"):
            found.append(participant)
    return found


def _invitees(reader: Reader) -> tuple[Invitee, ...]:
    return tuple(_INVITEE.here(participant) for participant in _participants(reader, patient=False))


def _called_units(reader: Reader) -> tuple[str | None, ...]:
    return tuple(_unit_of(participant) for participant in _participants(reader, patient=False))


def _patient(reader: Reader) -> Person:
    patients = _participants(reader, patient=True)
    if not patients:
        reader.root.note(NO_PATIENT.at(reader.root.place("participant")))
        return Person(identifiers=(), name="")
    return person(patients[0], "actor")


def _attends(reader: Reader) -> bool:
    patients = _participants(reader, patient=True)
    return bool(patients and one_of(PATIENT_ATTENDS)(patients[0], "status"))


_CALL: Final[dict[str, Field[Any]]] = {
    "purpose": required("description", prose),
    "questions": every(url("question"), prose, least=1),
    "agenda": every(url("agenda"), line),
    "meeting": _MEETING.here,
    "alternatives": every("requestedPeriod", PERIOD),
    "chair": extra("chair", _CHAIR),
    "invitees": _invitees,
    "person_attends": _attends,
    "person_absent_reason": maybe("absence-reason", prose),
    "adaptation": maybe("adaptation", prose),
    "preparation": optional("patientInstruction", prose),
    "reply_by": maybe("reply-by", moment),
    "reply_to": _USER,
}
_BOOKING: Final = Shape(MeetingBooking, **_CALL)
_FOLLOW_UP_CALL: Final = Shape(
    FollowUpInvitation,
    plan_version=extra("plan-version", count),
    items_due=every(url("item-due"), plan_item),
    **_CALL,
)
_REASON: Final = one_of(codes_of(MeetingChangeReason))
_CHANGE: Final = Shape(
    MeetingChange,
    previous=extra("previous-period", PERIOD),
    meeting=_MEETING.here,
    reason=extra("reason", _REASON),
    text=optional("comment", prose),
    reply_by=maybe("reply-by", moment),
)
_CANCELLATION: Final = Shape(
    MeetingCancellation,
    slot=PERIOD.here,
    reason=extra("reason", _REASON),
    text=optional("comment", prose),
)


def _came(participant: Reader) -> bool:
    """Read whether a participant came: the extension ``present``, else what their status was in the end."""
    present = url("present")
    return flag(participant, present) if participant.has(present) else one_of(CAME)(participant, "status")


def _person_came(reader: Reader) -> bool:
    patients = _participants(reader, patient=True)
    return bool(patients and _came(patients[0]))


def _who(participant: Reader) -> User:
    """Read who a participant is: the Practitioner or the role that is the actor, else the name that is shown."""
    actor = participant.inside("actor")
    kind = _actor_type(participant, dict(actor.members)) or ""
    if not actor.has("identifier") and kind in ("Practitioner", "PractitionerRole"):
        return staff(participant, "actor")
    return User(name=line(actor, "display"))


def _role(participant: Reader) -> str | None:
    name = url("role")
    return line(participant, name) if participant.has(name) else _who(participant).role or line(participant, name)


_ATTENDEE: Final = Shape(
    Attendee,
    name=lambda participant: _who(participant).name,
    role=_role,
    unit=_unit_of,
    principal=principal_behind(_unit_of),
    present=_came,
)


def _attendees(reader: Reader) -> tuple[Attendee, ...]:
    others = _participants(reader, patient=False)
    if not others:
        reader.note(EMPTY_LIST.at(reader.place("participant")))
    return tuple(_ATTENDEE.here(one) for one in others)


_HELD_MEETING: Final = Shape(
    MeetingHeld,
    meeting=PERIOD.here,
    mode=extra("meeting-mode", one_of(codes_of(MeetingMode))),
    attendees=_attendees,
    person_present=_person_came,
    person_absent_reason=maybe("absence-reason", prose),
    outcome=extra("meeting-outcome", one_of(codes_of(MeetingOutcome))),
    no_plan_reason=maybe("no-plan-reason", prose),
)
SAYS_HELD: Final = ("meeting-outcome", "meeting-mode", "no-plan-reason")
"""An Appointment with any of these extensions says what came of a meeting."""


def _form(message_type: str, body: Field[Any], recipients: Field[tuple[str, ...]] | None = None) -> Form:
    return Form(
        message_type=message_type,
        body=body,
        patient=_patient,
        unit=_UNIT,
        user=_USER,
        case_reference=CASE,
        recipients=recipients,
    )


_BOOKED: Final = _form("meetingBooking", _BOOKING.here, called(_called_units, own=_UNIT))
_CALLED_TO_FOLLOW_UP: Final = _form("followUpInvitation", _FOLLOW_UP_CALL.here, called(_called_units, own=_UNIT))
_MOVED: Final = _form("meetingChange", _CHANGE.here)
_CANCELLED: Final = _form("meetingCancellation", _CANCELLATION.here)
_HELD: Final = _form("meetingHeld", _HELD_MEETING.here)


def _is_follow_up(reader: Reader) -> bool:
    """Tell whether a call is to a follow-up: by its type, or by the plan it is about."""
    types = codes_in(reader, "appointmentType", APPOINTMENT_TYPE_SYSTEM)
    return FOLLOW_UP in types or has_any(reader, ("plan-version", "item-due"))


def appointment(reader: Reader) -> Form | None:
    """Return what an Appointment becomes; ``None`` where it is kept and nothing is sent."""
    meaning = status(reader, APPOINTMENT_STATUS)
    says_held = has_any(reader, SAYS_HELD)
    if says_held and meaning != "meetingHeld":
        reader.note(SAYS_TWO_THINGS.at(reader.place("status"), names="status, meeting-outcome"))
    match meaning:
        case "meetingBooking" if reader.has(url("previous-period")):
            return _MOVED
        case "meetingBooking":
            return _CALLED_TO_FOLLOW_UP if _is_follow_up(reader) else _BOOKED
        case "meetingCancellation":
            return _CANCELLED
        case "meetingHeld" if says_held:
            return _HELD
    return None
