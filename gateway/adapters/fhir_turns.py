"""Work that many ask for at once, and that need not be done for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.adapters.http_intake import NOT_KEPT
from gateway.errors import DependencyDownError


class Turns:
    """Does ``work`` in turns: one at a time, and at most one more waits, which is that of all who came meanwhile."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._now: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Return when a turn has ended that began after this was called. Giving up the wait ends no turn.

        Raises:
            DependencyDownError: the turns were ended before that.
            GatewayError: what the work raised; all who waited for the same turn get the same.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._turn(self._now))
            self._next.add_done_callback(_look_at)
        mine = self._next
        await asyncio.wait([mine])
        if mine.cancelled():
            raise DependencyDownError(NOT_KEPT.at())
        mine.result()

    async def _turn(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._now, self._next = self._next, None
        await self._work()

    async def end(self) -> None:
        """Give up what is being done, and what waits; return when it has ended."""
        turns = [one for one in (self._next, self._now) if one is not None]
        self._next = None
        for one in turns:
            one.cancel()
        if turns:
            await asyncio.wait(turns)


def _look_at(turn: asyncio.Task[None]) -> None:
    """Take note of how a turn ended, so that it is no surprise where nobody waits for it any more."""
    if not turn.cancelled():
        turn.exception()
