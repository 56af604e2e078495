"""Messages to a case system over HTTP: each is one signed POST, and the answer to it is the system's receipt.

What is sent is ``{"type": "message" | "note" | "notice", "id": …, "unit": …, "content": …}``, where the content is what
a system that exchanges files would find in its folder. The same thing has the same id each time it is sent. A receipt
is an answer of 2xx with ``recordId``: whoever has not committed must not answer so.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from gateway.adapters.adapter import MESSAGE, NOTE, NOTICE
from gateway.adapters.disk import json_bytes
from gateway.adapters.folder import REFUSED, file_safe, registration_in
from gateway.adapters.signing import Secrets
from gateway.adapters.tls import client_side
from gateway.adapters.vocabulary import Vocabulary
from gateway.clock import Clock
from gateway.errors import DependencyDownError, Fault, InvalidDocumentError, RefusedError
from gateway.messages import Message
from gateway.messages.hardened import read_json
from gateway.notices import Notice
from gateway.ports import Registration

UNREACHABLE = Fault(
    "system.unreachable",
    "Verksamhetssystemet går inte att nå.",
    "The case system cannot be reached.",
)
NO_ANSWER = Fault(
    "system.no-answer",
    "Verksamhetssystemet har inte svarat inom {seconds} sekunder.",
    "The case system has not answered within {seconds} seconds.",
)
NOT_NOW = Fault(
    "system.not-now",
    "Verksamhetssystemet kan inte ta emot nu (HTTP-status {status}).",
    "The case system cannot take anything now (HTTP status {status}).",
)
NO_WITHOUT_CODE = Fault(
    "system.no-without-code",
    "Någon har svarat nej utan kod (HTTP-status {status}): det kan vara något på vägen dit. Meddelandet skickas igen.",
    "Somebody has said no without a code (HTTP status {status}): it may be something on the way there. The message is "
    "sent again.",
)
ANSWER_UNREADABLE = Fault(
    "system.answer-unreadable",
    "Verksamhetssystemets svar är inget kvitto.",
    "What the case system has answered is no receipt.",
)

TIMEOUT: Final = 10.0
"""Seconds that a system may take to answer."""
LONGEST_WAIT: Final = timedelta(hours=1)
"""How long a system can ask to be left alone at a time."""

_ANSWER_BYTES = 64 * 1024
_CODE = re.compile(r"[A-Za-z0-9.\-]{1,60}")
_ABOUT_THE_WAY: Final = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 423, 425, 426, 429, 431, 451})
"""Answers of 4xx that judge the address, the sender or the moment, and not what was sent: an operator mends those, and
no message may be given up for them."""


class HttpDelivery:
    """The way out of the adapter ``name`` to a system at ``url`` that speaks ``vocabulary``; works while entered.

    ``timeout`` is in seconds. ``ca_file`` has the certificates that may vouch for the system, those of this machine
    where none is named; ``certificate_file`` and ``key_file`` what the gateway shows it.

    Raises:
        ConfigurationError: a file cannot be used.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        url: str,
        secrets: Secrets,
        clock: Clock,
        *,
        name: str,
        timeout: float = TIMEOUT,
        ca_file: Path | None = None,
        certificate_file: Path | None = None,
        key_file: Path | None = None,
    ) -> None:
        self._vocabulary = vocabulary
        self._url = url
        self._secrets = secrets
        self._clock = clock
        self._name = name
        self._timeout = timeout
        self._tls = client_side(ca_file, certificate_file, key_file)
        self._session: aiohttp.ClientSession | None = None
        self._not_before: datetime | None = None

    @property
    def name(self) -> str:
        """The name in the settings."""
        return self._name

    async def __aenter__(self) -> Self:
        """Begin to take messages."""
        self._session = aiohttp.ClientSession(
            # A connection for each request: on one that is used again, an answer that comes twice would be taken for
            # the receipt of the next message.
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=64, force_close=True),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "sip-gateway", "Accept": "application/json", "Accept-Encoding": "identity"},
            auto_decompress=False,  # what is bounded is bounded as it comes
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Hand a message to the system, for ``unit``, and return the record id and time of its receipt.

        Raises:
            DependencyDownError: no receipt, or the system is not to be asked now; the same call may be made again.
            RefusedError: the system said no, for good.
        """
        sent_id = f"{MESSAGE}{file_safe(message.header.message_id)}-{file_safe(unit)}"
        return await self._send("message", sent_id, self._vocabulary.message(message, unit), unit=unit)

    async def note(self, message: Message) -> None:
        """Write a step of the case into the system's own log, where the system keeps one of other parties' steps.

        Raises:
            DependencyDownError: no receipt.
            RefusedError: the system does not take the note.
        """
        note = self._vocabulary.note(message)
        if note is not None:
            await self._send("note", f"{NOTE}{file_safe(message.header.message_id)}", note)

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something about a case, through the system.

        Raises:
            DependencyDownError: no receipt.
            RefusedError: the system does not take the notice.
        """
        sent_id = f"{NOTICE}{notice.notice_id}"
        await self._send("notice", sent_id, self._vocabulary.notice(notice), unit=notice.unit)

    async def ping(self) -> None:
        """Return when the system answers anything at all but that it is broken.

        Raises:
            DependencyDownError: it does not.
        """
        status, _, _ = await self._asked("HEAD", b"", {})
        is_broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
        # What a proxy says to whoever shows it no certificate, or an old one.
        if is_broken or status == HTTPStatus.BAD_REQUEST:
            raise DependencyDownError(NOT_NOW.at(status=status))

    async def test(self) -> None:
        """Send what is no message, ``{"type": "test"}``; return when the system gives a receipt for it.

        Raises:
            DependencyDownError: it does not.
            RefusedError: it says no.
        """
        await self._send("test", f"test-{int(self._clock.now().timestamp())}", {})

    async def _send(
        self, kind: str, sent_id: str, content: Mapping[str, Any], *, unit: str | None = None
    ) -> Registration:
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before <= now + LONGEST_WAIT:
            left = self._not_before - now
            raise DependencyDownError(NOT_NOW.at(status=HTTPStatus.TOO_MANY_REQUESTS.value), retry_after=left)
        body = json_bytes({"type": kind, "id": sent_id, "unit": unit, "content": content})
        headers = {"Content-Type": "application/json", **self._secrets.sign(sent_id, now, body)}
        status, answer, retry_after = await self._asked("POST", body, headers)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            self._not_before = None
            return _receipt_in(answer)
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _ABOUT_THE_WAY:
            if (code := _code_in(answer)) is None:
                # Something on the way has said so, such as a proxy: that is no reason to give a message up.
                raise DependencyDownError(NO_WITHOUT_CODE.at(status=status))
            raise RefusedError(REFUSED.at(code=code or f"http-{status}"))
        # A redirection too: what is about a person goes nowhere but where an operator has said.
        wait = _wait_in(retry_after, now)
        if wait is not None:
            self._not_before = now + wait
        raise DependencyDownError(NOT_NOW.at(status=status), retry_after=wait)

    async def _asked(self, method: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, str | None]:
        """Return the status, the answer as far as it is bounded, and when to come again."""
        assert self._session is not None, "it works while entered"
        try:
            async with self._session.request(
                method, self._url, data=body or None, headers=headers, allow_redirects=False
            ) as response:
                answer = bytearray()
                async for chunk in response.content.iter_chunked(16 * 1024):
                    answer += chunk
                    if len(answer) > _ANSWER_BYTES:
                        response.close()  # nothing more is read over this connection
                        answer.clear()
                        break
                return response.status, bytes(answer), response.headers.get("Retry-After")
        except (TimeoutError, asyncio.IncompleteReadError):
            raise DependencyDownError(NO_ANSWER.at(seconds=f"{self._timeout:g}")) from None
        except (aiohttp.ClientError, OSError, ValueError):  # also for what is no HTTP at all
            raise DependencyDownError(UNREACHABLE.at()) from None


