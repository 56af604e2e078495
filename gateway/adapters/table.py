"""The tables of words and adapters. A new one is one line here, beside its module and its event fixtures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.journal import JOURNAL
from gateway.adapters.treserva import TRESERVA
from gateway.adapters.words import Codes, Fields, Words
from gateway.ports import Adapter

VOCABULARIES = {words.name: words for words in (TRESERVA, JOURNAL)}
"""The words of every system whose events are tables of members; a simulated one speaks them too."""


def _hl7(codes: Codes, fields: Fields) -> Words:
    # Loaded here, as below: a command that meets no such journal starts without the library.
    from gateway.adapters.hl7_words import Hl7Words  # noqa: PLC0415

    return Hl7Words.of(codes, fields)


def _fhir(codes: Codes, fields: Fields) -> Words:
    from gateway.adapters.fhir_words import FhirWords  # noqa: PLC0415 -- as above

    return FhirWords.of(codes, fields)


WORDS: Final[Mapping[str, Callable[[Codes, Fields], Words]]] = {
    "treserva": TRESERVA.in_own_words,
    "journal": JOURNAL.in_own_words,
    "hl7": _hl7,
    "fhir": _fhir,
}
"""Everything that is spoken, by the name in the settings: made with the words that are a system's own."""

ADAPTERS: dict[str, Callable[..., Adapter]] = {
    "treserva": partial(FolderAdapter.over, TRESERVA),
    "journal": partial(FolderAdapter.over, JOURNAL),
}
"""Every adapter that a folder alone makes. Called with the system's folder and the directory of units."""
