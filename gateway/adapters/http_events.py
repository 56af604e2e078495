"""Events over HTTP: from a request to the answer that the event is kept, or why it is not.

What costs least is looked at first: who sends and in what form, before the content is read; and the content is held
only as far as it is allowed to be large.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

import structlog
from aiohttp import ClientPayloadError, web

from gateway.adapters import http_problem as problems
from gateway.adapters.http_answers import Answers, PlainAnswers
from gateway.adapters.http_intake import NOT_KEPT, HttpIntake
from gateway.adapters.http_trial import is_trial
from gateway.adapters.http_trust import Asked, Trust
from gateway.adapters.idempotency import key_in
from gateway.adapters.signing import ID
from gateway.envelope import content_hash
from gateway.errors import DependencyDownError, Finding, GatewayError, InvalidDocumentError, UsageError
from gateway.messages.hardened import MAX_BYTES, TOO_LARGE
from gateway.outbox import EVENT_CONFLICT
from gateway.ports import Pauses

READ_SECONDS: Final = 30.0
"""How long the content of a request may take to come."""
HELD_AT_ONCE: Final = 4
"""How many events of the largest size may be held in memory."""

_CHUNK = 64 * 1024

log = structlog.get_logger(__name__)


class Book(Pauses, Protocol):
    """Remembers which content came under which key, and which adapters are paused."""

    async def claim(self, source: str, key: str, content: str) -> bool:
        """Keep that ``key`` is for ``content``, both as hashes; tell ``False`` when it is for other content.

        Raises:
            DependencyDownError: the database does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Entrance:
    """The way to one adapter, for whom one of ``trusts`` vouches; without any, for all of this machine.

    ``fetch`` fetches what has changed in the adapter's system, where it has one that says no more than that.
    """

    intake: HttpIntake
    trusts: tuple[Trust, ...] = ()
    answers: Answers = field(default_factory=PlainAnswers)
    fetch: Callable[[], Awaitable[None]] | None = None

    def lets_go_on(self, asked: Asked) -> bool:
        """Tell whether the content is worth reading."""
        return not self.trusts or any(trust.may_go_on(asked) for trust in self.trusts)

    def lets_in(self, asked: Asked) -> bool:
        """Tell whether the sender may send to this adapter."""
        return not self.trusts or any(trust.vouches(asked) for trust in self.trusts)


