"""The outline of what a system says: the members of its events by name, what is in each, and the codes it may have.

What reads an event knows what it asks for. A kind or a field that has no table of its own tells it in its outline,
which costs nothing until someone asks for it: whoever checks the settings of an integrator, or shows what there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, TypeVar, cast

from gateway.identifiers import is_hsa_id

T = TypeVar("T")

_PARTY: Final = re.compile(r"[a-z][a-z0-9\-]{0,30}")


@dataclass(frozen=True, slots=True)
class Outline:
    """What stands in one place, an item of a list as the list itself.

    ``members`` are inside it, and ``of_event`` in the event itself, however deep the place. A code is one of ``codes``,
    each with its meaning in words, of a list that may have a name. ``has_hsa_id`` tells that an HSA-id stands there,
    of a unit where the list is called so, and ``has_party`` the name of a party.
    """

    members: Mapping[str, Outline] = field(default_factory=dict)
    of_event: Mapping[str, Outline] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    list_name: str | None = None
    has_hsa_id: bool = False
    has_party: bool = False

    def __or__(self, other: Outline) -> Outline:
        """Return what stands in a place that is read in both ways."""
        return Outline(
            _both(self.members, other.members),
            _both(self.of_event, other.of_event),
            {**self.codes, **other.codes},
            self.list_name or other.list_name,
            has_hsa_id=self.has_hsa_id or other.has_hsa_id,
            has_party=self.has_party or other.has_party,
        )

    def inside(self, name: str) -> Outline:
        """Return the outline of an object that has this in the member ``name``."""
        return Outline(members={name: Outline(self.members, {}, *self._value())}, of_event=self.of_event)

    def at_event(self) -> Outline:
        """Return the same, read from the event itself."""
        return Outline(of_event=_both(self.members, self.of_event))

    def whole(self) -> Outline:
        """Return the outline of an event: what is read from it however deep stands in it too."""
        return Outline(_both(self.members, self.of_event))

    @property
    def is_coded(self) -> bool:
        """Whether what stands there is one of a list, or the name of something."""
        return bool(self.codes) or self.has_hsa_id or self.has_party

    def has(self, code: str) -> bool:
        """Tell whether ``code`` may stand there; units and parties are known by their form alone."""
        return (
            code in self.codes
            or (self.has_hsa_id and is_hsa_id(code))
            or (self.has_party and _PARTY.fullmatch(code) is not None)
        )

    def _value(self) -> tuple[Mapping[str, str], str | None, bool, bool]:
        return self.codes, self.list_name, self.has_hsa_id, self.has_party

    def places(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Outline]]:
        """Yield every member with its path, the outer before the inner."""
        for name, inner in self.members.items():
            yield (*path, name), inner
            yield from inner.places((*path, name))


NOTHING: Final = Outline()
SYSTEMS: Final = "systems"
"""What all places with the system of a code or a number are called together."""
UNITS: Final = "units"
"""What all places with the HSA-id of a unit are called together, in all words."""


def outline_of(read: Any) -> Outline:
    """Return the outline of a kind or field: of what is in a member, or of the object that the field is read from."""
    tells = getattr(read, "outline", None) or getattr(getattr(read, "__self__", None), "outline", None)
    return tells() if tells is not None else NOTHING


def all_of(*reads: Any) -> Outline:
    """Return the outline of what is read in several ways."""
    return reduce(Outline.__or__, map(outline_of, reads), NOTHING)


def outlined(read: T, tells: Callable[[], Outline]) -> T:
    """Return a kind or field that ``tells`` its outline."""
    cast(Any, read).outline = tells
    return read


def reads(*fields: Any) -> Callable[[T], T]:
    """Return what tells of a function that it reads what ``fields`` do."""
    return lambda read: outlined(read, lambda: all_of(*fields))


def _both(one: Mapping[str, Outline], other: Mapping[str, Outline]) -> dict[str, Outline]:
    found = dict(one)
    for name, outline in other.items():
        found[name] = found[name] | outline if name in found else outline
    return found
