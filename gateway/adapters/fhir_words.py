"""The words of journals that speak FHIR R4, as the settings name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from gateway.adapters import fhir_event
from gateway.adapters.words import Codes
from gateway.directory import Directory
from gateway.ports import Event, Translation

NAME: Final = "fhir"


@dataclass(frozen=True, slots=True)
class FhirWords:
    """FHIR R4: a Bundle, or a single resource."""

    name: str = NAME

    @classmethod
    def of(cls, codes: Codes) -> Self:
        """Return the words for a journal with ``codes`` of its own; raises :class:`ConfigurationError`."""
        return cls()

    def translate(self, event: Event, directory: Directory) -> Translation:
        """Understand a document. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its FHIR expression.
        """
        return fhir_event.translate(event, directory)

    def told_at(self, event: Event, directory: Directory) -> datetime:
        """Return when what a document tells happened, as it says; raises :class:`InvalidDocumentError`."""
        return fhir_event.told_at(event, directory)
