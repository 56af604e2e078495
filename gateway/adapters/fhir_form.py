"""What a FHIR resource becomes: the type of the message and where in the resource each part of it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gateway.adapters.fhir_codes import codes_of
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_parts import (
    acting_organization,
    earlier_message,
    extra,
    maybe,
    organization,
    organization_or_party,
    recorded,
    staff,
)
from gateway.adapters.fhir_patient import person
from gateway.adapters.kinds import Kind, line, message_id, moment, one_of
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import named
from gateway.adapters.shape import Field, Shape, of_event, required
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import Fault
from gateway.messages import Person, ReserveRoutine, ReserveWay, User
from gateway.messages.binding import MISSING
from gateway.ports import Draft

T = TypeVar("T")

STATUS_NOT_TAKEN: Final = Fault(
    "fhir.status-not-taken",
    "Resursens status kan inte bli ett meddelande; de som förstås är {known}.",
    "The status of the resource cannot become a message; those that are understood are {known}.",
)
SAYS_TWO_THINGS: Final = Fault(
    "fhir.says-two-things",
    "{names} kan inte stå tillsammans; det går inte att se vad resursen säger.",
    "{names} cannot stand together; one cannot tell what the resource says.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One message that a resource can become; each field reads its part from the resource.

    ``patient`` reads whom it is about, ``None`` where the type names nobody. A message without ``recipients`` is for
    all who take part in the case.
    """

    message_type: str
    body: Field[Any]
    patient: Field[Person] | None
    unit: Field[str]
    user: Field[User]
    case_reference: Field[str] | None
    recipients: Field[tuple[str, ...]] | None = None
    in_reply_to: Field[str | None] | None = None

    def draft(self, reader: Reader) -> Draft:
        """Read the message from the resource that ``reader`` stands at."""
        return Draft(
            type=self.message_type,
            body=self.body(reader),
            unit=self.unit(reader),
            user=self.user(reader),
            recipients=self.recipients(reader) if self.recipients else (),
            person=self.patient(reader) if self.patient else None,
            in_reply_to=self.in_reply_to(reader) if self.in_reply_to else None,
            reserve_routine=DOWNTIME(reader) if self.message_type != ACKNOWLEDGEMENT else None,
        )


def status(reader: Reader, known: Mapping[str, T], name: str = "status") -> T | None:
    """Read what the status of the resource means, by the table ``known``; a status that is not in it is refused."""
    found = reader.text(name)
    if found is not None and found not in known:
        reader.note(STATUS_NOT_TAKEN.at(reader.place(name), known=", ".join(known)))
    return known.get(found or "")


def has_any(reader: Reader, names: Iterable[str]) -> bool:
    """Tell whether any of the extensions ``names`` stands in the resource."""
    return any(reader.has(url(name)) for name in names)


def subject(name: str) -> Field[Person]:
    """Return the field that is the patient in member ``name`` of the resource."""
    return of_event(required(name, person))


def acting_unit(native: str | None = None, *, of_role: str | None = None) -> Field[str]:
    """Return the field that is the unit that acts: the extension ``acting-unit``, else the member ``native``.

    ``of_role`` names a member that may be a PractitionerRole, which tells the unit too.
    """
    name, asked = url("acting-unit"), native or of_role

    def read(reader: Reader) -> str:
        root = reader.root
        if root.has(name):
            return acting_organization(root, name)
        if asked is not None and root.has(asked):
            return _one(root, asked, acting_organization)
        root.note(MISSING.at(root.place(native or name), name=native or name))
        return ""

    return read


def performer(native: str | None = None) -> Field[User]:
    """Return the field that is who acts: the extension ``performer``, else the member ``native``."""
    name = url("performer")

    def read(reader: Reader) -> User:
        root = reader.root
        if native is not None and not root.has(name) and root.has(native):
            return _one(root, native, staff)
        return extra("performer", staff)(root)

    return read


def _one(reader: Reader, name: str, kind: Kind[T]) -> T:
    """Read one Reference, or the first of a list of them."""
    if type(reader.members.get(name)) is not list:
        return kind(reader, name)
    array, indices = reader.array(name, least=1)
    return kind(array, indices[0] if indices else "0")


CASE: Final[Field[str]] = of_event(extra("case-reference", line))
"""What the case is called, by the journal or by the gateway."""
DOWNTIME: Final[Field[ReserveRoutine | None]] = of_event(
    maybe(
        "downtime",
        Shape(
            ReserveRoutine,
            at=required("occurred", moment),
            by=required("channel", one_of(codes_of(ReserveWay))),
        ),
    )
)
"""When and how it was said, in what records it after an outage."""


def happened(reader: Reader) -> Any:
    """Read when what the resource tells of happened, which may be long before it was recorded."""
    said = DOWNTIME(reader)
    return recorded(reader) if said is None else said.at


def answered(native: str | None = None) -> Field[str | None]:
    """Return the field that is the message that is answered: by the member ``native``, else by ``in-reply-to``."""
    name = url("in-reply-to")

    def read(reader: Reader) -> str | None:
        root = reader.root
        if root.has(name):
            return message_id(root, name)
        return _one(root, native, earlier_message) if native is not None and root.has(native) else None

    return read


def must_answer(native: str) -> Field[str]:
    """Return the field of :func:`answered`, where something has to be answered."""
    maybe_answered = answered(native)

    def read(reader: Reader) -> str:
        found = maybe_answered(reader)
        if found is None:
            reader.root.note(MISSING.at(reader.root.place(native), name=native))
        return found or ""

    return read


def recipients(own: Field[str], *, or_party: bool = False) -> Field[tuple[str, ...]]:
    """Return the field that is the units in the extensions ``recipient``, each of another party than ``own``."""
    kind = organization_or_party if or_party else organization
    return named(url("recipient"), kind, own=own, residence=lambda _: None)


def maybe_recipients(own: Field[str]) -> Field[tuple[str, ...]]:
    """Return the field of :func:`recipients`, empty where none is named."""
    units = recipients(own)
    return lambda reader: units(reader) if reader.root.has(url("recipient")) else ()
