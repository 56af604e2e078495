"""Parts of FHIR resources that several have: codes, periods, and references to a unit, a member of staff, a message.

Each reads one member of an object, as the kinds of :mod:`gateway.adapters.kinds` do. A Reference is understood by its
``identifier`` where it has one, else by the resource it names, which must have come along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_identifiers import HSA_SYSTEMS, MESSAGE_SYSTEM, PARTY_SYSTEM
from gateway.adapters.fhir_reader import ResourceReader
from gateway.adapters.kinds import (
    LONGEST_PROSE,
    TEXT_TOO_LONG,
    Kind,
    addressee,
    line,
    message_id,
    moment,
    party,
    phone,
    prose,
    staff_id,
    unit,
)
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field, Shape, optional, required
from gateway.errors import Fault, InvalidDocumentError
from gateway.messages import Slot, User
from gateway.messages.binding import MISSING, NOT_ALLOWED

T = TypeVar("T")

_STAND_IN = datetime(2000, 1, 1, tzinfo=UTC)

NO_IDENTIFIER: Final = Fault(
    "fhir.identifier-missing",
    "Det finns ingen identifier i något av systemen {systems}.",
    "There is no identifier in any of the systems {systems}.",
)
PERIOD: Final = Shape(Slot, start=required("start", moment), end=required("end", moment))
"""A Period with both ends."""


def extra(name: str, kind: Kind[T]) -> Field[T]:
    """Return the field that stands in the extension ``name``, which must be there."""
    return required(url(name), kind)


def maybe(name: str, kind: Kind[T], default: T | None = None) -> Field[T | None]:
    """Return the field that may stand in the extension ``name``, and is ``default`` otherwise."""
    return optional(url(name), kind, default)


def first(name: str, kind: Kind[T], *, least: int = 1) -> Field[T | None]:
    """Return the field that is the first item of the list in member ``name``; ``None`` where there is none."""

    def read(reader: Reader) -> T | None:
        if not least and not reader.has(name):
            return None
        array, indices = reader.array(name, least=least)
        return kind(array, indices[0]) if indices else None

    return read


def followed(kind: Field[T], *types: str) -> Kind[T | None]:
    """Return the kind of a Reference to a resource of one of ``types``, which ``kind`` reads."""

    def read(reader: Reader, name: str) -> T | None:
        found = cast(ResourceReader, reader).target(name, *types)
        return kind(found) if found is not None else None

    return read


def joined(name: str, member: str, *, least: int = 0) -> Field[str | None]:
    """Return the field that is the texts in ``member`` of each item of the list ``name``, in order."""

    def read(reader: Reader) -> str | None:
        if not least and not reader.has(name):
            return None
        array, indices = reader.array(name, least=least)
        text = "\n\n".join(prose(array.inside(index), member) for index in indices)
        if len(text) > LONGEST_PROSE:
            reader.note(TEXT_TOO_LONG.at(reader.place(name), limit=LONGEST_PROSE))
        return text

    return read


def codes_in(reader: Reader, name: str, system: str) -> tuple[str | None, ...]:
    """Return the codes in ``system`` that member ``name`` has: a CodeableConcept, or a list of them.

    Nothing is noted: the form of what came has been judged.
    """
    found = reader.members.get(name) or []
    return tuple(
        coding.get("code")
        for concept in (found if isinstance(found, list) else [found])
        for coding in concept.get("coding") or ()
        if coding.get("system") == system
    )


def coded(codes: Mapping[tuple[str, str], T]) -> Kind[T | None]:
    """Return the kind of a CodeableConcept, one of whose codings must stand in ``codes`` by system and code."""

    def read(reader: Reader, name: str) -> T | None:
        array, indices = reader.inside(name).array("coding", least=1)
        for index in indices:
            coding = array.inside(index).members
            found = (coding.get("system"), coding.get("code"))
            if found in codes:
                return codes[cast("tuple[str, str]", found)]
        if indices:
            allowed = ", ".join(f"{system}#{code}" for system, code in codes)
            array.note(NOT_ALLOWED.at(array.place(indices[0]), allowed=allowed))
        return None

    return read


def in_system(system: str, codes: Mapping[str, T]) -> Kind[T | None]:
    """Return the kind of a CodeableConcept whose code is one of ``codes`` in ``system``."""
    return coded({(system, code): meaning for code, meaning in codes.items()})


def _identified(reader: Reader, kinds: Mapping[str, Kind[str]]) -> str | None:
    """Read the first of the object's identifiers whose system is in ``kinds``; ``None`` after a fault."""
    array, indices = reader.array("identifier", least=1)
    for index in indices:
        identifier = array.inside(index)
        kind = kinds.get(str(identifier.members.get("system")))
        if kind is not None:
            return kind(identifier, "value")
    if indices:
        array.note(NO_IDENTIFIER.at(reader.place("identifier"), systems=", ".join(kinds)))
    return None


