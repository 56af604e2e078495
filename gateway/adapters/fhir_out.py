"""A message for one unit as a transaction of FHIR resources, each created once however often it is sent.

Every message is a DocumentReference with the message itself attached, so that nothing of it is lost, and what the unit
owes is a Task. Consents, calls to meetings and plans are resources of their own kind beside.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.adapters import fhir_written as to
from gateway.adapters.fhir_codes import AWAITED_SYSTEM, MESSAGE_TYPE_SYSTEM, NOTICE_SYSTEM, TASK_SYSTEM
from gateway.adapters.fhir_extensions import written
from gateway.adapters.fhir_identifiers import labels_of, number_of
from gateway.adapters.fhir_mapping import STANDARD, FhirMapping
from gateway.adapters.fhir_out_consent import consent
from gateway.adapters.fhir_out_meeting import appointment
from gateway.adapters.fhir_out_plan import care_plan
from gateway.adapters.fhir_written import Entry, Json
from gateway.messages import TYPES, Duty, Message, Person, duty_for
from gateway.messages.binding import document_of
from gateway.notices import Notice, NoticeKind

RECORD: Final = "DocumentReference"
"""The resource whose id is the record id of a message."""

_DUTY_CODE: Final = {Duty.ACKNOWLEDGE: "take-charge", Duty.REPLY: "reply"}
_RESOURCES: Final[Mapping[str, Callable[[Message, str, Json, Json | None], list[Entry]]]] = {
    "consent": consent,
    "meetingBooking": appointment,
    "meetingChange": appointment,
    "meetingCancellation": appointment,
    "followUpInvitation": appointment,
    "plan": care_plan,
    "revisedPlan": care_plan,
}
"""The types that have resources of their own kind."""

_NOTICE_TITLE: Final = {
    NoticeKind.REMINDER: "Påminnelse: något behöver göras snart",
    NoticeKind.OVERDUE: "Försenat: något har inte gjorts i tid",
    NoticeKind.NOT_TAKEN: "Ett meddelande har inte kommit fram som det skulle",
    NoticeKind.LETTER: "Ett meddelande ska skickas som brev",
    NoticeKind.PAYMENT_BEGINS: "Betalningsansvaret börjar",
    NoticeKind.REVIEW_NEEDED: "Skyddet av personuppgifterna har ändrats; ärendet behöver granskas",
    NoticeKind.MEETINGS_OVERLAP: "Två möten krockar",
    NoticeKind.READMITTED: "Den enskilde är inskriven i slutenvård",
}


def message_bundle(message: Message, unit: str, mapping: FhirMapping = STANDARD) -> Json:
    """Return ``message`` as a transaction for ``unit``, one of its recipients, in the words of ``mapping``."""
    header = message.header
    patient, meta = _patient(header.person, to.key_of(header.message_id, unit, "Patient"))
    document = _document(message, unit, patient.reference if patient is not None else None, meta)
    entries = [*([patient] if patient is not None else []), document]
    resources = _RESOURCES.get(message.type)
    if resources is not None and patient is not None:
        entries += resources(message, unit, patient.reference, meta)
    duty = duty_for(message, unit)
    if duty is not Duty.NOTIFY:
        entries.append(_task(message, unit, duty, document, patient.reference if patient is not None else None, meta))
    return to.transaction(to.key_of(header.message_id, unit), header.created_at, [*map(mapping.written, entries)])


def note_bundle(message: Message, mapping: FhirMapping = STANDARD) -> Json:
    """Return a step of the case as a transaction: a DocumentReference, for whoever looks in the patient's journal."""
    patient, meta = _patient(message.header.person, to.key_of(message.header.message_id, "note", "Patient"))
    about = patient.reference if patient is not None else None
    document = _document(message, "note", about, meta)
    entries = [*([patient] if patient is not None else []), document]
    key = to.key_of(message.header.message_id, "note")
    return to.transaction(key, message.header.created_at, [*map(mapping.written, entries)])


