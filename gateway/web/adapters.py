"""*Kopplingar*: how the case systems, the exchange, the partners and the database are; and letting a system rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from gateway import pausing
from gateway.access import Right
from gateway.errors import CaseRuleError, Finding
from gateway.web import adapter_words as words
from gateway.web.adapters_reading import connected
from gateway.web.forms import Asked
from gateway.web.page import page, to
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.route import Route, Scope
from gateway.web.visit import Visit

Verb = Callable[..., Awaitable[bool]]
"""What pauses or resumes an adapter, and tells whether that changed anything."""


class AdaptersAsked(Asked):
    """What has just been done, and whether the page is fetched anew by itself."""

    done: Literal["paused", "resumed"] | None = None
    refresh: Annotated[Literal["on", "off"], Field(description="Whether it is fetched anew by itself.")] = "on"


async def adapters(visit: Visit) -> web.Response:
    """Answer with how everything is that the gateway is connected to."""
    asked: AdaptersAsked = visit.query
    return await _shown(visit, done=asked.done, refreshes=asked.refresh == "on" and asked.done is None)


async def _shown(
    visit: Visit,
    status: HTTPStatus = HTTPStatus.OK,
    *,
    done: str | None = None,
    refreshes: bool = False,
    findings: Sequence[Finding] = (),
) -> web.Response:
    return page(
        visit,
        "adapters.html",
        status,
        shown=await connected(visit.window),
        words=words,
        done=done,
        refreshes=refreshes,
        findings=findings,
        may_pause=visit.who.may(Right.PAUSE) and visit.session is not None,
    )


async def decide(visit: Visit, verb: Verb, reason: str) -> bool:
    """Pause or resume the adapter in the address; tell whether that changed anything.

    Raises:
        NotFoundError: there is no such adapter.
        CaseRuleError: the reason is missing or too long, or holds a person number.
    """
    context, name = visit.window.context, visit.named("adapter")
    known = [one.name for one in visit.window.settings.all_adapters()]
    if name not in known:
        raise NotFoundError(NOT_FOUND.at())
    changed = await verb(context.store, context.clock, name, known=known, by=visit.who, reason=reason)
    context.incoming.ring()  # what has waited for a system that was resumed goes at once
    return changed


async def pause(visit: Visit) -> web.Response:
    """Let an adapter rest, as a form asks."""
    return await _decided(visit, pausing.pause, "paused")


async def resume(visit: Visit) -> web.Response:
    """Let an adapter work again, as a form asks."""
    return await _decided(visit, pausing.resume, "resumed")


async def _decided(visit: Visit, verb: Verb, done: str) -> web.Response:
    try:
        await decide(visit, verb, visit.form.one("reason"))
    except CaseRuleError as error:
        return await _shown(visit, HTTPStatus.UNPROCESSABLE_ENTITY, findings=error.findings)
    return to(f"/adapters?done={done}")


ROUTES = (
    Route.page(
        "GET",
        "/adapters",
        adapters,
        "Kopplingar: hur verksamhetssystem, växel, motparter och databas mår.",
        "Connections: how case systems, the exchange, partners and the database are.",
        scope=Scope.PARTY,
        query=AdaptersAsked,
    ),
    Route.page(
        "POST",
        "/adapters/{adapter}/pause",
        pause,
        "Pausar en koppling: det som kommer väntar.",
        "Pauses a connection: what comes waits.",
        right=Right.PAUSE,
        scope=Scope.PARTY,
    ),
    Route.page(
        "POST",
        "/adapters/{adapter}/resume",
        resume,
        "Återupptar en koppling: det som har väntat går.",
        "Resumes a connection: what has waited goes.",
        right=Right.PAUSE,
        scope=Scope.PARTY,
    ),
)
