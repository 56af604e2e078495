"""A small identity provider (OpenID Connect) over real HTTP, with real keys; it misbehaves as a test says.

It signs by itself, with the primitives alone, so that what the gateway verifies was not made by what verifies it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.clock import ManualClock

CLIENT, SECRET, AUDIENCE = "sip-gateway", "hemligt: å/+&", "https://gateway.example/api"

Header, Claims = dict[str, Any], dict[str, Any]


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int, length: int | None = None) -> str:
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


@cache
def rsa_key(name: str, size: int = 2048) -> rsa.RSAPrivateKey:
    """Return a key that the whole run shares by ``name``: making one takes long."""
    return rsa.generate_private_key(65537, size)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str, **more: str) -> dict[str, Any]:
    """Return the public key as a JWK."""
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "kid": kid, "use": "sig", "n": number(numbers.n), "e": number(numbers.e), **more}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        point = public.public_numbers()
        return {"kty": "EC", "kid": kid, "crv": "P-256", "x": number(point.x, 32), "y": number(point.y, 32), **more}
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": b64(raw), **more}


def public_pem(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found


def signature(algorithm: str, key: Any, data: bytes) -> bytes:
    found: bytes
    match algorithm:
        case "RS256":
            found = key.sign(data, padding.PKCS1v15(), SHA256())
        case "PS256":
            found = key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
        case "ES256":
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
            found = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        case "EdDSA" | "Ed25519":
            found = key.sign(data)
        case "HS256":
            found = hmac.digest(key, data, "sha256")
        case _:
            found = b""
    return found


def signed(claims: Claims, key: Any, header: Header) -> str:
    data = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{data}.{b64(signature(header['alg'], key, data.encode()))}"


@dataclass
class IdentityProvider:
    """Logs in whoever comes as ``person``. What is served and signed may be changed while it runs."""

    clock: ManualClock
    person: Claims
    keys: dict[str, Any] = field(default_factory=lambda: {"first": rsa_key("first")})
    """What is told at ``/keys``; tokens are signed with the last of them."""
    extra_keys: list[dict[str, Any]] = field(default_factory=list)
    more: Claims = field(default_factory=dict)
    """What is told at ``/userinfo``."""
    secret: str | None = SECRET
    alter: Callable[[Claims], Claims] = dict
    """Changes the claims of an ID token before it is signed."""
    sign: Callable[[Claims], str] | None = None
    """Signs, in place of the last key with ``RS256``."""
    instead: Mapping[str, Callable[[], web.Response]] = field(default_factory=dict)
    """What is answered at a path in place of the right answer."""
    document: dict[str, Any] = field(default_factory=dict)
    """What the provider says of itself in place of the truth."""
    asked: Counter[str] = field(default_factory=Counter)
    forms: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _given: int = 0

    def __post_init__(self) -> None:
        app = web.Application(middlewares=[self._counting])
        app.router.add_get("/.well-known/openid-configuration", self._tell)
        app.router.add_get("/keys", self._tell_keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def seconds(self, after: int = 0) -> int:
        return int(self.clock.now().timestamp()) + after

    def access_claims(self, **claims: Any) -> Claims:
        """Return what an access token of a program says."""
        times = {"iat": self.seconds(), "exp": self.seconds(300)}
        return {"iss": self.url, "aud": AUDIENCE, "sub": "portal", "client_id": "portal", **times, **claims}

    def signed(self, claims: Claims) -> str:
        kid, key = list(self.keys.items())[-1]
        return signed(claims, key, {"alg": "RS256", "typ": "JWT", "kid": kid})

    @web.middleware
    async def _counting(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked[request.path] += 1
        if request.path in self.instead:
            return self.instead[request.path]()
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _tell(self, _: web.Request) -> web.Response:
        told = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?realm=sip",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
        }
        return web.json_response(told | self.document)

    async def _tell_keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [*self.extra_keys, *(jwk(key, kid) for kid, key in self.keys.items())]})

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert asked["realm"] == "sip"
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert "openid" in asked["scope"].split()
        self._given += 1
        code = f"code-{self._given}"
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{back}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self._codes.pop(form["code"], None)  # a code is good for one try
        shown = b64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked is None or shown != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        times = {"iat": self.seconds(), "exp": self.seconds(300), "auth_time": self.seconds()}
        claims = {"iss": self.url, "aud": CLIENT, "sub": "s-1", "nonce": asked["nonce"], **times, **self.person}
        token = (self.sign or self.signed)(self.alter(claims))
        return web.json_response({"id_token": token, "access_token": "opaque", "token_type": "Bearer"})

    def _is_client(self, request: web.Request, form: Mapping[str, str]) -> bool:
        shown = request.headers.get("Authorization", "")
        if self.secret is None:
            return not shown and form.get("client_id") == CLIENT
        expected = urlencode({CLIENT: self.secret}).replace("=", ":")
        return b64decode(shown.removeprefix("Basic ")).decode() == expected

    async def _userinfo(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer opaque"
        return web.json_response({"sub": "s-1", **self.more})
