"""Events that come by HTTP wait here until the gateway has kept them, and nobody is answered before that.

A request becomes an arrival like any other, so that the events of a system keep their order and are stored in batches.
What the gateway cannot keep now (its database is away, it is about to stop, the event must wait for another) is left
with the caller, who sends it again: the same bytes get the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from gateway.adapters.words import Words
from gateway.directory import Directory
from gateway.errors import DependencyDownError, Fault, Finding, InvalidDocumentError
from gateway.ports import Event, Translation

NOT_KEPT = Fault(
    "http.not-kept",
    "Händelsen är inte sparad. Skicka samma händelse igen om en stund.",
    "The event has not been kept. Send the same event again in a while.",
)

BATCH: Final = 64
"""How many events are handed to the gateway at a time."""
MOST_WAITING: Final = 1000
"""How many events may wait; further ones are to come again."""
PATIENCE: Final = 20.0
"""Seconds that a caller waits for the gateway to keep an event."""


class HttpArrival:
    """An event whose sender waits for the answer."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self.answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    @property
    def event(self) -> Event:
        """What was sent."""
        return self._event

    async def accept(self, answer: dict[str, Any]) -> None:
        """Answer that the event is kept. Repeatable; a caller who has gone is told when it asks again."""
        if not self.answer.done():
            self.answer.set_result(answer)

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Answer with all that is wrong. Repeatable."""
        if not self.answer.done():
            self.answer.set_exception(InvalidDocumentError(findings))

    def leave(self) -> None:
        """Leave the event with its sender, unless it has been answered."""
        if not self.answer.done():
            self.answer.set_exception(DependencyDownError(NOT_KEPT.at()))


class HttpIntake:
    """The way in of the adapter ``name``, whose systems speak ``words``. ``patience`` is in seconds."""

    def __init__(self, words: Words, directory: Directory, *, name: str, patience: float = PATIENCE) -> None:
        self._words = words
        self._directory = directory
        self._name = name
        self._patience = patience
        self._waiting: asyncio.Queue[HttpArrival] = asyncio.Queue(MOST_WAITING)

    @property
    def name(self) -> str:
        """The name in the settings and in the address, and the ``source`` of its events."""
        return self._name

    @property
    def waiting(self) -> int:
        """How many events wait to be taken by the gateway."""
        return self._waiting.qsize()

    async def take(self, content: bytes) -> dict[str, Any]:
        """Hand an event to the gateway, and return its answer once the event is kept.

        Raises:
            InvalidDocumentError: the event is wrong; it is kept with its reasons.
            DependencyDownError: it could not be kept now.
        """
        arrival = HttpArrival(Event(source=self._name, content=content))
        try:
            self._waiting.put_nowait(arrival)
        except asyncio.QueueFull:
            raise DependencyDownError(NOT_KEPT.at()) from None
        try:
            async with asyncio.timeout(self._patience):
                return await arrival.answer
        except TimeoutError:  # if it is kept all the same, the caller is told so the next time
            raise DependencyDownError(NOT_KEPT.at()) from None

    async def arrivals(self) -> AsyncIterator[list[HttpArrival]]:
        """Yield what has been sent, in the order it came. Whoever is not answered then is to send it again."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            batch = [arrival for arrival in batch if not arrival.answer.done()]  # some callers have given up
            try:
                if batch:
                    yield batch
            finally:
                for arrival in batch:
                    arrival.leave()

    def translate(self, event: Event) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place.
        """
        return self._words.translate(event, self._directory)

    def leave_all(self) -> None:
        """Leave what waits with its senders: the gateway stops."""
        while not self._waiting.empty():
            self._waiting.get_nowait().leave()

    async def ping(self) -> None:
        """Return: who sends by itself cannot be asked whether it is there."""
