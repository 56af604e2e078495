"""Where people are let in, choose their language, and leave."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from gateway import sessions
from gateway.web.entry import drop_session, keep_session
from gateway.web.forms import Asked
from gateway.web.language import COOKIE, Language
from gateway.web.oidc import CALLBACK, OidcLogin
from gateway.web.page import own_path, page, to
from gateway.web.reached import is_encrypted
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.route import Route
from gateway.web.visit import Visit

_A_YEAR = 365 * 24 * 3600


class LoginAsked(Asked):
    """Where somebody wanted to go before they were sent here."""

    next: Annotated[str, Field(max_length=2000)] = "/"


async def login(visit: Visit) -> web.Response:
    """Answer with the page that says how one is let in."""
    return page(visit, "login.html")


async def begin(visit: Visit) -> web.Response:
    """Send somebody to the identity provider."""
    return await _provider(visit).start(visit.request)


async def come_back(visit: Visit) -> web.Response:
    """Log in whoever comes back from the identity provider."""
    return await _provider(visit).callback(visit.request)


def _provider(visit: Visit) -> OidcLogin:
    if visit.window.oidc is None:
        raise NotFoundError(NOT_FOUND.at())
    return visit.window.oidc


async def link(visit: Visit) -> web.Response:
    """Answer with the page a link leads to. It logs nobody in by itself: programs that look ahead follow links too."""
    return page(visit, "login_link.html")


async def follow(visit: Visit) -> web.Response:
    """Log in whoever a link stands for."""
    value = await sessions.redeem(visit.window.context.store, visit.named("value"), visit.now)
    answer = to("/")
    keep_session(visit.window.settings, answer, value)
    return answer


async def leave(visit: Visit) -> web.Response:
    """Log somebody out."""
    if visit.session is not None:
        async with visit.window.context.store.writing() as tx:
            await sessions.end(tx, visit.session, visit.now)
    answer = to("/login")
    drop_session(visit.window.settings, answer)
    return answer


async def choose_language(visit: Visit) -> web.Response:
    """Keep which language somebody has chosen, and go back to where they were."""
    chosen = Language.ENGLISH if visit.form.one("language") == Language.ENGLISH else Language.SWEDISH
    answer = to(own_path(visit.form.one("back")))
    answer.set_cookie(
        COOKIE,
        chosen.value,
        path="/",
        max_age=_A_YEAR,
        httponly=True,
        secure=is_encrypted(visit.window.settings),
        samesite="Lax",
    )
    return answer


ROUTES = (
    Route.open("GET", "/login", login, "Hur man loggar in.", "How to sign in.", query=LoginAsked),
    Route.open("GET", "/login/oidc", begin, "Till inloggningstjänsten.", "To the identity provider."),
    Route.open("GET", CALLBACK, come_back, "Tillbaka från inloggningstjänsten.", "Back from the identity provider."),
    Route.open("GET", "/login/{value}", link, "Dit en inloggningslänk leder.", "Where a sign-in link leads."),
    Route.open("POST", "/login/{value}", follow, "Loggar in med länken.", "Signs in with the link."),
    Route.open("POST", "/logout", leave, "Loggar ut.", "Signs out."),
    Route.open("POST", "/language", choose_language, "Väljer språk.", "Chooses the language."),
)
