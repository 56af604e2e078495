"""What the gateway is measured by, over HTTP: ``GET /metrics``, in the formats of Prometheus.

It holds no ids and nothing about persons, yet says with whom and how much is exchanged. So it is open on this machine,
and elsewhere to whoever shows a token.
"""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from gateway.adapters import http_problem as problems
from gateway.adapters.http_events import NoError
from gateway.adapters.http_trust import Asked, Tokens
from gateway.ports import Measured


class HttpFigures:
    """Tells what ``measured`` returns; where there are ``tokens``, to whoever shows one of them."""

    def __init__(self, measured: Measured, tokens: Tokens | None = None) -> None:
        self._measured = measured
        self._tokens = tokens

    @property
    def asks_who(self) -> bool:
        """Tell whether only those who are known are answered."""
        return self._tokens is not None

    async def tell(self, request: web.Request) -> web.Response:
        """Answer with every metric."""
        if self._tokens is not None and not self._tokens.vouches(Asked(request.headers, b"")):
            challenge = {"WWW-Authenticate": self._tokens.scheme}
            raise NoError(HTTPStatus.UNAUTHORIZED, problems.NOT_AUTHENTICATED.at(), challenge)
        body, media = await self._measured(",".join(request.headers.getall("Accept", [])))
        return web.Response(body=body, headers={"Content-Type": media})
