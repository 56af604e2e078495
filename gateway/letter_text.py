"""A message as a letter: plain Swedish text for a unit that has no inbox. Pure.

Units stand with the titles they have in the directory, times are Swedish. About a person whose identity is protected
no letter tells where they are to be found, and it goes by way of Skatteverket.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from gateway.clock import STOCKHOLM, local_date
from gateway.directory import Directory
from gateway.letter_words import CODES, LABELS, PERSONAL
from gateway.messages import TYPES, Message, Person, ProtectedLevel
from gateway.messages.description import fields_of

BY_SKATTEVERKET = (
    "SKYDDADE PERSONUPPGIFTER. Brevet går genom Skatteverkets förmedlingsuppdrag.\n"
    "Skriv ingen adress på brevet eller i det."
)
"""What stands above a letter about a person with a protected identity."""

_INDENT = "  "


def letter_text(message: Message, unit: str, directory: Directory) -> str:
    """Return ``message`` as the letter for ``unit``, ready to print; its lines are not wrapped."""
    header = message.header
    sender = directory.units.get(header.sender.unit)
    party = directory.parties.get(header.sender.party)
    lines = [BY_SKATTEVERKET, ""] if is_protected(message) else []
    lines += [
        _title(header.sender.unit, directory),
        *([party.title] if party is not None and sender is not None else []),
        "",
        f"Till: {_title(unit, directory)}",
        f"Datum: {local_date(header.created_at).isoformat()}",
        f"Ärende: {header.case_number}",
        f"Meddelande: {header.message_id}",
        "",
        TYPES[message.type].title_sv.upper(),
        "",
    ]
    if header.person is not None:
        lines.append(f"Gäller: {_person(header.person)}")
    if header.due_at is not None:
        lines.append(f"Svara senast: {_value(header.due_at, directory)}")
    lines += [*_lines(message.body, directory, is_protected(message), ""), ""]
    if header.sender.user is not None:
        user = header.sender.user
        lines.append("Skickat av: " + ", ".join(part for part in (user.name, user.role, user.phone) if part))
    return "\n".join(lines).rstrip() + "\n"


def is_protected(message: Message) -> bool:
    """Tell whether the message is about a person whose identity is protected."""
    person = message.header.person
    return person is not None and person.protected_level is not ProtectedLevel.NONE


def _person(person: Person) -> str:
    return f"{person.name}, {person.identifiers[0].extension}"


def _lines(body: Any, directory: Directory, protected: bool, indent: str) -> Iterator[str]:
    """Yield a line for each value of ``body``, and below the name of an object those of its own."""
    kind = type(body)
    for field in fields_of(kind):
        value = getattr(body, field.attribute)
        hidden = protected and f"{kind.__name__}.{field.attribute}" in PERSONAL
        if value is None or value == () or hidden:
            continue
        label = LABELS[field.attribute]
        values = value if field.repeated else (value,)
        if field.nested is not None:
            for one in values:
                yield f"{indent}{label}:"
                yield from _lines(one, directory, protected, indent + _INDENT)
        elif field.repeated:
            yield f"{indent}{label}:"
            yield from (_indented(f"- {_value(one, directory)}", indent + _INDENT) for one in values)
        else:
            yield _indented(f"{label}: {_value(value, directory)}", indent)


def _indented(text: str, indent: str) -> str:
    """Return a value that may have several lines, so that each line shows where it belongs."""
    first, *more = text.splitlines()
    return "\n".join([indent + first, *(f"{indent}{_INDENT}{line}" for line in more)])


def _value(value: Any, directory: Directory) -> str:
    """Return a simple value as a reader expects it."""
    if isinstance(value, bool):
        return "Ja" if value else "Nej"
    if isinstance(value, StrEnum):
        return CODES[type(value).__name__][value.value]
    if isinstance(value, datetime):
        return value.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if value in TYPES:
        return TYPES[value].title_sv
    return _title(str(value), directory)


def _title(text: str, directory: Directory) -> str:
    """Return the title of the unit or party that ``text`` names, else the text itself."""
    if text in directory.units:
        return directory.units[text].title
    return directory.parties[text].title if text in directory.parties else text
