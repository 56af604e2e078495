"""What has changed in a journal since it was last asked: a search for each kind of resource, and what it refers to.

A notification (Subscription with a rest-hook) only says that something has changed. Each changed resource becomes an
event: a Bundle of it and of what it refers to, under the id of its version, so that fetching it again is no news. What
has changed is told in the order it changed, whatever its kind: a consent is worth nothing before its case is there.
What cannot be fetched or kept now is left for the next time, with what comes after it in the same case, and stops
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from gateway.adapters.fhir_event import Told
from gateway.adapters.fhir_listing import Change, changed, in_order
from gateway.adapters.fhir_marks import Bookmark, Mark
from gateway.adapters.fhir_resource import CONTEXT, FOCAL
from gateway.adapters.fhir_sayings import Sayings
from gateway.adapters.fhir_server import REFUSED, TROUBLED, UNREADABLE, FhirServer
from gateway.adapters.fhir_written import as_bytes
from gateway.adapters.http_intake import NOT_KEPT
from gateway.clock import Clock
from gateway.errors import Finding, GatewayError, InvalidDocumentError, NotYetError
from gateway.ports import Event

VERSION_SYSTEM: Final = "urn:sip-gateway:fhir:version"
"""The system of the identifier of an event that was fetched: ``Type/id/_history/version``."""
DEPTH: Final = 3
"""How far references are followed: a PractitionerRole refers to a Practitioner."""
MOST_REFERENCES: Final = 100
"""Most resources that are fetched because one changed."""
MOST_REMEMBERED: Final = 500
"""Most resources that are remembered because another changed resource may refer to them too."""

_REFERENCE = re.compile(rf"({'|'.join((*FOCAL, *CONTEXT))})/[A-Za-z0-9\-.]{{1,64}}")
_OF_ONE: Final = frozenset({REFUSED.code, TROUBLED.code, UNREADABLE.code})
"""What a server says of one thing that is asked for, and not of all."""

log = structlog.get_logger(__name__)

Submit = Callable[[bytes], Awaitable[Mapping[str, Any]]]
"""Keeps an event, given as its content, and returns what it is answered when it is stored.

