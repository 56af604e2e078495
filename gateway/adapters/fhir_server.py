"""The FHIR server of a journal, over HTTP: transactions, searches and reads, with every way it can fail told apart.

What a server answers may be anything. Its words may name the person and are never repeated; its codes are. No redirect
is followed and no page of a search elsewhere is fetched, so that the token goes nowhere but to the server.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
import structlog

from gateway.adapters.address import is_loopback
from gateway.adapters.fhir_written import as_bytes
from gateway.errors import ConfigurationError, DependencyDownError, Fault, InvalidDocumentError, RefusedError
from gateway.messages.hardened import read_json

SILENT: Final = Fault(
    "fhir-server.silent",
    "FHIR-servern svarar inte inom {seconds} sekunder.",
    "The FHIR server does not answer within {seconds} seconds.",
)
UNREACHABLE: Final = Fault(
    "fhir-server.unreachable",
    "FHIR-servern kan inte nås.",
    "The FHIR server cannot be reached.",
)
TROUBLED: Final = Fault(
    "fhir-server.troubled",
    "FHIR-servern kan inte svara nu (HTTP {status}).",
    "The FHIR server cannot answer now (HTTP {status}).",
)
UNREADABLE: Final = Fault(
    "fhir-server.answer-unreadable",
    "FHIR-serverns svar går inte att förstå.",
    "The answer of the FHIR server cannot be understood.",
)
REFUSED: Final = Fault(
    "fhir-server.refused",
    "FHIR-servern tar inte emot det som skickades (HTTP {status}, kod {code}).",
    "The FHIR server does not take what was sent (HTTP {status}, code {code}).",
)
NO_TOKEN: Final = Fault(
    "fhir-server.token-unreadable",
    "Filen med åtkomstbiljett till FHIR-servern kan inte läsas.",
    "The file with the token for the FHIR server cannot be read.",
)
BAD_ADDRESS: Final = Fault(
    "fhir-server.address",
    "FHIR-serverns adress ska börja med https://, eller med http:// till den egna datorn.",
    "The address of the FHIR server must begin with https://, or with http:// to this computer.",
)

MEDIA_TYPE: Final = "application/fhir+json"
LONGEST_ANSWER: Final = 10 * 1024 * 1024
"""Most bytes that are read of an answer."""
PAGES: Final = 1000
"""Most pages of one search."""

# Statuses that say nothing about what was sent: wrong credentials, a wrong address, too much at once, a lock.
_NOT_ABOUT_CONTENT: Final = frozenset({401, 403, 404, 405, 407, 408, 409, 423, 425, 429})
_ISSUE = re.compile(r"[a-z][a-z\-]{0,40}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what a search found: its ``resources``, in order, and whether no page follows."""

    resources: Sequence[dict[str, Any]]
    is_last: bool


