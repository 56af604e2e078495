"""One form of a vocabulary as one system has it: what each member is called there, and the words in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gateway.errors import Finding
from gateway.messages.binding import MISSING, NOT_ALLOWED, UNKNOWN


class OwnForm:
    """What stands in a place: ``members`` by the name in the vocabulary, each with the system's own and what is in it.

    ``words`` are the system's own there, each with what it means; where there are none, it has the vocabulary's.
    """

    __slots__ = ("_back", "_by_own", "_is_plain", "_members", "_words")

    def __init__(self, members: Mapping[str, tuple[str, OwnForm]], words: Mapping[str, str]) -> None:
        self._members = members
        self._by_own = {own: (name, inner) for name, (own, inner) in members.items()}
        self._words = words
        self._back = {ours: own for own, ours in reversed(list(words.items()))}
        self._is_plain = not words and all(own == name and inner.is_plain for name, (own, inner) in members.items())

    @property
    def is_plain(self) -> bool:
        """Whether the system says everything there as the vocabulary does."""
        return self._is_plain

    def understood(self, value: Any, findings: list[Finding], place: str = "") -> Any:
        """Return a ``value`` of the system's in the words of the vocabulary; what is none of its own is noted.

        A member that nobody knows stays as it is. Only places with names from the tables are told.
        """
        if self._is_plain:
            return value
        if isinstance(value, dict):
            found = {}
            for own, one in value.items():
                name, inner = self._by_own.get(own, (own, None))
                if inner is not None:
                    found[name] = inner.understood(one, findings, f"{place}/{own}")
                elif own in self._members:  # the system has that under a name of its own
                    findings.append(UNKNOWN.at(f"{place}/{own}"))
                else:
                    found[own] = one
            return found
        if isinstance(value, list):
            return [self.understood(one, findings, f"{place}/{index}") for index, one in enumerate(value)]
        if not self._words or not isinstance(value, str):
            return value
        if value not in self._words:
            findings.append(NOT_ALLOWED.at(place or "/", allowed=", ".join(self._words)))
        return self._words.get(value, value)

    def told(self, value: Any) -> Any:
        """Return a ``value`` of the vocabulary's in the words of the system; what it has no word for stays as it is."""
        if self._is_plain:
            return value
        if isinstance(value, dict):
            found = {}
            for name, one in value.items():
                own, inner = self._members.get(name, (name, None))
                found[own] = one if inner is None else inner.told(one)
            return found
        if isinstance(value, list):
            return [self.told(one) for one in value]
        return self._back.get(value, value) if isinstance(value, str) else value

    def placed(self, finding: Finding) -> Finding:
        """Return a finding about the vocabulary's members with its place, a JSON pointer, in the system's."""
        if self._is_plain or finding.path is None:
            return finding
        here: OwnForm | None = self
        steps = finding.path.split("/")
        for at, step in enumerate(steps):
            if at and here is not None and not step.isdigit():
                steps[at], here = here._members.get(step, (step, None))
        if finding.code == MISSING.code:  # it has the name in its words too
            return MISSING.at("/".join(steps), name=steps[-1])
        return replace(finding, path="/".join(steps))

    def clashes(self) -> Iterator[tuple[str, str, str]]:
        """Yield the members that the system would call the same, by two, with that name."""
        first: dict[str, str] = {}
        for name, (own, inner) in self._members.items():
            if first.setdefault(own, name) != name:
                yield first[own], name, own
            yield from inner.clashes()