Raises:
    InvalidDocumentError: it is refused, and kept with its reasons.
    NotYetError: it is not kept, and must come again; others may be kept meanwhile.
    GatewayError: any other kind: nothing is kept now.
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many resources were kept as events because they had changed, how many of those were refused, and what failed.

    ``failures`` tell why the rest must be fetched again.
    """

    kept: int
    refused: int
    failures: tuple[Finding, ...]


@dataclass(slots=True)
class _Pass:
    """What has been done in one fetch: ``waiting`` are the cases in which something was left."""

    submit: Submit
    kept: int = 0
    refused: int = 0
    failures: list[Finding] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    read: dict[str, dict[str, Any] | None] = field(default_factory=dict)


class Changes:
    """Fetches what has changed on ``server`` since the ``bookmark``; the first time, since just before this was made.

    A resource is changed for many reasons, and its message must not be sent anew for each: what says the same as the
    last time, as ``sayings`` has it, is no event. ``source`` is that of the events.
    """

    def __init__(
        self,
        server: FhirServer,
        bookmark: Bookmark,
        clock: Clock,
        *,
        source: str,
        sayings: Sayings,
        kinds: Sequence[str] = (*FOCAL, "Patient"),
    ) -> None:
        self._server = server
        self._bookmark = bookmark
        self._clock = clock
        self._source = source
        self._sayings = sayings
        self._begins = clock.now()
        self._kinds = kinds
        self._failing: dict[str, tuple[str, ...]] = {}

    async def begin(self) -> None:
        """Keep from when on changes are fetched, so that those before the first fetch that succeeds are not missed.

        Raises:
            DependencyDownError: it cannot be kept.
        """
        for kind in self._kinds:
            await self._mark(kind)

    async def take(self, submit: Submit) -> Fetched:
        """Fetch what has changed and submit it; return when all is kept that can be kept now. Not twice at once.

        Raises:
            GatewayError: nothing more can be fetched or kept; it is fetched again the next time.
        """
        await self.begin()
        await self._server.ping()  # an address that is no FHIR server's has none of the kinds either
        done = _Pass(submit)
        async with AsyncExitStack() as stack:
            listings = [await stack.enter_async_context(aclosing(self._changed(kind, done))) for kind in self._kinds]
            async for change in in_order(listings):
                try:
                    await self._tell(change, done)
                except GatewayError as error:
                    if not isinstance(error, NotYetError) and not _is_of_one(error):
                        raise
                    log.info("fhir.change_left", kind=change.mark.kind, reasons=_reasons(error))
                    change.mark.leave(change.version, change.at)
                    done.failures += error.findings
                else:
                    await self._bookmark.fetched(change.name, change.version)
        return Fetched(done.kept, done.refused, tuple(dict.fromkeys(done.failures)))

    async def _mark(self, kind: str) -> Mark:
        at = await self._bookmark.read(kind)
        if at is None:
            await self._bookmark.keep(kind, self._begins)
        return Mark(kind, at or self._begins)

    async def _changed(self, kind: str, done: _Pass) -> AsyncGenerator[Change, None]:
        """Yield what has changed of a kind; one that cannot be searched for is told of, and stops no other."""
        try:
            async with aclosing(changed(self._server, self._bookmark, await self._mark(kind), self._clock)) as found:
                async for change in found:
                    yield change
        except GatewayError as error:
            if not _is_of_one(error):
                raise
            if self._failing.get(kind) != error.codes:
                log.warning("fhir.kind_unavailable", kind=kind, reasons=_reasons(error))
            self._failing[kind] = error.codes
            done.failures += error.findings
        else:
            self._failing.pop(kind, None)

    async def _tell(self, change: Change, done: _Pass) -> None:
        """Submit what a resource says, unless it has said so before.

        Raises:
            NotYetError: it cannot be kept now, or something before it in its case could not.
            GatewayError: something it refers to cannot be fetched, or nothing is kept now.
        """
        if change.at > self._clock.now():
            log.warning("fhir.changed_in_the_future", kind=change.mark.kind)
        event = await self._event(change, done)
        try:
            told = self._sayings.of(event)
        except InvalidDocumentError:
            told = Told({}, frozenset())  # it is submitted, and refused
        async with self._sayings.about(told.says):
            if change.name in told.says and await self._bookmark.is_said(change.name, told.says[change.name]):
                return
            if told.cases & done.waiting:
                raise NotYetError(NOT_KEPT.at())
            try:
                answer = await done.submit(event.content)
            except InvalidDocumentError as error:
                done.refused += 1
                log.warning("fhir.event_refused", kind=change.mark.kind, codes=error.codes)
            except NotYetError:
                done.waiting |= told.cases
                raise
            else:
                await self._bookmark.keep_said(told.says, answer)
            done.kept += 1

    async def _event(self, change: Change, done: _Pass) -> Event:
        """Return the event that a resource has changed: it, and what it refers to, in a Bundle."""
        if not change.is_dated:  # nobody can tell when it happened: as it came, it is refused
            return Event(source=self._source, content=as_bytes(dict(change.resource)))
        along: dict[str, dict[str, Any]] = {}
        wanted = list(_references(change.resource))
        for _ in range(DEPTH):
            found = [one for one in dict.fromkeys(wanted) if one not in along][: MOST_REFERENCES - len(along)]
            wanted = []
            for reference in found:
                target = await self._read(reference, done)
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

    async def _read(self, reference: str, done: _Pass) -> dict[str, Any] | None:
        if reference not in done.read:
            if len(done.read) >= MOST_REMEMBERED:
                done.read.clear()
            done.read[reference] = await self._server.read(reference)
        return done.read[reference]


def _is_of_one(error: GatewayError) -> bool:
    return all(code in _OF_ONE for code in error.codes)


def _reasons(error: GatewayError) -> list[str]:
    """Return why, with the status that the server gave."""
    return [finding.en for finding in error.findings]


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
