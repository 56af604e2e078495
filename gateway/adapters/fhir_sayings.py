"""What each resource of a journal says, so that it is told once, whether it is posted or fetched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from gateway.adapters.fhir_event import Told
from gateway.adapters.fhir_words import FhirWords
from gateway.directory import Directory
from gateway.ports import Event


class Sayings:
    """Reads in ``words`` what resources say, and lets only one event at a time tell about a resource."""

    def __init__(self, words: FhirWords, directory: Directory) -> None:
        self._words = words
        self._directory = directory
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, event: Event) -> Told:
        """Return what an event tells; raises :class:`InvalidDocumentError`."""
        return self._words.told(event, self._directory)

    @asynccontextmanager
    async def about(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Wait until no other event tells about any of the resources (``Type/id``); keep them until the block ends."""
        async with AsyncExitStack() as stack:
            for name in sorted(names):  # in one order, so that two events do not wait for each other
                await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            yield
