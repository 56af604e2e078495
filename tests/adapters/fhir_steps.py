"""FHIR resources of the steps that come after a plan, or beside one, as :mod:`fhir_documents` has those before it."""

from __future__ import annotations

from typing import Any

from fhir_documents import (
    CENTRE,
    MUNICIPAL_HEALTH,
    PSYCHIATRY,
    SOCIAL,
    WARD,
    Json,
    asked,
    bundle,
    call,
    case,
    communication,
    earlier,
    extensions,
    people,
    performed,
    reply,
    to,
    unit,
)


def held(extension: list[Json] | None = None, **more: Any) -> Json:
    """Return an Appointment that has been held: its participants came by their status, or by an extension."""
    members: Json = {
        "status": "fulfilled",
        "start": "2026-11-09T13:00:00+01:00",
        "end": "2026-11-09T14:30:00+01:00",
        "description": None,
        "requestedPeriod": None,
        "patientInstruction": None,
        "participant": [
            {"actor": to("Patient/p1"), "status": "accepted"},
            {"actor": to("PractitionerRole/isak-303"), "status": "accepted"},
            {
                "actor": {**unit(SOCIAL), "display": "Maria Provsson"},
                "status": "tentative",
                "extension": extensions(role="Biståndshandläggare", present=True),
            },
            {"actor": {"display": "Siv Vallgård"}, "status": "declined", "extension": extensions(role="Syster")},
        ],
    }
    about = performed(meeting_mode="hybrid", meeting_outcome="plan")
    return call(extension if extension is not None else about, **(members | more))


def follow_up_call(extension: list[Json] | None = None, **more: Any) -> Json:
    """Return an Appointment that calls to a follow-up."""
    about = [*call()["extension"], *extensions(plan_version=1, item_due=["D1", "I1"])]
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "FOLLOWUP"}]}
    return call(extension if extension is not None else about, **({"appointmentType": kind} | more))


def forward(extension: list[Json] | None = None, **more: Any) -> Json:
    """Return an AppointmentResponse that hands a call on."""
    about = case(
        performer=to("PractitionerRole/isak-303"),
        patient=to("Patient/p1"),
        forward_to=unit(PSYCHIATRY),
        forward_step=[{"from": unit(WARD), "to": unit(CENTRE), "at": "2026-11-09T09:00:00+01:00"}],
    )
    members: Json = {"participantStatus": "declined", "comment": "Patienten går hos psykiatrin."}
    return reply(extension if extension is not None else about, **(members | more))


def goal(name: str, lifecycle: str, achievement: str, **more: Any) -> Json:
    """Return a Goal that has been followed up."""
    system = "http://terminology.hl7.org/CodeSystem/goal-achievement"
    return {
        "resourceType": "Goal",
        "id": f"goal-{name}",
        "extension": extensions(item_id=name),
        "lifecycleStatus": lifecycle,
        "achievementStatus": {"coding": [{"system": system, "code": achievement}]},
        "description": {"text": "Bo kvar hemma"},
        "subject": to("Patient/p1"),
        **more,
    }


def followed_up(extension: list[Json] | None = None, **more: Any) -> Json:
    """Return a CarePlan that says how it was followed up; its goals are those of :func:`goals`."""
    about = performed(
        plan_version=1,
        held_on="2026-11-10",
        follow_up_outcome="revise",
        new_information="Henrik har fått en lägenhet.",
        commitment=[
            {"unit": unit(SOCIAL), "done": True},
            {"unit": unit(CENTRE), "done": False, "comment": "Dosetten är inte ordnad."},
        ],
        new_measure_needed="Hjälp med flytten.",
        next_follow_up={"day": "2027-01-22", "place": "Vårdcentralen"},
        crisis_plan_checked=True,
    )
    return {
        "resourceType": "CarePlan",
        "id": "plan-1",
        "meta": {"versionId": "2", "lastUpdated": "2026-11-10T08:55:00+01:00"},
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{"system": "urn:sip-gateway:code:plan-type", "code": "SIP"}]}],
        "subject": to("Patient/p1"),
        "goal": [to("Goal/goal-D1"), to("Goal/goal-D2")],
        "extension": extension if extension is not None else about,
        **more,
    }


