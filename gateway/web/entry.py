"""Who comes to the windows: a program that shows a token, or a person with a session."""

from __future__ import annotations

from aiohttp import web

from gateway import tokens
from gateway.access import AccessRefusedError, Actor
from gateway.web.refusals import NOT_LET_IN, NotLetInError
from gateway.web.window import Window

_BEARER = "bearer "


async def actor_of(window: Window, request: web.Request) -> Actor | None:
    """Return who asks; ``None`` where they show nothing.

    Raises:
        NotLetInError: what they show does not hold.
        DependencyDownError: the database does not answer.
    """
    shown = request.headers.get("Authorization", "")
    if not shown:
        return None
    if not shown.lower().startswith(_BEARER):
        raise NotLetInError(NOT_LET_IN.at())
    try:
        return await tokens.actor_of(window.context.store, shown[len(_BEARER) :].strip(), window.now())
    except AccessRefusedError as error:
        raise NotLetInError(error.findings) from None
