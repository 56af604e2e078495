"""A Consent becomes a decision about consent: given, given in part, declined or withdrawn."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.fhir_codes import CONSENT_CLASS, CONSENT_CLASS_SYSTEM, CONSENT_DECISION, CONSENT_STATUS, codes_of
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, Form, acting_unit, performer, status, subject
from gateway.adapters.fhir_identifiers import PARTY_SYSTEM
from gateway.adapters.fhir_parts import extra, maybe, organization, party_of_organization
from gateway.adapters.kinds import day, flag, line, moment, one_of, prose
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Shape, every, optional, required
from gateway.messages import (
    Consent,
    ConsentDecision,
    ConsentForm,
    ConsentGiver,
    ConsentScope,
    GuardianConsent,
    GuardianWaiver,
    InformationType,
)

_PROVISION_TYPES: Final = {code: CONSENT_DECISION[code] for code in ("permit", "deny")}


def _decision(reader: Reader) -> ConsentDecision:
    """Read the decision: ``permit`` is a partial consent where the extension ``decision`` says so."""
    meaning = CONSENT_STATUS.get(str(reader.members.get("status")))
    if meaning != "permit":
        return CONSENT_DECISION[meaning or "deny"]
    provided = one_of(_PROVISION_TYPES)(reader.inside("provision"), "type")
    if provided is ConsentDecision.GIVEN and reader.has(url("decision")):
        partial = {one.value: one for one in (ConsentDecision.GIVEN, ConsentDecision.PARTIAL)}
        return one_of(partial)(reader, url("decision"))
    return provided


def _actors(provision: Reader, *, parties: bool) -> tuple[str, ...]:
    """Read the parties, or the units, among those whom the provision is about."""
    array, indices = provision.array("actor", least=1)
    found = []
    for index in indices:
        actor = array.inside(index)
        reference: Any = actor.members.get("reference")
        identifier = reference.get("identifier") if type(reference) is dict else None
        is_party = type(identifier) is dict and identifier.get("system") == PARTY_SYSTEM
        if is_party is parties:
            found.append((party_of_organization if parties else organization)(actor, "reference"))
    return tuple(found)


def _parties(provision: Reader) -> tuple[str, ...]:
    """Read the parties; those of the units that are named, where no party is."""
    named = _actors(provision, parties=True)
    if named:
        return named
    units = provision.directory.units
    return tuple(dict.fromkeys(units[one].party for one in _actors(provision, parties=False) if one in units))


def _information(array: Reader, name: str) -> InformationType:
    coding = array.inside(name)
    one_of({CONSENT_CLASS_SYSTEM: CONSENT_CLASS_SYSTEM})(coding, "system")
    return one_of(CONSENT_CLASS)(coding, "code")


_SCOPE: Final = Shape(
    ConsentScope,
    parties=_parties,
    units=lambda provision: _actors(provision, parties=False),
    information_types=every("class", _information, least=1),
    exclusions=maybe("exclusions", prose),
)


def _scope(reader: Reader) -> ConsentScope | None:
    if _decision(reader) not in (ConsentDecision.GIVEN, ConsentDecision.PARTIAL):
        return None
    return required("provision", _SCOPE)(reader)


def _last_day(reader: Reader) -> Any:
    provision = reader.inside("provision") if reader.has("provision") else None
    if provision is None or not provision.has("period"):
        return None
    return optional("end", day)(provision.inside("period"))


_GUARDIAN: Final = Shape(
    GuardianConsent,
    name=required("name", line),
    consents=required("consents", flag),
    waiver=optional("waiver", one_of(codes_of(GuardianWaiver))),
)
_CONSENT: Final = Form(
    message_type="consent",
    body=Shape(
        Consent,
        decision=_decision,
        form=extra("form", one_of(codes_of(ConsentForm))),
        given_by=extra("given-by", one_of(codes_of(ConsentGiver))),
        giver_name=maybe("giver-name", line),
        relation=maybe("relation", line),
        scope=_scope,
        valid_until=_last_day,
        informed_how=extra("informed-how", prose),
        child_attitude=maybe("child-attitude", prose),
        guardians=every(url("guardian-consent"), _GUARDIAN),
        document_ref=maybe("document-reference", line),
        reason=maybe("consent-reason", prose),
        taken_by=performer(),
        taken_at=required("dateTime", moment),
    ).here,
    patient=subject("patient"),
    unit=acting_unit("organization"),
    user=performer(),
    case_reference=CASE,
)


def consent(reader: Reader) -> Form | None:
    """Return what a Consent becomes; ``None`` where nothing is decided yet."""
    return _CONSENT if status(reader, CONSENT_STATUS) is not None else None
