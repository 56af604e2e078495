"""The table of a vocabulary as it holds for one system: every code and member, in the form that the settings take.

Fed back into the settings it changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from gateway.adapters.outline import NOTHING, SYSTEMS, Outline
from gateway.adapters.own_names import places_of, shortest_names
from gateway.adapters.own_words import name_of, words_at
from gateway.adapters.words import Codes, Fields, MappingTable

_UNITS: Final = "HSA-ids"
_PARTIES: Final = "parties"


def table_of(forms: Mapping[str, Outline], codes: Codes, fields: Fields) -> MappingTable:
    """Return the table of some ``forms`` for a system with ``codes`` and ``fields`` of its own, which come first."""
    places = places_of(forms)
    own = {place: words_at(place, codes) for place in places if place.outline.is_coded}
    said = {place: tuple((words or dict.fromkeys(place.outline.codes)).items()) for place, words in own.items()}
    lists: dict[str, tuple[bool, dict[str, str], dict[str, str]]] = {}
    notes = {}
    for name, there in shortest_names(said).items():
        outline, words = there[0].outline, own[there[0]]
        if outline.list_name == SYSTEMS and not words:  # each has its own list, and no other word
            continue
        all_words = words or {code: code for code in outline.codes}
        if all_words:
            means = {word: outline.codes.get(ours, ours) for word, ours in all_words.items()}
            lists[name] = not words, all_words, means
            if rest := [code for code in outline.codes if code not in all_words.values()]:
                notes[f"codes.{name}"] = f"no word for {', '.join(rest)}"
        else:
            notes[f"codes.{name}"] = _kinds_of(outline)
    # A list of codes is no member.
    members = {replace(place, outline=NOTHING): name_of(place, fields) for place in places}
    renamed = {
        name: (members[there[0]] == there[0].path[-1], members[there[0]])
        for name, there in shortest_names(members).items()
    }
    shown = sorted(lists, key=lambda name: lists[name][0])
    return MappingTable(
        codes={name: lists[name][1] for name in shown},
        fields={name: renamed[name][1] for name in sorted(renamed, key=lambda name: renamed[name][0])},
        meanings={name: lists[name][2] for name in shown},
        notes=notes,
    )


def _kinds_of(outline: Outline) -> str:
    kinds = [_UNITS] if outline.has_hsa_id else []
    return " and ".join([*kinds, _PARTIES] if outline.has_party else kinds)
