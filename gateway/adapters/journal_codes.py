"""The code lists of the regional journal: coded values (``system`` and ``code``), and what each means in a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from gateway.adapters.kinds import Kind, one_of, party, staff_id, unit, word_for
from gateway.adapters.reading import Reader
from gateway.identifiers import HSA_ID_OID
from gateway.messages import Duty, InformationType, NeedNoticedBy, ProtectedLevel
from gateway.messages.closure import ClosureReason
from gateway.messages.consent import ConsentDecision, ConsentForm, ConsentGiver
from gateway.messages.measure import LegalBasis, LifeArea, MeasureStatus, ResponsibleKind
from gateway.messages.meeting_booking import InviteeKind
from gateway.messages.model import Principal
from gateway.messages.plan import GuardianKind
from gateway.messages.sip_start import CareSetting, SipVariant

T = TypeVar("T")

HSA: Final = f"urn:oid:{HSA_ID_OID}"
"""The ``system`` of an HSA-id."""
PARTY: Final = "urn:journal:parties"
"""The ``system`` of the name of a party on the exchange."""


class CodeList(dict[str, T]):
    """The codes of one list and their meanings; :attr:`system` names the list."""

    def __init__(self, name: str, codes: Mapping[str, T]) -> None:
        super().__init__(codes)
        self.system = f"urn:journal:codes:{name}"

    def __call__(self, reader: Reader, name: str) -> T:
        """Read a coded value: an object with the ``system`` of this list and a ``code`` in it."""
        coded = reader.inside(name)
        one_of({self.system: self.system})(coded, "system")
        return one_of(self)(coded, "code")

    def written(self, meaning: T) -> dict[str, str]:
        """Return the coded value that means ``meaning``."""
        return {"system": self.system, "code": word_for(self, meaning)}


def organization(reader: Reader, name: str) -> str:
    """Read an organization: the HSA-id, in its identifier, of a unit that can be sent to on the day of the event."""
    return _identifier({HSA: unit})(reader.inside(name), "identifier")


def organization_or_party(reader: Reader, name: str) -> str:
    """Read an organization whose identifier is the HSA-id of a unit, or the name of a party."""
    return _identifier({HSA: unit, PARTY: party})(reader.inside(name), "identifier")


def practitioner_id(reader: Reader, name: str) -> str:
    """Read an identifier that is the HSA-id of a member of staff."""
    return _identifier({HSA: staff_id})(reader, name)


def _identifier(kinds: Mapping[str, Kind[str]]) -> Kind[str]:
    """Return the kind of an identifier: its ``system`` tells how its ``value`` is read."""

    def read(reader: Reader, name: str) -> str:
        identifier = reader.inside(name)
        return one_of(kinds)(identifier, "system")(identifier, "value")

    return read


def written_organization(hsa_id: str) -> dict[str, Any]:
    """Return the organization with ``hsa_id``."""
    return {"identifier": {"system": HSA, "value": hsa_id}}


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

PROTECTION: Final = CodeList(
    "protection",
    {
        "N": ProtectedLevel.NONE,
        "SEK": ProtectedLevel.CONFIDENTIALITY_MARKED,
        "SKF": ProtectedLevel.PROTECTED_REGISTRATION,
        "FING": ProtectedLevel.FICTITIOUS_IDENTITY,
    },
)
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
TOPIC: Final = CodeList(
    "consent-topic",
    {
        "need": InformationType.NEED,
        "appointment": InformationType.MEETING,
        "careplan": InformationType.PLAN,
    },
)
PARTICIPATION: Final = CodeList("participation", {"required": InviteeKind.SUMMONS, "optional": InviteeKind.INVITE})
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
        "other": ClosureReason.OTHER,
    },
)
PRINCIPAL: Final = CodeList("principal", {"municipality": Principal.MUNICIPALITY, "region": Principal.REGION})
MESSAGE_TYPE: Final = CodeList(
    "message-type",
    {
        "sip-start": "sipStart",
        "sip-consent": "consent",
        "sip-appointment": "meetingBooking",
        "sip-careplan": "plan",
        "sip-closed": "closure",
    },
)
DUTY: Final = CodeList("duty", {"notify": Duty.NOTIFY, "sign": Duty.ACKNOWLEDGE, "reply": Duty.REPLY})
