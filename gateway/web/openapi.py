"""What the door takes and answers, as OpenAPI 3.1: made from the table of routes, so that it says what they do.

What the door has beside the windows is described by hand, in :mod:`gateway.web.openapi_door`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway import __version__
from gateway.web.openapi_door import DOOR, PROBLEM, TAGS, both, no, problem_example
from gateway.web.route import LAST_EVENT_ID, STREAM, Kind, Route, Scope
from gateway.web.visit import Visit

PATH: Final = "/openapi.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
API: Final = "/api/v1/"

_MODEL: Final = "#/components/schemas/{model}"
_MESSAGE: Final = "0d3c9f2e-6b1a-4c58-9f07-2a4e8b5d7c31"

NAMED: Final[dict[str, dict[str, Any]]] = {
    "id": {
        "description": both("Meddelandets id.", "The id of the message."),
        "schema": {"type": "string", "format": "uuid"},
        "example": _MESSAGE,
    },
    "adapter": {
        "description": both("Kopplingens namn i inställningarna.", "The name of the connection in the settings."),
        "schema": {"type": "string", "minLength": 1, "maxLength": 23},
    },
    "number": {
        "description": both("Ärendenumret.", "The number of the case."),
        "schema": {"type": "string", "minLength": 1, "maxLength": 10},
    },
    "group": {
        "description": both("Felgruppens id.", "The id of the group of failures."),
        "schema": {"type": "string", "minLength": 1, "maxLength": 500},
    },
    "operation": {
        "description": both("Åtgärdens id.", "The id of the operation."),
        "schema": {"type": "string", "format": "uuid"},
    },
}
"""What stands in addresses, by its name."""

_NO: Final = {
    HTTPStatus.BAD_REQUEST: both("Frågan går inte att använda.", "The request cannot be used."),
    HTTPStatus.UNAUTHORIZED: both("Ingen giltig nyckel visades.", "No valid token was shown."),
    HTTPStatus.FORBIDDEN: both("Behörigheten räcker inte.", "The authorization does not cover this."),
    HTTPStatus.NOT_FOUND: both("Finns inte, eller är inte ditt att se.", "Not there, or not yours to see."),
    HTTPStatus.CONFLICT: both(
        "Något annat hann före, eller nyckeln för upprepning är tagen.",
        "Something else happened first, or the Idempotency-Key is taken.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: both("Innehållet är för stort.", "The content is too large."),
    HTTPStatus.UNPROCESSABLE_ENTITY: both("Reglerna tillåter det inte.", "The rules do not allow it."),
    HTTPStatus.TOO_MANY_REQUESTS: both("För mycket på en gång.", "Too much at once."),
    HTTPStatus.SERVICE_UNAVAILABLE: both("Går inte just nu; kom igen.", "Not possible now; come again."),
}
"""What each no means."""

_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": both(
        "Det som kommer igen med samma nyckel utförs en gång, och får samma svar i 24 timmar.",
        "What comes again with the same key is carried out once, and gets the same answer for 24 hours.",
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}

_LAST: Final = {
    "name": LAST_EVENT_ID,
    "in": "header",
    "required": False,
    "description": both(
        "Det senaste id som lästes; det som hänt efter det sägs först.",
        "The last id that was read; what has happened after it is told first.",
    ),
    "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}


def route_of(routes: Sequence[Route]) -> Route:
    """Return the way to the description of ``routes``."""

    @cache
    def text() -> str:
        return written(routes)

    async def description(visit: Visit) -> web.Response:
        return web.Response(text=text(), content_type="application/json")

    return Route(
        method="GET",
        path=PATH,
        answer=description,
        kind=Kind.API,
        scope=Scope.OPEN,
        right=None,
        sv="Den här beskrivningen.",
        en="This description.",
    )


def written(routes: Iterable[Route]) -> str:
    """Return the description of ``routes`` and of what else the door has, as JSON."""
    return json.dumps(document(routes), ensure_ascii=False, indent=2) + "\n"


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the description of ``routes`` and of what else the door has."""
    described = [one for one in routes if one.kind is Kind.API and one.path.startswith(API)]
    schemas = _schemas(described)
    paths: dict[str, dict[str, Any]] = {}
    for one in described:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    asked = {one.query.__name__ for one in described if one.query is not None}
    kept = {name: schema for name, schema in schemas.items() if name not in asked}
    refused = {HTTPStatus(status): says for status, says in _NO.items()}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "SIP Gateway",
            "summary": both("Det en gateway tar emot och svarar.", "What a gateway takes and answers."),
            "description": both(
                "Tider är RFC 3339 med förskjutning. Det som är fel sägs som RFC 9457, på svenska och engelska, "
                "och aldrig med det som stod där.",
                "Times are RFC 3339 with an offset. What is wrong is told as RFC 9457, in Swedish and English, "
                "and never with what stood there.",
            ),
            "version": __version__,
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": TAGS.get(name, name)} for name in _tags(described)],
        "paths": paths | DOOR,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": both(
                        "En nyckel som gateway tokens create har gett.", "A token that gateway tokens create has given."
                    ),
                }
            },
            "schemas": kept | {"Problem": PROBLEM},
            "responses": {_name(status): no(says, problem_example(status)) for status, says in refused.items()},
        },
    }


