"""What the FHIR R4 server of a simulated journal answers: as much of one as a gateway asks for.

A transaction of conditional creates, a search by ``_lastUpdated`` in pages, the reading of a resource and of a version
of it, and what it can do. Anything else is refused with an OperationOutcome.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from gateway.adapters.behaviour import REFUSAL
from gateway.adapters.fhir_server import MEDIA_TYPE
from gateway.adapters.fhir_written import Json, as_bytes, time
from gateway.adapters.simulated_resources import New, Resources, Stored, known_by
from gateway.clock import Clock, in_zone
from gateway.errors import InvalidDocumentError
from gateway.messages.hardened import read_json

BASE: Final = "/fhir"
"""Where the server is."""
MOST_ON_A_PAGE: Final = 50

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,60}")
_SEARCHES: Final = frozenset({"_lastUpdated", "_sort", "_count", "_after", "_summary", "_format"})
_BEGINNING: Final = "ge1970-01-01T00:00:00+00:00"

_ANSWERED: Final = {"resourceType": "Bundle", "type": "transaction-response"}


class ServerAnswers:
    """Answers about ``resources``, at most ``page`` on a page of a search."""

    def __init__(self, resources: Resources, clock: Clock, *, page: int = MOST_ON_A_PAGE) -> None:
        self._resources = resources
        self._clock = clock
        self._page = page

    async def answer(self, request: web.Request, *, refuses: bool = False) -> web.Response:
        """Answer a request as a FHIR server does; one that ``refuses`` says no to every transaction that is new."""
        path = request.path.removeprefix(BASE).strip("/")
        if not request.path.startswith(BASE):
            return _wrong(HTTPStatus.NOT_FOUND, "not-found")
        try:
            if request.method == HTTPMethod.POST and not path:
                return await self._transaction(await request.read(), refuses=refuses)
            if request.method == HTTPMethod.GET:
                return await self._got(request, path.split("/"))
        except InvalidDocumentError:
            return _wrong(HTTPStatus.BAD_REQUEST, "invalid")
        return _wrong(HTTPStatus.METHOD_NOT_ALLOWED, "not-supported")

    async def _got(self, request: web.Request, parts: Sequence[str]) -> web.Response:
        match parts:
            case ["metadata"]:
                return _said(_capabilities(_base_of(request), self._clock.now()))
            case [kind] if _TYPE.fullmatch(kind):
                return await self._search(request, kind)
            case [kind, resource_id]:
                found = await asyncio.to_thread(self._resources.read, kind, resource_id)
            case [kind, resource_id, "_history", version] if version.isascii() and version.isdigit():
                found = await asyncio.to_thread(self._resources.read, kind, resource_id, int(version[:9]))
            case _:
                found = None
        return _said(found) if found is not None else _wrong(HTTPStatus.NOT_FOUND, "not-found")

    async def _search(self, request: web.Request, kind: str) -> web.Response:
        asked = request.query
        since = asked.get("_lastUpdated", _BEGINNING)
        count, after = asked.get("_count", str(self._page)), asked.get("_after", "0")
        if set(asked) - _SEARCHES or not since.startswith("ge") or asked.get("_sort", "_lastUpdated") != "_lastUpdated":
            return _wrong(HTTPStatus.BAD_REQUEST, "not-supported")
        try:
            at = in_zone(datetime.fromisoformat(since.removeprefix("ge")))
            size = max(1, min(int(count), self._page))
            found, on = await asyncio.to_thread(self._resources.search, kind, at, int(after), size)
        except ValueError:
            return _wrong(HTTPStatus.BAD_REQUEST, "invalid")
        page: Json = {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": [{"relation": "self", "url": str(request.url)}],
            "entry": [{"fullUrl": f"{_base_of(request)}/{Stored(one).name}", "resource": one} for one in found],
        }
        if on is not None:
            further = urlencode({"_lastUpdated": since, "_sort": "_lastUpdated", "_count": size, "_after": on})
            page["link"].append({"relation": "next", "url": f"{_base_of(request)}/{kind}?{further}"})
        return _said(page)

    async def _transaction(self, content: bytes, *, refuses: bool) -> web.Response:
        bundle = read_json(content)
        if _only_asks(bundle):
            return _said({**_ANSWERED, "entry": [{"response": {"status": "200 OK"}} for _ in bundle["entry"]]})
        news = _news_in(bundle)
        if news is None:
            return _wrong(HTTPStatus.BAD_REQUEST, "invalid")
        stored = await asyncio.to_thread(self._resources.create, news, is_dry=refuses)
        if len(stored) < len(news):
            return _wrong(HTTPStatus.UNPROCESSABLE_ENTITY, "business-rule", REFUSAL["reason"])
        return _said({**_ANSWERED, "entry": [_response(one) for one in stored]})


def _base_of(request: web.Request) -> str:
    return f"{request.url.origin()}{BASE}"


def _only_asks(bundle: Any) -> bool:
    """Tell whether a transaction writes nothing: whoever sends it wants to know whether one would be taken."""
    if not isinstance(bundle, dict) or bundle.get("type") != "transaction" or not isinstance(bundle.get("entry"), list):
        return False
    requests = [entry.get("request") if isinstance(entry, dict) else None for entry in bundle["entry"]]
    return bool(requests) and all(isinstance(one, dict) and one.get("method") == "GET" for one in requests)


def _news_in(bundle: Any) -> list[New] | None:
    """Return what a transaction is to create; ``None`` where it is none, or asks for anything else."""
    if not isinstance(bundle, dict) or bundle.get("type") != "transaction" or not isinstance(bundle.get("entry"), list):
        return None
    news = [_new_in(entry) for entry in bundle["entry"]]
    return [new for new in news if new is not None] if None not in news else None


def _new_in(entry: Any) -> New | None:
    resource, request = (entry.get("resource"), entry.get("request")) if isinstance(entry, dict) else (None, None)
    if not isinstance(resource, dict) or not isinstance(request, dict):
        return None
    kind = resource.get("resourceType")
    if request.get("method") != "POST" or not isinstance(kind, str) or request.get("url") != kind:
        return None
    condition = request.get("ifNoneExist")
    if condition is None:
        return New(resource, entry.get("fullUrl"), None)
    asked = parse_qsl(str(condition), keep_blank_values=True)
    identifier = known_by(asked[0][1]) if [name for name, _ in asked] == ["identifier"] else None
    return New(resource, entry.get("fullUrl"), identifier) if identifier is not None else None


def _response(stored: Stored) -> Json:
    meta = stored.resource["meta"]
    return {
        "response": {
            "status": "201 Created" if stored.is_new else "200 OK",
            "location": f"{stored.name}/_history/{meta['versionId']}",
            "etag": f'W/"{meta["versionId"]}"',
            "lastModified": meta["lastUpdated"],
        }
    }


def _capabilities(base: str, now: datetime) -> Json:
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": time(now),
        "kind": "instance",
        "implementation": {"description": "Simulerad journal", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "interaction": [{"code": "transaction"}]}],
    }


def _said(resource: Mapping[str, Any]) -> web.Response:
    return web.Response(body=as_bytes(dict(resource)), content_type=MEDIA_TYPE, charset="utf-8")


def _wrong(status: HTTPStatus, code: str, words: str | None = None) -> web.Response:
    issue = {"severity": "error", "code": code} | ({"diagnostics": words} if words is not None else {})
    answer = {"resourceType": "OperationOutcome", "issue": [issue]}
    return web.Response(status=status, body=as_bytes(answer), content_type=MEDIA_TYPE, charset="utf-8")
