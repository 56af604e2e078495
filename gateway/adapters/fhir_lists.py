"""The code lists of FHIR by their names, with what each code means in words: what an integrator may add codes to.

A list of an element is called by its path (``Encounter.class``), one of an extension by ``extension.`` and its name,
and the part of a complex one (``extension.placement.kind``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from gateway.adapters import fhir_codes as codes
from gateway.adapters.fhir_identifiers import HARMLESS_LABELS, PROTECTION
from gateway.messages import (
    TYPES,
    CareNeed,
    CareSetting,
    ClosureReason,
    CompulsoryCare,
    ConsentDecision,
    ConsentForm,
    ConsentGiver,
    Duty,
    FixedContactKind,
    FollowUpOutcome,
    GuardianKind,
    GuardianWaiver,
    InterruptionReason,
    LegalBasis,
    MeetingChangeReason,
    MeetingMode,
    MeetingOutcome,
    MisdirectedReason,
    NeedNoticedBy,
    OpenCareAvailable,
    PlacementKind,
    PlanningItemKind,
    Principal,
    RecallReason,
    RemovalReason,
    ReserveWay,
    ResponsibleKind,
    RetractionReason,
    SipVariant,
)

KEPT: Final = "–"
"""What a code means that makes nothing to send: the resource is kept."""
SENT: Final = "sent"
LABELS: Final = "meta.security"
"""The list of security labels, which every resource may have."""
EXTENSION: Final = "extension."
"""What the names of the lists of extensions begin with."""

Code = tuple[str | None, str]
"""A code with its system; an element that is a plain code has none."""


@dataclass(frozen=True, slots=True)
class CodeList:
    """The codes of one list, and what each means in words."""

    meanings: Mapping[Code, str]

    @property
    def is_plain(self) -> bool:
        """Whether the element is a plain code, without a system."""
        return all(system is None for system, _ in self.meanings)

    def find(self, text: str) -> Code | None:
        """Return the code that ``text`` names, as ``system|code`` or the code alone; ``None`` where there is none."""
        system, bar, code = text.rpartition("|")
        if bar and (system, code) in self.meanings:
            return system, code
        return next((found for found in self.meanings if found[1] == text), None)

    def shown(self, code: Code) -> str:
        """Return a code in words: alone where the list has one system, else with its own."""
        systems = {system for system, _ in self.meanings}
        return code[1] if len(systems) == 1 or code[0] is None else f"{code[0]}|{code[1]}"


def _words(meaning: Any) -> str:
    if meaning is None or meaning is False or meaning == ():
        return KEPT
    if meaning is True:
        return SENT
    return " or ".join(meaning) if isinstance(meaning, tuple) else str(meaning)


def _plain(meanings: Mapping[str, Any]) -> CodeList:
    return CodeList({(None, code): _words(meaning) for code, meaning in meanings.items()})


def _coded(system: str, meanings: Mapping[str, Any]) -> CodeList:
    return CodeList({(system, code): _words(meaning) for code, meaning in meanings.items()})


def _joined(*tables: Mapping[str, Any]) -> dict[str, str]:
    """Return what each code means in one table or another: what it means in several is told once."""
    found: dict[str, list[str]] = {}
    for table in tables:
        for code, meaning in table.items():
            found.setdefault(code, []).append(_words(meaning))
    told = {code: [one for one in dict.fromkeys(words) if one != KEPT] for code, words in found.items()}
    return {code: ", ".join(words) or KEPT for code, words in told.items()}


def _named(kind: Iterable[str]) -> CodeList:
    return _plain({str(one.value if isinstance(one, StrEnum) else one): one for one in kind})


_STEPS: Final = tuple(dict.fromkeys(step for steps in codes.ENCOUNTER_STEPS.values() for step in steps))
_OF_EXTENSIONS: Final[Mapping[str, Iterable[str]]] = {
    "downtime.channel": ReserveWay,
    "step": _STEPS,
    "expected-need": CareNeed,
    "compulsory-care": CompulsoryCare,
    "open-care": OpenCareAvailable,
    "recall-reason": RecallReason,
    "reason": MeetingChangeReason,
    "meeting-mode": MeetingMode,
    "meeting-outcome": MeetingOutcome,
    "decision": ConsentDecision,
    "form": ConsentForm,
    "given-by": ConsentGiver,
    "guardian-consent.waiver": GuardianWaiver,
    "variant": SipVariant,
    "need-noticed-by": NeedNoticedBy,
    "guardian.kind": GuardianKind,
    "follow-up-outcome": FollowUpOutcome,
    "legal-basis": LegalBasis,
    "performer-kind": ResponsibleKind,
    "initiated-by": NeedNoticedBy,
    "setting": CareSetting,
    "placement.kind": PlacementKind,
    "closure-reason": ClosureReason,
    "documented.principal": Principal,
    "message-type": TYPES,
    "duty": Duty,
    "removal-reason": RemovalReason,
    "retraction-reason": RetractionReason,
    "misdirected-reason": MisdirectedReason,
    "contact-kind": FixedContactKind,
    "interruption-reason": InterruptionReason,
    "planning-item.kind": PlanningItemKind,
}
_ATTENDS: Final = {code: "comes" if attends else "does not come" for code, attends in codes.PATIENT_ATTENDS.items()}
_CAME: Final = {code: "came" if came else "did not come" for code, came in codes.CAME.items()}
_FOLLOWED_UP: Final = {code: "sent, when followed up" for code, sent in codes.FOLLOWED_UP_STATUS.items() if sent}
_HARMLESS: Final = sorted(HARMLESS_LABELS)
_TASKS: Final = [
    {code: kind if sent else None for code, sent in statuses.items()} for kind, statuses in codes.TASK_STATUS.items()
]

LISTS: Final[Mapping[str, CodeList]] = {
    "Encounter.class": _coded(
        codes.ENCOUNTER_CLASS_SYSTEM,
        {code: "a stay in hospital" if code in codes.INPATIENT else None for code in codes.ENCOUNTER_CLASS},
    ),
    "Encounter.status": _plain(codes.ENCOUNTER_STEPS),
    "Encounter.hospitalization.dischargeDisposition": CodeList(
        {(system, code): str(meaning) for (system, code), meaning in codes.DISPOSITION.items()}
    ),
    "Appointment.status": _plain({**codes.APPOINTMENT_STATUS, "fulfilled": "meetingHeld, with a meeting-outcome"}),
    "Appointment.appointmentType": _coded(codes.APPOINTMENT_TYPE_SYSTEM, {codes.FOLLOW_UP: "a follow-up"}),
    "Appointment.participant.required": _plain(codes.PARTICIPANT_REQUIRED),
    "Appointment.participant.status": _plain(_joined(_ATTENDS, _CAME)),
    "AppointmentResponse.participantStatus": _plain(codes.PARTICIPANT_STATUS),
    "Consent.status": _plain(codes.CONSENT_STATUS),
    "Consent.provision.type": _plain({code: codes.CONSENT_DECISION[code] for code in ("permit", "deny")}),
    "Consent.provision.class": _coded(codes.CONSENT_CLASS_SYSTEM, codes.CONSENT_CLASS),
    "CarePlan.status": _plain(
        {code: SENT if sent else _FOLLOWED_UP.get(code) for code, sent in codes.PLAN_STATUS.items()}
    ),
    "CarePlan.category": _coded(codes.PLAN_CATEGORY_SYSTEM, {codes.PLAN_CATEGORY: "a SIP"}),
    "CarePlan.activity.detail.status": _plain(codes.ACTIVITY_STATUS),
    "Goal.category": _coded(codes.LIFE_AREA_SYSTEM, codes.LIFE_AREA),
    "Goal.lifecycleStatus": _plain(codes.GOAL_STATUS),
    "Goal.achievementStatus": _coded(codes.ACHIEVEMENT_SYSTEM, codes.ACHIEVEMENT),
    "Task.code": _coded(codes.TASK_SYSTEM, {**codes.TASK, "reply": None}),
    "Task.status": _plain(_joined(*_TASKS)),
    "Communication.status": _plain(codes.COMMUNICATION_STATUS),
    "Communication.category": _coded(codes.COMMUNICATION_CATEGORY_SYSTEM, codes.COMMUNICATION_CATEGORY),
    LABELS: CodeList(
        {(system, code): str(PROTECTION.get((system, code), "none")) for system, code in (*PROTECTION, *_HARMLESS)}
    ),
    **{f"{EXTENSION}{name}": _named(kind) for name, kind in _OF_EXTENSIONS.items()},
}
"""Every list by its name."""