def refusals_of(route: Route) -> list[HTTPStatus]:
    """Return with what a route of the API may say no."""
    found = {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        *route.refuses,
    }
    if route.right is not None:
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    if "{" in route.path:
        found.add(HTTPStatus.NOT_FOUND)
    if route.method != "GET":
        found |= {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
    if route.body is not None:
        found.add(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return sorted(found)


def _name(status: HTTPStatus) -> str:
    return status.phrase.title().replace(" ", "")


def _tag(route: Route) -> str:
    return route.path.removeprefix(API).split("/")[0]


def _tags(routes: Iterable[Route]) -> Iterator[str]:
    yield from dict.fromkeys([*(_tag(one) for one in routes), *TAGS])


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the schema of every form, by its name, with those that they are made of."""
    models: dict[tuple[type[BaseModel], Any], None] = {}
    for one in routes:
        for form, mode in ((one.query, "validation"), (one.body, "validation"), (one.returns, "serialization")):
            if form is not None:
                models[form, mode] = None
    _, found = models_json_schema(list(models), ref_template=_MODEL)
    schemas: dict[str, Any] = found.get("$defs", {})
    return schemas


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    headers = [*([_KEY] if route.repeatable else []), *([_LAST] if STREAM in route.media else [])]
    parameters = [*_in_path(route), *_in_query(route, schemas), *headers]
    told: dict[str, Any] = {
        "tags": [_tag(route)],
        "operationId": route.name,
        "summary": both(route.sv, route.en),
        "parameters": parameters,
        "responses": {"200": _answer(route)}
        | {str(status.value): {"$ref": f"#/components/responses/{_name(status)}"} for status in refusals_of(route)},
    }
    if route.right is not None:
        told["security"] = [{"bearer": []}]
        told["x-right"] = route.right.value
    if route.body is not None:
        schema = {"$ref": _MODEL.format(model=route.body.__name__)}
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def _answer(route: Route) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    is_json = {"$ref": _MODEL.format(model=route.returns.__name__)} if route.returns is not None else {}
    content = {media: {"schema": is_json if media == "application/json" else schema} for media in route.media}
    return {"description": both(route.sv, route.en), "content": content}


def _in_path(route: Route) -> Iterator[dict[str, Any]]:
    for part in route.path.split("/"):
        if part.startswith("{"):
            name = part[1:-1]
            known = NAMED.get(name, {"schema": {"type": "string", "minLength": 1}})
            yield {"name": name, "in": "path", "required": True, **known}


def _in_query(route: Route, schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if route.query is None:
        return
    form = schemas[route.query.__name__]
    for name, schema in form.get("properties", {}).items():
        plain = {key: value for key, value in schema.items() if key not in ("title", "description", "anyOf", "default")}
        if options := [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]:
            plain |= options[0] if len(options) == 1 else {"anyOf": options}
        if schema.get("default") is not None:
            plain["default"] = schema["default"]
        told = {"name": name, "in": "query", "required": name in form.get("required", ()), "schema": plain}
        if "description" in schema:
            told["description"] = schema["description"]
        yield told
