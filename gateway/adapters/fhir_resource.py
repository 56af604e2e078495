"""Bytes into FHIR R4 resources: bounded, valid, known by their place, and with references inside a Bundle resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.adapters.fhir_validity import forbidden, invalid, is_type
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages.binding import MISSING, NOT_ALLOWED, WRONG_TYPE
from gateway.messages.hardened import read_json

BUNDLE_TYPES: Final = ("message", "transaction", "collection")
"""Kinds of Bundle that are taken in."""
FOCAL: Final = ("Encounter", "Appointment", "AppointmentResponse", "CarePlan", "Consent", "Task", "Communication")
"""Resources that tell that something has happened."""
CONTEXT: Final = (
    "CareTeam",
    "Goal",
    "HealthcareService",
    "Location",
    "MessageHeader",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
)
"""Resources that are read only where one of the others refers to them; a Patient that stands alone is kept."""

NOT_A_RESOURCE: Final = Fault(
    "fhir.resource-type-unknown",
    "Resurstypen finns inte i FHIR R4.",
    "The type of the resource is not one of FHIR R4.",
)
RESOURCE_NOT_USED: Final = Fault(
    "fhir.resource-not-used",
    "Resurser av den typen kan inte bli ett SIP-meddelande; de som kan är {known}.",
    "Resources of that type cannot become a SIP message; those that can are {known}.",
)
NO_RESOURCE: Final = Fault(
    "fhir.entry-without-resource",
    "Posten i Bundle har ingen resurs. Att något tas bort kan inte skickas; återta meddelandet i stället.",
    "The entry of the Bundle has no resource. A deletion cannot be sent; retract the message instead.",
)
DELETION: Final = Fault(
    "fhir.method-not-taken",
    "Posten begär något annat än att en resurs skapas eller ändras (POST, PUT).",
    "The entry asks for something else than that a resource is created or updated (POST, PUT).",
)
FULL_URL_TWICE: Final = Fault(
    "fhir.full-url-twice", "Två poster har samma fullUrl.", "Two entries have the same fullUrl."
)
ID_TWICE: Final = Fault(
    "fhir.id-twice",
    "Två resurser av samma typ har samma id; en referens till dem är tvetydig.",
    "Two resources of one type have the same id; a reference to them is ambiguous.",
)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: its members, the FHIR expression of its place, and the ``fullUrl`` it is known by in a Bundle.

    ``is_included`` says that a search brought it along with another one.
    """

    members: Mapping[str, Any]
    expression: str
    full_url: str | None = None
    is_included: bool = False

    @property
    def type(self) -> str:
        """The type of the resource."""
        return str(self.members["resourceType"])


@dataclass(frozen=True, slots=True)
class Package:
    """What came in one document: the whole of it, and its resources in order."""

    root: Mapping[str, Any]
    resources: tuple[Resource, ...]
    is_bundle: bool
    _by_reference: dict[str, Resource] = field(default_factory=dict)

    def find(self, reference: str, container: Resource) -> Resource | None:
        """Return the resource that ``reference``, which stands in ``container``, names; ``None`` where it is absent.

        It is one in the Bundle, by its ``fullUrl`` or as ``Type/id``, or (``#id``) one inside the container.
        """
        if reference.startswith("#"):
            for index, inner in enumerate(container.members.get("contained") or ()):
                if inner.get("id") == reference[1:]:
                    return Resource(inner, f"{container.expression}.contained[{index}]")
            return None
        if not self._by_reference:
            for resource in self.resources:
                for name in _names(resource):
                    self._by_reference.setdefault(name, resource)
        return self._by_reference.get(reference.partition("/_history/")[0])


def _names(resource: Resource) -> Iterator[str]:
    if resource.full_url is not None:
        yield resource.full_url
    if "id" in resource.members:
        yield f"{resource.type}/{resource.members['id']}"


def read_package(content: bytes) -> Package:
    """Return the resources of a document in JSON.

    Raises:
        InvalidDocumentError: it is too large, no JSON, no FHIR, a Bundle of another kind, or holds what is not used.
    """
    root = read_json(content)
    if not isinstance(root, dict):
        raise InvalidDocumentError(WRONG_TYPE.at("$this", expected="objekt/object"))
    kind = root.get("resourceType")
    if kind == "Bundle":
        package = _bundle(root)
    else:
        _stop(_type_faults(root, "$this"))
        package = Package(root, (Resource(root, str(kind)),), is_bundle=False)
    _stop(
        finding
        for one in package.resources
        for judge in (invalid, forbidden)
        for finding in judge(one.members, one.type, one.expression)
    )
    return package


def _bundle(root: dict[str, Any]) -> Package:
    if root.get("type") not in BUNDLE_TYPES:
        raise InvalidDocumentError(NOT_ALLOWED.at("Bundle.type", allowed=", ".join(BUNDLE_TYPES)))
    entries = root.get("entry", [])
    if not isinstance(entries, list):
        raise InvalidDocumentError(WRONG_TYPE.at("Bundle.entry", expected="lista/array"))
    findings: list[Finding] = []
    resources: list[Resource] = []
    urls: set[str] = set()
    names: set[tuple[str, str]] = set()
    for index, entry in enumerate(entries):
        place = f"Bundle.entry[{index}]"
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            findings.append(NO_RESOURCE.at(place))
            continue
        request, search, url = entry.get("request"), entry.get("search"), entry.get("fullUrl")
        if isinstance(request, dict) and request.get("method") not in ("POST", "PUT"):
            findings.append(DELETION.at(f"{place}.request.method"))
        if isinstance(url, str):
            if url in urls:
                findings.append(FULL_URL_TWICE.at(f"{place}.fullUrl"))
            urls.add(url)
        name = (str(resource.get("resourceType")), str(resource.get("id")))
        if "id" in resource and name in names:  # a reference to it could mean either, and another patient
            findings.append(ID_TWICE.at(f"{place}.resource.id"))
        names.add(name)
        findings.extend(_type_faults(resource, f"{place}.resource"))
        is_included = isinstance(search, dict) and search.get("mode") == "include"
        resources.append(
            Resource(resource, f"{place}.resource", url if isinstance(url, str) else None, is_included=is_included)
        )
    _stop(findings)
    # The resources are judged one by one, so that a fault in one does not hide those of another.
    shell = {name: value for name, value in root.items() if name != "entry"}
    shell["entry"] = [{name: value for name, value in entry.items() if name != "resource"} for entry in entries]
    findings = list(invalid(shell, "Bundle", "Bundle"))
    findings += [finding for entry in shell["entry"] for finding in forbidden(entry, "Bundle", "Bundle.entry")]
    _stop(findings)
    return Package(root, tuple(resources), is_bundle=True)


def _stop(findings: Iterable[Finding]) -> None:
    found = list(findings)
    if found:
        raise InvalidDocumentError(dict.fromkeys(found))


def _type_faults(resource: Mapping[str, Any], place: str) -> Iterator[Finding]:
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        yield MISSING.at(f"{place}.resourceType", name="resourceType")
    elif kind not in FOCAL and kind not in CONTEXT:
        if is_type(kind):
            yield RESOURCE_NOT_USED.at(f"{place}.resourceType", known=", ".join(FOCAL))
        else:
            yield NOT_A_RESOURCE.at(f"{place}.resourceType")