class FhirServer:
    """The server at ``base``, such as ``https://journal.example/fhir``; ``timeout`` is in seconds, for each request.

    ``token_file`` holds a bearer token, read anew for each request so that it may be replaced while the gateway runs;
    ``tls`` tells how the server is verified and what it is shown, where that is not as the machine has it.

    Raises:
        ConfigurationError: the address would send health data in clear over a network.
    """

    def __init__(
        self,
        base: str,
        *,
        token_file: Path | None = None,
        timeout: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(base)
        if parts.hostname is None or not (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        ):
            raise ConfigurationError(BAD_ADDRESS.at())
        self.base = base.rstrip("/")
        self._token_file = token_file
        self._timeout = timeout
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open nothing yet: the first request does."""
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ping(self) -> None:
        """Return when the server says what it can do. Raises :class:`DependencyDownError`."""
        await self._get(f"{self.base}/metadata?_summary=true")

    async def transaction(self, bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Send a transaction and return the ``response`` of each of its entries, in order.

        Raises:
            DependencyDownError: no answer, or none that can be understood; what became of it is not known.
            RefusedError: the server said no, for good.
        """
        _, content = await self._request("POST", self.base, body=as_bytes(dict(bundle)))
        answer = _resource(content, "Bundle")
        responses = [entry.get("response") if isinstance(entry, dict) else None for entry in _list(answer.get("entry"))]
        found: list[Mapping[str, Any]] = [one for one in responses if isinstance(one, dict)]
        if answer.get("type") != "transaction-response" or len(found) != len(bundle["entry"]):
            raise DependencyDownError(UNREADABLE.at())
        for one in found:
            if not str(one.get("status", "")).startswith("2"):
                raise DependencyDownError(UNREADABLE.at())
        return found

    async def read(self, reference: str) -> dict[str, Any] | None:
        """Return the resource ``Type/id``, or ``None`` where the server has none, or shows none.

        Raises:
            DependencyDownError: no answer, or none that can be understood.
            RefusedError: the server does not let it be read.
        """
        kind = reference.partition("/")[0]
        try:
            content = await self._get(f"{self.base}/{reference}", absent=(403, 404, 410))
        except FileNotFoundError:
            return None
        return _resource(content, kind)

    async def search(self, kind: str, parameters: Mapping[str, str]) -> AsyncGenerator[Page, None]:
        """Yield the pages of resources of a ``kind`` that a search finds: none where it has no such kind at all.

        Raises:
            DependencyDownError: no answer, none that can be understood, or a next page on another server.
            RefusedError: the server does not take the search.
        """
        address: str | None = f"{self.base}/{kind}"
        asked: Mapping[str, str] | None = parameters
        for _ in range(PAGES):
            if address is None:
                return
            try:
                page = _resource(await self._get(address, asked, absent=(404,) if asked is not None else ()), "Bundle")
            except FileNotFoundError:
                log.debug("fhir.kind_absent", kind=kind)
                return
            entries = [entry.get("resource") for entry in _list(page.get("entry")) if isinstance(entry, dict)]
            address, asked = self._next_page(page), None
            found = [one for one in entries if isinstance(one, dict) and one.get("resourceType") == kind]
            yield Page(found, is_last=address is None)
        if address is not None:
            raise DependencyDownError(UNREADABLE.at())

    def _next_page(self, page: Mapping[str, Any]) -> str | None:
        for link in _list(page.get("link")):
            if isinstance(link, dict) and link.get("relation") == "next":
                address = str(link.get("url"))
                if urlsplit(address)[:2] != urlsplit(self.base)[:2]:
                    raise DependencyDownError(UNREADABLE.at())
                return address
        return None

    async def _get(
        self, address: str, parameters: Mapping[str, str] | None = None, *, absent: tuple[int, ...] = ()
    ) -> bytes:
        status, content = await self._request("GET", address, parameters=parameters, allowed=absent)
        if status in absent:
            raise FileNotFoundError
        return content

    async def _request(
        self,
        method: str,
        address: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        allowed: tuple[int, ...] = (),
    ) -> tuple[int, bytes]:
        headers = {"Accept": MEDIA_TYPE, **await self._authorization()}
        if body is not None:
            headers |= {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8", "Prefer": "return=minimal"}
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._opened().request(
                    method, address, params=parameters, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                content = await _bounded(response)
                status = response.status
        except TimeoutError:
            raise DependencyDownError(SILENT.at(seconds=f"{self._timeout:g}")) from None
        except (aiohttp.ClientError, OSError, ValueError):  # ValueError: an address that is none, from the server
            raise DependencyDownError(UNREACHABLE.at()) from None
        if status not in allowed:
            _judge(status, content)
        return status, content

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A connection for each request: on one that is used again, an answer that comes twice would be taken for
            # the answer to the next request.
            connector = aiohttp.TCPConnector(ssl=self._tls or True, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def _authorization(self) -> dict[str, str]:
        if self._token_file is None:
            return {}
        try:
            token = (await asyncio.to_thread(self._token_file.read_text, encoding="ascii")).strip()
        except (OSError, UnicodeDecodeError):
            raise DependencyDownError(NO_TOKEN.at()) from None
        if not token or not token.isprintable():
            raise DependencyDownError(NO_TOKEN.at())
        return {"Authorization": f"Bearer {token}"}


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_any():
        length += len(part)
        if length > LONGEST_ANSWER:
            raise DependencyDownError(UNREADABLE.at())
        parts.append(part)
    return b"".join(parts)


def _judge(status: int, content: bytes) -> None:
    if 200 <= status < 300:
        return
    if 400 <= status < 500 and status not in _NOT_ABOUT_CONTENT:
        codes = _issue_codes(content)
        # Without an OperationOutcome something on the way may have said so: that is no reason to give a message up.
        if codes is not None:
            raise RefusedError([REFUSED.at(status=status, code=code) for code in codes or ("–",)])
    raise DependencyDownError(TROUBLED.at(status=status))


def _issue_codes(content: bytes) -> tuple[str, ...] | None:
    """Return the codes of the issues of an OperationOutcome, each once; ``None`` where the answer is no such thing."""
    try:
        issues = _list(_resource(content, "OperationOutcome").get("issue"))
    except DependencyDownError:
        return None
    codes = [issue.get("code") for issue in issues if isinstance(issue, dict)]
    return tuple(dict.fromkeys(code for code in codes if isinstance(code, str) and _ISSUE.fullmatch(code)))


def _resource(content: bytes, kind: str) -> dict[str, Any]:
    try:
        found = read_json(content)
    except InvalidDocumentError:
        raise DependencyDownError(UNREADABLE.at()) from None
    if not isinstance(found, dict) or found.get("resourceType") != kind:
        raise DependencyDownError(UNREADABLE.at())
    return found


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
