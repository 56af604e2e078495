"""What has changed in a journal since it was last asked: a search for each kind of resource, and what it refers to.

A notification (Subscription with a rest-hook) only says that something has changed. Each changed resource becomes an
event: a Bundle of it and of what it refers to, under the id of its version, so that fetching it again is no news. What
has changed is told in the order it changed, whatever its kind: a consent is worth nothing before its case is there.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from gateway.adapters.fhir_resource import CONTEXT, FOCAL
from gateway.adapters.fhir_server import UNREADABLE, FhirServer
from gateway.adapters.fhir_written import as_bytes
from gateway.clock import Clock, in_zone
from gateway.envelope import content_hash
from gateway.errors import DependencyDownError, InvalidDocumentError
from gateway.ports import Event, Translation

VERSION_SYSTEM: Final = "urn:sip-gateway:fhir:version"
"""The system of the identifier of an event that was fetched: ``Type/id/_history/version``."""
DEPTH: Final = 3
"""How far references are followed: a PractitionerRole refers to a Practitioner."""
MOST_REFERENCES: Final = 100
"""Most resources that are fetched because one changed."""
OVERLAP: Final = timedelta(minutes=2)
"""How far back before the last change is asked: a server may let a change be seen after one that came later."""

_REFERENCE = re.compile(rf"({'|'.join((*FOCAL, *CONTEXT))})/[A-Za-z0-9\-.]{{1,64}}")

log = structlog.get_logger(__name__)

Submit = Callable[[bytes], Awaitable[Any]]
"""Keeps an event, given as its content, and returns when it is stored.

Raises:
    InvalidDocumentError: it is refused, and kept with its reasons.
    GatewayError: any other kind: it is not kept, and must come again.
"""


class Bookmark(Protocol):
    """How far each kind of resource has been fetched: kept over a restart."""

    async def read(self, kind: str) -> tuple[datetime, Mapping[str, datetime]] | None:
        """Return when the last one of a ``kind`` had changed, and the versions of just before; ``None`` at first."""
        ...

    async def keep(self, kind: str, at: datetime, versions: Mapping[str, datetime]) -> None:
        """Keep it."""
        ...

    async def said(self, resource: str) -> str | None:
        """Return the digest of what ``Type/id`` said the last time; ``None`` where it has said nothing."""
        ...

    async def keep_said(self, resource: str, digest: str) -> None:
        """Keep it."""
        ...


@dataclass(slots=True)
class Mark:
    """When the last resource of a ``kind`` that was fetched had changed, and the versions of at most an overlap before.

    A version that is among those is not fetched again.
    """

    kind: str
    at: datetime
    versions: dict[str, datetime]

    def pass_by(self, version: str, at: datetime) -> None:
        """Move on past a version that has been fetched."""
        self.at = max(self.at, at)
        known = {**self.versions, version: at}
        self.versions = {one: then for one, then in known.items() if then >= self.at - OVERLAP}


@dataclass(frozen=True, slots=True)
class Change:
    """That a resource has changed: its ``version``, ``Type/id/_history/version``, and when, by the server's clock."""

    resource: Mapping[str, Any]
    version: str
    at: datetime
    mark: Mark

    @property
    def name(self) -> str:
        """The resource, as ``Type/id``."""
        return f"{self.mark.kind}/{self.resource['id']}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many resources had changed: how many were kept as events, and how many of those were refused."""

    kept: int = 0
    refused: int = 0


