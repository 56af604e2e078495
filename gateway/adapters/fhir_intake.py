"""The way in of journals that speak FHIR: they post what has happened, or are asked what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Final, Protocol, Self

import structlog

from gateway.adapters.fhir_changes import Bookmark, Changes
from gateway.adapters.fhir_server import FhirServer
from gateway.adapters.http_intake import HttpIntake
from gateway.adapters.words import Words
from gateway.clock import Clock
from gateway.directory import Directory
from gateway.errors import GatewayError
from gateway.ports import Pauses
from gateway.stopping import pause

ASK_EVERY: Final = timedelta(minutes=1)
"""How often a server is asked that has not notified of anything: a notification may be lost."""

log = structlog.get_logger(__name__)


class Book(Pauses, Protocol):
    """Remembers which adapters are paused, and how far each has fetched what has changed."""

    def bookmark_of(self, adapter: str) -> Bookmark:
        """Return where it stands how far an adapter has fetched."""
        ...


class FhirIntake(HttpIntake):
    """The way in of the adapter ``name``: takes what is posted, and fetches what has changed on its ``server``.

    The server is asked ``every`` so often, and when it notifies. Its connections are closed when this is left. Without
    a ``book`` nothing can be fetched.
    """

    def __init__(
        self,
        words: Words,
        directory: Directory,
        clock: Clock,
        *,
        name: str,
        server: FhirServer,
        book: Book | None,
        every: timedelta = ASK_EVERY,
    ) -> None:
        super().__init__(words, directory, name=name)
        self._server = server
        self._book = book
        self._changes = None
        if book is not None:
            bookmark = book.bookmark_of(name)
            self._changes = Changes(server, bookmark, clock, source=name, understand=self.translate)
        self._every = every

    async def __aenter__(self) -> Self:
        """Open nothing yet: the first request does."""
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the connections to the server."""
        await self._server.close()

    async def listen(self, stop: asyncio.Event) -> None:
        """Ask what has changed, again and again until ``stop`` is set. A server that is away is told of once."""
        assert self._book is not None
        is_there = True
        while not stop.is_set():
            try:
                if not await self._book.is_paused(self.name):
                    await _unless(stop, self.fetch)
                is_there = True
            except GatewayError as error:
                if is_there:
                    log.warning("fhir.changes_unavailable", source=self.name, codes=error.codes)
                is_there = False
            await pause(stop, self._every)

    async def fetch(self) -> None:
        """Fetch what has changed, and return when it is kept.

        Raises:
            GatewayError: not everything could be fetched and kept; the rest is fetched the next time.
        """
        assert self._changes is not None
        fetched = await self._changes.take(self.take)
        if fetched.kept:
            log.info("fhir.changes_taken", source=self.name, kept=fetched.kept, refused=fetched.refused)

    async def ping(self) -> None:
        """Return when the server can be reached. Raises :class:`DependencyDownError`."""
        await self._server.ping()


async def _unless(stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work``; give it up when ``stop`` is set, since what is not kept then is fetched again."""
    working, stopping = asyncio.ensure_future(work()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait({working, stopping})