def goals() -> list[Json]:
    note = [{"text": "Tar medicinen de flesta dagar."}, {"text": "Ibland med hjälp."}]
    return [goal("D1", "completed", "achieved"), goal("D2", "active", "improving", note=note)]


def measure(status: str = "cancelled", **more: Any) -> Json:
    """Return a Task that is a measure of the plan."""
    about = case(
        performer=to("PractitionerRole/isak-303"),
        plan_version=1,
        measure="I1",
        reached_on="2026-11-09",
    )
    members: Json = {
        "status": status,
        "requester": None,
        "owner": unit(CENTRE),
        "statusReason": {"text": "Läkemedlen ges nu på boendet."},
    }
    return asked("measure", about, **(members | more))


def added(**more: Any) -> Json:
    about = case(participant=unit(SOCIAL), role="Ansvarar för boendestödet")
    return asked("add-participant", about, **({"description": "Boendestöd behövs."} | more))


def removed(**more: Any) -> Json:
    return asked("remove-participant", case(participant=unit(MUNICIPAL_HEALTH), removal_reason="replaced"), **more)


def retracted(**more: Any) -> Json:
    about = case(message_type="meetingBooking", retraction_reason="wrong-content")
    return asked("retract", about, **({"focus": earlier()} | more))


def misdirected(**more: Any) -> Json:
    about = case(message_type="meetingBooking", misdirected_reason="wrong-unit", suggested_unit=unit(PSYCHIATRY))
    return asked("misdirected", about, **({"focus": earlier()} | more))


def contact(**more: Any) -> Json:
    """Return a Task that appoints a fixed care contact."""
    about = extensions(
        case_reference="ENC-2026-60417",
        contact_kind="care",
        practitioner=to("PractitionerRole/isak-303"),
        contact_unit=unit(CENTRE),
    )
    return asked("appoint-contact", about, **({"executionPeriod": {"start": "2026-11-16"}} | more))


def planning(extension: list[Json] | None = None, **more: Any) -> Json:
    """Return a Communication of the category planning."""
    about = extensions(
        case_reference="ENC-2026-60417",
        assessment="Behöver påminnelse om läkemedlen varje dag.",
        proposal="Dosett som fylls på av öppenvården.",
        planning_item=[
            {"kind": "medication", "text": "Dosrecept.", "unit": unit(PSYCHIATRY), "by": "2026-11-17"},
            {"kind": "housing", "text": "Korttidsboende."},
        ],
        reply_wanted=True,
        reply_by="2026-11-16T12:00:00+01:00",
    )
    members: Json = {
        "category": [{"coding": [{"system": "urn:sip-gateway:code:communication", "code": "planning"}]}],
        "topic": {"text": "Läkemedel"},
        "payload": None,
        "extension": extension if extension is not None else about,
    }
    return communication(**(members | more))


def interrupted(**more: Any) -> Json:
    about = extensions(
        case_reference="ENC-2026-60417",
        interruption_reason="other",
        interruption_text="Flyttar utomlands",
        interrupted_at="2026-11-10T07:30:00+01:00",
    )
    return asked("interrupt", about, **more)


STEPS: dict[str, list[Json]] = {
    "meetingHeld": [held()],
    "followUpInvitation": [follow_up_call()],
    "invitationForward": [forward()],
    "followUp": [followed_up(), *goals()],
    "measureUpdate": [measure()],
    "participantAdded": [added()],
    "participantRemoved": [removed()],
    "retraction": [retracted()],
    "misdirectedReport": [misdirected()],
    "fixedCareContact": [contact()],
    "planningMessage": [planning()],
    "processInterruption": [interrupted()],
}
"""By type of message, the resource that becomes it and what else must come along, beside :func:`people`."""


def whole(message_type: str) -> Json:
    """Return a Bundle that becomes a message of a type."""
    return bundle(*STEPS[message_type], *people(CENTRE))