class Changes:
    """Fetches what has changed on ``server`` since the ``bookmark``; the first time, since just before this was made.

    A resource is changed for many reasons, and its message must not be sent anew for each: what says the same as the
    last time, as ``understand`` (the adapter's ``translate``) has it, is no event. ``source`` is that of the events.
    """

    def __init__(
        self,
        server: FhirServer,
        bookmark: Bookmark,
        clock: Clock,
        *,
        source: str,
        understand: Callable[[Event], Translation],
        kinds: Sequence[str] = (*FOCAL, "Patient"),
    ) -> None:
        self._server = server
        self._bookmark = bookmark
        self._source = source
        self._understand = understand
        self._begins = clock.now()
        self._kinds = kinds
        self._one_at_a_time = asyncio.Lock()

    async def take(self, submit: Submit) -> Fetched:
        """Fetch what has changed and submit it; return when all of it is kept.

        Raises:
            GatewayError: something could not be fetched or kept; it is fetched again the next time.
        """
        async with self._one_at_a_time, AsyncExitStack() as stack:
            await self._server.ping()  # an address that is no FHIR server's has none of the kinds either
            kept = refused = 0
            seen: dict[str, dict[str, Any] | None] = {}
            searches = [await stack.enter_async_context(aclosing(self._changed(kind))) for kind in self._kinds]
            async for change in _in_order(searches):
                event = await self._event(change, seen)
                says = self._says(event)
                if says is None or says != await self._bookmark.said(change.name):
                    kept += 1
                    try:
                        await submit(event.content)
                    except InvalidDocumentError as error:
                        refused += 1
                        log.warning("fhir.event_refused", kind=change.mark.kind, codes=error.codes)
                    else:
                        await self._bookmark.keep_said(change.name, says or "")
                change.mark.pass_by(change.version, change.at)
                await self._bookmark.keep(change.mark.kind, change.mark.at, change.mark.versions)
            return Fetched(kept, refused)

    async def _changed(self, kind: str) -> AsyncGenerator[Change, None]:
        """Yield the versions of a kind that have not been fetched, the oldest first."""
        found = await self._bookmark.read(kind)
        if found is None:  # from here on, also when the gateway starts anew before anything has changed
            await self._bookmark.keep(kind, self._begins, {})
        at, versions = found or (self._begins, {})
        mark = Mark(kind, at, dict(versions))
        asked = {"_lastUpdated": f"ge{(at - OVERLAP).isoformat()}", "_sort": "_lastUpdated", "_count": "20"}
        async for resource in self._server.search(kind, asked):
            version, changed_at = _version_of(resource)
            if version not in mark.versions:
                yield Change(resource, version, changed_at, mark)

    def _says(self, event: Event) -> str | None:
        """Return a hash of what an event says, ``None`` where it is wrong: it is then submitted and refused."""
        try:
            found = self._understand(event)
        except InvalidDocumentError:
            return None
        # Frozen dataclasses and enumerations: what they are shown as is all that they hold, and the same each time.
        return content_hash(repr((found.kind, found.case_reference, found.drafts)).encode("utf-8", "replace"))

    async def _event(self, change: Change, seen: dict[str, dict[str, Any] | None]) -> Event:
        """Return the event that a resource has changed: it, and what it refers to, in a Bundle."""
        along: dict[str, dict[str, Any]] = {}
        wanted = list(_references(change.resource))
        for _ in range(DEPTH):
            found = [one for one in dict.fromkeys(wanted) if one not in along][: MOST_REFERENCES - len(along)]
            wanted = []
            for reference in found:
                if reference not in seen:
                    seen[reference] = await self._server.read(reference)
                target = seen[reference]
                if target is not None:
                    along[reference] = target
                    wanted.extend(_references(target))
        own = change.name
        entries = [(own, change.resource), *((name, one) for name, one in sorted(along.items()) if name != own)]
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "identifier": {"system": VERSION_SYSTEM, "value": change.version},
            "timestamp": change.resource["meta"]["lastUpdated"],
            "entry": [{"fullUrl": f"{self._server.base}/{name}", "resource": one} for name, one in entries],
        }
        return Event(source=self._source, content=as_bytes(bundle))


async def _in_order(searches: Sequence[AsyncIterator[Change]]) -> AsyncIterator[Change]:
    """Yield what several searches find, each the oldest first, as one: the oldest of them all first."""
    heads = [(found, search) for search in searches if (found := await anext(search, None)) is not None]
    while heads:
        oldest = min(heads, key=lambda head: head[0].at)
        heads.remove(oldest)
        found, search = oldest
        yield found
        if (following := await anext(search, None)) is not None:
            heads.append((following, search))


def _version_of(resource: Mapping[str, Any]) -> tuple[str, datetime]:
    """Return the version of a resource, ``Type/id/_history/version``, and when it came about."""
    name, meta = resource.get("id"), resource.get("meta")
    try:
        if not isinstance(name, str) or not isinstance(meta, dict):
            raise TypeError
        at = in_zone(datetime.fromisoformat(meta["lastUpdated"]))
    except (KeyError, TypeError, ValueError):
        raise DependencyDownError(UNREADABLE.at()) from None
    return f"{resource['resourceType']}/{name}/_history/{meta.get('versionId') or meta['lastUpdated']}", at


def _references(value: Any) -> Iterator[str]:
    """Yield what a resource refers to on its own server, ``Type/id``."""
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str):
            found = _REFERENCE.fullmatch(reference.partition("/_history/")[0])
            if found is not None:
                yield found[0]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
