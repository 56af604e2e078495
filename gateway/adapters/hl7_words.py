"""The words of journals that speak HL7 v2, as the settings name them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from gateway.adapters.hl7_mapping import Hl7Mapping
from gateway.adapters.hl7_message import MAX_BYTES, Hl7Message
from gateway.adapters.hl7_own_words import own_mapping, table_of
from gateway.adapters.hl7_translation import key_of, told_at, translate
from gateway.adapters.words import Codes, Fields, MappingTable
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError
from gateway.ports import Event, Translation

NAME: Final = "hl7"
_KIND = re.compile(r"[A-Z]{3}\^[A-Z][0-9]{2}")


@dataclass(frozen=True, slots=True)
class Hl7Words:
    """HL7 v2, with what is particular to one sender in its ``mapping``; a message may have ``limit`` bytes."""

    mapping: Hl7Mapping = field(default_factory=Hl7Mapping)
    limit: int = MAX_BYTES
    name: str = NAME
    codes: Codes = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)

    @classmethod
    def of(cls, codes: Codes, fields: Fields) -> Self:
        """Return the words for a sender with codes and places of its own; raises :class:`ConfigurationError`."""
        return cls(own_mapping(codes, fields), codes=codes, fields=fields)

    def translate(self, event: Event, directory: Directory) -> Translation:
        """Understand a message. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place: ``PID-3.1``, ``OBX[3]-5``.
        """
        try:
            return translate(event.content, directory, self.mapping, limit=self.limit)
        except InvalidDocumentError as error:
            raise error.about(*_recognised(event.content, self.limit)) from None

    def told_at(self, event: Event, _: Directory) -> datetime:
        """Return when a message was recorded; raises :class:`InvalidDocumentError`."""
        return told_at(event.content, self.mapping, limit=self.limit)

    def table(self) -> MappingTable:
        """Return the mapping that is in force, the sender's own words first."""
        return table_of(self.codes, self.fields)


def _recognised(content: bytes, limit: int) -> tuple[str | None, str | None]:
    """Return the key and the type (MSH-9) of a message that is not understood, as far as its header tells them."""
    try:
        header = Hl7Message.parse(content, limit=limit)
    except InvalidDocumentError:
        return None, None
    kind = f"{header.header.value(9)}^{header.header.value(9, 2)}"
    if not _KIND.fullmatch(kind):
        return None, None
    return key_of(header, kind) if header.header.value(10) else None, kind
