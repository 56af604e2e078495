"""Changes of the ledger, told to all who listen: one look a second at what is new, however many they are.

Nobody looks while nobody listens. What other processes of the gateway write is found like what this one does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final, NamedTuple

import structlog
from aiohttp import web

from gateway.context import Context, trace_of
from gateway.errors import DependencyDownError, Fault
from gateway.stopping import pause
from gateway.store import changes
from gateway.store.changes import BATCH, Change
from gateway.store.tallies import Mark
from gateway.web.refusals import TooManyError

YOURS_FULL = Fault(
    "web.listeners-yours",
    "Du lyssnar redan på {most} ställen; sluta på ett av dem.",
    "You listen in {most} places already; stop in one of them.",
)
ALL_FULL = Fault(
    "web.listeners-all",
    "Så många lyssnar att ingen fler får plats just nu.",
    "So many listen that there is no place for another just now.",
)

OF_ONE: Final = 4
"""In how many places somebody may listen."""
IN_ALL: Final = 100
"""How many may listen."""
BEHIND: Final = 100
"""By how many looks a listener may be behind before they have to come again."""
EVERY: Final = timedelta(seconds=1)
"""How often is looked."""
BEAT: Final = timedelta(seconds=15)
"""How often a listener hears something, and whether they may still listen is looked up."""

log = structlog.get_logger(__name__)


class News(NamedTuple):
    """What one look has found. Whoever goes on after the line ``safe`` misses nothing; they may be told some again."""

    changes: Sequence[Change]
    safe: int


class Listener:
    """Somebody who listens; ``start`` is what was already there when they came."""

    def __init__(self) -> None:
        self.start = News((), 0)
        self.last = 0
        self._news: asyncio.Queue[News | None] = asyncio.Queue(BEHIND)

    def tell(self, news: News | None) -> None:
        """Tell of news, or (``None``) that it is over; so it also is for whoever is too far behind."""
        with suppress(asyncio.QueueFull):
            self._news.put_nowait(news)
            return
        while not self._news.empty():
            self._news.get_nowait()
        self._news.put_nowait(None)

    async def news(self) -> News | None:
        """Return the next news; ``None`` when it is over."""
        return await self._news.get()


class Changes:
    """Looks ``every`` second while somebody listens; a listener hears something at each ``beat`` at least."""

    def __init__(self, context: Context, *, every: timedelta = EVERY, beat: timedelta = BEAT) -> None:
        self.beat = beat
        self._context = context
        self._every = every
        self._listeners: dict[Listener, str] = {}
        self._beginning = asyncio.Lock()
        self._mark: Mark | None = None
        self._looking: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._is_closed = False

    @property
    def is_looking(self) -> bool:
        """Tell whether it is looked for what is new."""
        return self._mark is not None

    @asynccontextmanager
    async def listening(self, name: str) -> AsyncIterator[Listener]:
        """Let whoever is called ``name`` listen while the block runs.

        Raises:
            TooManyError: they listen in :data:`OF_ONE` places.
            DependencyDownError: :data:`IN_ALL` listen, the door is closing, or the database does not answer.
        """
        if Counter(self._listeners.values())[name] >= OF_ONE:
            raise TooManyError(YOURS_FULL.at(most=OF_ONE))
        if self._is_closed or len(self._listeners) >= IN_ALL:
            raise DependencyDownError(ALL_FULL.at())
        listener = Listener()
        self._listeners[listener] = name
        try:
            mark = await self._begun()
            listener.last, listener.start = mark.last, News((), _safe(mark))
            yield listener
        finally:
            del self._listeners[listener]
            if not self._listeners:
                self._end()

    def close(self) -> None:
        """Tell all who listen that it is over, and let nobody else in."""
        self._is_closed = True
        for listener in self._listeners:
            listener.tell(None)

    async def ended(self) -> None:
        """Return when nobody looks any more; to be called when nobody listens."""
        if self._looking is not None:
            await self._looking

    async def _begun(self) -> Mark:
        """Return how far has been looked, having begun to look where nobody did. What comes after is told."""
        async with self._beginning:
            if self._mark is None:
                async with self._context.store.reading() as tx:
                    self._mark = await changes.end(tx, self._context.clock.now())
                self._stop = asyncio.Event()
                self._looking = asyncio.create_task(self._look_on(self._mark, self._stop), name="changes")
        return self._mark

    def _end(self) -> None:
        self._stop.set()  # it is left to finish the look that it may be at
        self._mark = None

    async def _look_on(self, mark: Mark, stop: asyncio.Event) -> None:
        while not stop.is_set():
            found = 0
            try:
                mark, found = await self._look(mark, stop)
            except DependencyDownError as error:  # whoever listens waits until it answers again
                log.debug("changes.database-down", codes=error.codes)
            except Exception as error:  # nothing we foresaw: whoever listens is to come again
                log.error("changes.failed", **trace_of(error))
                self._mark = None
                for listener in self._listeners:
                    listener.tell(None)
                return
            if found < BATCH:
                await pause(stop, self._every)

    async def _look(self, before: Mark, stop: asyncio.Event) -> tuple[Mark, int]:
        now = self._context.clock.now()
        async with self._context.store.reading() as tx:
            ids = await changes.ids_behind(tx, before)
            found = await changes.of_ids(tx, ids)
        after = before.moved(ids, now)
        if not stop.is_set():
            self._mark = after
        if found and not stop.is_set():
            for listener in self._listeners:
                listener.tell(News(found, _safe(after)))
        return after, len(ids)


def _safe(mark: Mark) -> int:
    """Return the line up to which every line is known, none of those that may yet turn up being before it."""
    return min(mark.missing) - 1 if mark.missing else mark.last


CHANGES: Final = web.AppKey("changes", Changes)
"""Where the application of a door has the one for all who listen there."""


async def close(app: web.Application) -> None:
    """End what is told at a door."""
    app[CHANGES].close()


async def ended(app: web.Application) -> None:
    """Return when what was told at a door has ended."""
    await app[CHANGES].ended()
