"""What a system speaks, as the ways its words come by need it: an event is understood, and says when it happened."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from gateway.directory import Directory
from gateway.errors import Fault, Finding
from gateway.ports import Event, Translation

Codes = Mapping[str, Mapping[str, str]]
"""A system's own words, by the name of where they stand: each, and what it is called here."""
Fields = Mapping[str, str]
"""Where a system has what stands elsewhere in the tables."""

UNKNOWN_NAME = Fault(
    "config.adapter-mapping-name",
    "{option}: {name} finns inte i tabellerna; gateway adapters mapping visar dem.",
    "{option}: there is no {name} in the tables; gateway adapters mapping shows them.",
)
UNKNOWN_NAME_NEAR = Fault(
    "config.adapter-mapping-name-near",
    "{option}: {name} finns inte i tabellerna. Menade du {nearest}?",
    "{option}: there is no {name} in the tables. Did you mean {nearest}?",
)
MEANS_NOTHING = Fault(
    "config.adapter-mapping-meaning",
    "codes.{list}: {meaning} betyder inget där; gateway adapters mapping visar vad som gör det.",
    "codes.{list}: {meaning} means nothing there; gateway adapters mapping shows what does.",
)
NO_PLACE = Fault(
    "config.adapter-mapping-place",
    "fields.{member}: värdet är ingen plats i systemets händelser.",
    "fields.{member}: the value is no place in the events of the system.",
)


@dataclass(frozen=True, slots=True)
class MappingTable:
    """All that is in force between a system and the gateway, as plain data.

    ``codes`` and ``fields`` are in the form that the settings take: by the name of a list each word of the system's,
    and what it is called here; and by its name here each member, and where the system has it. ``meanings`` tell, by
    list and word, what the words mean. What the settings cannot say in one line is in ``notes``: by the name of a
    list or member, what holds there.
    """

    codes: Codes
    fields: Fields
    meanings: Codes
    notes: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "codes": {name: dict(words) for name, words in self.codes.items()},
            "fields": dict(self.fields),
            "meanings": {name: dict(words) for name, words in self.meanings.items()},
            "notes": dict(self.notes),
        }


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

    def table(self) -> MappingTable:
        """Return the mapping that is in force, the system's own words first."""
        ...


def unknown_name(option: str, name: str, known: Collection[str]) -> Finding:
    """Return the finding that there is no ``name`` among those that an ``option`` of the settings may have."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return UNKNOWN_NAME_NEAR.at(option=option, name=name, nearest=near[0])
    return UNKNOWN_NAME.at(option=option, name=name)
