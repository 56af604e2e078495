"""A regional journal: its events, and how a message looks to it.

Regional journals are several and their interfaces are not public. The form is ours: nested JSON after the manner of
FHIR resources, with coded values, where an event is about an encounter, an appointment or a care plan of a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.adapter import EventForm, Vocabulary
from gateway.adapters.journal_codes import organization, written_organization
from gateway.adapters.journal_plan import CARE_PLAN, MEETING, STAFF
from gateway.adapters.kinds import case_number, day, flag, line, message_id, moment, party, prose
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import called, named, principal_behind
from gateway.adapters.shape import Field, Shape, always, every, inside, of_event, optional, required
from gateway.clock import STOCKHOLM
from gateway.errors import InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.lifecycle import Level, Outcome
from gateway.messages import Identifier, Message, Person, ProtectedLevel, duty_for
from gateway.messages.acknowledgement import Acknowledgement
from gateway.messages.binding import to_json
from gateway.messages.closure import Closure, LocalDocumentation
from gateway.messages.consent import Consent, ConsentScope
from gateway.messages.meeting import Slot
from gateway.messages.meeting_booking import Chair, Invitee, MeetingBooking
from gateway.messages.sip_start import CareSetting, SipStart, SipVariant

_ORGANIZATION: Field[str] = required("organization", organization)
_RECORDED: Field[datetime] = required("recorded", moment)
_PERFORMER = required("performer", STAFF)


def _patient_identifier(reader: Reader, name: str) -> Identifier:
    identifier = reader.inside(name)
    system, value = identifier.text("system"), identifier.text("value")
    if system is None or value is None:
        return Identifier(root="", extension="")
    try:
        number = PersonId.from_oid(system, value, today=reader.today)
    except InvalidDocumentError as error:
        identifier.place_of(error, "value")
        return Identifier(root="", extension="")
    return Identifier(root=number.oid, extension=number.value)


_PATIENT = Shape(
    Person,
    identifiers=every("identifier", _patient_identifier, least=1),
    name=inside("name", required("text", line)),
    protected_level=optional("protection", codes.PROTECTION, ProtectedLevel.NONE),
)


def _admission(reader: Reader) -> str | None:
    """Return the id of the encounter, where the need was seen in one that is to end."""
    encounter = reader.inside("encounter")
    admission = line(encounter, "id")
    return admission if codes.ENCOUNTER(encounter, "class") is CareSetting.DISCHARGE else None


_NEED = Shape(
    SipStart,
    initiated_by=required("noticedBy", codes.NOTICED_BY),
    initiated_by_other=optional("noticedByOther", line),
    variant=optional("intent", codes.INTENT, SipVariant.NEW),
    setting=of_event(inside("encounter", required("class", codes.ENCOUNTER))),
    need_text=required("description", prose),
    requested_by_person=optional("requestedByPatient", flag, False),
    pre_meeting_date=optional("preparation", day),
    linked_admission=of_event(_admission),
)

_PROVISION = Shape(
    ConsentScope,
    parties=every("party", party, least=1),
    units=every("organization", organization),
    information_types=every("topic", codes.TOPIC, least=1),
    exclusions=optional("exclusion", prose),
)
_CONSENT = Shape(
    Consent,
    decision=required("decision", codes.DECISION),
    form=required("mode", codes.CONSENT_MODE),
    given_by=inside("grantor", required("type", codes.GRANTOR)),
    giver_name=inside("grantor", optional("name", line)),
    relation=inside("grantor", optional("relation", line)),
    scope=optional("provision", _PROVISION),
    valid_until=optional("validUntil", day),
    informed_how=required("information", prose),
    child_attitude=optional("childAttitude", prose),
    document_ref=optional("sourceReference", line),
    reason=optional("reason", prose),
    taken_by=of_event(_PERFORMER),
    taken_at=of_event(_RECORDED),
)

_CALLED_UNIT = optional("organization", organization)
_PARTICIPANT = Shape(
    Invitee,
    kind=required("type", codes.PARTICIPATION),
    principal=principal_behind(_CALLED_UNIT),
    unit=_CALLED_UNIT,
    name=optional("name", line),
    role=optional("role", line),
    requested_profession=optional("specialty", line),
    reason=optional("reason", prose),
)
_APPOINTMENT = Shape(
    MeetingBooking,
    purpose=required("purpose", prose),
    questions=every("questions", prose, least=1),
    agenda=every("agenda", line),
    meeting=MEETING.here,
    alternatives=every("alternatives", Shape(Slot, start=required("start", moment), end=required("end", moment))),
    chair=required(
        "chair",
        Shape(
            Chair,
            name=required("name", line),
            role=optional("role", line),
            unit=optional("organization", organization),
            independent=optional("independent", flag, False),
        ),
    ),
    invitees=every("participants", _PARTICIPANT, least=1),
    person_attends=required("patientAttends", flag),
    person_absent_reason=optional("patientAbsenceReason", prose),
    adaptation=optional("adaptation", prose),
    preparation=optional("instruction", prose),
    reply_by=optional("replyBy", moment),
    reply_to=of_event(_PERFORMER),
)

_CLOSURE = Shape(
    Closure,
    reason=required("reason", codes.CLOSURE_REASON),
    other_text=optional("reasonText", line),
    closed_on=required("date", day),
    person_informed_how=optional("patientInformed", prose),
    where_to_turn=optional("contactPoint", prose),
    superseded_by=optional("replacedBy", case_number),
    documented=every(
        "documentation",
        Shape(
            LocalDocumentation,
            principal=required("principal", codes.PRINCIPAL),
            documented=required("done", flag),
            on=optional("date", day),
        ),
    ),
)

_SIGNED = Shape(
    Acknowledgement,
    message_id=required("id", message_id),
    message_type=required("type", codes.MESSAGE_TYPE),
    unit=of_event(_ORGANIZATION),
    level=always(Level.ACKNOWLEDGED),
    outcome=always(Outcome.ACCEPTED),
    at=of_event(_RECORDED),
    acknowledged_by=of_event(_PERFORMER),
)


def _message(message: Message, unit: str) -> dict[str, Any]:
    """Write a message as an entry of the journal."""
    header = message.header
    duty = duty_for(message, unit)
    entry: dict[str, Any] = {
        "entryType": "sip.message",
        "message": {"id": header.message_id, "type": codes.MESSAGE_TYPE.written(message.type)},
        "caseNumber": header.case_number,
        "sent": header.created_at.astimezone(STOCKHOLM).isoformat(),
        "duty": codes.DUTY.written(duty),
        "organization": written_organization(unit),
        "sender": {"party": header.sender.party, "organization": written_organization(header.sender.unit)},
    }
    if header.sender.user is not None:
        entry["sender"]["performer"] = {"name": header.sender.user.name}
    if header.due_at is not None:
        entry["due"] = header.due_at.astimezone(STOCKHOLM).isoformat()
    if header.person is not None:
        entry["patient"] = {
            "identifier": [
                {"system": f"urn:oid:{identifier.root}", "value": identifier.extension}
                for identifier in header.person.identifiers
            ],
            "name": {"text": header.person.name},
            "protection": codes.PROTECTION.written(header.person.protected_level),
        }
    entry["content"] = to_json(message.body)
    return entry


def _note(_: Message) -> None:
    """Write nothing: the journal files each message it is given as an entry of its own, and logs its own events."""


def _acknowledgement(entry: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Write the event in which a member of staff signs ``entry``."""
    unit = entry["organization"]["identifier"]["value"]
    return {
        "eventId": f"signed-{entry['message']['id']}-{unit}",
        "eventType": "message.signed",
        "recorded": at.astimezone(STOCKHOLM).isoformat(),
        "organization": entry["organization"],
        "performer": {"name": "Isak Fjellander", "role": "Sjuksköterska", "phone": "031-390 06 77"},
        "message": entry["message"],
    }


