"""The code lists of the regional journal, and what each code means in a message."""

from __future__ import annotations

from typing import Final

from gateway.adapters.journal_coding import CodeList
from gateway.case_number import CaseKind
from gateway.messages import Duty, InformationType, NeedNoticedBy, ProtectedLevel, ReserveWay
from gateway.messages.admission import CareNeed, CompulsoryCare
from gateway.messages.closure import ClosureReason
from gateway.messages.consent import ConsentDecision, ConsentForm, ConsentGiver, GuardianWaiver
from gateway.messages.correction import MisdirectedReason, RetractionReason
from gateway.messages.discharge import Destination
from gateway.messages.discharge_ready import OpenCareAvailable, RecallReason
from gateway.messages.fixed_care_contact import FixedContactKind
from gateway.messages.follow_up import Effect, FollowUpOutcome
from gateway.messages.invitation_reply import InvitationAnswer
from gateway.messages.measure import LegalBasis, LifeArea, MeasureStatus, ResponsibleKind
from gateway.messages.meeting_booking import InviteeKind
from gateway.messages.meeting_change import MeetingChangeReason
from gateway.messages.meeting_held import MeetingMode, MeetingOutcome
from gateway.messages.model import Principal
from gateway.messages.participant import RemovalReason
from gateway.messages.plan import GuardianKind
from gateway.messages.planning_message import PlanningItemKind
from gateway.messages.process_interruption import InterruptionReason
from gateway.messages.sip_start import CareSetting, PlacementKind, SipVariant

NOTICED_BY: Final = CodeList(
    "need-noticed-by",
    {
        "school": NeedNoticedBy.SCHOOL,
        "social": NeedNoticedBy.SOCIAL_SERVICES,
        "healthcare-region": NeedNoticedBy.REGIONAL_HEALTH_CARE,
        "healthcare-municipality": NeedNoticedBy.MUNICIPAL_HEALTH_CARE,
        "patient": NeedNoticedBy.PERSON,
        "relative": NeedNoticedBy.NEXT_OF_KIN,
        "other": NeedNoticedBy.OTHER,
    },
)
INTENT: Final = CodeList("plan-intent", {"new": SipVariant.NEW, "review": SipVariant.FOLLOW_UP})
ENCOUNTER: Final = CodeList("encounter-class", {"AMB": CareSetting.OPEN_CARE, "IMP": CareSetting.DISCHARGE})
"""Ambulatory, or an inpatient encounter that is to end."""

PLACEMENT: Final = CodeList(
    "placement",
    {
        "residential-care": PlacementKind.HVB,
        "family-home": PlacementKind.FAMILY_HOME,
        "special-housing": PlacementKind.SPECIAL_HOUSING,
        "other": PlacementKind.OTHER,
    },
)
PROTECTION: Final = CodeList(
    "protection",
    {
        "N": ProtectedLevel.NONE,
        "SEK": ProtectedLevel.CONFIDENTIALITY_MARKED,
        "SKF": ProtectedLevel.PROTECTED_REGISTRATION,
        "FING": ProtectedLevel.FICTITIOUS_IDENTITY,
    },
)
RESERVE_WAY: Final = CodeList(
    "downtime-channel",
    {"paper": ReserveWay.PAPER, "fax": ReserveWay.FAX, "phone": ReserveWay.TELEPHONE},
)
"""How something was said that is recorded after an outage."""

DECISION: Final = CodeList(
    "consent-decision",
    {
        "permit": ConsentDecision.GIVEN,
        "deny": ConsentDecision.DECLINED,
        "permit-limited": ConsentDecision.PARTIAL,
        "revoke": ConsentDecision.WITHDRAWN,
    },
)
CONSENT_MODE: Final = CodeList("consent-mode", {"verbal": ConsentForm.ORAL, "signed": ConsentForm.WRITTEN})
GRANTOR: Final = CodeList(
    "grantor",
    {
        "patient": ConsentGiver.PERSON,
        "guardian": ConsentGiver.GUARDIAN,
        "representative": ConsentGiver.REPRESENTATIVE,
    },
)
WAIVER: Final = CodeList(
    "consent-waiver",
    {
        "hindered": GuardianWaiver.HINDERED,
        "welfare-board": GuardianWaiver.SOCIAL_WELFARE_BOARD,
    },
)
"""Why the consent of the other guardian is enough."""