def _receipt_in(answer: bytes) -> Registration:
    try:
        receipt = read_json(answer)
        if not isinstance(receipt, dict):
            raise InvalidDocumentError(ANSWER_UNREADABLE.at())
        return registration_in(receipt)
    except InvalidDocumentError:
        raise DependencyDownError(ANSWER_UNREADABLE.at()) from None


def _code_in(answer: bytes) -> str | None:
    """Return the code of a refusal, empty where it has another form than a code; ``None`` where it is no refusal.

    Its words may name the person; its code may not, and only in the form of a code.
    """
    try:
        refusal = read_json(answer)
    except InvalidDocumentError:
        return None
    code = refusal.get("code") if isinstance(refusal, dict) else None
    if not isinstance(code, str):
        return None
    return code if _CODE.fullmatch(code) else ""


def _wait_in(retry_after: str | None, now: datetime) -> timedelta | None:
    """Return how long the system asks to be left alone (RFC 9110 §10.2.3): seconds, or until a date."""
    if retry_after is None:
        return None
    try:
        if retry_after.isascii() and retry_after.isdigit():
            wait = timedelta(seconds=int(retry_after[:9]))
        else:
            wait = parsedate_to_datetime(retry_after) - now
    except (TypeError, ValueError):  # a date without a zone is no date of HTTP
        return None
    return min(max(wait, timedelta()), LONGEST_WAIT)