JOURNAL: Final = Vocabulary(
    name="journal",
    type_member="eventType",
    event_id=required("eventId", line),
    happened_at=_RECORDED,
    case_reference=required("caseReference", line),
    unit=_ORGANIZATION,
    user=_PERFORMER,
    person=required("patient", _PATIENT),
    events={
        "sip.need": EventForm(
            message_type="sipStart",
            body=inside("need", _NEED.here),
            recipients=named("recipients", codes.organization_or_party, own=_ORGANIZATION),
        ),
        "sip.consent": EventForm(message_type="consent", body=inside("consent", _CONSENT.here)),
        "sip.appointment": EventForm(
            message_type="meetingBooking",
            body=inside("appointment", _APPOINTMENT.here),
            recipients=called(
                inside("appointment", every("participants", lambda array, n: _CALLED_UNIT(array.inside(n)))),
                own=_ORGANIZATION,
            ),
        ),
        "sip.careplan": EventForm(message_type="plan", body=inside("carePlan", CARE_PLAN.here)),
        "sip.closed": EventForm(message_type="closure", body=inside("closure", _CLOSURE.here), names_person=False),
        "message.signed": EventForm(
            message_type="acknowledgement",
            body=inside("message", _SIGNED.here),
            names_case=False,
            names_person=False,
            in_reply_to=inside("message", required("id", message_id)),
        ),
    },
    message=_message,
    note=_note,
    acknowledgement=_acknowledgement,
    record_id=lambda number, _: f"JRN-{number:06}",
)
"""The vocabulary of the regional journal."""
