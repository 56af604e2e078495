"""A call to a meeting as a FHIR Appointment: booked, moved, or cancelled."""

from __future__ import annotations

from typing import Any

from gateway.adapters import fhir_written as to
from gateway.adapters.fhir_codes import APPOINTMENT_TYPE_SYSTEM, FOLLOW_UP, PARTICIPANT_REQUIRED
from gateway.adapters.fhir_extensions import written
from gateway.adapters.fhir_written import Entry, Json
from gateway.adapters.kinds import word_for
from gateway.messages import FollowUpInvitation, Invitee, Meeting, MeetingBooking, MeetingCancellation, MeetingChange
from gateway.messages import Message as Sent


def appointment(message: Sent, unit: str, patient: Json, meta: Json | None) -> list[Entry]:
    """Return the Appointment of a call, of a meeting that is moved, or of one that is called off."""
    match message.body:
        case MeetingBooking() as booking:  # a call to a follow-up is one too
            members, values = _booked(booking, patient)
        case MeetingChange() as change:
            members, values = _moved(change, patient)
        case MeetingCancellation() as cancelled:
            members, values = _cancelled(cancelled, patient)
        case _:
            raise TypeError(message.type)
    header = message.header
    told = {"case-reference": header.case_number, "acting-unit": to.unit(header.sender.unit)}
    if header.sender.user is not None:
        told["performer"] = to.staff(header.sender.user)
    extension = [one for name, value in (told | values).items() for one in written(name, value)]
    return [
        to.entry(
            "Appointment",
            to.key_of(header.message_id, unit, "Appointment"),
            {"meta": meta, "extension": extension, "created": to.time(header.created_at), **members},
            identifiers=[to.message(header.message_id), to.case(header.case_number)],
        )
    ]


def _place(meeting: Meeting) -> dict[str, Any]:
    return {"place": meeting.place, "link": meeting.online_link, "phone": meeting.phone}


def _booked(booking: MeetingBooking, patient: Json) -> tuple[Json, dict[str, Any]]:
    chair = booking.chair
    attends = "accepted" if booking.person_attends else "declined"
    is_follow_up = isinstance(booking, FollowUpInvitation)
    members = {
        "status": "booked",
        "appointmentType": to.concept(APPOINTMENT_TYPE_SYSTEM, FOLLOW_UP) if is_follow_up else None,
        "description": booking.purpose,
        "start": to.time(booking.meeting.start),
        "end": to.time(booking.meeting.end),
        "requestedPeriod": [to.period(one.start, one.end) for one in booking.alternatives],
        "patientInstruction": booking.preparation,
        "participant": [
            {"actor": patient, "status": attends},
            *(_participant(one) for one in booking.invitees),
        ],
    }
    values: dict[str, Any] = {
        "question": booking.questions,
        "agenda": booking.agenda,
        **_place(booking.meeting),
        "chair": {
            "name": chair.name,
            "role": chair.role,
            "unit": to.maybe_unit(chair.unit),
            "independent": chair.independent,
        },
        "absence-reason": booking.person_absent_reason,
        "adaptation": booking.adaptation,
        "reply-by": to.maybe_time(booking.reply_by),
        "plan-version": booking.plan_version if isinstance(booking, FollowUpInvitation) else None,
        "item-due": booking.items_due if isinstance(booking, FollowUpInvitation) else None,
        "performer": to.staff(booking.reply_to),
    }
    return members, values


def _participant(invitee: Invitee) -> Json:
    values = {
        "role": invitee.role,
        "profession": invitee.requested_profession,
        "invited-because": invitee.reason,
    }
    actor: Json = to.unit(invitee.unit) if invitee.unit is not None else {}
    if invitee.name is not None:
        actor |= {"display": invitee.name}
    extension = [one for name, value in values.items() for one in written(name, value)]
    told: Json = {
        "actor": actor or {"display": invitee.role or "–"},
        "required": word_for(PARTICIPANT_REQUIRED, invitee.kind),
        "status": "needs-action",
    }
    return told | ({"extension": extension} if extension else {})


def _moved(change: MeetingChange, patient: Json) -> tuple[Json, dict[str, Any]]:
    members = {
        "status": "booked",
        "start": to.time(change.meeting.start),
        "end": to.time(change.meeting.end),
        "comment": change.text,
        "participant": [{"actor": patient, "status": "needs-action"}],
    }
    values: dict[str, Any] = {
        **_place(change.meeting),
        "previous-period": to.period(change.previous.start, change.previous.end),
        "reason": change.reason.value,
        "reply-by": to.maybe_time(change.reply_by),
    }
    return members, values


def _cancelled(cancelled: MeetingCancellation, patient: Json) -> tuple[Json, dict[str, Any]]:
    members = {
        "status": "cancelled",
        "start": to.time(cancelled.slot.start),
        "end": to.time(cancelled.slot.end),
        "comment": cancelled.text,
        "participant": [{"actor": patient, "status": "needs-action"}],
    }
    return members, {"reason": cancelled.reason.value}
