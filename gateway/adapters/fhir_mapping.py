"""What a journal calls things in FHIR, as data: its own codes, units and systems of numbers, and what each is here.

An integrator gives what differs from the standard, by the name of the list: ``"Encounter.class" = { "SV" = "IMP" }``
says that the journal writes ``SV`` for a stay in hospital. Both ways: what is read is understood so, and what is
written is written so. What is neither the journal's own nor the standard's is refused, never guessed.

An own code may have its system before a bar (``urn:oid:1.2.3|SV``). Without one it is meant in every system, except
where the standard itself has that code in its own system; and it is written without a system.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from gateway.adapters.fhir_identifiers import HSA_SYSTEM, HSA_SYSTEMS, PERSON_SYSTEMS
from gateway.adapters.fhir_lists import EXTENSION, LISTS, Code
from gateway.adapters.fhir_own_words import Replacements
from gateway.adapters.fhir_resource import Package
from gateway.adapters.fhir_written import Entry
from gateway.adapters.words import MappingTable
from gateway.errors import ConfigurationError, Fault, Finding
from gateway.identifiers import HsaId, InvalidHsaIdError, PersonIdKind

UNITS: Final = "units"
"""The table of units: the journal's own identifiers (``system|value``) or references, and the HSA-id of each."""
SYSTEMS: Final = "systems"
"""The table of systems of numbers: the journal's own, and the standard one of each."""

LIST_UNKNOWN: Final = Fault(
    "config.fhir-list-unknown",
    "Det finns ingen kodlista i FHIR som heter {value}; det finns {known}.",
    "There is no code list in FHIR called {value}; there are {known}.",
)
LIST_UNKNOWN_NEAR: Final = Fault(
    "config.fhir-list-unknown-near",
    "Det finns ingen kodlista i FHIR som heter {value}. Menade du {nearest}?",
    "There is no code list in FHIR called {value}. Did you mean {nearest}?",
)
CODE_UNKNOWN: Final = Fault(
    "config.fhir-code-unknown",
    "Koden {value} finns inte i listan; den har {known}.",
    "There is no code {value} in the list; it has {known}.",
)
UNIT_FORM: Final = Fault(
    "config.fhir-unit-form",
    "{value} är inte en enhet så som journalen skriver den: system|värde eller Organization/id.",
    "{value} is no unit as the journal writes it: system|value or Organization/id.",
)
SYSTEM_UNKNOWN: Final = Fault(
    "config.fhir-system-unknown",
    "Systemet {value} finns inte; det finns {known}.",
    "There is no system {value}; there are {known}.",
)

_REFERENCE = re.compile(r"(https?://\S+/)?(Organization|HealthcareService)/[A-Za-z0-9\-.]{1,64}")
_KINDS: Final = {
    # Two kinds share an OID; the one that is in use comes first, and is the one that is told.
    **{f"urn:oid:{kind.oid}": kind.value for kind in reversed(PersonIdKind) if ":" not in kind.oid},
    **{kind.fhir_system: kind.value for kind in PersonIdKind if kind.fhir_system is not None},
    **dict.fromkeys(HSA_SYSTEMS, "HSA-id"),
}
"""Every standard system of numbers, of persons and of units and staff, and what it means."""

