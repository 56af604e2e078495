"""A decision about consent as a FHIR Consent."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import fhir_written as to
from gateway.adapters.fhir_codes import CONSENT_CLASS_SYSTEM
from gateway.adapters.fhir_extensions import written
from gateway.adapters.fhir_identifiers import PARTY_SYSTEM
from gateway.adapters.fhir_written import Entry, Json
from gateway.messages import Consent, ConsentDecision, ConsentScope, Message

_STATUS: Final = {
    ConsentDecision.GIVEN: "active",
    ConsentDecision.PARTIAL: "active",
    ConsentDecision.DECLINED: "rejected",
    ConsentDecision.WITHDRAWN: "inactive",
}
_SCOPE: Final = to.concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
_CATEGORY: Final = to.concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "INFA")
_ROLE: Final = to.concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
_LAW: Final = {"text": "Offentlighets- och sekretesslagen (2009:400) 10 kap. 1 §"}


def consent(message: Message, unit: str, patient: Json, meta: Json | None) -> list[Entry]:
    """Return the Consent of a message for ``unit``."""
    body: Consent = message.body
    header = message.header
    values: dict[str, Any] = {
        "case-reference": header.case_number,
        "performer": to.staff(body.taken_by),
        "decision": body.decision.value if body.decision is ConsentDecision.PARTIAL else None,
        "form": body.form.value,
        "given-by": body.given_by.value,
        "giver-name": body.giver_name,
        "relation": body.relation,
        "informed-how": body.informed_how,
        "child-attitude": body.child_attitude,
        "guardian-consent": [
            {
                "name": one.name,
                "consents": one.consents,
                "waiver": one.waiver.value if one.waiver is not None else None,
            }
            for one in body.guardians
        ],
        "document-reference": body.document_ref,
        "consent-reason": body.reason,
    }
    return [
        to.entry(
            "Consent",
            to.key_of(header.message_id, unit, "Consent"),
            {
                "meta": meta,
                "extension": [one for name, value in values.items() for one in written(name, value)],
                "status": _STATUS[body.decision],
                "scope": _SCOPE,
                "category": [_CATEGORY],
                "patient": patient,
                "dateTime": to.time(body.taken_at),
                "organization": [to.unit(header.sender.unit)],
                "policyRule": _LAW,
                "provision": _provision(body),
            },
            identifiers=[to.message(header.message_id), to.case(header.case_number)],
        )
    ]


def _provision(body: Consent) -> Json | None:
    until = {"period": {"end": body.valid_until.isoformat()}} if body.valid_until is not None else {}
    if body.scope is None:
        return {"type": "deny", **until}
    return {"type": "permit", **until, **_scope(body.scope)}


def _scope(scope: ConsentScope) -> Json:
    parties = [{"type": "Organization", "identifier": {"system": PARTY_SYSTEM, "value": one}} for one in scope.parties]
    told: Json = {
        "actor": [{"role": _ROLE, "reference": one} for one in [*parties, *map(to.unit, scope.units)]],
        "class": [{"system": CONSENT_CLASS_SYSTEM, "code": one.value} for one in scope.information_types],
    }
    return told | ({"extension": written("exclusions", scope.exclusions)} if scope.exclusions is not None else {})
