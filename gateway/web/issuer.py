"""The identity provider: where it says it is, the keys it signs with, and what it answers (OpenID Connect Core 1.0).

What it says of itself and its keys are fetched when they are first needed, and kept for an hour. A token signed with a
key that is not known makes them be fetched anew, once a minute at most, so that no stranger makes the gateway ask on
and on; and a provider that did not answer is left alone for some seconds.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus

import aiohttp
import structlog

from gateway.access import AccessRefusedError
from gateway.clock import Clock
from gateway.errors import DependencyDownError, Fault, InvalidDocumentError
from gateway.messages.hardened import read_json
from gateway.web.oidc_rules import is_guarded
from gateway.web.signed_claims import Keys, UnknownKeyError, Wanted, claims_in, keys_in

DOWN: Final = Fault(
    "oidc.down",
    "Inloggningstjänsten svarar inte; försök igen om en stund.",
    "The identity provider does not answer; try again in a while.",
)
UNREADABLE: Final = Fault(
    "oidc.unreadable",
    "Inloggningstjänstens svar går inte att använda.",
    "The answer of the identity provider cannot be used.",
)
NOT_ITSELF: Final = Fault(
    "oidc.other-issuer",
    "Inloggningstjänsten kallar sig något annat än oidc_issuer.",
    "The identity provider calls itself something else than oidc_issuer.",
)
CLIENT_REFUSED: Final = Fault(
    "oidc.client-refused",
    "Inloggningstjänsten godtar inte gatewayen (oidc_client_id, oidc_client_secret_file).",
    "The identity provider does not accept the gateway (oidc_client_id, oidc_client_secret_file).",
)
CODE_REFUSED: Final = Fault(
    "login.code-refused",
    "Inloggningen gick inte att slutföra; börja om.",
    "Logging in could not be finished; begin again.",
)

TIMEOUT: Final = 5.0
"""Seconds that the provider may take for one answer."""
LONGEST_ANSWER: Final = 512 * 1024
"""Most bytes that are read of an answer."""
HOLDS: Final = timedelta(hours=1)
"""How long what the provider says of itself, and its keys, are kept."""
ASKED_ANEW_EVERY: Final = timedelta(minutes=1)
"""How often keys are fetched for one that is not known."""
LEFT_ALONE: Final = timedelta(seconds=5)
"""How long the provider is not asked again after it did not answer."""

_ABOUT_CLIENT = ("invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope")

Kept = TypeVar("Kept")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the provider does what (OpenID Connect Discovery 1.0, 3)."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the provider gave for a code: an ID token, and an access token where it gave one."""

    id_token: str
    access_token: str | None


