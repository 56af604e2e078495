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
        self._looked_at: float | None = None
        self._found: Sequence[Sentence] = ()

    async def sentences(self) -> Sequence[Sentence]:
        """Return what staff are told. Raises :class:`~gateway.errors.DependencyDownError`."""
        if self._looked_at is None or self._tick() - self._looked_at >= FRESH_SECONDS:
            self._found = await partners.sentences(self._context)
            self._looked_at = self._tick()
        return self._found
