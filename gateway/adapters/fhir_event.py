"""A FHIR document as an event: which of its resources tell that something has happened, and what each becomes.

A resource that another one in the same document refers to, or that a search brought along, is context: it is read
where it is referred to. Where a message Bundle's header names what it is about (``focus``), that is what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import Form, happened
from gateway.adapters.fhir_identifiers import ENTRY_SYSTEM
from gateway.adapters.fhir_in_consent import consent
from gateway.adapters.fhir_in_encounter import encounter
from gateway.adapters.fhir_in_follow_up import SAYS_FOLLOWED_UP
from gateway.adapters.fhir_in_meeting import SAYS_HELD, appointment
from gateway.adapters.fhir_in_message import communication, task
from gateway.adapters.fhir_in_plan import care_plan
from gateway.adapters.fhir_in_response import appointment_response
from gateway.adapters.fhir_mapping import STANDARD, FhirMapping
from gateway.adapters.fhir_patient import whole_patient
from gateway.adapters.fhir_reader import UNRESOLVED, ResourceReader
from gateway.adapters.fhir_resource import FOCAL, Package, Resource, read_package
from gateway.adapters.reading import Reader
from gateway.clock import local_date
from gateway.directory import Directory
from gateway.envelope import content_hash
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.ports import Draft, Event, Translation

NO_EVENT_ID: Final = Fault(
    "fhir.event-id-missing",
    "Det går inte att se vilken händelse det är: en Bundle ska ha identifier eller id, en ensam resurs id och "
    "meta.versionId eller meta.lastUpdated.",
    "One cannot tell which event it is: a Bundle has an identifier or an id, a single resource an id and "
    "meta.versionId or meta.lastUpdated.",
)
NOTHING_HAPPENED: Final = Fault(
    "fhir.nothing-to-take",
    "Ingen av resurserna är av ett slag som kan bli ett meddelande; de slagen är {known}, och Patient, som sparas.",
    "None of the resources is of a kind that can become a message; those are {known}, and Patient, which is kept.",
)
SEVERAL_CASES: Final = Fault(
    "fhir.several-cases",
    "Resurserna gäller olika ärenden; skicka dem var för sig.",
    "The resources are about different cases; send them one by one.",
)

FORMS: Final[Mapping[str, Callable[[Reader], Form | None]]] = {
    "Encounter": encounter,
    "Appointment": appointment,
    "AppointmentResponse": appointment_response,
    "CarePlan": care_plan,
    "Consent": consent,
    "Task": task,
    "Communication": communication,
}
"""How each kind of resource is understood."""

_LONGEST_ID: Final = 200
_ANY_TIME: Final = "2000-01-01T00:00:00Z"
_ON_SERVER: Final = re.compile(r"/([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})$")
_ADDED: Final = frozenset(url(name) for name in (*SAYS_HELD, *SAYS_FOLLOWED_UP))
"""Extensions that only others write."""


def translate(event: Event, directory: Directory, mapping: FhirMapping = STANDARD) -> Translation:
    """Understand a document, in the words of ``mapping``. Pure: the same document gives the same drafts.

    Raises:
        InvalidDocumentError: with every fault and its FHIR expression.
    """
    package = mapping.understood(read_package(event.content))
    findings: list[Finding] = []
    event_id = _event_id(package)
    if event_id is None:
        findings.append(NO_EVENT_ID.at("Bundle.identifier" if package.is_bundle else "$this.meta"))
    drafts: list[Draft] = []
    references: list[str] = []
    focal = _focal(package)
    for resource in focal:
        reader = ResourceReader.at(package, resource, directory)
        try:
            form, draft, reference = _understood(reader)
        except InvalidDocumentError as error:
            findings.extend(error.findings)
            continue
        if form is not None and draft is not None:
            # What a rule finds wrong in the message is wrong in the resource that told it.
            drafts.append(replace(draft, placed=partial(_placed, resource.expression)))
        if reference is not None:
            references.append(reference)
    if not focal:
        findings.extend(_kept_patients(package, directory))
    if len(set(references)) > 1:
        findings.append(SEVERAL_CASES.at("Bundle.entry"))
    if findings or event_id is None:
        raise InvalidDocumentError(dict.fromkeys(findings))
    return Translation(
        event_id=event_id,
        kind="+".join(dict.fromkeys(resource.type for resource in focal)) or "Patient",
        case_reference=references[0] if references else None,
        drafts=tuple(drafts),
    )


def recognised(event: Event) -> tuple[str | None, str | None]:
    """Return the id and the kind of a document that is not understood, as far as it tells them."""
    try:
        package = read_package(event.content)
        kinds = dict.fromkeys(resource.type for resource in _focal(package))
    except InvalidDocumentError:
        return None, None
    return _event_id(package), "+".join(kinds)[:64] or None


@dataclass(frozen=True, slots=True)
class Told:
    """What a document tells: a digest of what each of its resources ``says``, by ``Type/id``, and of which ``cases``.

    A digest is the same however the resource came and whenever it was recorded. A resource without an id is left out.
    """

    says: Mapping[str, str]
    cases: frozenset[str]


def told(event: Event, directory: Directory, mapping: FhirMapping = STANDARD) -> Told:
    """Return what the resources of a document say, each by itself; raises :class:`InvalidDocumentError`."""
    package = mapping.understood(read_package(event.content))
    says: dict[str, str] = {}
    cases: set[str] = set()
    focal = _focal(package)
    for resource in focal:
        day = local_date(happened(ResourceReader.at(package, resource, directory)))
        _, draft, reference = _understood(ResourceReader.at(package, _undated(resource), directory), day)
        says |= dict.fromkeys(_names(resource), content_hash(_shown(resource.type, reference, draft)))
        cases.update({reference} if reference is not None else ())
    if not focal:  # a patient alone says nothing to anyone
        for resource in package.resources:
            says |= dict.fromkeys(_names(resource), content_hash(resource.type.encode()))
    return Told(says, frozenset(cases))


def _shown(*parts: Any) -> bytes:
    # Frozen dataclasses and enumerations: what they are shown as is all that they hold, and the same each time.
    return repr(parts).encode("utf-8", "replace")


def _undated(resource: Resource) -> Resource:
    """Return a resource as if it had been recorded at a moment that is the same for all."""
    meta = {**(resource.members.get("meta") or {}), "lastUpdated": _ANY_TIME}
    return replace(resource, members={**resource.members, "meta": meta})


def _names(resource: Resource) -> Iterator[str]:
    """Yield what a resource is called on its server, ``Type/id``, where one can tell."""
    if (own := resource.members.get("id")) is not None:
        yield f"{resource.type}/{own}"
    elif (found := _ON_SERVER.search(resource.full_url or "")) is not None and found[1] == resource.type:
        yield f"{found[1]}/{found[2]}"


def _placed(expression: str, finding: Finding) -> Finding:
    return replace(finding, path=expression)


def told_at(event: Event, directory: Directory, mapping: FhirMapping = STANDARD) -> datetime:
    """Return when what a document tells happened, as the first of its resources says that tells anything.

    Raises:
        InvalidDocumentError: it does not say.
    """
    package = mapping.understood(read_package(event.content))
    for resource in _focal(package):
        moment: datetime = happened(ResourceReader.at(package, resource, directory))
        return moment
    raise InvalidDocumentError(NOTHING_HAPPENED.at("$this", known=", ".join(FOCAL)))


def _understood(reader: ResourceReader, day: date | None = None) -> tuple[Form | None, Draft | None, str | None]:
    """Understand a resource, as of the ``day`` that what it tells happened: by itself, the one that it tells."""
    reader.happened_on(day or local_date(happened(reader)))
    form = None if _is_echo(reader.resource) else FORMS[reader.resource.type](reader)
    draft = form.draft(reader) if form is not None else None
    reference = form.case_reference(reader) if form is not None and form.case_reference is not None else None
    if form is None:
        reader.stop_if_wrong()
    else:
        reader.finish()
    return form, draft, reference


def _is_echo(resource: Resource) -> bool:
    """Tell whether the gateway itself wrote the resource, so that it tells nothing new.

    Staff change a Task, and say in a plan or an Appointment what came of it, which the gateway never writes.
    """
    if any(one.get("url") in _ADDED for one in resource.members.get("extension") or ()):
        return False
    identifiers = resource.members.get("identifier")
    return resource.type != "Task" and any(
        one.get("system") == ENTRY_SYSTEM for one in (identifiers if isinstance(identifiers, list) else ())
    )


def _event_id(package: Package) -> str | None:
    """Return the id of the event: of the Bundle, or of the version of a single resource."""
    root = package.root
    meta = root.get("meta") or {}
    if package.is_bundle:
        identifier = root.get("identifier") or {}
        parts = [identifier.get("system"), identifier.get("value")] if identifier.get("value") else [root.get("id")]
    else:
        parts = [root.get("resourceType"), root.get("id"), meta.get("versionId") or meta.get("lastUpdated")]
        if None in parts:
            return None
    told = "|".join(str(part) for part in parts if part is not None)
    if not told:
        return None
    return told if len(told) <= _LONGEST_ID else content_hash(told.encode("utf-8", "replace"))


def _focal(package: Package) -> tuple[Resource, ...]:
    """Return the resources that tell that something has happened.

    Raises:
        InvalidDocumentError: the header of a message Bundle names something that has not come along.
    """
    header = next((one for one in package.resources if one.type == "MessageHeader"), None)
    if header is not None and header.members.get("focus"):
        return tuple(one for one in _named(package, header) if one.type in FORMS)
    candidates = [one for one in package.resources if one.type in FORMS and not one.is_included]
    referred = {
        id(target.members)
        for resource in candidates
        for reference in _references(resource.members)
        if (target := package.find(reference, resource)) is not None and target.members is not resource.members
    }
    # Where each refers to another, none of them is context.
    return tuple(one for one in candidates if id(one.members) not in referred) or tuple(candidates)


def _named(package: Package, header: Resource) -> Iterator[Resource]:
    for index, focus in enumerate(header.members["focus"]):
        found = package.find(str(focus.get("reference")), header)
        if found is None:
            raise InvalidDocumentError(UNRESOLVED.at(f"{header.expression}.focus[{index}]"))
        yield found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str):
            yield reference
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _kept_patients(package: Package, directory: Directory) -> Iterator[Finding]:
    """Yield what is wrong with the patients of a document in which nothing else has happened.

    A patient is kept; what their protection now is, the next message says.
    """
    patients = [one for one in package.resources if one.type == "Patient"]
    if not patients:
        yield NOTHING_HAPPENED.at("Bundle.entry" if package.is_bundle else "$this", known=", ".join(FOCAL))
    for resource in patients:
        reader = ResourceReader.at(package, resource, directory)
        whole_patient(reader)
        try:
            reader.finish()
        except InvalidDocumentError as error:
            yield from error.findings