TOPIC: Final = CodeList(
    "consent-topic",
    {
        "need": InformationType.NEED,
        "appointment": InformationType.MEETING,
        "careplan": InformationType.PLAN,
    },
)
PARTICIPATION: Final = CodeList("participation", {"required": InviteeKind.SUMMONS, "optional": InviteeKind.INVITE})
PARTICIPATION_STATUS: Final = CodeList(
    "participation-status",
    {
        "accepted": InvitationAnswer.CONFIRM,
        "declined": InvitationAnswer.DECLINE,
        "tentative": InvitationAnswer.TENTATIVE,
        "redirected": InvitationAnswer.REDIRECT,
    },
)
CHANGE_REASON: Final = CodeList(
    "change-reason",
    {
        "patient": MeetingChangeReason.PERSON_REQUEST,
        "organization": MeetingChangeReason.UNIT_HINDERED,
        "illness": MeetingChangeReason.ILLNESS,
        "consent": MeetingChangeReason.CONSENT,
        "admitted": MeetingChangeReason.ADMITTED,
        "other": MeetingChangeReason.OTHER,
    },
)
MEETING_MODE: Final = CodeList(
    "appointment-mode",
    {
        "physical": MeetingMode.PHYSICAL,
        "video": MeetingMode.VIDEO,
        "telephone": MeetingMode.PHONE,
        "hybrid": MeetingMode.HYBRID,
    },
)
MEETING_OUTCOME: Final = CodeList(
    "appointment-outcome",
    {
        "careplan": MeetingOutcome.PLAN,
        "no-careplan": MeetingOutcome.NO_PLAN,
        "new-appointment": MeetingOutcome.NEW_MEETING,
    },
)
REPRESENTATIVE: Final = CodeList(
    "representative",
    {
        "GUARD": GuardianKind.GUARDIAN,
        "TRUSTEE": GuardianKind.GOOD_MAN,
        "ADMIN": GuardianKind.ADMINISTRATOR,
        "POA": GuardianKind.POWER_OF_ATTORNEY,
    },
)
LIFE_AREA: Final = CodeList(
    "life-area",
    {
        "HEALTH": LifeArea.PHYSICAL_HEALTH,
        "HOUSING": LifeArea.HOUSING,
        "EDUCATION": LifeArea.EDUCATION,
        "WORK": LifeArea.WORK,
        "LEISURE": LifeArea.INTERESTS,
        "SKILLS": LifeArea.SOCIAL_SKILLS,
        "ECONOMY": LifeArea.FINANCES,
        "RELATIONS": LifeArea.SOCIAL_RELATIONS,
        "SUBSTANCE": LifeArea.SUBSTANCE_USE,
        "COPING": LifeArea.PROBLEM_SOLVING,
    },
)
LEGAL_BASIS: Final = CodeList(
    "legal-basis",
    {"HSL": LegalBasis.HSL, "SOL": LegalBasis.SOL, "LSS": LegalBasis.LSS, "OTH": LegalBasis.OTHER},
)
STATUS: Final = CodeList(
    "activity-status",
    {
        "not-started": MeasureStatus.NOT_STARTED,
        "in-progress": MeasureStatus.ONGOING,
        "completed": MeasureStatus.DONE,
        "stopped": MeasureStatus.STOPPED,
    },
)
EFFECT: Final = CodeList(
    "effect",
    {
        "full": Effect.FULL,
        "partial": Effect.PART,
        "none": Effect.NONE,
    },
)
REVIEW_OUTCOME: Final = CodeList(
    "review-outcome",
    {
        "continue": FollowUpOutcome.CONTINUE,
        "revise": FollowUpOutcome.REVISE,
        "close-and-new": FollowUpOutcome.CLOSE_AND_NEW,
        "close": FollowUpOutcome.CLOSE,
    },
)
PERFORMER: Final = CodeList(
    "performer-kind",
    {
        "organization": ResponsibleKind.PRINCIPAL,
        "patient": ResponsibleKind.PERSON,
        "other": ResponsibleKind.OTHER,
    },
)
CLOSURE_REASON: Final = CodeList(
    "closure-reason",
    {
        "achieved": ClosureReason.GOALS_MET,
        "no-coordination": ClosureReason.NO_COORDINATION_NEED,
        "consent-revoked": ClosureReason.CONSENT_WITHDRAWN,
        "deceased": ClosureReason.DIED,
        "moved": ClosureReason.MOVED,
        "duplicate": ClosureReason.DUPLICATE,
        "replaced": ClosureReason.SUPERSEDED,
        "compulsory-careplan": ClosureReason.COMPULSORY_CARE_PLAN,
        "refused": ClosureReason.REFUSED,
        "other": ClosureReason.OTHER,
    },
)
PRINCIPAL: Final = CodeList("principal", {"municipality": Principal.MUNICIPALITY, "region": Principal.REGION})
REMOVAL_REASON: Final = CodeList(
    "removal-reason",
    {
        "not-concerned": RemovalReason.NOT_CONCERNED,
        "replaced": RemovalReason.REPLACED,
        "moved": RemovalReason.MOVED,
        "consent": RemovalReason.CONSENT,
        "own-request": RemovalReason.OWN_REQUEST,
    },
)
RETRACTION_REASON: Final = CodeList(
    "retraction-reason",
    {
        "wrong-patient": RetractionReason.WRONG_PERSON,
        "wrong-recipient": RetractionReason.WRONG_RECIPIENT,
        "wrong-content": RetractionReason.WRONG_CONTENT,
        "obsolete": RetractionReason.NO_LONGER_HOLDS,
    },
)
MISDIRECTED_REASON: Final = CodeList(
    "misdirection-reason",
    {
        "patient-unknown": MisdirectedReason.PERSON_UNKNOWN,
        "wrong-organization": MisdirectedReason.WRONG_UNIT,
        "wrong-principal": MisdirectedReason.WRONG_PRINCIPAL,
        "moved": MisdirectedReason.MOVED,
    },
)
CARE_NEED: Final = CodeList(
    "care-need",
    {
        "social": CareNeed.SOCIAL,
        "healthcare-municipality": CareNeed.MUNICIPAL_HEALTH,
        "open-care": CareNeed.REGION_OPEN_CARE,
    },
)
COMPULSORY_CARE: Final = CodeList(
    "compulsory-care",
    {
        "OPT": CompulsoryCare.OPEN_PSYCHIATRIC,
        "ORV": CompulsoryCare.OPEN_FORENSIC,
    },
)
"""ÖPT and ÖRV, open compulsory care after the discharge."""

