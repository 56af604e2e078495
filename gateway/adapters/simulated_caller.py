"""How a simulated system tells its gateway something over HTTP: a signed POST, or one that shows a token."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from gateway.adapters.signing import Secrets
from gateway.clock import Clock
from gateway.errors import ConfigurationError, Fault

TOKEN_UNREADABLE = Fault(
    "simulate.token-unreadable",
    "Filen {file} har ingen åtkomstbiljett på en rad.",
    "The file {file} has no token on a line.",
)

TIMEOUT: Final = 30.0
"""Seconds that the gateway may take to keep an event."""

_LATER: Final = frozenset({0, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_SETTLED: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway answered; status 0 where it did not. ``body`` is JSON, or the text that is none."""

    status: int = 0
    body: Any = None

    @property
    def is_yes(self) -> bool:
        """Tell whether the gateway has kept it."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_for_later(self) -> bool:
        """Tell whether the gateway was not there, or asks for the same again."""
        return self.status in _LATER or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_final(self) -> bool:
        """Tell whether the gateway has judged the event, and not its sender, its address or the moment."""
        return self.is_yes or self.status in _SETTLED


class Caller:
    """Calls the gateway at ``url`` while it is entered: signs by ``secrets``, shows the token of ``token_file``."""

    def __init__(
        self, url: str, clock: Clock, *, secrets: Secrets | None = None, token_file: Path | None = None
    ) -> None:
        self._url = url
        self._clock = clock
        self._secrets = secrets
        self._token = _token_in(token_file) if token_file is not None else None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Begin to call."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def post(self, sent_id: str, content: bytes, media_type: str = "application/json") -> Answer:
        """Send ``content`` under an id of its own, the same each time, and return the answer, if there is one."""
        assert self._session is not None, "it calls while entered"
        headers = {"Content-Type": media_type}
        if self._secrets is not None:
            headers |= self._secrets.sign(sent_id, self._clock.now(), content)
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            async with self._session.post(self._url, data=content, headers=headers, allow_redirects=False) as response:
                return Answer(response.status, _json(await response.text(errors="replace")))
        except (TimeoutError, asyncio.IncompleteReadError, aiohttp.ClientError, OSError, ValueError):
            return Answer()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _token_in(file: Path) -> str:
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or not token.isprintable():
        raise ConfigurationError(TOKEN_UNREADABLE.at(file=file))
    return token
