"""Saying a resource in other words: codes, identifiers and references replaced where they stand, the rest as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.adapters.fhir_extensions import BASE
from gateway.adapters.fhir_identifiers import HSA_SYSTEM, HSA_SYSTEMS
from gateway.adapters.fhir_lists import EXTENSION, LABELS, Code

_CODE_OF_EXTENSION: Final = "valueCode"


@dataclass(frozen=True, slots=True)
class Replacements:
    """What is said, and what is said instead.

    ``codes``, by list, have no system where the code is meant in any; where it is given none, the new one has none.
    ``identifiers`` are system and value, ``systems`` those of identifiers. A Reference to one of ``by_reference`` gets
    an identifier; one with an identifier in ``by_identifier`` gets a reference instead.
    """

    codes: Mapping[str, Mapping[Code, Code]] = field(default_factory=dict)
    identifiers: Mapping[Code, Code] = field(default_factory=dict)
    systems: Mapping[str, str] = field(default_factory=dict)
    by_reference: Mapping[str, str] = field(default_factory=dict)
    by_identifier: Mapping[str, str] = field(default_factory=dict)
    standard: Mapping[str, frozenset[Code]] = field(default_factory=dict)
    """The codes, by list, that are never meant by another one without a system."""

    def said(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Return the resource in the other words."""
        found: dict[str, Any] = self._said(resource, "")
        return found

    def _said(self, value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [self._said(one, path) for one in value]
        if isinstance(value, Mapping):
            return self._object(value, path)
        words = self.codes.get(path)
        if words is None or not isinstance(value, str):
            return value
        return words.get((None, value), (None, value))[1]

    def _object(self, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        path = _path_of(value, path)
        if path.startswith(EXTENSION):
            members = {
                name: self._said(inner, path if name in (_CODE_OF_EXTENSION, "extension") else "")
                for name, inner in value.items()
            }
        else:
            # The path of a resource begins with its type, and goes no further into an element of another path.
            members = {name: self._said(inner, f"{path}.{name}") for name, inner in value.items()}
        words = self.codes.get(_list_at(path))
        if words is not None:
            members = self._concept(members, words, self.standard.get(_list_at(path), frozenset()))
        identifier = members.get("identifier")
        if isinstance(identifier, list):
            members["identifier"] = [self._identifier(one) for one in identifier]
        elif isinstance(identifier, dict):
            members = self._reference(members, identifier)
        elif isinstance(members.get("reference"), str):
            hsa_id = self.by_reference.get(members["reference"].partition("/_history/")[0])
            if hsa_id is not None:
                members["identifier"] = {"system": HSA_SYSTEM, "value": hsa_id}
        return members

    def _reference(self, members: dict[str, Any], identifier: dict[str, Any]) -> dict[str, Any]:
        own = self.by_identifier.get(str(identifier.get("value"))) if identifier.get("system") in HSA_SYSTEMS else None
        if own is None:
            return members | {"identifier": self._identifier(identifier)}
        return {name: one for name, one in members.items() if name != "identifier"} | {"reference": own}

    def _identifier(self, identifier: Any) -> Any:
        if not isinstance(identifier, dict):
            return identifier
        named = (identifier.get("system"), identifier.get("value"))
        if not all(isinstance(one, str) for one in named):
            return identifier
        system, value = self.identifiers.get((str(named[0]), str(named[1])), named)
        return identifier | {"system": self.systems.get(str(system), system), "value": value}

    def _concept(
        self, members: dict[str, Any], words: Mapping[Code, Code], standard: frozenset[Code]
    ) -> dict[str, Any]:
        if isinstance(members.get("coding"), list):
            return members | {"coding": [self._coding(one, words, standard) for one in members["coding"]]}
        found: dict[str, Any] = self._coding(members, words, standard)
        return found

    def _coding(self, coding: Any, words: Mapping[Code, Code], standard: frozenset[Code]) -> Any:
        if not isinstance(coding, dict) or not isinstance(coding.get("code"), str):
            return coding
        system = coding.get("system")
        said = (system if isinstance(system, str) else None, coding["code"])
        found = words.get(said) or (words.get((None, said[1])) if said not in standard else None)
        if found is None:
            return coding
        kept = {name: one for name, one in coding.items() if name != "system"}
        return kept | ({"system": found[0]} if found[0] is not None else {}) | {"code": found[1]}


def _path_of(value: Mapping[str, Any], path: str) -> str:
    """Return the path that what stands in an object has: of its resource, or of the extension that it is."""
    if isinstance(value.get("resourceType"), str):
        return str(value["resourceType"])
    url = value.get("url")
    if isinstance(url, str) and url.startswith(BASE):
        return EXTENSION + url.removeprefix(BASE)
    if isinstance(url, str) and path.startswith(EXTENSION):
        return f"{path}.{url}"
    return path


def _list_at(path: str) -> str:
    """Return the name of the list at a path; that of the labels has no type of resource in it."""
    return LABELS if path.partition(".")[2] == LABELS else path
