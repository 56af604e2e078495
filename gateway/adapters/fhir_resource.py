"""Bytes into FHIR R4 resources: bounded, valid, known by their place, and with the references inside a Bundle resolved.

``fhir.resources`` (R4B, which for the resources used here is R4) judges their form. Its words may repeat what it was
given, and are replaced by faults of our own; the places are kept, as FHIR expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from gateway.adapters.fhir_extensions import is_allowed
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages.binding import BAD_FORM, MISSING, NOT_ALLOWED, UNKNOWN, WRONG_TYPE
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
MODIFIER: Final = Fault(
    "fhir.modifier-not-understood",
    "Elementet ändrar resursens betydelse på ett sätt som inte förstås här.",
    "The element changes the meaning of the resource in a way that is not understood here.",
)
EXTENSION_UNKNOWN: Final = Fault(
    "fhir.extension-unknown",
    "Tillägget (extension) har ett namn i SIP Gateways namnrymd som inte finns för den här resursen.",
    "The extension has a name in the namespace of SIP Gateway that this resource does not have.",
)
EXTENSION_VALUE: Final = Fault(
    "fhir.choice",
    "Elementet ska ha ett värde av en enda typ.",
    "The element must have a value of one single type.",
)

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,39}")
_ELEMENT = re.compile(r"_?[a-z][A-Za-z0-9]{0,49}")


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
    _stop(found for one in package.resources for found in _faults_of(one))
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
        findings.extend(_type_faults(resource, f"{place}.resource"))
        is_included = isinstance(search, dict) and search.get("mode") == "include"
        resources.append(
            Resource(resource, f"{place}.resource", url if isinstance(url, str) else None, is_included=is_included)
        )
    _stop(findings)
    # The resources are judged one by one, so that a fault in one does not hide those of another.
    shell = {name: value for name, value in root.items() if name != "entry"}
    shell["entry"] = [{name: value for name, value in entry.items() if name != "resource"} for entry in entries]
    findings = list(_invalid(shell, "Bundle", "Bundle"))
    findings += [finding for entry in shell["entry"] for finding in _forbidden(entry, "Bundle.entry", "Bundle")]
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
        try:
            get_fhir_model_class(kind if _TYPE.fullmatch(kind) else "")
        except (LookupError, ValueError):
            yield NOT_A_RESOURCE.at(f"{place}.resourceType")
        else:
            yield RESOURCE_NOT_USED.at(f"{place}.resourceType", known=", ".join(FOCAL))


def _faults_of(resource: Resource) -> Iterator[Finding]:
    yield from _invalid(resource.members, resource.type, resource.expression)
    yield from _forbidden(resource.members, resource.expression, resource.type)


def _invalid(members: Mapping[str, Any], kind: str, expression: str) -> Iterator[Finding]:
    """Yield what ``fhir.resources`` finds wrong with a resource."""
    try:
        get_fhir_model_class(kind).model_validate(dict(members))
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False, include_context=True):
            yield _finding(one["type"], expression, one["loc"], str(one["msg"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError):
        # Some of its checks fail on a value of a type they did not expect, before they have said where.
        yield BAD_FORM.at(expression, expected=f"FHIR {kind}")


def _finding(kind: str, expression: str, location: Sequence[int | str], words: str) -> Finding:
    # "root" is where the library says that an object is no object.
    place = expression_at(expression, [part for part in location if part != "root"])
    if kind.endswith("missing"):
        name = str(location[-1])
        return MISSING.at(place, name=name)
    if kind == "extra_forbidden":
        return UNKNOWN.at(place)
    if "got multiple" in words or "Expect any of field value" in words:
        return EXTENSION_VALUE.at(place)
    if kind.endswith("_type") or kind == "model_validation_format":
        return WRONG_TYPE.at(place, expected="av den typ FHIR anger/of the type FHIR gives")
    return BAD_FORM.at(place, expected="på den form FHIR anger/of the form FHIR gives")


def expression_at(expression: str, location: Iterable[int | str]) -> str:
    """Return the FHIR expression of ``location`` inside ``expression``.

    What does not look like the name of an element may be content, and is left out with all that follows.
    """
    for part in location:
        if isinstance(part, int):
            expression += f"[{part}]"
        elif _ELEMENT.fullmatch(part):
            expression += f".{part}"
        else:
            break
    return expression


def _forbidden(value: Any, expression: str, kind: str) -> Iterator[Finding]:
    """Yield what changes the meaning of a resource of a ``kind`` and is not understood, and extensions out of place."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _forbidden(item, f"{expression}[{index}]", kind)
    if not isinstance(value, dict):
        return
    kind = str(value.get("resourceType", kind))  # a contained one has extensions of its own
    for name, inner in value.items():
        place = expression_at(expression, [name])
        if name in ("modifierExtension", "implicitRules"):
            yield MODIFIER.at(place)
        elif name == "extension" and isinstance(inner, list):
            for index, extension in enumerate(inner):
                if isinstance(extension, dict) and not is_allowed(extension.get("url"), kind):
                    yield EXTENSION_UNKNOWN.at(f"{place}[{index}]")
        yield from _forbidden(inner, place, kind)
