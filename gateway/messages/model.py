"""What every message carries around its body: the mirror of ``schemas/common.xsd`` in typed, immutable objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from gateway.directory import Principal
from gateway.identifiers import PersonId
from gateway.messages.binding import element, elements

__all__ = [
    "Duty",
    "Header",
    "Identifier",
    "Message",
    "NeedNoticedBy",
    "Person",
    "Principal",
    "ProtectedLevel",
    "Recipient",
    "ReserveRoutine",
    "ReserveWay",
    "Sender",
    "User",
    "duty_for",
]


class Duty(StrEnum):
    """What a recipient owes for a message; the column *Att göra* of SAMSA's inbox."""

    NOTIFY = "notify"
    """Notifiering: levels received and registered only."""
    ACKNOWLEDGE = "acknowledge"
    """Kvittera: a person or unit takes charge before a deadline."""
    REPLY = "reply"
    """Svara: a reply message is owed before a deadline."""


class ProtectedLevel(StrEnum):
    """Protected identity (skyddade personuppgifter), in Skatteverket's three grades."""

    NONE = "none"
    CONFIDENTIALITY_MARKED = "confidentiality-marked"
    """Sekretessmarkering."""
    PROTECTED_REGISTRATION = "protected-registration"
    """Skyddad folkbokföring."""
    FICTITIOUS_IDENTITY = "fictitious-identity"
    """Fingerade personuppgifter."""


class NeedNoticedBy(StrEnum):
    """Who noticed the need: the seven boxes of the SIP template."""

    SCHOOL = "school"
    SOCIAL_SERVICES = "social-services"
    REGIONAL_HEALTH_CARE = "regional-health-care"
    MUNICIPAL_HEALTH_CARE = "municipal-health-care"
    PERSON = "person"
    NEXT_OF_KIN = "next-of-kin"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An identifier as RIVTA writes it: ``root`` is the OID of the series, ``extension`` the number in it."""

    root: str
    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The person the plan is about (den enskilde). The first identifier is the one in use, later ones are history."""

    identifiers: tuple[Identifier, ...] = element("identifier")
    name: str
    protected_level: ProtectedLevel = ProtectedLevel.NONE

    @property
    def person_id(self) -> PersonId:
        """The identifier in use.

        Raises:
            InvalidPersonIdError: it is no valid number of its series.
        """
        return PersonId.from_oid(self.identifiers[0].root, self.identifiers[0].extension)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A member of staff who wrote or took charge of something."""

    name: str
    role: str | None = None
    hsa_id: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends: the party (one gateway on the exchange), the unit inside it (HSA-id), and the user where known."""

    party: str
    unit: str
    user: User | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One unit (HSA-id) of another party, and what it owes for the message."""

    party: str
    unit: str
    duty: Duty


class ReserveWay(StrEnum):
    """How something was said while the systems were down."""

    PAPER = "paper"
    FAX = "fax"
    TELEPHONE = "telephone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveRoutine:
    """What was said ``by`` paper, fax or telephone ``at`` a time when the systems were down, and registered afterwards.

    Such a routine (reservrutin) is what wards and offices fall back on during an outage.
    """

    at: datetime
    by: ReserveWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Ids, addresses and the person; the same for every type.

    ``message_id`` is a UUID in lower case, ``case_number`` the SIP case (``SIP`` and six digits), ``in_reply_to`` the
    message this one answers, ``consent_ref`` the message id of the consent it leaves under. ``reserve_routine`` is set
    where the message only registers what was said before, while the systems were down. ``person`` is absent where the
    type's contract says so: an acknowledgement or a closure needs no person to be understood.
    """

    message_id: str
    case_number: str
    created_at: datetime
    sender: Sender
    recipients: tuple[Recipient, ...] = elements("recipient")
    in_reply_to: str | None = None
    consent_ref: str | None = None
    due_at: datetime | None = None
    reserve_routine: ReserveRoutine | None = None
    person: Person | None = None

    @property
    def happened_at(self) -> datetime:
        """When it was said, which is what laws and agreements count from: ``created_at``, or before it by other means.

        How long a message takes on its way is counted from ``created_at`` all the same.
        """
        return self.created_at if self.reserve_routine is None else self.reserve_routine.at


@dataclass(frozen=True, slots=True)
class Message:
    """A typed business document: ``type`` is its name in the table of types, ``body`` the object of that type."""

    type: str
    header: Header
    body: Any


def duty_for(message: Message, unit: str) -> Duty:
    """Return what ``unit``, one of the recipients, owes for ``message``."""
    return next(recipient.duty for recipient in message.header.recipients if recipient.unit == unit)
