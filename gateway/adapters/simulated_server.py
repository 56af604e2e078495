"""The HTTP server of a simulated system: it lets answers through, or spoils them as the system is told to behave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPMethod
from types import TracebackType
from typing import Final, Protocol, Self

from aiohttp import web

from gateway.adapters.behaviour import GARBAGE, Behaviour
from gateway.adapters.http_door import CANNOT_LISTEN
from gateway.errors import ConfigurationError
from gateway.messages.hardened import MAX_BYTES

AGAIN_AFTER: Final = 0.02
"""Seconds between an answer and the same answer given twice: it then comes when nobody expects one."""


class Behaving(Protocol):
    """A system that has a behaviour, which may be another at each request."""

    behaviour: Behaviour


class SimulatedServer:
    """Listens on ``host`` and ``port`` (0 for any that is free) while it is entered, and answers for ``system``.

    ``answer`` does what a request asks, and returns its answer, whole.
    """

    def __init__(
        self, system: Behaving, answer: Callable[[web.Request], Awaitable[web.Response]], *, host: str, port: int
    ) -> None:
        self._system = system
        self._answer = answer
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self.asked = 0

    @property
    def origin(self) -> str:
        """Scheme, host and port of where it listens."""
        assert self._runner is not None, "it listens while entered"
        host, port = self._runner.addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ConfigurationError: the address is taken, or is not one of this machine.
        """
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self._runner.cleanup()
            raise ConfigurationError(CANNOT_LISTEN.at(address=f"{self._host}:{self._port}")) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer nobody any more; whoever is being kept waiting gets no answer."""
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        assert request.transport is not None
        if self._system.behaviour.down:
            request.transport.abort()
            return web.Response()  # to nobody
        answer = await self._answer(request)
        behaviour = self._system.behaviour
        if behaviour.slow:
            await asyncio.sleep(behaviour.slow)
        if behaviour.garbage:
            answer = web.Response(body=GARBAGE, content_type="text/html")
        if behaviour.twice and request.method == HTTPMethod.POST:
            await answer.prepare(request)
            await answer.write_eof()
            asyncio.get_running_loop().call_later(AGAIN_AFTER, _write, request.transport, answer)
        return answer


def _write(transport: asyncio.Transport, answer: web.Response) -> None:
    """Write an answer past the protocol, which would not answer twice."""
    if transport.is_closing():
        return
    body = answer.body if isinstance(answer.body, bytes) else b""
    head = f"HTTP/1.1 {answer.status} {answer.reason}\r\nContent-Type: {answer.content_type}\r\n"
    transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
