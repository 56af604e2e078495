"""A FHIR server that stands in for a journal: it keeps what it is sent, and misbehaves as a test tells it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer

Json = dict[str, Any]
EVER = "1970-01-01T00:00:00+00:00"


class Journal:
    """What stands on the server, by ``Type/id``; ``requests`` are all that were made, with their tokens.

    It has no kinds that are ``absent``, and answers with ``statuses`` for some kinds, or for some ``Type/id``.
    ``when_searched`` is told of which kind each page is that has been put together; unless the server ``is_sorted``,
    those are in no order. ``misbehave`` answers instead of the server, where it is set; ``hold`` keeps every answer
    back until it is set.
    """

    def __init__(self) -> None:
        self.resources: dict[str, Json] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self.misbehave: web.Response | None = None
        self.hold: asyncio.Event | None = None
        self.page_size = 100
        self.is_sorted = True
        self.absent: set[str] = set()
        self.statuses: dict[str, int] = {}
        self.when_searched: Callable[[str], None] | None = None
        self.next_page_at: str | None = None
        self._known: dict[str, str] = {}

    def put(self, resource: Json) -> None:
        """Let a resource be on the server."""
        self.resources[f"{resource['resourceType']}/{resource['id']}"] = resource

    def of_type(self, kind: str) -> list[Json]:
        """Return what was created of a type."""
        return [one for name, one in self.resources.items() if name.startswith(f"{kind}/")]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request as a FHIR server does."""
        self.requests.append((request.method, request.path_qs))
        self.tokens.append(request.headers.get("Authorization"))
        if self.hold is not None:
            await self.hold.wait()
        if self.misbehave is not None:
            answered = self.misbehave
            return web.Response(
                status=answered.status, body=answered.body, headers={"Location": answered.headers.get("Location", "")}
            )
        if request.method == "POST":
            return self._transaction(await request.json())
        path = request.path.removeprefix("/fhir/")
        if path == "metadata":
            return _json({"resourceType": "CapabilityStatement"})
        if path in self.absent or path in self.statuses:
            issue = {"severity": "error", "code": "forbidden"}
            return _json({"resourceType": "OperationOutcome", "issue": [issue]}, self.statuses.get(path, 404))
        if "/" in path:
            found = self.resources.get(path)
            return _json(found) if found is not None else web.Response(status=404)
        page = self._search(request, path)
        if self.when_searched is not None:
            self.when_searched(path)
        return page

    def _transaction(self, bundle: Json) -> web.Response:
        entries = []
        for entry in bundle["entry"]:
            if entry["request"]["method"] == "GET":
                entries.append({"response": {"status": "200 OK"}})
                continue
            kind, condition = entry["request"]["url"], f"{entry['request']['url']}?{entry['request']['ifNoneExist']}"
            is_new = condition not in self._known
            if is_new:
                name = f"{kind}/{len(self.resources) + 1}"
                self._known[condition] = name
                self.resources[name] = entry["resource"]
            entries.append(
                {
                    "response": {
                        "status": "201 Created" if is_new else "200 OK",
                        "location": f"https://journal.example/fhir/{self._known[condition]}/_history/1",
                        "lastModified": "2026-11-10T09:00:00+01:00",
                    }
                }
            )
        return _json({"resourceType": "Bundle", "type": "transaction-response", "entry": entries})

    def _search(self, request: web.Request, kind: str) -> web.Response:
        since = datetime.fromisoformat(request.query.get("_lastUpdated", f"ge{EVER}").removeprefix("ge"))
        start = int(request.query.get("page", "0"))
        found = sorted(
            (one for one in self.of_type(kind) if "meta" in one and changed_at(one) >= since),
            key=changed_at if self.is_sorted else lambda _: 0,
        )
        found = [one for one in self.of_type(kind) if "meta" not in one] + found
        page = found[start : start + self.page_size]
        bundle: Json = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in page]}
        if start + self.page_size < len(found):
            further = urlencode({"_lastUpdated": f"ge{since.isoformat()}", "page": start + self.page_size})
            base = self.next_page_at or str(request.url.origin())
            bundle["link"] = [{"relation": "next", "url": f"{base}/fhir/{kind}?{further}"}]
        return _json(bundle)


def changed_at(resource: Json) -> datetime:
    """Return when a resource was last changed."""
    return datetime.fromisoformat(resource["meta"]["lastUpdated"])


def _json(resource: Json, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(resource).encode(), content_type="application/fhir+json")


@asynccontextmanager
async def serving(journal: Journal) -> AsyncIterator[str]:
    """Let a journal answer on loopback; its base address."""
    app = web.Application()
    app.router.add_route("*", "/fhir{rest:.*}", journal.answer)
    server = TestServer(app)
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}/fhir"
    finally:
        if journal.hold is not None:
            journal.hold.set()
        await server.close()
