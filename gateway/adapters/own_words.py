"""A system's own words: what an integrator says of codes and units that the vocabulary calls otherwise.

``{"uppmarksammatAv": {"10": "Skola"}}`` says that the system writes ``10`` in members of that name where the vocabulary
has ``Skola``, both in events and in what it is handed. Wherever such a member stands, a text in it, or each text in a
list, must be one of the words that are given; anything else is refused, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from gateway.adapters.vocabulary import Vocabulary
from gateway.adapters.words import Codes
from gateway.errors import Finding, InvalidDocumentError
from gateway.messages.binding import NOT_ALLOWED

T = TypeVar("T")

_MEMBER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")


def in_own_words(vocabulary: Vocabulary, codes: Codes) -> Vocabulary:
    """Return ``vocabulary`` for a system that uses words of its own. Of two that mean the same it is told the first."""
    if not codes:
        return vocabulary
    back = {member: {ours: theirs for theirs, ours in reversed(list(words.items()))} for member, words in codes.items()}

    def understood(event: Any) -> Any:
        findings = list(_unknown(event, codes, ""))
        if findings:
            raise InvalidDocumentError(findings)
        return _replaced(event, codes)

    def note(message: Any) -> dict[str, Any] | None:
        return _replaced(vocabulary.note(message), back)

    return replace(
        vocabulary,
        understood=understood,
        message=lambda message, unit: _replaced(vocabulary.message(message, unit), back),
        note=note,
        notice=lambda notice: _replaced(vocabulary.notice(notice), back),
    )


def _replaced(value: T, codes: Codes) -> T:
    """Return ``value`` with what is said in other words; what no word is given for stays as it is."""

    def inner(item: Any, words: Mapping[str, str] | None) -> Any:
        if isinstance(item, dict):
            return {name: inner(one, codes.get(name)) for name, one in item.items()}
        if isinstance(item, list):
            return [inner(one, words) for one in item]
        return words.get(item, item) if words is not None and isinstance(item, str) else item

    found: T = inner(value, None)
    return found


def _unknown(value: Any, codes: Codes, place: str, words: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Yield what stands in a member that has words, and is none of them. Only members that are named are told."""
    if isinstance(value, dict):
        for name, one in value.items():
            # A name may be anything, a person's too: it is told only where it has the form of one.
            told = name if name in codes or _MEMBER_NAME.fullmatch(name) else "…"
            yield from _unknown(one, codes, f"{place}/{told}", codes.get(name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _unknown(one, codes, f"{place}/{index}", words)
    elif words is not None and isinstance(value, str) and value not in words:
        yield NOT_ALLOWED.at(place, allowed=", ".join(words))
