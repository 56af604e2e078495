"""Several case systems behind one gateway: each speaks for itself, and each is handed what is for its units."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final

import structlog

from gateway.adapters.routing import Routes
from gateway.context import trace_of
from gateway.errors import DependencyDownError
from gateway.messages import Message
from gateway.notices import Notice
from gateway.ports import Arrival, Event, EventSource, MessageTarget, Pauses, Registration, Translation

log = structlog.get_logger(__name__)

AGAIN_AFTER: Final = 1.0
"""Seconds until a way in that has failed is listened to anew; the others are listened to meanwhile."""

SILENT_FOR: Final = 30.0
"""Seconds that a system which did not answer is asked to write no more steps."""


class ComposedAdapter:
    """Merges what ``sources`` tell, and hands what is for a unit to the target that ``routes`` name for it.

    An event is understood by the adapter it came by. Sources must have names of their own.
    """

    def __init__(self, sources: Sequence[EventSource], routes: Routes, pauses: Pauses) -> None:
        self._pauses = pauses
        self._sources = {source.name: source for source in sources}
        assert len(self._sources) == len(sources), "each has a name of its own"
        self._routes = routes
        self._silent: dict[str, tuple[float, DependencyDownError]] = {}

    @property
    def name(self) -> str:
        """The names of all, for people; each event has the name of its own source."""
        return ", ".join(dict.fromkeys([*self._sources, *(target.name for target in self._routes.targets)]))

    async def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        """Yield what any of the systems tells, the events of each in its own order.

        A system is asked for more when what it told last has been answered.
        """
        streams = {name: _listened_to(source, self._pauses) for name, source in self._sources.items()}
        asked = {asyncio.create_task(_next(stream), name=name): name for name, stream in streams.items()}
        try:
            while asked:
                done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    name = asked.pop(task)
                    yield task.result()
                    asked[asyncio.create_task(_next(streams[name]), name=name)] = name
            await asyncio.Event().wait()  # nobody tells anything: the gateway only hands over
        finally:
            for task in asked:
                task.cancel()
            if asked:
                await asyncio.wait(asked)
            for stream in streams.values():
                await stream.aclose()

    def translate(self, event: Event) -> Translation:
        """Understand an event as the adapter it came by does.

        Raises:
            InvalidDocumentError: with every fault and its place in the event.
        """
        return self._sources[event.source].translate(event)

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Hand a message to the system of ``unit``, and return its word that it has committed it.

        Raises:
            DependencyDownError: that system has not answered; try again later.
            RefusedError: it said no, for good.
        """
        return await self._routes.to(unit).deliver(message, unit)

    async def note(self, message: Message) -> None:
        """Write a step of the case into the log of each system that has a unit in it. Repeatable per message id.

        Raises:
            DependencyDownError: one of them does not answer; the others have it, and take it again.
            RefusedError: one of them does not take it now.
        """
        for target in self._routes.about(message):
            await self._unless_silent(target, partial(target.note, message))

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something about a case, through its system.

        Raises:
            DependencyDownError: that system does not answer; try again later.
            RefusedError: it does not take it now.
        """
        target = self._routes.to(notice.unit)
        await self._unless_silent(target, partial(target.notify, notice))

    async def _unless_silent(self, target: MessageTarget, write: Callable[[], Awaitable[None]]) -> None:
        """Write to ``target``, unless it was silent just now: steps are written one at a time, and others wait."""
        now = asyncio.get_running_loop().time()
        silent = self._silent.get(target.name)
        if silent is not None and now < silent[0]:
            raise DependencyDownError(silent[1].findings)
        try:
            await write()
        except DependencyDownError as error:
            self._silent[target.name] = now + SILENT_FOR, error
            raise
        self._silent.pop(target.name, None)

    async def ping(self) -> None:
        """Return when every system can be reached.

        Raises:
            DependencyDownError: one cannot.
        """
        for source in self._sources.values():
            await source.ping()
        for target in self._routes.targets:
            await target.ping()


async def _listened_to(source: EventSource, pauses: Pauses) -> AsyncGenerator[Sequence[Arrival], None]:
    """Yield what one source tells, for ever: one that fails or ends is listened to anew in a while.

    What a source tells while it is paused is left with the system, which tells it again.
    """
    while True:
        try:
            async with aclosing(source.arrivals()) as arrivals:  # type: ignore[type-var]
                async for batch in arrivals:
                    if await pauses.is_paused(source.name):
                        break
                    yield batch
            while await pauses.is_paused(source.name):  # noqa: ASYNC110 -- another process pauses and resumes
                await asyncio.sleep(AGAIN_AFTER)
        except DependencyDownError:
            pass  # nobody knows whether it is paused, nor could anything be kept
        except Exception as error:  # nothing we foresaw, and no reason to leave the other systems unheard
            log.error("source.failed", source=source.name, **trace_of(error))
        await asyncio.sleep(AGAIN_AFTER)


async def _next(stream: AsyncIterator[Sequence[Arrival]]) -> Sequence[Arrival]:
    return await anext(stream)
