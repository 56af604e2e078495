"""The way in of journals that speak FHIR: they post what has happened, or are asked what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Protocol, Self

import structlog

from gateway.adapters.fhir_changes import Changes
from gateway.adapters.fhir_marks import Bookmark
from gateway.adapters.fhir_sayings import Sayings
from gateway.adapters.fhir_server import FhirServer
from gateway.adapters.fhir_turns import Turns
from gateway.adapters.fhir_words import FhirWords
from gateway.adapters.http_intake import PATIENCE, HttpIntake
from gateway.clock import Clock
from gateway.directory import Directory
from gateway.errors import DependencyDownError, GatewayError, InvalidDocumentError, NotYetError
from gateway.ports import Event, Pauses
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

    The server is asked ``every`` so often (``None``: never), and when it notifies. Its connections are closed when this
    is left. Without a ``book`` nothing can be fetched.
    """

    def __init__(
        self,
        words: FhirWords,
        directory: Directory,
        clock: Clock,
        *,
        name: str,
        server: FhirServer,
        book: Book | None,
        every: timedelta | None = ASK_EVERY,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(words, directory, name=name, patience=patience)
        self._server = server
        self._book = book
        self._bookmark = book.bookmark_of(name) if book is not None else None
        self._sayings = Sayings(words, directory)
        self._changes = None
        if self._bookmark is not None:
            self._changes = Changes(server, self._bookmark, clock, source=name, sayings=self._sayings)
        self._turns = Turns(self._fetch)
        self._every = every

    async def __aenter__(self) -> Self:
        """Open nothing yet: the first request does."""
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Give up what is being fetched, and close the connections to the server."""
        await self._turns.end()
        await self._server.close()

    async def listen(self, stop: asyncio.Event) -> None:
        """Ask what has changed, again and again until ``stop`` is set. A server that is away is told of once."""
        assert self._book is not None
        assert self._changes is not None
        is_there, has_begun = True, False
        while not stop.is_set():
            try:
                if not has_begun:
                    await self._changes.begin()
                    has_begun = True
                if self._every is not None and not await self._book.is_paused(self.name):
                    await _unless(stop, self.fetch)
                is_there = True
            except GatewayError as error:
                if is_there:
                    log.warning("fhir.changes_unavailable", source=self.name, codes=error.codes)
                is_there = False
            await pause(stop, self._every or ASK_EVERY)
        await self._turns.end()

    async def take(self, content: bytes) -> dict[str, Any]:
        """Hand an event that was posted to the gateway, and return its answer once the event is kept.

        What its resources were found to say on the server is no event any more: it gets the answer of that time.

        Raises:
            InvalidDocumentError: the event is wrong; it is kept with its reasons.
            DependencyDownError: it could not be kept now.
        """
        if self._bookmark is None:
            return await super().take(content)
        try:
            says = self._sayings.of(Event(source=self.name, content=content)).says
        except InvalidDocumentError:
            return await super().take(content)
        async with self._sayings.about(says):
            answered = await self._bookmark.answer_to(says)
            if answered is not None and answered.get("messageIds"):  # what made no message is kept as it comes
                log.info("fhir.fetched_before", source=self.name)
                return dict(answered)
            answer = await super().take(content)
            await self._bookmark.keep_said(says)
        return answer

    async def fetch(self) -> None:
        """Fetch what has changed, and return when it is kept. Whoever asks while others wait shares their fetch.

        Raises:
            GatewayError: not everything could be fetched and kept; the rest is fetched the next time.
        """
        await self._turns.take()

    async def _fetch(self) -> None:
        assert self._changes is not None
        fetched = await self._changes.take(self._keep)
        if fetched.kept:
            log.info("fhir.changes_taken", source=self.name, kept=fetched.kept, refused=fetched.refused)
        if fetched.failures:
            raise DependencyDownError(fetched.failures)

    async def _keep(self, content: bytes) -> dict[str, Any]:
        """Hand a fetched event to the gateway; raises :class:`NotYetError` where the gateway has left it."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            return await super().take(content)
        except DependencyDownError as error:
            if loop.time() - begun >= self._patience:  # nobody takes anything: the others would wait as long
                raise
            raise NotYetError(error.findings) from None

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
