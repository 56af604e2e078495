"""Who comes to the windows: a program that shows a token, or a person with a session."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from gateway import sessions, tokens
from gateway.access import AccessRefusedError, Actor
from gateway.config import Settings
from gateway.sessions import LONGEST, Session
from gateway.web.reached import is_encrypted
from gateway.web.refusals import FORGED, NOT_LET_IN, ForgedError, NotLetInError
from gateway.web.window import Window

_BEARER = "bearer "


class Known(NamedTuple):
    """Who asks; with their session, where they are a person at the pages."""

    actor: Actor
    session: Session | None = None


def cookie_name(settings: Settings) -> str:
    """Return what the cookie of a session is called: where it can, so that browsers see that it is ours alone."""
    # Cookies know hosts and not ports: two gateways on one machine would throw out each other's people.
    mark = hashlib.sha256(settings.party.encode()).hexdigest()[:8]
    return f"__Host-session-{mark}" if is_encrypted(settings) else f"session-{mark}"


def keep_session(settings: Settings, answer: web.Response, value: str) -> None:
    """Let an answer bring the cookie of a session."""
    answer.set_cookie(
        cookie_name(settings),
        value,
        path="/",
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        secure=is_encrypted(settings),
        samesite="Lax",
    )


def drop_session(settings: Settings, answer: web.Response) -> None:
    """Let an answer take the cookie of a session away."""
    answer.del_cookie(cookie_name(settings), path="/", httponly=True, secure=is_encrypted(settings), samesite="Lax")


async def who_asks(window: Window, request: web.Request, *, keeps_use: bool = True) -> Known | None:
    """Return who asks; ``None`` where they show nothing.

    A request that shows a token is judged by it alone, whatever cookies come along. With ``keeps_use`` it counts as a
    use of the session.

    Raises:
        NotLetInError: what they show does not hold.
        DependencyDownError: the database does not answer.
    """
    try:
        if shown := request.headers.get("Authorization", ""):
            return Known(await _actor_of(window, shown))
        if cookie := request.cookies.get(cookie_name(window.settings)):
            session = await sessions.session_of(window.context.store, cookie, window.now(), keeps_use=keeps_use)
            return Known(session.actor, session)
    except AccessRefusedError as error:
        raise NotLetInError(error.findings) from None
    return None


async def _actor_of(window: Window, shown: str) -> Actor:
    if not shown.lower().startswith(_BEARER):
        raise NotLetInError(NOT_LET_IN.at())
    token = shown[len(_BEARER) :].strip()
    if window.oidc is not None and not tokens.is_ours(token):
        return await window.oidc.actor_of(token)
    return await tokens.actor_of(window.context.store, token, window.now())


SAFE: Final = ("GET", "HEAD")
"""Methods that change nothing."""


def check_origin(request: web.Request, known: Known | None) -> None:
    """Refuse what another's page lets a browser send: in the name of whoever is logged in, or to log in or out.

    A cookie need not come along for the latter. Programs show a token, which no browser adds by itself.

    Raises:
        ForgedError: it comes from elsewhere.
    """
    if request.method in SAFE or (known is not None and known.session is None):
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "same-origin")
    if (origin is not None and not _is_ours(origin, request)) or site not in ("same-origin", "none"):
        raise ForgedError(FORGED.at())


def _is_ours(origin: str, request: web.Request) -> bool:
    try:
        return urlsplit(origin).netloc == request.host
    except ValueError:  # it is no address at all
        return False


def check_form(known: Known | None, given: str | None) -> None:
    """Return when a form repeats what the page it stands on was given.

    Raises:
        ForgedError: it does not.
    """
    if known is None or known.session is None:
        raise ForgedError(FORGED.at())
    try:
        sessions.check_csrf(known.session, given)
    except AccessRefusedError as error:
        raise ForgedError(error.findings) from None
