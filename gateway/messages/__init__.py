"""Messages: typed immutable objects, XML and JSON both ways, each type with its schema, contract and rules."""

from gateway.messages.acknowledgement import Acknowledgement, Reason
from gateway.messages.admission import AdmissionNotice, AdmissionUpdate, CareNeed, CompulsoryCare
from gateway.messages.case_event import CaseEvent
from gateway.messages.closure import Closure, ClosureReason, LocalDocumentation
from gateway.messages.consent import (
    Consent,
    ConsentDecision,
    ConsentForm,
    ConsentGiver,
    ConsentScope,
    GuardianConsent,
    GuardianWaiver,
)
from gateway.messages.contract import Contract, InformationType, MessageType, RetryClass, Rule, SenderKind
from gateway.messages.correction import MisdirectedReason, MisdirectedReport, Retraction, RetractionReason
from gateway.messages.deadline import Deadline, TimeUnit
from gateway.messages.discharge import Destination, DischargeInformation, DischargeMessage, FirstVisit
from gateway.messages.discharge_ready import DischargeReady, DischargeReadyRecall, OpenCareAvailable, RecallReason
from gateway.messages.document import (
    from_json,
    parse_json,
    parse_xml,
    read_file,
    render_json,
    render_xml,
    rule_findings,
    to_json,
)
from gateway.messages.fixed_care_contact import FixedCareContact, FixedContactKind
from gateway.messages.follow_up import CommitmentKept, Effect, FollowUp, FollowUpOutcome, SubGoalProgress
from gateway.messages.follow_up_invitation import FollowUpInvitation
from gateway.messages.general_message import GeneralMessage
from gateway.messages.invitation_forward import ForwardStep, InvitationForward
from gateway.messages.invitation_reply import Attending, InvitationAnswer, InvitationReply, Substitute
from gateway.messages.measure import (
    LegalBasis,
    LifeArea,
    Measure,
    MeasureStatus,
    Responsible,
    ResponsibleKind,
    SubGoal,
)
from gateway.messages.measure_update import MeasureUpdate
from gateway.messages.meeting import Attendee, FollowUpDate, Meeting, OverallResponsible, Slot
from gateway.messages.meeting_booking import Chair, Invitee, InviteeKind, MeetingBooking
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange, MeetingChangeReason
from gateway.messages.meeting_held import MeetingHeld, MeetingMode, MeetingOutcome
from gateway.messages.model import (
    Duty,
    Header,
    Identifier,
    Message,
    NeedNoticedBy,
    Person,
    Principal,
    ProtectedLevel,
    Recipient,
    ReserveRoutine,
    ReserveWay,
    Sender,
    User,
    duty_for,
)
from gateway.messages.participant import (
    CaseConvener,
    ParticipantAdded,
    ParticipantRemoved,
    RemovalReason,
    SharedCaseState,
)
from gateway.messages.plan import (
    CrisisAction,
    CrisisPlan,
    Guardian,
    GuardianKind,
    PersonCopy,
    PlacementCare,
    Plan,
)
from gateway.messages.planning_message import PlanningItem, PlanningItemKind, PlanningMessage
from gateway.messages.process_interruption import InterruptionReason, ProcessInterruption
from gateway.messages.responsibility_transfer import ResponsibilityTransfer
from gateway.messages.revised_plan import RevisedPlan
from gateway.messages.sip_start import CareSetting, Placement, PlacementKind, SipStart, SipVariant
from gateway.messages.types import TYPES

__all__ = [
    "TYPES",
    "Acknowledgement",
    "AdmissionNotice",
    "AdmissionUpdate",
    "Attendee",
    "Attending",
    "CareNeed",
    "CareSetting",
    "CaseConvener",
    "CaseEvent",
    "Chair",
    "Closure",
    "ClosureReason",
    "CommitmentKept",
    "CompulsoryCare",
    "Consent",
    "ConsentDecision",
    "ConsentForm",
    "ConsentGiver",
    "ConsentScope",
    "Contract",
    "CrisisAction",
    "CrisisPlan",
    "Deadline",
    "Destination",
    "DischargeInformation",
    "DischargeMessage",
    "DischargeReady",
    "DischargeReadyRecall",
    "Duty",
    "Effect",
    "FirstVisit",
    "FixedCareContact",
    "FixedContactKind",
    "FollowUp",
    "FollowUpDate",
    "FollowUpInvitation",
    "FollowUpOutcome",
    "ForwardStep",
    "GeneralMessage",
    "Guardian",
    "GuardianConsent",
    "GuardianKind",
    "GuardianWaiver",
    "Header",
    "Identifier",
    "InformationType",
    "InterruptionReason",
    "InvitationAnswer",
    "InvitationForward",
    "InvitationReply",
    "Invitee",
    "InviteeKind",
    "LegalBasis",
    "LifeArea",
    "LocalDocumentation",
    "Measure",
    "MeasureStatus",
    "MeasureUpdate",
    "Meeting",
    "MeetingBooking",
    "MeetingCancellation",
    "MeetingChange",
    "MeetingChangeReason",
    "MeetingHeld",
    "MeetingMode",
    "MeetingOutcome",
    "Message",
    "MessageType",
    "MisdirectedReason",
    "MisdirectedReport",
    "NeedNoticedBy",
    "OpenCareAvailable",
    "OverallResponsible",
    "ParticipantAdded",
    "ParticipantRemoved",
    "Person",
    "PersonCopy",
    "Placement",
    "PlacementCare",
    "PlacementKind",
    "Plan",
    "PlanningItem",
    "PlanningItemKind",
    "PlanningMessage",
    "Principal",
    "ProcessInterruption",
    "ProtectedLevel",
    "Reason",
    "RecallReason",
    "Recipient",
    "RemovalReason",
    "ReserveRoutine",
    "ReserveWay",
    "ResponsibilityTransfer",
    "Responsible",
    "ResponsibleKind",
    "Retraction",
    "RetractionReason",
    "RetryClass",
    "RevisedPlan",
    "Rule",
    "Sender",
    "SenderKind",
    "SharedCaseState",
    "SipStart",
    "SipVariant",
    "Slot",
    "SubGoal",
    "SubGoalProgress",
    "Substitute",
    "TimeUnit",
    "User",
    "duty_for",
    "from_json",
    "parse_json",
    "parse_xml",
    "read_file",
    "render_json",
    "render_xml",
    "rule_findings",
    "to_json",
]
