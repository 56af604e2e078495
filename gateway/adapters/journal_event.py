"""What events of the regional journal have in common: who acted, at which organization, when, and about whom."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_coding import acting_organization, organization, practitioner_id
from gateway.adapters.kinds import line, message_id, moment, phone
from gateway.adapters.outline import reads
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field, Shape, every, inside, of_event, optional, required
from gateway.errors import InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.messages import Identifier, Person, ProtectedLevel, ReserveRoutine, User

ORGANIZATION: Final[Field[str]] = required("organization", organization)
"""The organization an object is about."""
MAYBE_ORGANIZATION: Final[Field[str | None]] = optional("organization", organization)

STAFF: Final = Shape(
    User,
    name=required("name", line),
    role=optional("role", line),
    hsa_id=optional("identifier", practitioner_id),
    phone=optional("phone", phone),
)
"""A member of staff, wherever one stands."""

ACTING: Final[Field[str]] = of_event(required("organization", acting_organization))
"""The organization that acted, wherever the reader stands."""
RECORDED: Final[Field[datetime]] = of_event(required("recorded", moment))
RESERVE_ROUTINE: Final[Field[ReserveRoutine | None]] = of_event(
    optional(
        "downtime",
        Shape(ReserveRoutine, at=required("occurred", moment), by=required("channel", codes.RESERVE_WAY)),
    )
)
"""When and how it was said, in an event that records it after an outage."""


@reads(RESERVE_ROUTINE, RECORDED)
def happened(reader: Reader) -> datetime:
    """Read when what the event tells of happened, which may be long before it was recorded."""
    said, recorded = RESERVE_ROUTINE(reader), RECORDED(reader)
    return recorded if said is None else said.at


PERFORMER: Final[Field[User]] = of_event(required("performer", STAFF))

CASE_REFERENCE: Final[Field[str]] = required("caseReference", line)
ENCOUNTER: Final[Field[str]] = of_event(inside("encounter", required("id", line)))
"""The id of the patient's stay."""


@reads(ENCOUNTER, CASE_REFERENCE)
def case_of_encounter(reader: Reader) -> str:
    """Read what the case of a stay is called: its ``caseReference``, or the id of the encounter where it has none."""
    encounter = ENCOUNTER(reader)
    return CASE_REFERENCE(reader) if reader.has("caseReference") else encounter


EARLIER: Final[Field[str]] = of_event(inside("message", required("id", message_id)))
"""The earlier message that the event answers or is about."""
EARLIER_TYPE: Final[Field[str]] = of_event(inside("message", required("type", codes.MESSAGE_TYPE)))


@reads(EARLIER)
def maybe_earlier(reader: Reader) -> str | None:
    """Read the earlier message that the event answers, ``None`` where it answers none."""
    return EARLIER(reader) if reader.has("message") else None


@reads(required("system", line), required("value", line))
def _patient_identifier(reader: Reader, name: str) -> Identifier:
    identifier = reader.inside(name)
    system, value = identifier.text("system"), identifier.text("value")
    if system is None or value is None:
        return Identifier(root="", extension="")
    try:
        number = PersonId.from_oid(system, value, today=reader.today)
    except InvalidDocumentError as error:
        identifier.place_of(error, "value")
        return Identifier(root="", extension="")
    return Identifier(root=number.oid, extension=number.value)


_RESIDENCE: Final[Field[str | None]] = optional("residence", line)
_PROTECTION: Final[Field[ProtectedLevel | None]] = optional("protection", codes.PROTECTION, ProtectedLevel.NONE)
_PATIENT = Shape(
    Person,
    identifiers=every("identifier", _patient_identifier, least=1),
    name=inside("name", required("text", line)),
    protected_level=_PROTECTION,
)


@reads(_RESIDENCE, _PATIENT)
def patient(reader: Reader, name: str) -> Person:
    """Read the patient. Where they live may be told too, and is no part of what is read."""
    _RESIDENCE(reader.inside(name))
    return _PATIENT(reader, name)


def residence(reader: Reader) -> str | None:
    """Read where the patient lives, a municipality or an area, to find the vårdcentral with.

    It is ``None`` with a protected identity as well: the vårdcentral on the message would tell where they live.
    """
    told = reader.root.inside("patient")
    return None if _PROTECTION(told) is not ProtectedLevel.NONE else _RESIDENCE(told)
