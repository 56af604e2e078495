"""Where people are let in, choose their language, and leave."""

from __future__ import annotations

from aiohttp import web

from gateway.web.page import page
from gateway.web.route import Kind, Route, Scope
from gateway.web.visit import Visit


async def login(visit: Visit) -> web.Response:
    """Answer with the page that says how one is let in."""
    return page(visit, "login.html")


ROUTES = (
    Route(
        method="GET",
        path="/login",
        answer=login,
        kind=Kind.PAGE,
        scope=Scope.OPEN,
        right=None,
        sv="Hur man loggar in.",
        en="How to sign in.",
    ),
)
