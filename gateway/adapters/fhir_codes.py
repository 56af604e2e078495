"""The code lists of FHIR that are read and written here, and what each code means in a message: tables, nothing else.

Where the meaning is ``None``, nothing is sent: the resource is kept. A code that stands in no table is refused. Codes
in the gateway's own extensions are those of its schemas, and need no table but the list of what a field may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar

from gateway.messages import (
    ConsentDecision,
    Destination,
    Effect,
    InvitationAnswer,
    InviteeKind,
    LifeArea,
    MeasureStatus,
)
from gateway.messages.contract import InformationType

T = TypeVar("T", bound=StrEnum)

OWN: Final = "urn:sip-gateway:code:"
"""What the systems of the gateway's own code lists begin with."""


def codes_of(kind: type[T]) -> Mapping[str, T]:
    """Return the codes of one of the gateway's own lists, as in its schemas."""
    return {member.value: member for member in kind}


ENCOUNTER_CLASS_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
INPATIENT: Final = ("IMP", "ACUTE", "NONAC")
"""``Encounter.class``: a stay in hospital. Encounters of other classes are kept, and nothing is sent."""
ENCOUNTER_CLASS: Final = (*INPATIENT, "AMB", "EMER", "FLD", "HH", "OBSENC", "PRENC", "SS", "VR")

ENCOUNTER_STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "planned": (),
    "arrived": ("admissionNotice",),
    "triaged": (),
    "in-progress": ("admissionNotice", "admissionUpdate", "dischargeReady", "dischargeReadyRecall", "dischargeMessage"),
    "onleave": ("admissionUpdate", "dischargeReady", "dischargeReadyRecall", "dischargeMessage"),
    "finished": ("dischargeInformation",),
}
"""``Encounter.status``: the messages it can become. The extension ``step`` says which; without it, the only one, and
where there are several, none. ``cancelled``, ``entered-in-error`` and ``unknown`` are refused."""

APPOINTMENT_STATUS: Final[Mapping[str, str | None]] = {
    "proposed": None,
    "pending": "meetingBooking",
    "booked": "meetingBooking",
    "cancelled": "meetingCancellation",
    "arrived": None,
    "checked-in": None,
    "fulfilled": "meetingHeld",
    "waitlist": None,
}
"""``Appointment.status``. A booked one with a previous period is moved. A fulfilled one that does not say what came of
the meeting is kept. ``noshow`` and ``entered-in-error`` are refused."""
APPOINTMENT_TYPE_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v2-0276"
FOLLOW_UP: Final = "FOLLOWUP"
"""``Appointment.appointmentType`` of a call to a follow-up; other types tell nothing."""
PARTICIPANT_REQUIRED: Final = {"required": InviteeKind.SUMMONS, "optional": InviteeKind.INVITE}
"""``Appointment.participant.required``; ``information-only`` has no meaning in a call."""
PATIENT_ATTENDS: Final = {"accepted": True, "tentative": True, "needs-action": True, "declined": False}
"""``Appointment.participant.status`` of the patient."""
CAME: Final = {"accepted": True, "declined": False}
"""``Appointment.participant.status`` when the meeting has been held, where the extension ``present`` does not tell."""
PARTICIPANT_STATUS: Final = {
    "accepted": InvitationAnswer.CONFIRM,
    "declined": InvitationAnswer.DECLINE,
    "tentative": InvitationAnswer.TENTATIVE,
}
"""``AppointmentResponse.participantStatus``; a redirect is a ``declined`` with the right unit."""

CONSENT_STATUS: Final[Mapping[str, str | None]] = {
    "draft": None,
    "proposed": None,
    "active": "permit",
    "rejected": "deny",
    "inactive": "revoke",
}
"""``Consent.status``; ``entered-in-error`` is refused. An active one says with its provision what it decides."""
CONSENT_DECISION: Final = {
    "permit": ConsentDecision.GIVEN,
    "deny": ConsentDecision.DECLINED,
    "revoke": ConsentDecision.WITHDRAWN,
}
"""What a consent decides, by its status or (``permit``, ``deny``) by ``provision.type``."""
CONSENT_CLASS_SYSTEM: Final = f"{OWN}information-type"
CONSENT_CLASS: Final = codes_of(InformationType)
"""``Consent.provision.class``."""

