"""Stopping at a safe point: whoever waits is woken, whoever works is left to finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeVar

T = TypeVar("T")

_END: Final = object()


async def pause(stop: asyncio.Event, at_most: timedelta) -> None:
    """Return when ``stop`` is set, or after ``at_most``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most.total_seconds()):
            await stop.wait()


async def until(stop: asyncio.Event, items: AsyncIterator[T]) -> AsyncIterator[T]:
    """Yield what ``items`` yields until ``stop`` is set.

    Waiting for the next one is given up then, which ends ``items``; whoever works on one that was yielded is not
    disturbed, and meets the end when asking for more.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            following = asyncio.create_task(_next(items))
            try:
                await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
            if following.cancelled():
                return
            item = following.result()
            if item is _END:
                return
            yield item  # type: ignore[misc]  # the end has been told apart by what it is
    finally:
        stopping.cancel()
        if hasattr(items, "aclose"):
            await items.aclose()


async def _next(items: AsyncIterator[T]) -> T | object:
    return await anext(items, _END)
