"""Addresses that lead nowhere: a page says so to people, problem details to programs."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.adapters import http_problem as problems
from gateway.errors import GatewayError
from gateway.web.entry import who_asks
from gateway.web.language import language_of
from gateway.web.page import no_page
from gateway.web.refusals import NOT_FOUND
from gateway.web.route import Route
from gateway.web.visit import Visit
from gateway.web.window import Window


async def _nothing(visit: Visit) -> web.Response:
    return no_page(visit, HTTPStatus.NOT_FOUND, (NOT_FOUND.at(),))


_NOWHERE = Route.open("GET", "/", _nothing, "Ingenting.", "Nothing.")


def told_to_people(window: Window) -> Middleware:
    """Return what tells people by a page that there is nothing at an address, or nothing that takes what they send."""

    @web.middleware
    async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
            if not _is_a_person(request):
                raise
            visit = await _visit(window, request)
            if isinstance(error, web.HTTPNotFound):
                return await _nothing(visit)
            allowed = ", ".join(sorted(error.allowed_methods))
            answer = no_page(visit, HTTPStatus.METHOD_NOT_ALLOWED, (problems.METHOD.at(allowed=allowed),))
            answer.headers["Allow"] = allowed
            return answer

    return told


def _is_a_person(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "") and request.path.split("/")[1] != "api"


async def _visit(window: Window, request: web.Request) -> Visit:
    visit = Visit(request=request, window=window, route=_NOWHERE, language=language_of(request), now=window.now())
    # Who is not known, or cannot be just now, is told all the same.
    with suppress(GatewayError):
        if (known := await who_asks(window, request)) is not None:
            visit.actor, visit.session = known
    return visit