CARE_CONTACT: Final = CodeList(
    "care-contact",
    {
        "care": FixedContactKind.CARE,
        "social-care": FixedContactKind.SOCIAL_CARE,
        "physician": FixedContactKind.PHYSICIAN,
        "nurse": FixedContactKind.NURSE,
    },
)
PLANNING_ITEM: Final = CodeList(
    "planning-item",
    {
        "aids": PlanningItemKind.AIDS,
        "medication": PlanningItemKind.MEDICATION,
        "home-help": PlanningItemKind.HOME_HELP,
        "home-nursing": PlanningItemKind.HOME_NURSING,
        "housing": PlanningItemKind.HOUSING,
        "other": PlanningItemKind.OTHER,
    },
)
OPEN_CARE: Final = CodeList(
    "open-care",
    {
        "available": OpenCareAvailable.YES,
        "unavailable": OpenCareAvailable.NO,
        "unknown": OpenCareAvailable.UNKNOWN,
    },
)
RECALL_REASON: Final = CodeList(
    "recall-reason",
    {
        "deteriorated": RecallReason.DETERIORATED,
        "error": RecallReason.ERROR,
        "other": RecallReason.OTHER,
    },
)
DESTINATION: Final = CodeList(
    "destination",
    {
        "home": Destination.HOME,
        "short-term": Destination.SHORT_TERM_HOUSING,
        "special-housing": Destination.SPECIAL_HOUSING,
        "hospital": Destination.OTHER_HOSPITAL,
        "other": Destination.OTHER,
    },
)
INTERRUPTION_REASON: Final = CodeList(
    "interruption-reason",
    {
        "deceased": InterruptionReason.DIED,
        "transferred": InterruptionReason.TRANSFERRED,
        "no-need": InterruptionReason.NO_NEED,
        "deteriorated": InterruptionReason.DETERIORATED,
        "declined": InterruptionReason.DECLINED,
        "other": InterruptionReason.OTHER,
    },
)
ENTRY: Final = {"sip.message": CaseKind.SIP, "encounter.message": CaseKind.DISCHARGE}
"""The type of an entry: what its case is about."""

MESSAGE_TYPE: Final = CodeList(
    "message-type",
    {
        "sip-start": "sipStart",
        "sip-consent": "consent",
        "sip-appointment": "meetingBooking",
        "sip-appointment-answered": "invitationReply",
        "sip-appointment-forwarded": "invitationForward",
        "sip-appointment-changed": "meetingChange",
        "sip-appointment-cancelled": "meetingCancellation",
        "sip-appointment-held": "meetingHeld",
        "sip-careplan": "plan",
        "sip-review-appointment": "followUpInvitation",
        "sip-review": "followUp",
        "sip-careplan-revised": "revisedPlan",
        "sip-custodian-changed": "responsibilityTransfer",
        "sip-participant-added": "participantAdded",
        "sip-participant-removed": "participantRemoved",
        "sip-activity": "measureUpdate",
        "sip-closed": "closure",
        "message-sent": "generalMessage",
        "message-retracted": "retraction",
        "message-misdirected": "misdirectedReport",
        "admission-notice": "admissionNotice",
        "admission-update": "admissionUpdate",
        "care-contact": "fixedCareContact",
        "planning": "planningMessage",
        "discharge-ready": "dischargeReady",
        "discharge-ready-recalled": "dischargeReadyRecall",
        "discharge-planned": "dischargeMessage",
        "discharge-information": "dischargeInformation",
        "process-interrupted": "processInterruption",
    },
)
DUTY: Final = CodeList("duty", {"notify": Duty.NOTIFY, "sign": Duty.ACKNOWLEDGE, "reply": Duty.REPLY})