class Issuer:
    """The provider that calls itself ``name``, such as ``https://idp.example``."""

    def __init__(self, name: str, clock: Clock, *, timeout: float = TIMEOUT) -> None:
        self.name = name
        self._clock = clock
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._turn = asyncio.Lock()
        self._places: tuple[Places, datetime] | None = None
        self._keys: tuple[Keys, datetime] | None = None
        self._failed_at: datetime | None = None

    async def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def places(self) -> Places:
        """Return where the provider does what. Raises :class:`DependencyDownError`."""
        if (found := self._fresh(self._places)) is not None:
            return found
        async with self._turn:
            return await self._current_places()

    async def claims_in(self, token: str, wanted: Wanted) -> Mapping[str, Any]:
        """Return what a token says that the provider has signed.

        Raises:
            RefusedTokenError: it does not hold, or is not as wanted.
            DependencyDownError: the keys cannot be fetched.
        """
        try:
            return claims_in(token, await self._known_keys(), self.name, wanted, self._clock.now())
        except UnknownKeyError:
            keys = await self._newer_keys()
            return claims_in(token, keys, self.name, wanted, self._clock.now())

    async def bring(self, code: str, verifier: str, redirect: str, client: str, secret: str | None) -> Brought:
        """Give a code back for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5).

        Raises:
            AccessRefusedError: ``login.code-refused``: it was used, is too old, or another's.
            DependencyDownError: no answer, none that can be understood, or the gateway itself is not accepted.
        """
        places = await self.places()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        shown = None
        if secret is None:
            form["client_id"] = client
        else:  # RFC 6749, 2.3.1: both are written as in a form before they are put together
            pair = f"{quote_plus(client)}:{quote_plus(secret)}"
            shown = "Basic " + b64encode(pair.encode("ascii")).decode("ascii")
        status, answer = await self._asked("POST", places.token, form=form, shown=shown)
        if status == 200:
            id_token, access_token = answer.get("id_token"), answer.get("access_token")
            if not isinstance(id_token, str):
                raise DependencyDownError(UNREADABLE.at())
            return Brought(id_token=id_token, access_token=access_token if isinstance(access_token, str) else None)
        if status == 401 or answer.get("error") in _ABOUT_CLIENT:
            log.error("oidc.client_refused", status=status)
            raise DependencyDownError(CLIENT_REFUSED.at())
        raise AccessRefusedError(CODE_REFUSED.at())

    async def told_of(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return what the provider tells more of somebody, where it does (OpenID Connect Core 1.0, 5.3).

        Raises:
            DependencyDownError: no answer, or one about somebody else.
        """
        places = await self.places()
        if places.userinfo is None:
            return {}
        status, answer = await self._asked("GET", places.userinfo, shown=f"Bearer {access_token}")
        if status != 200 or answer.get("sub") != subject:
            raise DependencyDownError(UNREADABLE.at())
        return answer

    # --- what is kept -----------------------------------------------------------------------------------------------

    def _fresh(self, kept: tuple[Kept, datetime] | None) -> Kept | None:
        return kept[0] if kept is not None and self._clock.now() - kept[1] < HOLDS else None

    async def _known_keys(self) -> Keys:
        if (found := self._fresh(self._keys)) is not None:
            return found
        async with self._turn:
            found = self._fresh(self._keys)
            return found if found is not None else await self._fetched_keys()

    async def _newer_keys(self) -> Keys:
        """Return the keys, fetched anew unless they were just now."""
        async with self._turn:
            if self._keys is not None and self._clock.now() - self._keys[1] < ASKED_ANEW_EVERY:
                return self._keys[0]
            return await self._fetched_keys()

    async def _fetched_keys(self) -> Keys:
        places = await self._current_places()
        document = await self._fetched(places.keys)
        keys = keys_in(document)
        self._keys = keys, self._clock.now()
        return keys

    async def _current_places(self) -> Places:
        if (found := self._fresh(self._places)) is not None:
            return found
        document = await self._fetched(f"{self.name.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.name:
            raise DependencyDownError(NOT_ITSELF.at())
        places = Places(
            authorization=_address(document, "authorization_endpoint"),
            token=_address(document, "token_endpoint"),
            keys=_address(document, "jwks_uri"),
            userinfo=_address(document, "userinfo_endpoint") if "userinfo_endpoint" in document else None,
        )
        self._places = places, self._clock.now()
        return places

    async def _fetched(self, address: str) -> Mapping[str, Any]:
        now = self._clock.now()
        if self._failed_at is not None and now - self._failed_at < LEFT_ALONE:
            raise DependencyDownError(DOWN.at())
        try:
            status, document = await self._asked("GET", address)
            if status != 200:
                raise DependencyDownError(UNREADABLE.at())
        except DependencyDownError:
            self._failed_at = now
            raise
        return document

    # --- over HTTP --------------------------------------------------------------------------------------------------

    async def _asked(
        self,
        method: str,
        address: str,
        *,
        form: Mapping[str, str] | None = None,
        shown: str | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        """Return the status and the JSON object of an answer; no redirect is followed, so that no secret is led away.

        Raises:
            DependencyDownError: no answer in time, one of a server in trouble, or none that is a JSON object.
        """
        headers = {"Accept": "application/json"}
        if shown is not None:
            headers["Authorization"] = shown
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._opened().request(method, address, data=form, headers=headers, allow_redirects=False) as response,
            ):
                content, status = await _bounded(response), response.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            log.warning("oidc.down", kind=type(error).__name__)
            raise DependencyDownError(DOWN.at()) from None
        if status >= 500:
            log.warning("oidc.down", status=status)
            raise DependencyDownError(DOWN.at())
        try:
            answer = read_json(content)
        except InvalidDocumentError:
            answer = None
        if not isinstance(answer, dict):
            raise DependencyDownError(UNREADABLE.at())
        return status, answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) > LONGEST_ANSWER:
            raise DependencyDownError(UNREADABLE.at())
    return bytes(content)


def _address(document: Mapping[str, Any], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str) or not is_guarded(found):
        raise DependencyDownError(UNREADABLE.at())
    return found