Table = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirMapping:
    """The words of one journal: by list its own codes, its units and its systems, each with what it is here.

    Raises:
        ConfigurationError: when it is made, with everything that names a list, a code or a system that is not there.
    """

    codes: Mapping[str, Table] = field(default_factory=dict)
    units: Table = field(default_factory=dict)
    systems: Table = field(default_factory=dict)
    _read: Replacements = field(init=False, repr=False, compare=False)
    _told: Replacements = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Judge the tables, and turn them into what is replaced in each direction."""
        findings = [*self._of_codes(), *self._of_units(), *self._of_systems()]
        if findings:
            raise ConfigurationError(findings)
        object.__setattr__(self, "_read", self._words_read())
        object.__setattr__(self, "_told", self._words_told())

    @classmethod
    def from_codes(cls, codes: Mapping[str, Table]) -> Self:
        """Return the mapping that the setting ``codes`` says: lists by name, ``units`` and ``systems``.

        Raises:
            ConfigurationError: it names a list, a code or a system that is not there, or something that is no unit.
        """
        lists = {name: table for name, table in codes.items() if name not in (UNITS, SYSTEMS)}
        return cls(codes=lists, units=codes.get(UNITS, {}), systems=codes.get(SYSTEMS, {}))

    @property
    def is_standard(self) -> bool:
        """Whether the journal says everything as the standard does."""
        return not (self.codes or self.units or self.systems)

    def understood(self, package: Package) -> Package:
        """Return what came in the words of the standard."""
        if self.is_standard:
            return package
        resources = tuple(replace(one, members=self._read.said(one.members)) for one in package.resources)
        return Package(package.root, resources, is_bundle=package.is_bundle)

    def written(self, entry: Entry) -> Entry:
        """Return what is to be written in the words of the journal."""
        if self.is_standard:
            return entry
        known_by = self._told.said({"identifier": [entry.known_by]})["identifier"][0]
        return replace(entry, resource=self._told.said(entry.resource), known_by=known_by)

    def table(self) -> MappingTable:
        """Return all that is in force: by list each code, the journal's own first, with what it means in words.

        ``units`` and ``systems`` are tables beside the lists. A code of the standard has its system, so that it stays
        one of the standard's when it is given back.
        """
        shown: dict[str, dict[str, str]] = {}
        means: dict[str, dict[str, str]] = {}
        for name, known in LISTS.items():
            own = self.codes.get(name, {})
            standard = {_text(code): meaning for code, meaning in known.meanings.items()}
            shown[name] = {**own, **{code: code for code in standard if code not in own}}
            means[name] = standard | {code: known.meanings[_found(name, ours)] for code, ours in own.items()}
        if self.units:
            shown[UNITS] = dict(self.units)
        shown[SYSTEMS] = {**self.systems, **{system: system for system in _KINDS if system not in self.systems}}
        means[SYSTEMS] = {own: _KINDS[ours] for own, ours in shown[SYSTEMS].items()}
        first = sorted(shown, key=lambda name: name not in self.codes and name != UNITS)
        return MappingTable(
            codes={name: shown[name] for name in first},
            fields={},
            meanings=means,
            notes={} if self.units else {f"codes.{UNITS}": "HSA-ids"},
        )

    def _of_codes(self) -> Iterator[Finding]:
        for name, table in self.codes.items():
            known = LISTS.get(name)
            if known is None:
                yield _unknown_list(name)
                continue
            place = f'codes."{name}"'
            for ours in table.values():
                if known.find(ours) is None:
                    codes = ", ".join(dict.fromkeys(map(known.shown, known.meanings)))
                    yield CODE_UNKNOWN.at(place, value=ours, known=codes)

    def _of_units(self) -> Iterator[Finding]:
        place = f"codes.{UNITS}"
        for own, ours in self.units.items():
            system, bar, value = own.rpartition("|")
            if not (system and value if bar else _REFERENCE.fullmatch(own)):
                yield UNIT_FORM.at(place, value=own)
            try:
                HsaId.parse(ours)
            except InvalidHsaIdError as error:
                yield replace(error.findings[0], path=place)

    def _of_systems(self) -> Iterator[Finding]:
        for ours in self.systems.values():
            if ours not in _KINDS:
                known = ", ".join(dict.fromkeys([*PERSON_SYSTEMS, HSA_SYSTEM]))
                yield SYSTEM_UNKNOWN.at(f"codes.{SYSTEMS}", value=ours, known=known)

    def _words_read(self) -> Replacements:
        return Replacements(
            codes={
                name: {_own(name, own): _found(name, ours) for own, ours in table.items()}
                for name, table in self.codes.items()
            },
            identifiers={_identifier(own): (HSA_SYSTEM, ours) for own, ours in self.units.items() if "|" in own},
            systems=self.systems,
            by_reference={own: ours for own, ours in self.units.items() if "|" not in own},
            standard={name: frozenset(LISTS[name].meanings) for name in self.codes if not LISTS[name].is_plain},
        )

    def _words_told(self) -> Replacements:
        """Of several that mean the same, the first is written."""
        units = {ours: own for own, ours in reversed(list(self.units.items()))}
        return Replacements(
            codes={
                name: {_found(name, ours): _own(name, own) for own, ours in reversed(list(table.items()))}
                for name, table in self.codes.items()
            },
            identifiers={
                (system, ours): _identifier(own) for ours, own in units.items() if "|" in own for system in HSA_SYSTEMS
            },
            systems={ours: own for own, ours in reversed(list(self.systems.items()))},
            by_identifier={ours: own for ours, own in units.items() if "|" not in own},
        )


STANDARD: Final = FhirMapping()
"""The mapping of a journal that says everything as the standard does."""


def _unknown_list(name: str) -> Finding:
    near = difflib.get_close_matches(name, [*LISTS, UNITS, SYSTEMS], n=1, cutoff=0.6)
    if near:
        return LIST_UNKNOWN_NEAR.at("codes", value=name, nearest=near[0])
    known = [one for one in LISTS if not one.startswith(EXTENSION)]
    return LIST_UNKNOWN.at("codes", value=name, known=", ".join([*known, f"{EXTENSION}…", UNITS, SYSTEMS]))


def _found(name: str, text: str) -> Code:
    found = LISTS[name].find(text)
    if found is None:
        raise KeyError(text)
    return found


def _own(name: str, text: str) -> Code:
    """Return an own code: with its system before a bar, where the element is no plain code."""
    system, bar, code = text.rpartition("|")
    return (system, code) if bar and not LISTS[name].is_plain else (None, text)


def _text(code: Code) -> str:
    system, own = code
    return own if system is None else f"{system}|{own}"


def _identifier(text: str) -> Code:
    system, _, value = text.rpartition("|")
    return system, value