def notice_bundle(notice: Notice, mapping: FhirMapping = STANDARD) -> Json:
    """Return a notice as a transaction: a Task on the list of the unit. It names no patient."""
    values: dict[str, Any] = {"case-reference": notice.case_number, "message-type": notice.type}
    task = to.entry(
        "Task",
        to.key_of("notice", notice.notice_id),
        {
            "extension": [one for name, value in values.items() for one in written(name, value)],
            "status": "requested",
            "intent": "order",
            "code": to.concept(NOTICE_SYSTEM, notice.kind.value),
            "reasonCode": to.concept(AWAITED_SYSTEM, notice.awaited.replace(" ", "-")) if notice.awaited else None,
            "description": _NOTICE_TITLE[notice.kind],
            "focus": {"identifier": to.message(notice.message_id)} if notice.message_id is not None else None,
            "authoredOn": to.time(notice.at),
            "requester": to.maybe_unit(notice.owed_by),
            "owner": to.unit(notice.unit),
            "restriction": {"period": {"end": to.time(notice.due_at)}} if notice.due_at is not None else None,
        },
        identifiers=[to.case(notice.case_number)],
    )
    return to.transaction(to.key_of("notice", notice.notice_id, "bundle"), notice.at, [mapping.written(task)])


def _patient(person: Person | None, key: str) -> tuple[Entry | None, Json | None]:
    """Return the Patient, whose ``key`` says nothing of who it is, and the ``meta`` of everything about them.

    Numbers, name and labels: never an address or a telephone number. A Patient that the server has is left as it is.
    """
    if person is None:
        return None, None
    labels = labels_of(person)
    meta = {"security": labels} if labels else None
    numbers = [number_of(one) for one in person.identifiers]
    resource: Json = {"resourceType": "Patient", "identifier": numbers, "name": [{"text": person.name}]}
    if meta is not None:
        resource["meta"] = meta
    return Entry(resource, key, numbers[0]), meta


def _xml(message: Message) -> bytes:
    """Return a message as XML: it has been judged before it came here, and is not judged again."""
    return document_of(message.type, {"header": message.header, "body": message.body}).encode()


def _document(message: Message, unit: str, patient: Json | None, meta: Json | None) -> Entry:
    header, kind = message.header, TYPES[message.type]
    sender = header.sender
    author = [to.unit(sender.unit), *([to.staff(sender.user)] if sender.user is not None else [])]
    return to.entry(
        RECORD,
        to.key_of(header.message_id, unit, RECORD),
        {
            "meta": meta,
            "status": "current",
            "type": to.concept(MESSAGE_TYPE_SYSTEM, message.type, kind.title_sv),
            "subject": patient,
            "date": to.time(header.created_at),
            "author": author,
            "description": kind.title_sv,
            "content": [
                {
                    "attachment": {
                        "contentType": "application/xml",
                        "language": "sv",
                        "data": base64.b64encode(_xml(message)).decode("ascii"),
                        "title": kind.title_sv,
                        "creation": to.time(header.created_at),
                    }
                }
            ],
            "context": {"related": [{"identifier": to.case(header.case_number)}]},
        },
        identifiers=[to.message(header.message_id)],
    )


def _task(message: Message, unit: str, duty: Duty, document: Entry, patient: Json | None, meta: Json | None) -> Entry:
    header = message.header
    values = {"case-reference": header.case_number, "message-type": message.type, "duty": duty.value}
    return to.entry(
        "Task",
        to.key_of(header.message_id, unit, "Task"),
        {
            "meta": meta,
            "extension": [one for name, value in values.items() for one in written(name, value)],
            "status": "requested",
            "intent": "order",
            "code": to.concept(TASK_SYSTEM, _DUTY_CODE[duty]),
            "description": TYPES[message.type].title_sv,
            "focus": {**document.reference, "identifier": to.message(header.message_id)},
            "for": patient,
            "authoredOn": to.time(header.created_at),
            "requester": to.unit(header.sender.unit),
            "owner": to.unit(unit),
            "restriction": {"period": {"end": to.time(header.due_at)}} if header.due_at is not None else None,
        },
        identifiers=[to.message(header.message_id), to.case(header.case_number)],
    )
