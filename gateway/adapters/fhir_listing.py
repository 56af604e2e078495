"""What has changed of one kind of resource, the oldest first, while more changes on the server.

A page is no slice of what stands still: a resource that changes while the pages are read leaves its place, those behind
it move up, and one slides past the next page. Therefore no next page is asked for, but what has changed since the last
one on the page. Only where a page ends where it began (all on it have changed at one moment), or is in no order, the
pages are followed; and then again, until nothing is found there that was not found before.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.adapters.fhir_marks import OVERLAP, Bookmark, Mark
from gateway.adapters.fhir_server import FhirServer
from gateway.adapters.fhir_written import as_bytes
from gateway.clock import Clock, in_zone
from gateway.envelope import content_hash

MOST_ROUNDS: Final = 5
"""How many times the same pages are followed at most, where there is something new on them each time."""


@dataclass(frozen=True, slots=True)
class Change:
    """That the resource ``name`` (``Type/id``) has a new ``version`` (``Type/id/_history/version``), and since when.

    The time is by the server's clock. A resource that tells no time, or no id, is not ``is_dated``: it counts as of
    where it was found, and its version by its content.
    """

    resource: Mapping[str, Any]
    name: str
    version: str
    at: datetime
    mark: Mark
    is_dated: bool = True


async def changed(server: FhirServer, bookmark: Bookmark, mark: Mark, clock: Clock) -> AsyncGenerator[Change, None]:
    """Yield the versions of the mark's kind that have not been fetched, and move the mark past those that were taken.

    Each has been taken, or left to the mark, when the next is asked for.

    Raises:
        DependencyDownError: no answer, none that can be understood, or the ``bookmark`` cannot be read.
        RefusedError: the server does not take the search.
    """
    since, rounds = mark.at - OVERLAP, 0
    while True:
        asked = {"_lastUpdated": f"ge{since.isoformat()}", "_sort": "_lastUpdated", "_count": "20"}
        latest, pages, is_news, is_last, is_sorted = since, 0, False, True, True
        async with aclosing(server.search(mark.kind, asked)) as search:
            async for page in search:
                pages, is_last = pages + 1, page.is_last
                found = [_change(resource, mark, since) for resource in page.resources]
                unfetched = await bookmark.unfetched({one.name: one.version for one in found})
                for change in found:
                    if change.name in unfetched and change.version not in mark.left:
                        is_news = True
                        yield change
                times = [one.at for one in found if one.is_dated]
                is_sorted = is_sorted and times == sorted(times) and (not times or times[0] >= latest)
                latest = max([latest, *times])
                if is_sorted and latest > since:
                    break
        rounds += 1
        if pages > 1 and is_news and rounds < MOST_ROUNDS:
            continue
        if mark.move(latest, clock.now()):
            await bookmark.keep(mark.kind, mark.at)
        if is_last:
            return
        since, rounds = latest, 0


async def in_order(listings: Sequence[AsyncIterator[Change]]) -> AsyncIterator[Change]:
    """Yield what several listings find, each the oldest first, as one: the oldest of them all first."""
    heads = [(found, listing) for listing in listings if (found := await anext(listing, None)) is not None]
    while heads:
        oldest = min(heads, key=lambda head: head[0].at)
        heads.remove(oldest)
        found, listing = oldest
        yield found
        if (following := await anext(listing, None)) is not None:
            heads.append((following, listing))


def _change(resource: Mapping[str, Any], mark: Mark, since: datetime) -> Change:
    own, meta = resource.get("id"), resource.get("meta")
    try:
        if not isinstance(own, str) or not isinstance(meta, dict):
            raise TypeError
        at = in_zone(datetime.fromisoformat(meta["lastUpdated"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        content = content_hash(as_bytes(dict(resource)))
        name = f"{mark.kind}/{own if isinstance(own, str) else content}"
        return Change(resource, name, f"{name}/_history/{content}", since, mark, is_dated=False)
    name = f"{mark.kind}/{own}"
    return Change(resource, name, f"{name}/_history/{meta.get('versionId') or meta['lastUpdated']}", at, mark)
