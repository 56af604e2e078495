"""A system's own words: what an integrator says of codes, units and members that the vocabulary calls otherwise.

``codes`` such as ``{"uppmarksammatAv": {"10": "Skola"}}`` say that the system writes ``10`` in members of that name
where the vocabulary has ``Skola``, and ``fields`` such as ``{"arendeId": "Arendenr"}`` that it has a member of another
name; both in events and in what it is handed. Where a place has words of its own, nothing else is understood there:
anything else is refused, never guessed. Of two words that mean the same the system is told the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from gateway.adapters.outline import Outline
from gateway.adapters.own_forms import OwnForm
from gateway.adapters.own_names import Place, by_name, places_of
from gateway.adapters.words import MEANS_NOTHING, NO_PLACE, Codes, Fields, unknown_name
from gateway.adapters.written import Written
from gateway.adapters.written_csv import NAME
from gateway.errors import ConfigurationError, Fault, Finding, InvalidDocumentError

TWO_MEMBERS: Final = Fault(
    "config.adapter-mapping-twice",
    "fields: {first} och {second} skulle båda heta {own}.",
    "fields: {first} and {second} would both be called {own}.",
)

_OWN_NAME: Final = re.compile(NAME)
_ANY: Final = ""
"""Stands for the type of an event whose type is not known: what all events have."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """The words of one system: each form of a vocabulary, as the system has it.

    ``types`` tell the type of an event by the system's name of the member that tells it, and the word there.
    """

    forms: Mapping[str, OwnForm]
    types: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(
        cls,
        events: Mapping[str, Outline],
        written: Mapping[str, Outline],
        type_member: str,
        *,
        codes: Codes,
        fields: Fields,
    ) -> Self:
        """Return the words for a vocabulary with types of ``events`` (none is what all have) and ``written`` forms.

        Raises:
            ConfigurationError: with every name, code and member that does not exist, and names that clash.
        """
        outlines = {**events, **written}
        places = places_of(outlines)
        findings = [*_of_codes(codes, places), *_of_fields(fields, places)]
        if findings:
            raise ConfigurationError(findings)
        names = {(place.form, place.path): name_of(place, fields) for place in places}
        words = {(place.form, place.path): words_at(place, codes) for place in places}
        forms = {form: _made(form, (), outline, names, words) for form, outline in outlines.items()}
        clashes = dict.fromkeys(
            TWO_MEMBERS.at(first=first, second=second, own=own)
            for form in forms.values()
            for first, second, own in form.clashes()
        )
        if clashes:
            raise ConfigurationError(clashes)
        types: dict[str, dict[str, str]] = {}
        for kind in events:
            if kind != _ANY:
                own = types.setdefault(names[kind, (type_member,)], {})
                told = words[kind, (type_member,)] or {kind: kind}
                own.update({word: means for word, means in told.items() if means == kind})
        return cls(forms, types)

    def understood(self, written: Written) -> Written:
        """Return what is written in an event in the words of the vocabulary.

        Raises:
            InvalidDocumentError: with every word and member that is none, at its place in what is written.
        """
        form = self.forms[self._type_of(written.value)]
        findings: list[Finding] = []
        value = form.understood(written.value, findings)
        if findings:
            raise InvalidDocumentError(findings)
        return replace(written, value=value, placed=lambda finding: written.placed(form.placed(finding)))

    def told(self, form: str, value: Any) -> Any:
        """Return what the vocabulary writes in ``form`` in the words of the system."""
        return self.forms[form].told(value)

    def read_back(self, form: str, value: Any) -> Any:
        """Return what was told in ``form`` in the words of the vocabulary again."""
        return self.forms[form].understood(value, [])

    def _type_of(self, event: Any) -> str:
        for member, kinds in self.types.items() if isinstance(event, dict) else ():
            said = event.get(member)
            if isinstance(said, str) and said in kinds:
                return kinds[said]
        return _ANY


def name_of(place: Place, fields: Fields) -> str:
    """Return what the system calls a member."""
    return next((fields[name] for name in place.names() if name in fields), place.path[-1])


def words_at(place: Place, codes: Codes) -> dict[str, str]:
    """Return the system's words in a place, each with what it means there; none where it has those of the vocabulary.

    A name may stand for places with different lists: each has the words that mean something there.
    """
    if place.outline.is_coded:
        for name in place.names():
            words = {own: ours for own, ours in codes.get(name, {}).items() if place.outline.has(ours)}
            if words:
                return words
    return {}


def _of_codes(codes: Codes, places: list[Place]) -> Iterator[Finding]:
    coded = [place for place in places if place.outline.is_coded]
    known = by_name(coded) if codes else {}
    for name, words in codes.items():
        if name not in known:
            yield unknown_name("codes", name, _likely(name, coded, known))
            continue
        for ours in words.values():
            if not any(place.outline.has(ours) for place in known[name]):
                yield MEANS_NOTHING.at(list=name, meaning=ours)


def _of_fields(fields: Fields, places: list[Place]) -> Iterator[Finding]:
    # A list of codes is no member.
    known = by_name(replace(place, outline=Outline()) for place in places) if fields else {}
    for name, own in fields.items():
        if name not in known:
            yield unknown_name("fields", name, _likely(name, places, known))
        if not _OWN_NAME.fullmatch(own):
            yield NO_PLACE.at(member=name)


def _likely(name: str, places: list[Place], known: Mapping[str, Any]) -> dict[str, None]:
    """Return the names that may have been meant: whoever writes no path means none."""
    if "." in name:
        return dict.fromkeys(known)
    return dict.fromkeys(one for place in places for one in place.plain_names() if one in known)


def _made(form: str, path: tuple[str, ...], outline: Outline, names: Any, words: Any) -> OwnForm:
    return OwnForm(
        {
            name: (names[form, (*path, name)], _made(form, (*path, name), inner, names, words))
            for name, inner in outline.members.items()
        },
        words.get((form, path), {}),
    )
