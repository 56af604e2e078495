"""What events of the municipal case system have in common: who acted, at which unit, when, and about whom."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import addressee, line, message_id, moment, one_of, phone, staff_id, unit
from gateway.adapters.outline import reads
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field, Shape, optional, required
from gateway.errors import InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.messages import Identifier, Person, ProtectedLevel, ReserveRoutine, User

ACTING: Final[Field[str]] = required("enhet", unit)
"""The unit that acted, which has an inbox for the answers."""
UNIT: Final[Field[str]] = required("enhet", addressee)
"""The unit that acted; in an object inside the event, the unit that object is about."""
MAYBE_UNIT: Final[Field[str | None]] = optional("enhet", addressee)
WHEN: Final[Field[datetime]] = required("tidpunkt", moment)

RESERVE_ROUTINE: Final[Field[ReserveRoutine | None]] = optional(
    "reservrutin",
    Shape(ReserveRoutine, at=required("tidpunkt", moment), by=required("satt", one_of(codes.RESERVE_WAY))),
)
"""When and how it was said, in an event that registers it after an outage."""


@reads(RESERVE_ROUTINE, WHEN)
def happened(reader: Reader) -> datetime:
    """Read when what the event tells of happened, which may be long before it was registered."""
    said, when = RESERVE_ROUTINE(reader), WHEN(reader)
    return when if said is None else said.at


STAFF: Final = Shape(
    User,
    name=required("namn", line),
    role=optional("roll", line),
    hsa_id=optional("hsaId", staff_id),
    phone=optional("telefon", phone),
)
"""A member of staff, wherever one stands."""
HANDLER: Final[Field[User]] = required("handlaggare", STAFF)

EARLIER: Final[Field[str]] = required("meddelandeId", message_id)
"""The earlier message that the event answers or is about."""
MAYBE_EARLIER: Final[Field[str | None]] = optional("meddelandeId", message_id)
EARLIER_TYPE: Final[Field[str]] = required("galler", one_of(codes.CONCERNS))


def _person_number(reader: Reader, name: str) -> Identifier:
    text = reader.text(name)
    try:
        number = PersonId.parse(text, today=reader.today) if text is not None else None
    except InvalidDocumentError as error:
        reader.place_of(error, name)
        number = None
    return Identifier(root=number.oid if number else "", extension=number.value if number else "")


_PERSON_NUMBER: Final[Field[Identifier]] = required("personnummer", _person_number)
_RESIDENCE: Final[Field[str | None]] = optional("folkbokforing", line)
_PROTECTION: Final[Field[ProtectedLevel | None]] = optional("skydd", one_of(codes.PROTECTION), ProtectedLevel.NONE)


@reads(_PERSON_NUMBER)
def _identifiers(reader: Reader) -> tuple[Identifier]:
    return (_PERSON_NUMBER(reader),)


_PERSON = Shape(
    Person,
    identifiers=_identifiers,
    name=required("namn", line),
    protected_level=_PROTECTION,
)


@reads(_RESIDENCE, _PERSON)
def person(reader: Reader, name: str) -> Person:
    """Read the person (den enskilde). Where they are registered may be told too, and is no part of what is read."""
    _RESIDENCE(reader.inside(name))
    return _PERSON(reader, name)


def residence(reader: Reader) -> str | None:
    """Read where the person is registered (folkbokförd), a municipality or an area, to find the vårdcentral with.

    It is ``None`` with a protected identity as well: the vårdcentral on the message would tell where they live.
    """
    told = reader.inside("person")
    return None if _PROTECTION(told) is not ProtectedLevel.NONE else _RESIDENCE(told)
