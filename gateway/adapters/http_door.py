"""The door: where systems send events over HTTP, ``POST /api/v1/events/<adapter>``, and where its health is asked.

Whoever measures the gateway comes here too; see :mod:`gateway.adapters.http_figures`.

An event is answered when it is kept: 202 with its message ids and case number, or problem details with everything that
is wrong. Whatever is sent, the answer is one of those that are listed in :mod:`gateway.adapters.http_problem`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.adapters import http_problem as problems
from gateway.adapters.address import OPEN_TO_ALL, is_loopback
from gateway.adapters.http_answers import PlainAnswers
from gateway.adapters.http_events import Entrance, HttpEvents, NoError
from gateway.adapters.http_figures import HttpFigures
from gateway.adapters.http_problem import problem
from gateway.context import trace_of
from gateway.errors import ConfigurationError, Fault, Finding, GatewayError

CANNOT_LISTEN = Fault(
    "http.cannot-listen", "Det går inte att lyssna på {address}.", "It is not possible to listen on {address}."
)
NO_ANSWER = Fault(
    "health.no-answer", "Inget svar inom {seconds} sekunder.", "There is no answer within {seconds} seconds."
)

PROBE_SECONDS: Final = 2.0
"""How long what the gateway depends on may take to answer whoever asks for its health."""
LAST_SECONDS: Final = 20.0
"""How long requests that are in hand may take when the door closes."""

log = structlog.get_logger(__name__)


class HttpDoor:
    """Listens on ``host`` and ``port`` for ``events``.

    ``probes`` return when what they are named after answers, and raise :class:`GatewayError` otherwise. ``windows``
    adds what else may be asked there. ``address`` is where it listens, once ``is_open`` is set.

    Raises:
        ConfigurationError: other machines could send, and an adapter would not know who does.
    """

    def __init__(
        self,
        events: HttpEvents,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        probes: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        figures: HttpFigures | None = None,
        windows: Callable[[web.Application], None] | None = None,
    ) -> None:
        if findings := faults_of_host(host, events.entrances.values()):
            raise ConfigurationError(findings)
        self._events = events
        self._host, self._port, self._tls = host, port, tls
        self._probes = probes or {}
        # Who cannot be known is let in from this machine alone.
        self._figures = figures if figures is not None and (figures.asks_who or is_loopback(host)) else None
        self._windows = windows
        self.is_open = asyncio.Event()
        self.address: tuple[str, int] = (host, port)

    @property
    def is_encrypted(self) -> bool:
        """Tell whether what goes through is encrypted."""
        return self._tls is not None

    async def listen(self, stop: asyncio.Event) -> None:
        """Take requests until ``stop`` is set; then finish those in hand, and leave with its sender what waits.

        Raises:
            ConfigurationError: the address is taken, or is not one of this machine.
        """
        self._events.is_closing = False
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=LAST_SECONDS)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, self._host, self._port, ssl_context=self._tls).start()
            except OSError:
                raise ConfigurationError(CANNOT_LISTEN.at(address=f"{self._host}:{self._port}")) from None
            self.address = tuple(runner.addresses[0][:2])
            log.info("http.listening", host=self.address[0], port=self.address[1], tls=self._tls is not None)
            self.is_open.set()
            await stop.wait()
        finally:
            self._events.is_closing = True
            self.is_open.clear()
            for entrance in self._events.entrances.values():
                entrance.intake.leave_all()
            await runner.cleanup()

    def application(self) -> web.Application:
        """Return everything that may be asked at the door, and what answers it."""
        app = web.Application(middlewares=[_answered])
        app.router.add_get("/livez", self._live)
        app.router.add_get("/readyz", self._ready)
        if self._figures is not None:
            app.router.add_get("/metrics", self._figures.tell)
        app.router.add_post("/api/v1/events/{adapter}", self._events.take)
        # A FHIR server notifies by a POST, or by a PUT of the resource where its Subscription names a payload.
        app.router.add_post("/api/v1/events/{adapter}/changes", self._events.fetch)
        app.router.add_put("/api/v1/events/{adapter}/changes/{kind}/{id}", self._events.fetch)
        if self._windows is not None:
            self._windows(app)
        app.on_response_prepare.append(_sign_off)
        return app

    # --- health -----------------------------------------------------------------------------------------------------

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "up"})

    async def _ready(self, request: web.Request) -> web.Response:
        answers = await asyncio.gather(*(probed(probe) for probe in self._probes.values()))
        found = dict(zip(self._probes, answers, strict=True))
        checks = {name: one.status for name, one in found.items()}
        ready = not any(one.codes for one in answers) and not self._events.is_closing
        told: dict[str, Any] = {"status": "up" if ready else "down", "checks": checks}
        if "verbose" in request.query:
            told["details"] = [{"check": name, **one.as_json()} for name, one in found.items()]
            told["closing"] = self._events.is_closing
        return web.json_response(told, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


def faults_of_host(host: str, entrances: Iterable[Entrance]) -> list[Finding]:
    """Return what is wrong with listening on ``host``: an entrance without trust is for this machine alone."""
    open_to_all = [] if is_loopback(host) else [one.intake.name for one in entrances if not one.trusts]
    return [OPEN_TO_ALL.at(name=name) for name in open_to_all]


class Probed(NamedTuple):
    """What came of one probe: how many seconds it took, and the codes of what is wrong; none where nothing is."""

    seconds: float
    codes: tuple[str, ...]

    @property
    def status(self) -> str:
        """Return whether it answers, in a word."""
        return "down" if self.codes else "up"

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"status": self.status, "seconds": round(self.seconds, 4), "codes": list(self.codes)}


async def probed(probe: Callable[[], Awaitable[None]]) -> Probed:
    """Return what comes of a probe, within :data:`PROBE_SECONDS`."""
    clock = asyncio.get_running_loop().time
    began = clock()
    codes: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except GatewayError as error:
        codes = error.codes
    except TimeoutError:
        codes = (NO_ANSWER.at(seconds=f"{PROBE_SECONDS:g}").code,)
    return Probed(clock() - began, codes)


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let every request end with an answer that says what is wrong, and never how it went wrong inside."""
    try:
        return await handler(request)
    except NoError as no:
        return no.told(PlainAnswers())
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, [problems.METHOD.at(allowed=allowed)], {"Allow": allowed})
    except web.HTTPNotFound:
        return problem(HTTPStatus.NOT_FOUND, [problems.NO_SUCH_PLACE.at()])
    except web.HTTPException as error:
        return problem(HTTPStatus(error.status), [problems.NOT_UNDERSTOOD.at()])
    except Exception as error:  # nothing we foresaw
        log.error("http.failed", **trace_of(error))
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, [problems.UNFORESEEN.at()])


async def _sign_off(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "sip-gateway"  # not which version of what, as the library would say
    response.headers.setdefault("Cache-Control", "no-store")
