"""How settings name the places of a system's events: by a member, a path of members, and the type of event before it.

``orsak`` is every member of that name, ``placering.kommun`` those that stand in such another, and
``ARENDE_AVSLUTAT.orsak`` is in one type of event. A list of codes that has a name is every place of that list. Where
several names fit a place, the most exact counts: one with the type of event, then the one with the longest path.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.adapters.outline import Outline


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A member by its ``path`` in a ``form``: a type of event, or something that is written; none is every event."""

    form: str
    path: tuple[str, ...]
    outline: Outline

    def names(self) -> Iterator[str]:
        """Yield everything it may be called, the most exact first."""
        paths = [".".join(self.path[at:]) for at in range(len(self.path))]
        if self.form:
            yield from (f"{self.form}.{path}" for path in paths)
        yield from paths
        if self.outline.list_name is not None:
            yield self.outline.list_name

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
    same = {name for name, places in fits.items() if len({said[place] for place in places}) == 1}
    found: dict[str, list[Place]] = {}
    for place in said:
        names = [*place.plain_names(), *reversed(list(place.names()))]
        # The whole path in its form is nobody else's: a name that fits others too is never the most exact for them.
        found.setdefault(next((name for name in names if name in same), names[-1]), []).append(place)
    return found
