"""What has changed in a journal since it was last asked: a search for each kind of resource, and what it refers to.

A notification (Subscription with a rest-hook) only says that something has changed. Each changed resource becomes an
event: a Bundle of it and of what it refers to, under the id of its version, so that fetching it again is no news.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from gateway.adapters import disk
from gateway.adapters.fhir_resource import CONTEXT, FOCAL
from gateway.adapters.fhir_server import UNREADABLE, FhirServer
from gateway.adapters.fhir_written import as_bytes
from gateway.clock import in_zone
from gateway.envelope import content_hash
from gateway.errors import DependencyDownError, InvalidDocumentError
from gateway.ports import Event, Translation

VERSION_SYSTEM: Final = "urn:sip-gateway:fhir:version"
"""The system of the identifier of an event that was fetched: ``Type/id/_history/version``."""
DEPTH: Final = 3
"""How far references are followed: a PractitionerRole refers to a Practitioner."""
MOST_REFERENCES: Final = 100
"""Most resources that are fetched because one changed."""

_REFERENCE = re.compile(rf"({'|'.join((*FOCAL, *CONTEXT))})/[A-Za-z0-9\-.]{{1,64}}")

log = structlog.get_logger(__name__)


class Kept(Protocol):
    """What is answered about an event that is kept."""

    def as_json(self) -> dict[str, Any]:
        """Return the answer: ``messageIds`` and ``caseNumber``."""
        ...


Submit = Callable[[Event], Awaitable[Kept]]
"""Keeps an event and returns when it is stored.

Raises:
    InvalidDocumentError: it is refused, and kept with its reasons.
    GatewayError: any other kind: it is not kept, and must come again.
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """When the last resource of a kind that was fetched had changed, and the versions that had at that very moment."""

    at: datetime
    versions: frozenset[str] = frozenset()

    def after(self, version: str, at: datetime) -> Mark:
        """Return the mark when one more has been fetched."""
        return Mark(self.at, self.versions | {version}) if at <= self.at else Mark(at, frozenset({version}))


class Bookmark(Protocol):
    """How far each kind of resource has been fetched: kept over a restart."""

    async def read(self, kind: str) -> Mark | None:
        """Return the mark of a ``kind``; ``None`` before the first, and where it cannot be read."""
        ...

    async def keep(self, kind: str, mark: Mark) -> None:
        """Keep it."""
        ...

    async def said(self, resource: str) -> str | None:
        """Return the hash of what ``Type/id`` said the last time; ``None`` where it has said nothing."""
        ...

    async def keep_said(self, resource: str, digest: str) -> None:
        """Keep it."""
        ...


class FileBookmark:
    """Bookmarks in a folder: a small file for each kind of resource, and one for each resource that has said something.

    Names and contents are hashes and versions, nothing about a person.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self, kind: str) -> Mark | None:
        """Return what is kept; ``None`` where nothing readable is, so that all is fetched again."""
        try:
            kept = json.loads(await asyncio.to_thread(self._path(kind).read_bytes))
            return Mark(in_zone(datetime.fromisoformat(kept["at"])), frozenset(map(str, kept["versions"])))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    async def keep(self, kind: str, mark: Mark) -> None:
        """Keep it, in one step: a crash leaves the old one or the new one."""
        kept = {"at": mark.at.isoformat(), "versions": sorted(mark.versions)}
        await asyncio.to_thread(disk.write, self._path(kind), disk.json_bytes(kept))

    async def said(self, resource: str) -> str | None:
        """Return what is kept; ``None`` where nothing is."""
        try:
            return await asyncio.to_thread(self._said_path(resource).read_text, encoding="ascii")
        except (OSError, ValueError):
            return None

    async def keep_said(self, resource: str, digest: str) -> None:
        """Keep it, in one step."""
        path = self._said_path(resource)
        await asyncio.to_thread(path.parent.mkdir, exist_ok=True)
        await asyncio.to_thread(disk.write, path, digest.encode("ascii"))

    def _path(self, kind: str) -> Path:
        return self._folder / f"{kind}.bookmark"

    def _said_path(self, resource: str) -> Path:
        digest = content_hash(resource.encode("utf-8", "replace"))
        return self._folder / digest[:2] / f"{digest}.said"


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many resources had changed: how many were kept as events, and how many of those were refused."""

    kept: int = 0
    refused: int = 0

    def __add__(self, other: Fetched) -> Fetched:
        return Fetched(self.kept + other.kept, self.refused + other.refused)


