"""The code lists of the municipal case system: its Swedish words, and what each means in a message."""

from __future__ import annotations

from typing import Final

from gateway.case_number import CaseKind
from gateway.messages import Duty, InformationType, NeedNoticedBy, ProtectedLevel, ReserveWay
from gateway.messages.closure import ClosureReason
from gateway.messages.consent import ConsentDecision, ConsentForm, ConsentGiver, GuardianWaiver
from gateway.messages.correction import MisdirectedReason, RetractionReason
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

NOTICED_BY: Final = {
    "Skola": NeedNoticedBy.SCHOOL,
    "Socialtjänst": NeedNoticedBy.SOCIAL_SERVICES,
    "Regional hälso- och sjukvård": NeedNoticedBy.REGIONAL_HEALTH_CARE,
    "Kommunal hälso- och sjukvård": NeedNoticedBy.MUNICIPAL_HEALTH_CARE,
    "Den enskilde": NeedNoticedBy.PERSON,
    "Närstående": NeedNoticedBy.NEXT_OF_KIN,
    "Annan": NeedNoticedBy.OTHER,
}
"""Behov uppmärksammat av: the boxes of the regional SIP template, in its words and order."""

VARIANT: Final = {"Ny SIP": SipVariant.NEW, "Uppföljning": SipVariant.FOLLOW_UP}
SETTING: Final = {"Öppenvård": CareSetting.OPEN_CARE, "Inför utskrivning": CareSetting.DISCHARGE}

PLACEMENT: Final = {
    "HVB": PlacementKind.HVB,
    "Familjehem": PlacementKind.FAMILY_HOME,
    "Särskilt boende": PlacementKind.SPECIAL_HOUSING,
    "Annat": PlacementKind.OTHER,
}

PROTECTION: Final = {
    "Ingen": ProtectedLevel.NONE,
    "Sekretessmarkering": ProtectedLevel.CONFIDENTIALITY_MARKED,
    "Skyddad folkbokföring": ProtectedLevel.PROTECTED_REGISTRATION,
    "Fingerade personuppgifter": ProtectedLevel.FICTITIOUS_IDENTITY,
}

RESERVE_WAY: Final = {
    "PAPPER": ReserveWay.PAPER,
    "FAX": ReserveWay.FAX,
    "TELEFON": ReserveWay.TELEPHONE,
}
"""How something was said that is registered after an outage (reservrutin)."""

DECISION: Final = {
    "JA": ConsentDecision.GIVEN,
    "NEJ": ConsentDecision.DECLINED,
    "DELVIS": ConsentDecision.PARTIAL,
}
CONSENT_FORM: Final = {"Muntligt": ConsentForm.ORAL, "Skriftligt": ConsentForm.WRITTEN}
GIVEN_BY: Final = {
    "Den enskilde": ConsentGiver.PERSON,
    "Vårdnadshavare": ConsentGiver.GUARDIAN,
    "Företrädare": ConsentGiver.REPRESENTATIVE,
}
WAIVER: Final = {
    "Förhindrad": GuardianWaiver.HINDERED,
    "Socialnämnden har beslutat": GuardianWaiver.SOCIAL_WELFARE_BOARD,
}
"""Why the consent of the other guardian is enough."""

INFORMATION: Final = {
    "Behov": InformationType.NEED,
    "Möte": InformationType.MEETING,
    "Plan": InformationType.PLAN,
}

CALL: Final = {"Kallelse": InviteeKind.SUMMONS, "Inbjudan": InviteeKind.INVITE}
"""Units of the principals are called and must come; others are invited."""

