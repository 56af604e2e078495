"""How a case of the municipal case system begins and ends, who takes part in it, and who leads it."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.case_facts import case_facts
from gateway.adapters.kinds import addressee, case_number, day, flag, line, municipality, one_of, party, prose
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Field, Shape, always, every, optional, required
from gateway.adapters.treserva_event import HANDLER, UNIT, WHEN, happened
from gateway.adapters.treserva_plan import OVERALL
from gateway.messages.closure import Closure, LocalDocumentation
from gateway.messages.consent import Consent, ConsentDecision, ConsentScope, GuardianConsent
from gateway.messages.participant import ParticipantAdded, ParticipantRemoved
from gateway.messages.responsibility_transfer import ResponsibilityTransfer
from gateway.messages.sip_start import CareSetting, Placement, SipStart, SipVariant

_PLACEMENT = Shape(
    Placement,
    municipality=optional("kommun", municipality),
    kind=required("boende", one_of(codes.PLACEMENT)),
    since=optional("franOchMed", day),
)
NEED: Final = Shape(
    SipStart,
    initiated_by=required("uppmarksammatAv", one_of(codes.NOTICED_BY)),
    initiated_by_other=optional("uppmarksammatAvAnnan", line),
    variant=optional("avser", one_of(codes.VARIANT), SipVariant.NEW),
    setting=optional("situation", one_of(codes.SETTING), CareSetting.OPEN_CARE),
    need_text=required("behov", prose),
    requested_by_person=optional("begartAvDenEnskilde", flag, False),
    pre_meeting_date=optional("formote", day),
    linked_admission=optional("vardtillfalle", line),
    parallel_reason=optional("skalTillParallellSip", prose),
    placement=optional("placering", _PLACEMENT),
)
"""A need (BEHOV_IDENTIFIERAT)."""

_SCOPE = Shape(
    ConsentScope,
    parties=every("parter", party, least=1),
    units=every("enheter", addressee),
    information_types=every("uppgifter", one_of(codes.INFORMATION), least=1),
    exclusions=optional("undantag", prose),
)
_GUARDIAN = Shape(
    GuardianConsent,
    name=required("namn", line),
    consents=required("samtycker", flag),
    waiver=optional("undantag", one_of(codes.WAIVER)),
)
_CONSENT_COMMON: Final[dict[str, Field[Any]]] = {
    "form": required("form", one_of(codes.CONSENT_FORM)),
    "given_by": required("lamnatAv", one_of(codes.GIVEN_BY)),
    "giver_name": optional("lamnatAvNamn", line),
    "relation": optional("behorighet", line),
    "informed_how": required("informationGiven", prose),
    "guardians": every("vardnadshavare", _GUARDIAN),
    "document_ref": optional("dokument", line),
    "reason": optional("skal", prose),
    "taken_by": HANDLER,
    "taken_at": happened,
}
CONSENT: Final = Shape(
    Consent,
    decision=required("beslut", one_of(codes.DECISION)),
    scope=optional("omfattning", _SCOPE),
    valid_until=optional("gallerTillOchMed", day),
    child_attitude=optional("barnetsInstallning", prose),
    **_CONSENT_COMMON,
)
WITHDRAWAL: Final = Shape(Consent, decision=always(ConsentDecision.WITHDRAWN), **_CONSENT_COMMON)
"""A consent that is taken back (SAMTYCKE_ATERKALLAT)."""

CLOSURE: Final = Shape(
    Closure,
    reason=required("orsak", one_of(codes.CLOSURE_REASON)),
    other_text=optional("orsakText", line),
    closed_on=required("avslutsdatum", day),
    person_informed_how=optional("denEnskildeInformerad", prose),
    where_to_turn=optional("vandaSigTill", prose),
    superseded_by=optional("ersattAv", case_number),
    documented=every(
        "dokumenterat",
        Shape(
            LocalDocumentation,
            principal=required("huvudman", one_of(codes.PRINCIPAL)),
            documented=required("klart", flag),
            on=optional("datum", day),
        ),
    ),
)
"""The end of a case (ARENDE_AVSLUTAT)."""

TRANSFER: Final = Shape(
    ResponsibilityTransfer,
    previous=required("fran", OVERALL),
    next=required("till", OVERALL),
    reason=required("skal", prose),
    effective_on=required("franOchMed", day),
)
"""The overall responsibility handed over (ANSVAR_OVERLAMNAT)."""

PARTICIPANT: Final = "deltagarenhet"
"""The member that names the unit that joins or leaves."""
_PARTICIPANT: Field[str] = required(PARTICIPANT, addressee)

ADDED: Final = Shape(
    ParticipantAdded,
    unit=_PARTICIPANT,
    principal=principal_behind(_PARTICIPANT),
    role=required("roll", line),
    reason=optional("skal", prose),
    **case_facts(UNIT, WHEN),
)
"""A unit joins (DELTAGARE_TILLAGD)."""

REMOVED: Final = Shape(ParticipantRemoved, unit=_PARTICIPANT, reason=required("orsak", one_of(codes.REMOVAL_REASON)))
"""A unit no longer takes part (DELTAGARE_BORTTAGEN)."""
