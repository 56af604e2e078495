"""The code lists of the municipal case system: its Swedish words, and what each means in a message."""

from __future__ import annotations

from typing import Final

from gateway.messages import Duty, InformationType, NeedNoticedBy, ProtectedLevel
from gateway.messages.closure import ClosureReason
from gateway.messages.consent import ConsentDecision, ConsentForm, ConsentGiver
from gateway.messages.measure import LegalBasis, LifeArea, MeasureStatus, ResponsibleKind
from gateway.messages.meeting_booking import InviteeKind
from gateway.messages.model import Principal
from gateway.messages.plan import GuardianKind
from gateway.messages.sip_start import CareSetting, SipVariant

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

PROTECTION: Final = {
    "Ingen": ProtectedLevel.NONE,
    "Sekretessmarkering": ProtectedLevel.CONFIDENTIALITY_MARKED,
    "Skyddad folkbokföring": ProtectedLevel.PROTECTED_REGISTRATION,
    "Fingerade personuppgifter": ProtectedLevel.FICTITIOUS_IDENTITY,
}

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
INFORMATION: Final = {
    "Behov": InformationType.NEED,
    "Möte": InformationType.MEETING,
    "Plan": InformationType.PLAN,
}

CALL: Final = {"Kallelse": InviteeKind.SUMMONS, "Inbjudan": InviteeKind.INVITE}
"""Units of the principals are called and must come; others are invited."""

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
    "Annan orsak": ClosureReason.OTHER,
}
PRINCIPAL: Final = {"Kommun": Principal.MUNICIPALITY, "Region": Principal.REGION}

CONCERNS: Final = {
    "Starta SIP": "sipStart",
    "Samtycke": "consent",
    "Mötesbokning": "meetingBooking",
    "Skickat": "plan",
    "Avslut": "closure",
}
"""Gäller: which message a row of type SIP is. *Mötesbokning* and *Skickat* are SAMSA's own words."""

TO_DO: Final = {"Notifiering": Duty.NOTIFY, "Kvittera": Duty.ACKNOWLEDGE, "Svara": Duty.REPLY}
"""Att göra: what the recipient owes."""
