"""What a system speaks, as the ways its words come by need it: an event is understood, and says when it happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from gateway.directory import Directory
from gateway.ports import Event, Translation

Codes = Mapping[str, Mapping[str, str]]
"""A system's own words, by the name of where they stand: each, and what it is called here."""


class Words(Protocol):
    """How one kind of system says things."""

    @property
    def name(self) -> str:
        """The name in the settings."""
        ...

    def translate(self, event: Event, directory: Directory) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place in the event.
        """
        ...

    def told_at(self, event: Event, directory: Directory) -> datetime:
        """Return when what an event tells happened, as it says; raises :class:`InvalidDocumentError`."""
        ...
