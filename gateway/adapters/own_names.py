"""How settings name the places of a system's events: by a member, a path of members, and the type of event before it.

``orsak`` is every member of that name, ``placering.kommun`` those that stand in such another, and
``ARENDE_AVSLUTAT.orsak`` is in one type of event. A list of codes that has a name is every place of that list. Where
several names fit a place, the most exact counts: one with the type of event, then the one with the longest path.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.adapters.outline import Outline

Rank = tuple[bool, int]
"""How exact a name is: whether it has the type of an event, and the steps of its path."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A member by its ``path`` in a ``form``: a type of event, or something that is written; none is every event."""

    form: str
    path: tuple[str, ...]
    outline: Outline

    def names(self) -> Iterator[str]:
        """Yield everything it may be called, the most exact first."""
        return (name for _, name in self.ranked_names())

    def ranked_names(self) -> Iterator[tuple[Rank, str]]:
        """Yield everything it may be called, the most exact first, each with how exact it is."""
        paths = [(len(self.path) - at, ".".join(self.path[at:])) for at in range(len(self.path))]
        if self.form:
            yield from (((True, steps), f"{self.form}.{path}") for steps, path in paths)
        yield from (((False, steps), path) for steps, path in paths)
        if self.outline.list_name is not None:
            yield (False, 0), self.outline.list_name

    def plain_names(self) -> Iterator[str]:
        """Yield the names that one would look for first: that of its list, and its own."""
        if self.outline.list_name is not None:
            yield self.outline.list_name
        yield self.path[-1]


def places_of(forms: Mapping[str, Outline]) -> list[Place]:
    """Return every place in some forms."""
    return [Place(form, path, inner) for form, outline in forms.items() for path, inner in outline.places()]


def by_name(places: Iterable[Place]) -> dict[str, list[Place]]:
    """Return the places that each name fits."""
    found: dict[str, list[Place]] = {}
    for place in places:
        for name in dict.fromkeys(place.names()):
            found.setdefault(name, []).append(place)
    return found


def shortest_names(said: Mapping[Place, Hashable]) -> dict[str, list[Place]]:
    """Return names for all places, as short as they can be where places with one name have the same said of them."""
    fits = by_name(said)
    ranks = {name: rank for place in said for rank, name in place.ranked_names()}
    # A place has no name that is more exact: no other may say something else by it.
    last = {next(place.names()): place for place in said}
    named: dict[Place, str] = {}
    holds: dict[Place, Hashable] = {}
    for name in sorted(fits, key=ranks.__getitem__):
        values = {said[last[name]]} if name in last else {said[place] for place in fits[name]}
        if len(values) > 1:
            continue
        (value,) = values
        if any(said[place] == value != holds.get(place) for place in fits[name]):
            named |= {place: name for place in fits[name] if place not in holds or holds[place] != value}
            holds |= dict.fromkeys(fits[name], value)
    found: dict[str, list[Place]] = {}
    for place in said:
        found.setdefault(named[place], []).append(place)
    return found
