"""The patient of a FHIR resource: numbers, name, and the protection that security labels tell of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from gateway.adapters.fhir_identifiers import (
    HARMLESS_LABELS,
    LABEL_UNCLEAR,
    PERSON_SYSTEMS,
    PROTECTION,
    UNCLEAR_LABELS,
    graver,
    read_number,
)
from gateway.adapters.fhir_parts import NO_IDENTIFIER, full_name
from gateway.adapters.fhir_reader import ResourceReader
from gateway.adapters.kinds import line
from gateway.adapters.reading import Reader
from gateway.errors import InvalidDocumentError
from gateway.messages import Identifier, Person, ProtectedLevel
from gateway.messages.binding import NOT_ALLOWED

_SWEDISH: Final = frozenset(system for system, _ in PROTECTION)
"""Systems whose every label tells of a protected identity."""
_KNOWN: Final = ", ".join(f"{system}#{code}" for system, code in PROTECTION)


def _numbers(patient: Reader) -> tuple[Identifier, ...]:
    """Read the numbers of a patient, the one in use first: those that are ``old`` come after the others.

    A number of the journal's own (of the type ``MR``, medical record) names nobody outside it, and is left to it.
    """
    array, indices = patient.array("identifier", least=1)
    current: list[Identifier] = []
    old: list[Identifier] = []
    is_known = False
    for index in indices:
        identifier = array.inside(index)
        if _is_record_number(identifier.members):
            continue
        is_known = True
        number = _number(identifier)
        if number is not None:
            (old if identifier.members.get("use") == "old" else current).append(number)
    if indices and not is_known:
        array.note(NO_IDENTIFIER.at(patient.place("identifier"), systems=", ".join(PERSON_SYSTEMS)))
    return (*current, *old)


def _is_record_number(identifier: Mapping[str, Any]) -> bool:
    kind = identifier.get("type") or {}
    return any(
        (coding.get("system"), coding.get("code")) == ("http://terminology.hl7.org/CodeSystem/v2-0203", "MR")
        for coding in kind.get("coding") or ()
    )


def _number(identifier: Reader) -> Identifier | None:
    system, value = identifier.text("system"), identifier.text("value")
    if system is None or value is None:
        return None
    try:
        return read_number(system, value, today=identifier.today)
    except InvalidDocumentError as error:
        if error.codes == ("person-id.system-unknown",):
            identifier.note(NOT_ALLOWED.at(identifier.place("system"), allowed=", ".join(PERSON_SYSTEMS)))
        else:
            identifier.place_of(error, "value")
        return None


def protection(resource: Reader) -> ProtectedLevel:
    """Read the grade of protection that the security labels of a resource tell; the highest of several."""
    if not resource.has("meta") or not resource.inside("meta").has("security"):
        return ProtectedLevel.NONE
    array, indices = resource.inside("meta").array("security", least=0)
    grade, unclear = ProtectedLevel.NONE, None
    for index in indices:
        coding = array.inside(index).members
        label = (str(coding.get("system")), str(coding.get("code")))
        if label in PROTECTION:
            grade = graver(grade, PROTECTION[label])
        elif label in UNCLEAR_LABELS or label[0] in _SWEDISH:
            unclear = array.place(index)
        elif label not in HARMLESS_LABELS:
            array.note(NOT_ALLOWED.at(array.place(index), allowed=_KNOWN))
    if unclear is not None and grade is ProtectedLevel.NONE:
        array.note(LABEL_UNCLEAR.at(unclear, known=_KNOWN))
    return grade


def person(reader: Reader, name: str) -> Person:
    """Read a Reference to the patient. A label on the resource itself protects as one on the Patient does."""
    reference = reader.inside(name)
    own = protection(reader.root)
    if not reference.has("reference") and reference.has("identifier"):
        number = _number(reference.inside("identifier"))
        return Person(
            identifiers=(number,) if number is not None else (), name=line(reference, "display"), protected_level=own
        )
    patient = cast(ResourceReader, reader).target(name, "Patient")
    if patient is None:
        return Person(identifiers=(), name="", protected_level=own)
    return replace(whole_patient(patient), protected_level=graver(own, protection(patient)))


def whole_patient(patient: Reader) -> Person:
    """Read a Patient: numbers (the first is the one in use), name and protection. Where they live is never read."""
    return Person(identifiers=_numbers(patient), name=full_name(patient, "name"), protected_level=protection(patient))