ANSWER: Final = {
    "Kommer": InvitationAnswer.CONFIRM,
    "Förhindrad": InvitationAnswer.DECLINE,
    "Preliminärt": InvitationAnswer.TENTATIVE,
    "Fel enhet": InvitationAnswer.REDIRECT,
}
CHANGE_REASON: Final = {
    "Den enskildes önskemål": MeetingChangeReason.PERSON_REQUEST,
    "Enhet förhindrad": MeetingChangeReason.UNIT_HINDERED,
    "Sjukdom": MeetingChangeReason.ILLNESS,
    "Samtycke": MeetingChangeReason.CONSENT,
    "Inskriven i slutenvård": MeetingChangeReason.ADMITTED,
    "Annat": MeetingChangeReason.OTHER,
}
MEETING_MODE: Final = {
    "Fysiskt": MeetingMode.PHYSICAL,
    "Video": MeetingMode.VIDEO,
    "Telefon": MeetingMode.PHONE,
    "Fysiskt och på distans": MeetingMode.HYBRID,
}
MEETING_OUTCOME: Final = {
    "Plan": MeetingOutcome.PLAN,
    "Ingen plan": MeetingOutcome.NO_PLAN,
    "Nytt möte": MeetingOutcome.NEW_MEETING,
}

REPRESENTATIVE: Final = {
    "Vårdnadshavare": GuardianKind.GUARDIAN,
    "God man": GuardianKind.GOOD_MAN,
    "Förvaltare": GuardianKind.ADMINISTRATOR,
    "Fullmakt": GuardianKind.POWER_OF_ATTORNEY,
}
LIFE_AREA: Final = {
    "Fysisk hälsa": LifeArea.PHYSICAL_HEALTH,
    "Boende": LifeArea.HOUSING,
    "Utbildning": LifeArea.EDUCATION,
    "Arbete": LifeArea.WORK,
    "Intressen": LifeArea.INTERESTS,
    "Sociala färdigheter": LifeArea.SOCIAL_SKILLS,
    "Ekonomi": LifeArea.FINANCES,
    "Sociala relationer": LifeArea.SOCIAL_RELATIONS,
    "Missbruk": LifeArea.SUBSTANCE_USE,
    "Problemlösning": LifeArea.PROBLEM_SOLVING,
}
LEGAL_BASIS: Final = {
    "HSL": LegalBasis.HSL,
    "SoL": LegalBasis.SOL,
    "LSS": LegalBasis.LSS,
    "Annat": LegalBasis.OTHER,
}
STATUS: Final = {
    "Ej påbörjad": MeasureStatus.NOT_STARTED,
    "Pågår": MeasureStatus.ONGOING,
    "Klar": MeasureStatus.DONE,
    "Avbruten": MeasureStatus.STOPPED,
}
EFFECT: Final = {"Full": Effect.FULL, "Delvis": Effect.PART, "Ingen": Effect.NONE}
FOLLOW_UP_OUTCOME: Final = {
    "Planen fortsätter": FollowUpOutcome.CONTINUE,
    "Planen revideras": FollowUpOutcome.REVISE,
    "Avslut och ny SIP": FollowUpOutcome.CLOSE_AND_NEW,
    "Avslut": FollowUpOutcome.CLOSE,
}
RESPONSIBLE: Final = {
    "Huvudman": ResponsibleKind.PRINCIPAL,
    "Den enskilde": ResponsibleKind.PERSON,
    "Annan": ResponsibleKind.OTHER,
}

CLOSURE_REASON: Final = {
    "Målen är uppfyllda": ClosureReason.GOALS_MET,
    "Samordning behövs inte längre": ClosureReason.NO_COORDINATION_NEED,
    "Samtycket har återkallats": ClosureReason.CONSENT_WITHDRAWN,
    "Avliden": ClosureReason.DIED,
    "Flyttat": ClosureReason.MOVED,
    "Dubblett": ClosureReason.DUPLICATE,
    "Ersatt av ny SIP": ClosureReason.SUPERSEDED,
    "Ersatt av vårdplan enligt LPT eller LRV": ClosureReason.COMPULSORY_CARE_PLAN,
    "Begäran har nekats": ClosureReason.REFUSED,
    "Annan orsak": ClosureReason.OTHER,
}
PRINCIPAL: Final = {"Kommun": Principal.MUNICIPALITY, "Region": Principal.REGION}

