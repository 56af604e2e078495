"""An Appointment becomes a call to a SIP meeting, a moved or a cancelled one; an AppointmentResponse the answer."""

from __future__ import annotations

from typing import Any, Final, cast

from gateway.adapters.fhir_codes import (
    APPOINTMENT_STATUS,
    PARTICIPANT_REQUIRED,
    PARTICIPANT_STATUS,
    PATIENT_ATTENDS,
    codes_of,
)
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, Form, acting_unit, must_answer, performer, status
from gateway.adapters.fhir_parts import PERIOD, extra, maybe, organization
from gateway.adapters.fhir_patient import person
from gateway.adapters.fhir_reader import ResourceReader
from gateway.adapters.kinds import flag, line, moment, one_of, phone, prose
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import called, principal_behind
from gateway.adapters.shape import Field, Shape, every, of_event, optional, required
from gateway.errors import Fault
from gateway.messages import (
    Attending,
    Chair,
    InvitationAnswer,
    InvitationReply,
    Invitee,
    Meeting,
    MeetingBooking,
    MeetingCancellation,
    MeetingChange,
    MeetingChangeReason,
    Person,
    Slot,
    Substitute,
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


_BOOKING: Final = Shape(
    MeetingBooking,
    purpose=required("description", prose),
    questions=every(url("question"), prose, least=1),
    agenda=every(url("agenda"), line),
    meeting=_MEETING.here,
    alternatives=every("requestedPeriod", PERIOD),
    chair=extra("chair", _CHAIR),
    invitees=_invitees,
    person_attends=_attends,
    person_absent_reason=maybe("absence-reason", prose),
    adaptation=maybe("adaptation", prose),
    preparation=optional("patientInstruction", prose),
    reply_by=maybe("reply-by", moment),
    reply_to=_USER,
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
_MOVED: Final = _form("meetingChange", _CHANGE.here)
_CANCELLED: Final = _form("meetingCancellation", _CANCELLATION.here)


def appointment(reader: Reader) -> Form | None:
    """Return what an Appointment becomes; ``None`` where it is kept and nothing is sent."""
    match status(reader, APPOINTMENT_STATUS):
        case "meetingBooking":
            return _MOVED if reader.has(url("previous-period")) else _BOOKED
        case "meetingCancellation":
            return _CANCELLED
    return None


_ATTENDING: Final = Shape(
    Attending,
    name=required("name", line),
    profession=optional("profession", line),
    may_decide=optional("mandate", flag),
)
_SUBSTITUTE: Final = Shape(
    Substitute, name=required("name", line), role=required("role", line), unit=optional("unit", organization)
)


def _answer(reader: Reader) -> InvitationAnswer:
    answer = one_of(PARTICIPANT_STATUS)(reader, "participantStatus")
    is_redirected = answer is InvitationAnswer.DECLINE and reader.has(url("redirect-unit"))
    return InvitationAnswer.REDIRECT if is_redirected else answer


def _suggested(reader: Reader) -> tuple[Slot, ...]:
    """Read the time that the response suggests instead, where it does."""
    return (PERIOD.here(reader),) if reader.has("start") or reader.has("end") else ()


_REPLY: Final = Form(
    message_type="invitationReply",
    body=Shape(
        InvitationReply,
        answer=_answer,
        attendee=maybe("attendee", _ATTENDING),
        substitute=maybe("substitute", _SUBSTITUTE),
        redirect_unit=maybe("redirect-unit", organization),
        clarification=optional("comment", prose),
        alternatives=_suggested,
    ).here,
    patient=of_event(extra("patient", person)),
    unit=acting_unit("actor"),
    user=performer(),
    case_reference=CASE,
    in_reply_to=must_answer("appointment"),
)


def appointment_response(_: Reader) -> Form | None:
    """Return what an AppointmentResponse becomes: the answer to a call."""
    return _REPLY