PLAN_CATEGORY_SYSTEM: Final = f"{OWN}plan-type"
PLAN_CATEGORY: Final = "SIP"
"""``CarePlan.category`` of a SIP, the code of RIVTA's GetCarePlans. Care plans of other categories are kept."""
PLAN_STATUS: Final[Mapping[str, bool]] = {"draft": False, "active": True, "on-hold": False, "completed": False}
"""``CarePlan.status``: whether the plan is sent. ``revoked``, ``entered-in-error`` and ``unknown`` are refused."""
FOLLOWED_UP_STATUS: Final[Mapping[str, bool]] = {"draft": False, "active": True, "on-hold": False, "completed": True}
"""``CarePlan.status`` of a plan that says how it was followed up: the follow-up may have ended it."""
GOAL_STATUS: Final = {
    "planned": MeasureStatus.NOT_STARTED,
    "accepted": MeasureStatus.NOT_STARTED,
    "active": MeasureStatus.ONGOING,
    "completed": MeasureStatus.DONE,
    "cancelled": MeasureStatus.STOPPED,
}
"""``Goal.lifecycleStatus`` of a goal that has been followed up."""
ACHIEVEMENT_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/goal-achievement"
ACHIEVEMENT: Final = {
    "achieved": Effect.FULL,
    "sustaining": Effect.FULL,
    "improving": Effect.PART,
    "no-change": Effect.NONE,
    "no-progress": Effect.NONE,
}
"""``Goal.achievementStatus``, as far as it says how much what was done has helped."""
ACTIVITY_STATUS: Final = {
    "not-started": MeasureStatus.NOT_STARTED,
    "scheduled": MeasureStatus.NOT_STARTED,
    "in-progress": MeasureStatus.ONGOING,
    "completed": MeasureStatus.DONE,
    "stopped": MeasureStatus.STOPPED,
    "cancelled": MeasureStatus.STOPPED,
}
"""``CarePlan.activity.detail.status``. The first of several that mean the same is the one that is written."""
LIFE_AREA_SYSTEM: Final = f"{OWN}life-area"
LIFE_AREA: Final = codes_of(LifeArea)
"""``Goal.category``."""

MESSAGE_TYPE_SYSTEM: Final = f"{OWN}message-type"
NOTICE_SYSTEM: Final = f"{OWN}notice"
AWAITED_SYSTEM: Final = f"{OWN}awaited"
TASK_SYSTEM: Final = f"{OWN}task"
TASK: Final[Mapping[str, str]] = {
    "take-charge": "acknowledgement",
    "start": "sipStart",
    "transfer": "responsibilityTransfer",
    "close": "closure",
    "measure": "measureUpdate",
    "add-participant": "participantAdded",
    "remove-participant": "participantRemoved",
    "retract": "retraction",
    "misdirected": "misdirectedReport",
    "appoint-contact": "fixedCareContact",
    "interrupt": "processInterruption",
    "reply": "nothing",
}
"""``Task.code``: what the task asks for. A reply is sent as what it is, such as an AppointmentResponse."""
_ASKED_FOR: Final[Mapping[str, bool]] = {
    "draft": False,
    "requested": True,
    "received": False,
    "accepted": False,
    "in-progress": False,
    "completed": False,
}
TASK_STATUS: Final[Mapping[str, Mapping[str, bool]]] = {
    "acknowledgement": {
        "requested": False,
        "received": False,
        "accepted": True,
        "in-progress": True,
        "completed": True,
    },
    "measureUpdate": {
        "draft": False,
        "requested": False,
        "received": False,
        "accepted": True,
        "ready": True,
        "in-progress": True,
        "completed": True,
        "cancelled": True,
        "failed": True,
    },
    **dict.fromkeys(
        (
            "sipStart",
            "responsibilityTransfer",
            "closure",
            "participantAdded",
            "participantRemoved",
            "retraction",
            "misdirectedReport",
            "fixedCareContact",
            "processInterruption",
        ),
        _ASKED_FOR,
    ),
}
"""``Task.status``: whether somebody has taken charge, does the measure, or asks for what the task is about; the rest
is kept."""
MEASURE_TASK_STATUS: Final = {
    "accepted": MeasureStatus.NOT_STARTED,
    "ready": MeasureStatus.NOT_STARTED,
    "in-progress": MeasureStatus.ONGOING,
    "completed": MeasureStatus.DONE,
    "cancelled": MeasureStatus.STOPPED,
    "failed": MeasureStatus.STOPPED,
}
"""``Task.status`` of a measure in a plan: how far it has come."""

COMMUNICATION_STATUS: Final[Mapping[str, bool]] = {
    "preparation": False,
    "in-progress": True,
    "on-hold": False,
    "completed": True,
}
"""``Communication.status``; ``not-done``, ``stopped``, ``entered-in-error`` and ``unknown`` are refused."""
COMMUNICATION_CATEGORY_SYSTEM: Final = f"{OWN}communication"
COMMUNICATION_CATEGORY: Final[Mapping[str, str]] = {"general": "generalMessage", "planning": "planningMessage"}
"""``Communication.category``; one that has none in this system is a free message."""

DISPOSITION_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
DISPOSITION: Final = {
    (DISPOSITION_SYSTEM, "home"): Destination.HOME,
    (DISPOSITION_SYSTEM, "other-hcf"): Destination.OTHER_HOSPITAL,
    (DISPOSITION_SYSTEM, "long"): Destination.SPECIAL_HOUSING,
    (DISPOSITION_SYSTEM, "oth"): Destination.OTHER,
    **{(f"{OWN}destination", destination.value): destination for destination in Destination},
}
"""``Encounter.hospitalization.dischargeDisposition``."""
