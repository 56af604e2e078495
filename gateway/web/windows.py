"""Everything that can be looked at, mounted on the door: who comes is made out, let in or refused, and answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from http import HTTPStatus
from math import ceil
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from pydantic import BaseModel

from gateway.access import REFUSED, AccessRefusedError
from gateway.adapters import http_problem as problems
from gateway.adapters.http_problem import problem
from gateway.adapters.idempotency import key_in
from gateway.audit import Action, AuditOutcome, Entry
from gateway.context import trace_of
from gateway.errors import Finding, GatewayError, UsageError
from gateway.store import audit, worklist
from gateway.web.asked import body_of, content_of, form_of, query_of
from gateway.web.changes import CHANGES, Changes, close, ended
from gateway.web.entry import SAFE, Known, check_form, check_origin, who_asks
from gateway.web.forms import told_as_json
from gateway.web.headers import security_headers
from gateway.web.language import language_of
from gateway.web.nowhere import told_to_people
from gateway.web.page import CSRF, no_page, to_login
from gateway.web.rate import Buckets, key_of
from gateway.web.reached import hosts_of, is_encrypted
from gateway.web.refusals import NOT_LET_IN, OTHER_HOST, TOO_MANY, NotLetInError, TooManyError, status_of
from gateway.web.repeating import once
from gateway.web.route import Kind, Route, Scope
from gateway.web.routes import ROUTES
from gateway.web.silent import SilentPartners
from gateway.web.visit import Visit
from gateway.web.window import Window

log = structlog.get_logger(__name__)


class Windows:
    """Answers what a table of routes has, for one gateway.

    ``actors`` and ``strangers`` limit how often somebody may ask who is known, or an address where nobody is.
    """

    def __init__(
        self,
        window: Window,
        routes: Sequence[Route] = ROUTES,
        *,
        actors: Buckets | None = None,
        strangers: Buckets | None = None,
    ) -> None:
        self._window = window
        self._routes = routes
        self._actors = actors or Buckets(per_second=50, burst=500)
        self._strangers = strangers or Buckets(per_second=10, burst=200)
        self._silent = SilentPartners(window.context)
        self._hosts = hosts_of(window.settings, is_near=window.is_near)
        issuer = window.settings.oidc_issuer
        self._headers = security_headers(is_https=is_encrypted(window.settings), issuer=issuer)

    def add_to(self, app: web.Application) -> None:
        """Add every route to the application of a door."""
        app[CHANGES] = Changes(self._window.context)
        app.on_shutdown.append(close)
        app.on_cleanup.append(ended)
        app.middlewares.append(told_to_people(self._window))
        for route in self._routes:
            app.router.add_route(route.method, route.path, self._answering(route))
        app.on_response_prepare.append(self._guard)

    async def _guard(self, _: web.Request, response: web.StreamResponse) -> None:
        """Add to every answer of the door what browsers must not do with it."""
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)

    def _answering(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            visit = Visit(
                request=request,
                window=self._window,
                route=route,
                language=language_of(request),
                now=self._window.now(),
            )
            try:
                return await self._answered(visit)
            except GatewayError as error:
                return _no(visit, status_of(error), error.findings, getattr(error, "retry_after", None))
            except web.HTTPException:
                raise
            except Exception as error:  # nothing we foresaw
                log.error("web.failed", route=route.name, **trace_of(error))
                return _no(visit, HTTPStatus.INTERNAL_SERVER_ERROR, (problems.UNFORESEEN.at(),))

        return answer

    async def _answered(self, visit: Visit) -> web.StreamResponse:
        route, request = visit.route, visit.request
        self._check_host(request)
        known = await self._known(visit)
        self._check_pace(visit)
        check_origin(request, known)
        if route.right is not None:
            await self._let_in(visit)
            if route.kind is Kind.PAGE:
                async with self._window.context.store.reading() as tx:
                    visit.owed = await worklist.count_owed(tx, visit.units)
                visit.silent = await self._silent.sentences(sees_all=visit.units is None)
        visit.query = query_of(route, request)
        content = await content_of(route, request)
        visit.body = body_of(route, content)
        if route.kind is Kind.PAGE and request.method not in SAFE:
            visit.form = await form_of(request)
            if route.right is not None:
                check_form(known, visit.form.one(CSRF))
        if route.repeatable and (key := key_in(request.headers)) is not None:
            return await once(visit, key, content, lambda: _told(visit))
        return await _told(visit)

    async def _known(self, visit: Visit) -> Known | None:
        """Make out who asks. Where everybody may come, what no longer holds is nobody.

        Raises:
            NotLetInError: what they show does not hold.
            TooManyError: so it was too often.
        """
        try:
            # A page that fetches itself anew is no sign that somebody still sits there.
            asks_by_itself = visit.request.headers.get("HX-Request") == "true" and visit.request.method in SAFE
            known = await who_asks(self._window, visit.request, keeps_use=not asks_by_itself)
        except NotLetInError:
            if visit.route.right is not None:
                self._check_pace(visit)  # to show what does not hold is no way past it
                raise
            return None
        if known is not None:
            visit.actor, visit.session = known
        return known

    def _check_host(self, request: web.Request) -> None:
        """Refuse a name under which the gateway does not answer. Raises :class:`UsageError`."""
        try:
            name = urlsplit(f"//{request.host}").hostname
        except ValueError:
            name = None
        if name not in self._hosts:
            raise UsageError(OTHER_HOST.at())

    def _check_pace(self, visit: Visit) -> None:
        """Refuse whoever asks for too much in a short time. Raises :class:`TooManyError`."""
        if visit.actor is not None:
            wait = self._actors.take(visit.actor.name)
        elif visit.route.kind is Kind.FILE:  # a page has several, and browsers keep them
            return
        else:
            wait = self._strangers.take(key_of(visit.request.remote))
        if wait:
            raise TooManyError(TOO_MANY.at(), retry_after=timedelta(seconds=wait))

    async def _let_in(self, visit: Visit) -> None:
        """Return when whoever asks may come; keep that they were refused.

        Raises:
            NotLetInError: nobody knows who asks.
            AccessRefusedError: their role does not have the right, or what is there is no single unit's.
        """
        actor, route = visit.actor, visit.route
        if actor is None:
            raise NotLetInError(NOT_LET_IN.at())
        assert route.right is not None  # asked by whoever called
        if actor.may(route.right) and (route.scope is not Scope.PARTY or actor.units is None):
            return
        refused = Entry(
            at=visit.now,
            by=actor.name,
            assignment=actor.assignment,
            role=actor.role,
            action=Action.WINDOW_REFUSED,
            target=route.name,
            outcome=AuditOutcome.REFUSED,
            code=REFUSED.code,
        )
        async with self._window.context.store.writing() as tx:
            await audit.append(tx, refused)
        raise AccessRefusedError(REFUSED.at(right=route.right.value))


async def _told(visit: Visit) -> web.StreamResponse:
    answer = await visit.route.answer(visit)
    if isinstance(answer, BaseModel):
        return web.Response(text=told_as_json(answer), content_type="application/json")
    return answer


def _no(
    visit: Visit, status: HTTPStatus, findings: tuple[Finding, ...], retry_after: timedelta | None = None
) -> web.Response:
    """Return an answer that says why it is none: a page for people, problem details for programs."""
    headers = {} if retry_after is None else {"Retry-After": str(ceil(retry_after.total_seconds()))}
    if visit.route.kind is not Kind.PAGE:
        if status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return problem(status, findings, headers)
    answer = to_login(visit) if status is HTTPStatus.UNAUTHORIZED else no_page(visit, status, findings)
    answer.headers.update(headers)
    return answer
