"""Identifiers and security labels in FHIR, both ways: how a person, a unit, a member of staff and a message are named.

Systems are those of the HL7 Sweden base profiles and the OIDs of RIVTA and Inera; for a case, a party and a message,
which FHIR has no system for, they are the gateway's own. A system that stands in no table is refused, never guessed.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from gateway.errors import Fault, InvalidDocumentError
from gateway.identifiers import HSA_ID_OID, HSA_ID_OIDS, PersonId, PersonIdKind
from gateway.messages import Identifier, Person, ProtectedLevel

HSA_SYSTEM: Final = f"urn:oid:{HSA_ID_OID}"
"""The system of an HSA-id, as the gateway writes it."""
HSA_SYSTEMS: Final = tuple(sorted(f"urn:oid:{oid}" for oid in HSA_ID_OIDS))
"""Every system that means HSA-id."""
PARTY_SYSTEM: Final = "urn:sip-gateway:party"
"""The name of a party on the exchange."""
CASE_SYSTEM: Final = "urn:sip-gateway:case-number"
"""The number of a case."""
MESSAGE_SYSTEM: Final = "urn:sip-gateway:message-id"
"""The id of a message."""
ENTRY_SYSTEM: Final = "urn:sip-gateway:entry"
"""The id of a resource that the gateway itself has written: what comes back with one is no news."""

PERSON_SYSTEMS: Final = tuple(kind.fhir_system or f"urn:oid:{kind.oid}" for kind in PersonIdKind)
"""Every system of a person's number that is understood, beside the same as ``urn:oid:``."""

LABELS: Final = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel"
"""The code system of security labels in the HL7 Sweden base profiles."""
OWN_LABELS: Final = "urn:sip-gateway:security-label"
"""The label that the base profiles do not have."""
PROTECTION: Final = {
    (LABELS, "sekretessmarkering"): ProtectedLevel.CONFIDENTIALITY_MARKED,
    (LABELS, "skyddadFolkbokforing"): ProtectedLevel.PROTECTED_REGISTRATION,
    # Where the base profiles were before they moved to hl7.se.
    ("http://electronichealth.se/fhir/CodeSystem/SecurityLabelCS", "sekretessmarkering"): (
        ProtectedLevel.CONFIDENTIALITY_MARKED
    ),
    ("http://electronichealth.se/fhir/CodeSystem/SecurityLabelCS", "skyddadFolkbokforing"): (
        ProtectedLevel.PROTECTED_REGISTRATION
    ),
    (OWN_LABELS, "fingeradeUppgifter"): ProtectedLevel.FICTITIOUS_IDENTITY,
}
"""Security labels (``meta.security``) that tell of a protected identity."""
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
HARMLESS_LABELS: Final = {(CONFIDENTIALITY, code) for code in ("U", "L", "M", "N")}
"""Labels that tell of no protection beyond what all health records have."""
UNCLEAR_LABELS: Final = {
    (CONFIDENTIALITY, "R"),
    (CONFIDENTIALITY, "V"),
    ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "PDS"),
}
"""Labels that may tell of a protected identity, and do not say of which grade: they need one of the others beside."""

_GRADES = list(ProtectedLevel)

LABEL_UNCLEAR: Final = Fault(
    "fhir.label-unclear",
    "Säkerhetsetiketten kan betyda skyddade personuppgifter; ange vilket skydd som gäller med någon av {known}.",
    "The security label may mean a protected identity; say which protection holds with one of {known}.",
)


def read_number(system: str, value: str, *, today: date) -> Identifier:
    """Return the number that names a person, which is written ``value`` in ``system``.

    Raises:
        InvalidDocumentError: the system is unknown, or the number is wrong.
    """
    number = PersonId.from_oid(system, value, today=today)
    return Identifier(root=number.oid, extension=number.value)


def number_of(identifier: Identifier) -> dict[str, Any]:
    """Return a person's number as a FHIR Identifier."""
    try:
        system = PersonId.from_oid(identifier.root, identifier.extension).fhir_system
    except InvalidDocumentError:
        system = None  # what has passed the partner's gate is written as it came
    return {"system": system or f"urn:oid:{identifier.root}", "value": identifier.extension}


def hsa(hsa_id: str) -> dict[str, Any]:
    """Return an HSA-id as a FHIR Identifier."""
    return {"system": HSA_SYSTEM, "value": hsa_id}


def graver(first: ProtectedLevel, second: ProtectedLevel) -> ProtectedLevel:
    """Return the one of two grades that protects more."""
    return max(first, second, key=_GRADES.index)


def labels_of(person: Person) -> list[dict[str, Any]]:
    """Return the security labels of everything that names ``person``; none where nothing is protected."""
    return [
        {"system": system, "code": code}
        for (system, code), level in PROTECTION.items()
        if level is person.protected_level and system in (LABELS, OWN_LABELS)
    ]