class NoError(Exception):
    """Ends a request with an answer that says no; it never leaves the door."""

    def __init__(self, status: HTTPStatus, finding: Finding, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(finding.code)
        self._status, self._finding, self._headers = status, finding, headers

    def told(self, answers: Answers) -> web.Response:
        """Return the answer."""
        return answers.no(self._status, [self._finding], self._headers)


class HttpEvents:
    """Takes events to ``entrances``, of at most ``max_bytes`` each, which may take ``read_seconds`` to come.

    ``book`` is not looked at where there is none. From ``is_closing`` on, events are left with their senders.
    """

    def __init__(
        self,
        entrances: Sequence[Entrance],
        *,
        max_bytes: int = MAX_BYTES,
        book: Book | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.entrances = {entrance.intake.name: entrance for entrance in entrances}
        self.is_closing = False
        self._max_bytes = max_bytes
        self._book = book
        self._read_seconds = read_seconds
        self._held = 0

    async def take(self, request: web.Request) -> web.Response:
        """Answer a request to the adapter that its address names, once its event is kept or refused.

        A :data:`~gateway.adapters.http_trial.TRIAL` is answered as an event would be, and not kept.

        Raises:
            NoError: there is no such adapter.
        """
        entrance = self._entrance_of(request)

        async def keep(body: bytes) -> Mapping[str, Any]:
            if is_trial(body):
                return {"accepted": True, "test": True}
            await self._claim(entrance, body, key)
            return await entrance.intake.take(body)

        try:
            self._show_in(entrance, request)
            key = _key_of(request)
            self._check_form(request, entrance.answers)
            return await self._answered(entrance, request, keep)
        except NoError as no:
            return no.told(entrance.answers)

    async def fetch(self, request: web.Request) -> web.Response:
        """Answer a notification that something has changed, once that is fetched and kept. What it says is not read.

        Raises:
            NoError: there is no such adapter.
        """
        entrance = self._entrance_of(request)
        try:
            self._show_in(entrance, request)
            if (fetch := entrance.fetch) is None:
                raise NoError(HTTPStatus.NOT_FOUND, problems.NOTHING_TO_FETCH.at())

            async def fetched(_: bytes) -> Mapping[str, Any]:
                await fetch()
                return {}

            return await self._answered(entrance, request, fetched)
        except NoError as no:
            return no.told(entrance.answers)

    def _entrance_of(self, request: web.Request) -> Entrance:
        entrance = self.entrances.get(request.match_info["adapter"])
        if entrance is None:
            raise NoError(HTTPStatus.NOT_FOUND, problems.NO_SUCH_ADAPTER.at())
        return entrance

    def _show_in(self, entrance: Entrance, request: web.Request) -> None:
        """Return when the content of a request is worth reading."""
        asked = Asked(request.headers, b"", _certificate_of(request))
        if not entrance.lets_go_on(asked):
            raise self._stranger(entrance, asked)

    async def _answered(
        self, entrance: Entrance, request: web.Request, work: Callable[[bytes], Awaitable[Mapping[str, Any]]]
    ) -> web.Response:
        """Do ``work`` for whoever may come in, unless the adapter takes nothing now, and tell what became of it."""
        async with self._body_of(request) as body:
            asked = Asked(request.headers, body, _certificate_of(request))
            if not entrance.lets_in(asked):
                raise self._stranger(entrance, asked)
            name = entrance.intake.name
            try:
                if self.is_closing or (self._book is not None and await self._book.is_paused(name)):
                    raise DependencyDownError(NOT_KEPT.at())
                return entrance.answers.kept(await work(body))
            except InvalidDocumentError as error:
                is_conflict = error.codes == (EVENT_CONFLICT.code,)
                status = HTTPStatus.CONFLICT if is_conflict else HTTPStatus.UNPROCESSABLE_ENTITY
                return entrance.answers.no(status, error.findings)
            except GatewayError as error:  # whatever it is that does not answer, the caller's event is not the reason
                log.debug("http.not-kept", source=name, codes=error.codes)
                return entrance.answers.no(HTTPStatus.SERVICE_UNAVAILABLE, [NOT_KEPT.at()])

    async def _claim(self, entrance: Entrance, body: bytes, key: str | None) -> None:
        """Keep which content ``key`` is for; raises :class:`NoError` where it is for other content."""
        if self._book is None or key is None:
            return
        content, used = content_hash(body), content_hash(key.encode())
        if not await self._book.claim(entrance.intake.name, used, content):
            raise NoError(HTTPStatus.CONFLICT, problems.KEY_TAKEN.at())

    def _stranger(self, entrance: Entrance, asked: Asked) -> NoError:
        """Return the answer to someone this adapter does not know: other when another adapter here does."""
        others = (other for other in self.entrances.values() if other is not entrance and other.trusts)
        if any(other.lets_in(asked) for other in others):
            return NoError(HTTPStatus.FORBIDDEN, problems.NOT_ALLOWED.at())
        challenge = ", ".join(dict.fromkeys(trust.scheme for trust in entrance.trusts))
        return NoError(HTTPStatus.UNAUTHORIZED, problems.NOT_AUTHENTICATED.at(), {"WWW-Authenticate": challenge})

    def _check_form(self, request: web.Request, answers: Answers) -> None:
        encoding = request.headers.get("content-encoding", "identity").lower()
        charset = (_charset_of(request) or "utf-8").lower()
        is_right = request.content_type in answers.media_types and charset in ("utf-8", "utf8")
        if not is_right or encoding != "identity":
            raise NoError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, answers.wrong_media_type.at())
        if (request.content_length or 0) > self._max_bytes:
            raise NoError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE.at(limit=self._max_bytes))

    @asynccontextmanager
    async def _body_of(self, request: web.Request) -> AsyncIterator[bytes]:
        """Read the content, up to what is allowed; it counts as held until the block ends."""
        body = bytearray()
        try:
            await self._read(request, body)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _read(self, request: web.Request, body: bytearray) -> None:
        """Read the content into ``body``. Raises :class:`NoError`."""
        try:
            async with asyncio.timeout(self._read_seconds):
                while chunk := await request.content.read(_CHUNK):
                    body += chunk
                    self._held += len(chunk)
                    if len(body) > self._max_bytes:
                        raise NoError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE.at(limit=self._max_bytes))
                    if self._held > HELD_AT_ONCE * self._max_bytes:
                        raise NoError(HTTPStatus.SERVICE_UNAVAILABLE, NOT_KEPT.at())
        except TimeoutError:
            seconds = f"{self._read_seconds:g}"
            raise NoError(HTTPStatus.REQUEST_TIMEOUT, problems.TOO_SLOW.at(seconds=seconds)) from None
        except (ClientPayloadError, web.RequestPayloadError, ConnectionError):
            raise NoError(HTTPStatus.BAD_REQUEST, problems.BROKEN_OFF.at()) from None


def _key_of(request: web.Request) -> str | None:
    """Return the key under which the event may come again: ``Idempotency-Key``, or else ``webhook-id``."""
    try:
        return key_in(request.headers, ID)
    except UsageError as error:
        raise NoError(HTTPStatus.BAD_REQUEST, error.findings[0]) from None


def _charset_of(request: web.Request) -> str | None:
    try:
        return request.charset
    except ValueError:  # a header that only looks like one
        return "?"


def _certificate_of(request: web.Request) -> bytes | None:
    """Return the certificate that the caller has shown and TLS has verified."""
    connection: Any = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
    return connection.getpeercert(binary_form=True) if connection is not None else None