class Changes:
    """Fetches what has changed on ``server`` since the ``bookmark``, or since ``begins`` the first time.

    A resource is changed for many reasons, and its message must not be sent anew for each: what says the same as the
    last time, as ``understand`` (the adapter's ``translate``) has it, is no event. ``source`` is that of the events.
    """

    def __init__(
        self,
        server: FhirServer,
        bookmark: Bookmark,
        *,
        source: str,
        understand: Callable[[Event], Translation],
        begins: datetime,
        kinds: Sequence[str] = (*FOCAL, "Patient"),
    ) -> None:
        self._server = server
        self._bookmark = bookmark
        self._source = source
        self._understand = understand
        self._begins = begins
        self._kinds = kinds
        self._one_at_a_time = asyncio.Lock()

    async def take(self, submit: Submit) -> Fetched:
        """Fetch what has changed and submit it; return when all of it is kept.

        Raises:
            GatewayError: something could not be fetched or kept; it is fetched again the next time.
        """
        async with self._one_at_a_time:
            fetched = Fetched()
            seen: dict[str, dict[str, Any] | None] = {}
            for kind in self._kinds:
                fetched += await self._take_kind(kind, submit, seen)
            return fetched

    async def _take_kind(self, kind: str, submit: Submit, seen: dict[str, dict[str, Any] | None]) -> Fetched:
        mark = await self._bookmark.read(kind) or Mark(self._begins)
        # What changed at the very moment of the last one may have been missed: it is asked for again.
        asked = {"_lastUpdated": f"ge{mark.at.isoformat()}", "_sort": "_lastUpdated", "_count": "20"}
        kept = refused = 0
        async for resource in self._server.search(kind, asked):
            version, at = _version_of(resource)
            if version in mark.versions:
                continue
            event = await self._event(resource, version, seen)
            name, says = f"{kind}/{resource['id']}", self._says(event)
            if says is None or says != await self._bookmark.said(name):
                try:
                    await submit(event)
                except InvalidDocumentError as error:
                    refused += 1
                    log.warning("fhir.event_refused", kind=kind, codes=error.codes)
                else:
                    await self._bookmark.keep_said(name, says or "")
                kept += 1
            mark = mark.after(version, at)
            await self._bookmark.keep(kind, mark)
        return Fetched(kept, refused)

    def _says(self, event: Event) -> str | None:
        """Return a hash of what an event says, ``None`` where it is wrong: it is then submitted and refused."""
        try:
            found = self._understand(event)
        except InvalidDocumentError:
            return None
        # Frozen dataclasses and enumerations: what they are shown as is all that they hold, and the same each time.
        return content_hash(repr((found.kind, found.case_reference, found.drafts)).encode("utf-8", "replace"))

    async def _event(self, resource: Mapping[str, Any], version: str, seen: dict[str, dict[str, Any] | None]) -> Event:
        """Return the event that a resource has changed: it, and what it refers to, in a Bundle."""
        along: dict[str, dict[str, Any]] = {}
        wanted = list(_references(resource))
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
        own = f"{resource['resourceType']}/{resource['id']}"
        entries = [(own, resource), *((name, one) for name, one in sorted(along.items()) if name != own)]
        bundle = {
            "resourceType": "Bundle",
            "type": "collection",
            "identifier": {"system": VERSION_SYSTEM, "value": version},
            "timestamp": resource["meta"]["lastUpdated"],
            "entry": [{"fullUrl": f"{self._server.base}/{name}", "resource": one} for name, one in entries],
        }
        return Event(source=self._source, content=as_bytes(bundle))


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
