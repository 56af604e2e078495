"""Silent partners, as every page tells of them: looked up once in some seconds, however many pages are fetched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from gateway import partners
from gateway.context import Context
from gateway.silence import Sentence

FRESH_SECONDS: Final = 5.0
"""How long what was found is told again without looking anew."""


class SilentPartners:
    """Tells of the silent partners of one gateway; ``tick`` counts seconds."""

    def __init__(self, context: Context, tick: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._tick = tick
        self._found: dict[bool, tuple[float, Sequence[Sentence]]] = {}

    async def sentences(self, *, sees_all: bool = True) -> Sequence[Sentence]:
        """Return what staff who see all units, or only some, are told.

        Raises:
            DependencyDownError: the database does not answer.
        """
        known = self._found.get(sees_all)
        if known is None or self._tick() - known[0] >= FRESH_SECONDS:
            known = self._tick(), await partners.sentences(self._context, sees_all=sees_all)
            self._found[sees_all] = known
        return known[1]
