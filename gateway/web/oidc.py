"""Logging in with an identity provider: the authorization code flow with PKCE for people, access tokens for programs.

A person is sent to the provider and comes back with a code, for which the gateway gets what the provider says of them
(OpenID Connect Core 1.0, 3.1; RFC 7636); they then have a session like any other. A program shows an access token that
the provider has issued for the gateway (RFC 6750, RFC 9068), with each request.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog
from aiohttp import web

from gateway import sessions
from gateway.access import AccessRefusedError, Actor
from gateway.audit import Action, AuditOutcome, Entry
from gateway.clock import Clock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault
from gateway.store import Store, audit
from gateway.tokens import REFUSED as TOKEN_REFUSED
from gateway.web.authorization import LONGEST, Authorization
from gateway.web.claims import Claims
from gateway.web.issuer import Issuer
from gateway.web.oidc_rules import faults_of
from gateway.web.page import own_path
from gateway.web.signed_claims import RefusedTokenError, Wanted

NOT_SET_UP = Fault(
    "login.no-issuer",
    "Ingen inloggningstjänst är angiven (oidc_issuer).",
    "No identity provider is set up (oidc_issuer).",
)
NOT_BEGUN = Fault(
    "login.not-begun",
    "Inloggningen tog för lång tid, eller började i en annan webbläsare; börja om.",
    "Logging in took too long, or began in another browser; begin again.",
)
DENIED = Fault(
    "login.denied",
    "Inloggningstjänsten loggade inte in dig; börja om.",
    "The identity provider did not log you in; begin again.",
)

CALLBACK: Final = "/login/oidc/callback"
"""Where the provider sends people back to; to be registered there, behind ``public_url``."""

log = structlog.get_logger(__name__)


class OidcLogin:
    """Logs people in, and knows programs, by what the provider of the settings says.

    ``keep_session`` lets an answer bring the cookie of a session.

    Raises:
        ConfigurationError: no provider is set up, or not in a way that can be used.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        directory: Directory,
        keep_session: Callable[[web.Response, str], None],
        *,
        draw: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if findings := faults_of(settings):
            raise ConfigurationError(findings)
        if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.public_url is None:
            raise ConfigurationError(NOT_SET_UP.at())
        self._store, self._clock, self._keep_session, self._draw = store, clock, keep_session, draw
        self._settings = settings
        self._client = settings.oidc_client_id
        self._audience = settings.oidc_audience
        self._redirect = settings.public_url.rstrip("/") + CALLBACK
        self._is_encrypted = settings.public_url.startswith("https:")
        self._claims = Claims.read_by(settings, directory)
        self._issuer = Issuer(settings.oidc_issuer, clock)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._issuer.close()

    async def start(self, request: web.Request) -> web.Response:
        """Send somebody to the provider; ``next`` is the page of ours that they come back to.

        Raises:
            DependencyDownError: the provider does not answer.
        """
        places = await self._issuer.places()
        back = own_path(request.query.get("next", "/"))
        errand = Authorization.begin(back, self._clock.now(), self._draw)
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": self._redirect,
            "scope": self._settings.oidc_scopes,
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": errand.challenge,
            "code_challenge_method": "S256",
        }
        separator = "&" if urlsplit(places.authorization).query else "?"
        answer = _to(places.authorization + separator + urlencode(asked))
        answer.set_cookie(
            self._cookie,
            errand.written(),
            path="/",
            max_age=int(LONGEST.total_seconds()),
            httponly=True,
            secure=self._is_encrypted,
            samesite="Lax",  # it must come along when the provider sends the browser back
        )
        return answer

    async def callback(self, request: web.Request) -> web.Response:
        """Log in whoever comes back from the provider, and lead them to where they wanted to go.

        Raises:
            AccessRefusedError: they did not begin here, the provider did not log them in, what it says does not hold,
                or they have no role or no unit here, which is kept in the audit log.
            DependencyDownError: the provider or the database does not answer.
        """
        now = self._clock.now()
        errand = Authorization.read(request.cookies.get(self._cookie, ""), now)
        if errand is None or not errand.is_answered_by(request.query.get("state", "")):
            raise AccessRefusedError(NOT_BEGUN.at())
        if request.query.get("iss", self._issuer.name) != self._issuer.name:  # RFC 9207: mixed up with another
            raise AccessRefusedError(NOT_BEGUN.at())
        code = request.query.get("code", "")
        if "error" in request.query or not code:
            log.info("login.denied")
            raise AccessRefusedError(DENIED.at())
        actor = await self._person_of(code, errand)
        async with self._store.writing() as tx:
            value = await sessions.begin(tx, actor, self._clock.now(), draw=self._draw)
        answer = _to(own_path(errand.back))
        self._keep_session(answer, value)
        answer.del_cookie(self._cookie, path="/", httponly=True, secure=self._is_encrypted, samesite="Lax")
        return answer

    async def actor_of(self, token: str) -> Actor:
        """Return whoever an access token of the provider stands for.

        Raises:
            AccessRefusedError: ``access.token-refused``, whatever the reason, which is in the log of the service.
            DependencyDownError: the keys of the provider cannot be fetched.
        """
        if self._audience is None:
            raise AccessRefusedError(TOKEN_REFUSED.at())
        try:
            claims = await self._issuer.claims_in(token, Wanted(audience=self._audience))
        except RefusedTokenError:
            raise AccessRefusedError(TOKEN_REFUSED.at()) from None
        try:
            return self._claims.actor_of(self._claims.name_of_any(claims), claims)
        except AccessRefusedError as error:
            log.warning("oidc.token_without_access", code=error.codes[0])
            raise AccessRefusedError(TOKEN_REFUSED.at()) from None

    @property
    def _cookie(self) -> str:
        return "__Host-login" if self._is_encrypted else "login"

    async def _person_of(self, code: str, errand: Authorization) -> Actor:
        brought = await self._issuer.bring(
            code, errand.verifier, self._redirect, self._client, self._settings.oidc_client_secret()
        )
        claims = dict(await self._issuer.claims_in(brought.id_token, Wanted(audience=self._client, nonce=errand.nonce)))
        if brought.access_token is not None and not self._claims.has_all(claims):
            # What was signed stands, whatever is told beside it.
            claims = {**await self._issuer.told_of(brought.access_token, claims["sub"]), **claims}
        name = self._claims.name_of_person(claims)
        try:
            return self._claims.actor_of(name, claims)
        except AccessRefusedError as error:
            await self._keep_refusal(name, error.codes[0])
            raise

    async def _keep_refusal(self, name: str, code: str) -> None:
        entry = Entry(
            at=self._clock.now(),
            by=name,
            action=Action.LOGIN_REFUSED,
            outcome=AuditOutcome.REFUSED,
            code=code,
        )
        async with self._store.writing() as tx:
            await audit.append(tx, entry)


def _to(address: str) -> web.Response:
    headers = {"Location": address, "Cache-Control": "no-store"}
    return web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
