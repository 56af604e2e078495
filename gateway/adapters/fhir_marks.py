"""How far each kind of resource has been fetched from a journal, and what each resource said last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

OVERLAP: Final = timedelta(minutes=2)
"""How far back before the mark is asked: a server may let a change be seen after one that came later."""


class Bookmark(Protocol):
    """Remembers over a restart; raises :class:`DependencyDownError` where it cannot."""

    async def read(self, kind: str) -> datetime | None:
        """Return up to when a ``kind`` has been fetched; ``None`` at first."""
        ...

    async def keep(self, kind: str, at: datetime) -> None:
        """Keep it."""
        ...

    async def unfetched(self, versions: Mapping[str, str]) -> set[str]:
        """Return which resources (``Type/id``) have another version than the one that was fetched last."""
        ...

    async def fetched(self, name: str, version: str) -> None:
        """Keep that a version of the resource ``Type/id`` has been fetched."""
        ...

    async def is_said(self, name: str, digest: str) -> bool:
        """Tell whether what the resource ``Type/id`` says is what it said the last time."""
        ...

    async def answer_to(self, says: Mapping[str, str]) -> Mapping[str, Any] | None:
        """Return what was answered when these resources were fetched and said the same; ``None`` unless all were."""
        ...

    async def keep_said(self, says: Mapping[str, str], answer: Mapping[str, Any] | None = None) -> None:
        """Keep what resources have said, and what the event was answered by which it was fetched."""
        ...


@dataclass(slots=True)
class Mark:
    """Up to when all that has changed of a ``kind`` has been fetched; it never moves back.

    It does not move past the versions that had to be ``left``, nor into the future, however a server dates.
    """

    kind: str
    at: datetime
    left: dict[str, datetime] = field(default_factory=dict)

    def leave(self, version: str, at: datetime) -> None:
        """Stay before a version that changed ``at`` some time, since it must be fetched again."""
        self.left[version] = at

    def move(self, to: datetime, now: datetime) -> bool:
        """Move on, as far as it may; tell whether it has moved."""
        before = self.at
        self.at = max(before, min([to, now, *self.left.values()]))
        return self.at != before
