"""The words of journals that speak HL7 v2, as the settings name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from gateway.adapters.hl7_mapping import Hl7Mapping
from gateway.adapters.hl7_message import MAX_BYTES
from gateway.adapters.hl7_own_words import own_mapping, table_of
from gateway.adapters.hl7_translation import told_at, translate
from gateway.adapters.words import Codes, Fields, MappingTable
from gateway.directory import Directory
from gateway.ports import Event, Translation

NAME: Final = "hl7"


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
        return translate(event.content, directory, self.mapping, limit=self.limit)

    def told_at(self, event: Event, _: Directory) -> datetime:
        """Return when a message was recorded; raises :class:`InvalidDocumentError`."""
        return told_at(event.content, self.mapping, limit=self.limit)

    def table(self) -> MappingTable:
        """Return the mapping that is in force, the sender's own words first."""
        return table_of(self.codes, self.fields)
