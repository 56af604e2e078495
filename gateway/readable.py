"""A message as a document to read: each field with what it is called, in both languages, and what it says. Pure.

Where the person is not to be shown, each field stands there and what it says does not, unless it is one of
:data:`OPEN`. The rule: open is what the exchange and the ledger know all the same (ids, addresses, times and the words
for how a message is handled), and what tells which version of what is spoken of. Everything that somebody has written
about a person, or that was decided or planned for one, is masked: texts, names, numbers, telephones, places, days,
meetings, and code words too, since a word such as *substance-use* says as much as a sentence. A field that is not named
is masked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from xml.sax.saxutils import escape

from gateway.clock import STOCKHOLM
from gateway.directory import Directory
from gateway.letter_words import CODES, LABELS
from gateway.messages import TYPES, Message
from gateway.messages.description import Described, fields_of
from gateway.messages.schema_words import Words, words_of

OPEN: Final = frozenset(
    {
        *(
            f"Header.{name}"
            for name in ("message_id", "case_number", "created_at", "in_reply_to", "consent_ref", "due_at")
        ),
        *(f"{kind}.{name}" for kind in ("Sender", "Recipient", "CaseConvener") for name in ("party", "unit")),
        "Recipient.duty",
        *(f"ReserveRoutine.{name}" for name in ("at", "by")),
        # what holds of the sending, and which version is spoken of
        *(f"{kind}.{name}" for kind in ("Plan", "RevisedPlan") for name in ("version", "mode")),
        *(f"{kind}.plan_version" for kind in ("FollowUp", "FollowUpInvitation", "MeasureUpdate", "ParticipantAdded")),
        *(f"{kind}.reply_by" for kind in ("MeetingBooking", "FollowUpInvitation", "MeetingChange")),
        *(f"{kind}.{name}" for kind in ("GeneralMessage", "PlanningMessage") for name in ("reply_wanted", "reply_by")),
        "SipStart.variant",
        "DischargeReadyRecall.ready_message_id",
        "Closure.superseded_by",
        # which units a case has
        *(f"Invitee.{name}" for name in ("kind", "principal", "unit")),
        *(f"InvitationReply.{name}" for name in ("answer", "redirect_unit")),
        *(f"InvitationForward.{name}" for name in ("from_unit", "to_unit")),
        *(f"ForwardStep.{name}" for name in ("from_unit", "to_unit", "at")),
        *(
            f"ParticipantAdded.{name}"
            for name in ("unit", "principal", "opened_at", "state", "booking_version", "responsible_unit")
        ),
        "ParticipantRemoved.unit",
        # corrections and acknowledgements, which are about messages
        *(f"Retraction.{name}" for name in ("target_message_id", "target_type", "reason")),
        *(f"MisdirectedReport.{name}" for name in ("target_message_id", "target_type", "suggested_unit")),
        *(
            f"Acknowledgement.{name}"
            for name in ("message_id", "message_type", "unit", "level", "outcome", "at", "record_id", "not_concerned")
        ),
        *(f"Reason.{name}" for name in ("code", "path", "line")),
    }
)
"""Fields, by class and name in the code, that say nothing about a person, and are shown to whoever sees the ledger."""

_HEADINGS: Final[Mapping[str, Words]] = {
    "acknowledged_by": ("Kvitterat av", "Acknowledged by"),
    "case_number": ("Ärende", "Case"),
    "code": ("Kod", "Code"),
    "consent_ref": ("Lämnas ut enligt samtycket", "Disclosed under the consent"),
    "created_at": ("Skapat", "Made"),
    "due_at": ("Ska vara gjort senast", "To be done by"),
    "duty": ("Att göra", "To do"),
    "en": ("På engelska", "In English"),
    "extension": ("Nummer", "Number"),
    "header": ("Huvud", "Header"),
    "body": ("Innehåll", "Content"),
    "identifiers": ("Identitet", "Identity"),
    "in_reply_to": ("Svarar på", "Answers"),
    "level": ("Nivå", "Level"),
    "line": ("Rad", "Line"),
    "message_id": ("Meddelande", "Message"),
    "message_type": ("Meddelandetyp", "Message type"),
    "not_concerned": ("Inte berörd", "Not concerned"),
    "path": ("Plats", "Place"),
    "person": ("Den enskilde", "The person"),
    "protected_level": ("Skyddade personuppgifter", "Protected identity"),
    "reasons": ("Skäl", "Reasons"),
    "recipients": ("Mottagare", "Recipient"),
    "record_id": ("Post-id i verksamhetssystemet", "Record id in the case system"),
    "reserve_routine": ("Reservrutin", "Reserve routine"),
    "root": ("Nummerserie (OID)", "Series of numbers (OID)"),
    "sender": ("Avsändare", "Sender"),
    "sv": ("På svenska", "In Swedish"),
    "user": ("Medarbetare", "Member of staff"),
}
"""What the fields of a header and of an acknowledgement are called, which no letter has; these go before its words."""

_CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "Duty": {"notify": "Notifiering", "acknowledge": "Kvittera", "reply": "Svara"},
    "Level": {"received": "Mottaget", "registered": "Registrerat", "acknowledged": "Kvitterat"},
    "Outcome": {
        "accepted": "Godtaget",
        "partial": "Godtaget i delar",
        "rejected": "Avvisat",
        "retry": "Inte nu, försök igen",
    },
    "ProtectedLevel": {
        "none": "Nej",
        "confidentiality-marked": "Sekretessmarkering",
        "protected-registration": "Skyddad folkbokföring",
        "fictitious-identity": "Fingerade personuppgifter",
    },
    "ReserveWay": {"paper": "På papper", "fax": "Med fax", "telephone": "Per telefon"},
}
"""What the codes of a header and of an acknowledgement mean, which no letter has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An element of a message, called ``label``, of which the schema says ``about``.

    It has ``parts``, or else it says something: ``text`` as people read it, in Swedish and in English, and ``raw`` as
    it stands in the XML. Both are ``None`` where it is masked.
    """

    tag: str
    label: Words
    about: Words | None = None
    text: Words | None = None
    raw: str | None = None
    parts: tuple[Part, ...] = ()


def document_of(message: Message, directory: Directory, *, in_full: bool) -> tuple[Part, ...]:
    """Return the header and the body of ``message``; what says something about a person only ``in_full``."""
    words = words_of(message.type)
    return tuple(
        Part(
            tag=name,
            label=_HEADINGS[name],
            parts=tuple(_parts(value, directory, words, name, in_full=in_full)),
        )
        for name, value in (("header", message.header), ("body", message.body))
    )


def xml_of(message: Message, parts: tuple[Part, ...], mask: str) -> str:
    """Return the XML of ``message``, an element on a line, with ``mask`` in the place of what ``parts`` mask."""
    lines = [f"<{message.type}>", *(line for part in parts for line in _xml_lines(part, "  ", mask))]
    return "\n".join([*lines, f"</{message.type}>"])


def _xml_lines(part: Part, indent: str, mask: str) -> Iterator[str]:
    if part.parts:
        yield f"{indent}<{part.tag}>"
        for inner in part.parts:
            yield from _xml_lines(inner, indent + "  ", mask)
        yield f"{indent}</{part.tag}>"
    else:
        yield f"{indent}<{part.tag}>{escape(part.raw) if part.raw is not None else mask}</{part.tag}>"


def _parts(whole: Any, directory: Directory, words: Mapping[str, Words], path: str, *, in_full: bool) -> Iterator[Part]:
    """Yield a part for each field of ``whole`` that says something, in the order of the schema."""
    kind = type(whole)
    for field in fields_of(kind):
        value = getattr(whole, field.attribute)
        place = f"{path}/{field.tag}"
        is_shown = in_full or f"{kind.__name__}.{field.attribute}" in OPEN
        for one in value if field.repeated else (value,):
            if one is None:
                continue
            part = Part(tag=field.tag, label=_label(field), about=words.get(place))
            if field.nested is not None:
                inner = tuple(_parts(one, directory, words, place, in_full=in_full))
                yield Part(tag=part.tag, label=part.label, about=part.about, parts=inner)
            elif is_shown:
                assert field.scalar is not None  # a field holds a scalar or an object
                raw = field.scalar.write(one)
                yield Part(tag=part.tag, label=part.label, about=part.about, text=_text(one, raw, directory), raw=raw)
            else:
                yield part


def _label(field: Described) -> Words:
    known = _HEADINGS.get(field.attribute)
    return known or (LABELS[field.attribute], _in_words(field.attribute.replace("_", " ")))


def _text(value: Any, raw: str, directory: Directory) -> Words:
    """Return a value as people read it."""
    if isinstance(value, bool):
        return ("Ja", "Yes") if value else ("Nej", "No")
    if isinstance(value, StrEnum):
        kind = type(value).__name__
        return (CODES.get(kind) or _CODES[kind])[value.value], _in_words(value.value.replace("-", " "))
    if raw in TYPES:
        return TYPES[raw].title_sv, TYPES[raw].title_en
    if isinstance(value, datetime):
        raw = value.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M")
    elif raw in directory.units:
        raw = f"{directory.units[raw].title} ({raw})"
    return raw, raw


def _in_words(name: str) -> str:
    """Return an English name as it begins a line; an abbreviation stays as it is."""
    return name[:1].upper() + name[1:]
