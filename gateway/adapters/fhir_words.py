"""The words of journals that speak FHIR R4, as the settings name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from gateway.adapters import fhir_event
from gateway.adapters.fhir_mapping import STANDARD, FhirMapping
from gateway.adapters.words import Codes, Fields, MappingTable, unknown_name
from gateway.directory import Directory
from gateway.errors import ConfigurationError, InvalidDocumentError
from gateway.ports import Event, Translation

NAME: Final = "fhir"


@dataclass(frozen=True, slots=True)
class FhirWords:
    """FHIR R4, a Bundle or a single resource, with what is particular to one journal in its ``mapping``."""

    mapping: FhirMapping = STANDARD
    name: str = NAME

    @classmethod
    def of(cls, codes: Codes, fields: Fields) -> Self:
        """Return the words for a journal with ``codes`` of its own; in FHIR every member has its place.

        Raises:
            ConfigurationError: with every list, code and system that does not exist, and every member.
        """
        if fields:
            raise ConfigurationError(unknown_name("fields", name, ()) for name in fields)
        return cls(FhirMapping.from_codes(codes))

    def translate(self, event: Event, directory: Directory) -> Translation:
        """Understand a document. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its FHIR expression.
        """
        try:
            return fhir_event.translate(event, directory, self.mapping)
        except InvalidDocumentError as error:
            raise error.about(*fhir_event.recognised(event)) from None

    def told(self, event: Event, directory: Directory) -> fhir_event.Told:
        """Return what each resource of a document says, as a digest; raises :class:`InvalidDocumentError`."""
        return fhir_event.told(event, directory, self.mapping)

    def told_at(self, event: Event, directory: Directory) -> datetime:
        """Return when what a document tells happened, as it says; raises :class:`InvalidDocumentError`."""
        return fhir_event.told_at(event, directory, self.mapping)

    def table(self) -> MappingTable:
        """Return the mapping that is in force, the journal's own words first."""
        return self.mapping.table()