REMOVAL_REASON: Final = {
    "Inte berörd": RemovalReason.NOT_CONCERNED,
    "Ersatt av annan enhet": RemovalReason.REPLACED,
    "Flyttat": RemovalReason.MOVED,
    "Samtycket omfattar inte enheten": RemovalReason.CONSENT,
    "Egen begäran": RemovalReason.OWN_REQUEST,
}
RETRACTION_REASON: Final = {
    "Fel person": RetractionReason.WRONG_PERSON,
    "Fel mottagare": RetractionReason.WRONG_RECIPIENT,
    "Fel innehåll": RetractionReason.WRONG_CONTENT,
    "Gäller inte längre": RetractionReason.NO_LONGER_HOLDS,
}
MISDIRECTED_REASON: Final = {
    "Okänd person": MisdirectedReason.PERSON_UNKNOWN,
    "Fel enhet": MisdirectedReason.WRONG_UNIT,
    "Fel huvudman": MisdirectedReason.WRONG_PRINCIPAL,
    "Flyttat": MisdirectedReason.MOVED,
}

FIXED_CONTACT: Final = {
    "Fast vårdkontakt": FixedContactKind.CARE,
    "Fast omsorgskontakt": FixedContactKind.SOCIAL_CARE,
    "Fast läkarkontakt": FixedContactKind.PHYSICIAN,
    "Kontaktsjuksköterska": FixedContactKind.NURSE,
}
PLANNING_ITEM: Final = {
    "Hjälpmedel": PlanningItemKind.AIDS,
    "Läkemedel": PlanningItemKind.MEDICATION,
    "Hemtjänst": PlanningItemKind.HOME_HELP,
    "Hemsjukvård": PlanningItemKind.HOME_NURSING,
    "Boende": PlanningItemKind.HOUSING,
    "Annat": PlanningItemKind.OTHER,
}
INTERRUPTION_REASON: Final = {
    "Avliden": InterruptionReason.DIED,
    "Flyttad till annan vård": InterruptionReason.TRANSFERRED,
    "Inget behov": InterruptionReason.NO_NEED,
    "Försämrad": InterruptionReason.DETERIORATED,
    "Avböjt": InterruptionReason.DECLINED,
    "Annat": InterruptionReason.OTHER,
}

PROCESS: Final = {"SIP": CaseKind.SIP, "In- och utskrivning": CaseKind.DISCHARGE}
"""Meddelandetyp: the process a row of the inbox belongs to."""

CONCERNS: Final = {
    "Starta SIP": "sipStart",
    "Samtycke": "consent",
    "Mötesbokning": "meetingBooking",
    "Svar på kallelse": "invitationReply",
    "Vidarebefordran": "invitationForward",
    "Ombokning": "meetingChange",
    "Avbokning": "meetingCancellation",
    "Mötesanteckning": "meetingHeld",
    "Skickat": "plan",
    "Kallelse till uppföljning": "followUpInvitation",
    "Uppföljning": "followUp",
    "Reviderad SIP": "revisedPlan",
    "Ansvarsöverflyttning": "responsibilityTransfer",
    "Deltagare tillagd": "participantAdded",
    "Deltagare borttagen": "participantRemoved",
    "Insatsstatus": "measureUpdate",
    "Avslut": "closure",
    "Administrativt meddelande": "generalMessage",
    "Återtagande": "retraction",
    "Felsänt": "misdirectedReport",
    "Inskrivningsmeddelande": "admissionNotice",
    "Ändrad beräknad utskrivning": "admissionUpdate",
    "Fast vårdkontakt utsedd": "fixedCareContact",
    "Planeringsmeddelande": "planningMessage",
    "Utskrivningsklar": "dischargeReady",
    "Avbrott i utskrivningsklar": "dischargeReadyRecall",
    "Utskrivningsmeddelande": "dischargeMessage",
    "Information vid utskrivning": "dischargeInformation",
    "Avbrott i processen": "processInterruption",
}
"""Gäller: which message a row is. *Mötesbokning* and *Skickat* are SAMSA's own words."""

TO_DO: Final = {"Notifiering": Duty.NOTIFY, "Kvittera": Duty.ACKNOWLEDGE, "Svara": Duty.REPLY}
"""Att göra: what the recipient owes."""