def _referred(name_of: Mapping[str, Kind[str]], *kinds: str) -> Kind[str]:
    """Return the kind of a Reference to one of ``kinds``, known by an identifier, or to a role at one of them."""
    of_role = _directly_referred(name_of, *kinds)

    def read(reader: Reader, name: str) -> str:
        reference = reader.inside(name)
        if reference.has("identifier") or not reference.has("reference"):
            return of_role(reader, name)
        found = cast(ResourceReader, reader).target(name, "PractitionerRole", *kinds)
        if found is None:
            return ""
        if found.members.get("resourceType") == "PractitionerRole":
            return of_role(found, "organization")
        return _identified(found, name_of) or ""

    return read


def _directly_referred(name_of: Mapping[str, Kind[str]], *kinds: str) -> Kind[str]:
    def read(reader: Reader, name: str) -> str:
        reference = reader.inside(name)
        if reference.has("identifier"):
            identifier = reference.inside("identifier")
            kind = name_of.get(identifier.text("system") or "")
            if kind is not None:
                return kind(identifier, "value")
            identifier.note(NOT_ALLOWED.at(identifier.place("system"), allowed=", ".join(name_of)))
            return ""
        found = cast(ResourceReader, reader).target(name, *kinds)
        return (_identified(found, name_of) or "") if found is not None else ""

    return read


def _hsa(kind: Kind[str]) -> dict[str, Kind[str]]:
    return dict.fromkeys(HSA_SYSTEMS, kind)


organization: Final = _referred(_hsa(addressee), "Organization", "HealthcareService")
"""A Reference to a unit that is valid on the day of the event."""
acting_organization: Final = _referred(_hsa(unit), "Organization", "HealthcareService")
"""A Reference to a unit that acts, and has an inbox for the answers."""
party_of_organization: Final = _referred({PARTY_SYSTEM: party}, "Organization")
"""A Reference to a party on the exchange."""
organization_or_party: Final = _referred(_hsa(addressee) | {PARTY_SYSTEM: party}, "Organization", "HealthcareService")
"""A Reference to a unit, or to a party where the unit is not known."""


def earlier_message(reader: Reader, name: str) -> str:
    """Read a Reference to an earlier message: by its identifier, or by the resource the gateway made of it."""
    return _referred({MESSAGE_SYSTEM: message_id}, "Appointment", "CarePlan", "Communication", "Task")(reader, name)


def full_name(reader: Reader, name: str) -> str:
    """Read a HumanName, the first of the list in member ``name``: its text, else its given and family names."""
    array, indices = reader.array(name, least=1)
    if not indices:
        return ""
    human = array.inside(indices[0])
    if human.has("text") or not human.has("family"):
        return line(human, "text")
    given, parts = human.array("given", least=1)
    return " ".join([*(line(given, index) for index in parts), line(human, "family")])


def _telephone(reader: Reader) -> str | None:
    if not reader.has("telecom"):
        return None
    array, indices = reader.array("telecom", least=1)
    for index in indices:
        contact = array.inside(index)
        if contact.members.get("system") == "phone":
            return phone(contact, "value")
    return None


def staff(reader: Reader, name: str) -> User:
    """Read a Reference to a member of staff: a Practitioner or a PractitionerRole, or a display and maybe an HSA-id."""
    reference = reader.inside(name)
    if not reference.has("identifier") and not reference.has("reference"):
        return User(name=line(reference, "display"))
    if reference.has("identifier"):
        hsa_id = _referred(_hsa(staff_id), "Practitioner")(reader, name)
        return User(name=line(reference, "display"), hsa_id=hsa_id)
    found = cast(ResourceReader, reader).target(name, "Practitioner", "PractitionerRole")
    if found is None:
        return User(name="")
    role = None
    number = _telephone(found)
    if found.members.get("resourceType") == "PractitionerRole":
        if found.has("code"):
            role = first("code", lambda array, index: line(array.inside(index), "text"))(found)
        who = found.target("practitioner", "Practitioner")
        if who is None:
            return User(name="")
        number = number or _telephone(who)
        found = who
    known_by = _identified(found, _hsa(staff_id)) if found.has("identifier") else None
    return User(name=full_name(found, "name"), role=role, hsa_id=known_by, phone=number)


def recorded(reader: Reader) -> datetime:
    """Read when the journal recorded what the resource tells: ``meta.lastUpdated``, else ``Bundle.timestamp``."""
    resource = cast(ResourceReader, reader.root)
    if resource.has("meta") and resource.inside("meta").has("lastUpdated"):
        return moment(resource.inside("meta"), "lastUpdated")
    root = resource.package.root
    if resource.package.is_bundle and type(root.get("timestamp")) is str:
        whole = Reader.of({"timestamp": root["timestamp"]}, resource.directory)
        at = moment(whole, "timestamp")
        try:
            whole.finish()
        except InvalidDocumentError as error:
            resource.note(replace(error.findings[0], path="Bundle.timestamp"))
        return at
    resource.note(MISSING.at(f"{resource.place('meta')}.lastUpdated", name="lastUpdated"))
    return _STAND_IN
