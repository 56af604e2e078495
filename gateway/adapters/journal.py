"""A regional journal: its events, and how a message looks to it.

Regional journals are several and their interfaces are not public. The form is ours: nested JSON after the manner of
FHIR resources, with coded values, where an event is about an encounter, an appointment or a care plan of a patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_case import ADDED, CLOSURE, CONSENT, NEED, REMOVED, TRANSFER
from gateway.adapters.journal_coding import organization, organization_or_party, written_organization
from gateway.adapters.journal_discharge import (
    ADMISSION,
    ADMISSION_UPDATE,
    CARE_CONTACT,
    INFORMATION,
    INTERRUPTION,
    PLANNED,
    PLANNING,
    READY,
    READY_RECALL,
)
from gateway.adapters.journal_event import (
    ACTING,
    CASE_REFERENCE,
    EARLIER,
    EARLIER_TYPE,
    PERFORMER,
    RECORDED,
    RESERVE_ROUTINE,
    case_of_encounter,
    maybe_earlier,
    patient,
    residence,
)
from gateway.adapters.journal_meeting import (
    ANSWER,
    APPOINTMENT,
    CALLED_UNITS,
    CANCELLATION,
    CHANGE,
    FORWARD,
    HELD,
    REVIEW_APPOINTMENT,
)
from gateway.adapters.journal_message import COMMUNICATION, MISDIRECTION, RETRACTION, SIGNED
from gateway.adapters.journal_notice import TASK, task
from gateway.adapters.journal_plan import ACTIVITY_STATUS, CARE_PLAN, REVIEW, REVISED_CARE_PLAN
from gateway.adapters.kinds import line, moment, one_of, party, word_for
from gateway.adapters.outline import NOTHING, all_of
from gateway.adapters.recipients import called, named, single
from gateway.adapters.shape import inside, optional, required
from gateway.adapters.vocabulary import MESSAGE, NOTE, NOTICE, EventForm, Vocabulary
from gateway.case_number import CaseNumber
from gateway.clock import STOCKHOLM
from gateway.messages import Message, duty_for
from gateway.messages.binding import to_json


def _message(message: Message, unit: str) -> dict[str, Any]:
    """Write a message as an entry of the journal."""
    header = message.header
    duty = duty_for(message, unit)
    entry: dict[str, Any] = {
        "entryType": word_for(codes.ENTRY, CaseNumber.parse(header.case_number).kind),
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
    if header.reserve_routine is not None:
        entry["downtime"] = {
            "occurred": header.reserve_routine.at.astimezone(STOCKHOLM).isoformat(),
            "channel": codes.RESERVE_WAY.written(header.reserve_routine.by),
        }
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


_ENTRY: Final = all_of(
    required("entryType", one_of(codes.ENTRY)),
    EARLIER,
    EARLIER_TYPE,
    required("caseNumber", line),
    required("sent", moment),
    required("duty", codes.DUTY),
    required("organization", organization),
    inside("sender", required("party", party)),
    inside("sender", required("organization", organization)),
    inside("sender", inside("performer", optional("name", line))),
    optional("due", moment),
    RESERVE_ROUTINE,
    required("patient", patient),
    inside("patient", required("protection", codes.PROTECTION)),
    required("content", line),
).whole()
"""What stands in an entry. What is in its content is the message's, in the gateway's words."""


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


_PARTICIPANT = inside("participant", single("organization", organization, own=ACTING))

JOURNAL: Final = Vocabulary(
    name="journal",
    type_member="eventType",
    event_id=required("eventId", line),
    happened_at=RECORDED,
    case_reference=CASE_REFERENCE,
    unit=ACTING,
    user=PERFORMER,
    person=required("patient", patient),
    reserve_routine=RESERVE_ROUTINE,
    events={
        # the SIP process
        "sip.need": EventForm(
            message_type="sipStart",
            body=inside("need", NEED.here),
            recipients=named("recipients", organization_or_party, own=ACTING, residence=residence),
        ),
        "sip.consent": EventForm(message_type="consent", body=inside("consent", CONSENT.here)),
        "sip.appointment": EventForm(
            message_type="meetingBooking",
            body=inside("appointment", APPOINTMENT.here),
            recipients=called(CALLED_UNITS, own=ACTING),
        ),
        "sip.appointment-answered": EventForm(
            message_type="invitationReply", body=inside("answer", ANSWER.here), in_reply_to=EARLIER
        ),
        "sip.appointment-forwarded": EventForm(
            message_type="invitationForward", body=inside("forward", FORWARD.here), in_reply_to=EARLIER
        ),
        "sip.appointment-changed": EventForm(message_type="meetingChange", body=inside("appointment", CHANGE.here)),
        "sip.appointment-cancelled": EventForm(
            message_type="meetingCancellation", body=inside("appointment", CANCELLATION.here)
        ),
        "sip.appointment-held": EventForm(message_type="meetingHeld", body=inside("appointment", HELD.here)),
        "sip.careplan": EventForm(message_type="plan", body=inside("carePlan", CARE_PLAN.here)),
        "sip.review-appointment": EventForm(
            message_type="followUpInvitation",
            body=inside("appointment", REVIEW_APPOINTMENT.here),
            recipients=called(CALLED_UNITS, own=ACTING),
        ),
        "sip.review": EventForm(message_type="followUp", body=inside("review", REVIEW.here)),
        "sip.careplan-revised": EventForm(message_type="revisedPlan", body=inside("carePlan", REVISED_CARE_PLAN.here)),
        "sip.custodian-changed": EventForm(
            message_type="responsibilityTransfer", body=inside("custodian", TRANSFER.here)
        ),
        "sip.participant-added": EventForm(
            message_type="participantAdded",
            body=inside("participant", ADDED.here),
            recipients=_PARTICIPANT,
        ),
        "sip.participant-removed": EventForm(
            message_type="participantRemoved",
            body=inside("participant", REMOVED.here),
            names_person=False,
            recipients=_PARTICIPANT,
        ),
        "sip.activity": EventForm(message_type="measureUpdate", body=inside("activity", ACTIVITY_STATUS.here)),
        "sip.closed": EventForm(message_type="closure", body=inside("closure", CLOSURE.here), names_person=False),
        # inside any case
        "message.sent": EventForm(
            message_type="generalMessage", body=inside("communication", COMMUNICATION.here), in_reply_to=maybe_earlier
        ),
        "message.retracted": EventForm(
            message_type="retraction", body=inside("retraction", RETRACTION.here), names_person=False
        ),
        "message.misdirected": EventForm(
            message_type="misdirectedReport",
            body=inside("misdirection", MISDIRECTION.here),
            names_person=False,
            in_reply_to=EARLIER,
        ),
        "message.signed": EventForm(
            message_type="acknowledgement",
            body=SIGNED.here,
            names_case=False,
            names_person=False,
            in_reply_to=EARLIER,
        ),
        # a stay in hospital
        "admission.notice": EventForm(
            message_type="admissionNotice",
            body=inside("admission", ADMISSION.here),
            case_reference=case_of_encounter,
            recipients=named("recipients", organization_or_party, own=ACTING, residence=residence),
        ),
        "admission.update": EventForm(
            message_type="admissionUpdate",
            body=inside("admission", ADMISSION_UPDATE.here),
            case_reference=case_of_encounter,
        ),
        "care.contact": EventForm(message_type="fixedCareContact", body=inside("careContact", CARE_CONTACT.here)),
        "planning": EventForm(
            message_type="planningMessage", body=inside("planning", PLANNING.here), in_reply_to=maybe_earlier
        ),
        "discharge.ready": EventForm(
            message_type="dischargeReady", body=inside("discharge", READY.here), case_reference=case_of_encounter
        ),
        "discharge.ready-recalled": EventForm(
            message_type="dischargeReadyRecall",
            body=inside("discharge", READY_RECALL.here),
            case_reference=case_of_encounter,
        ),
        "discharge.planned": EventForm(
            message_type="dischargeMessage", body=inside("discharge", PLANNED.here), case_reference=case_of_encounter
        ),
        "discharge.information": EventForm(
            message_type="dischargeInformation",
            body=inside("discharge", INFORMATION.here),
            case_reference=case_of_encounter,
        ),
        "process.interrupted": EventForm(
            message_type="processInterruption", body=inside("interruption", INTERRUPTION.here), names_person=False
        ),
    },
    message=_message,
    outlines={MESSAGE: _ENTRY, NOTE: NOTHING, NOTICE: TASK},
    note=_note,
    notice=task,
    acknowledgement=_acknowledgement,
    record_id=lambda number, _: f"JRN-{number:06}",
)
"""The vocabulary of the regional journal."""
