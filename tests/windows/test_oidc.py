"""Logging in with an identity provider: a real one, over HTTP, that also tells what is not true."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from build import CLINIC, NOON, OFFICE
from windows.identity_provider import (
    AUDIENCE,
    CLIENT,
    SECRET,
    Claims,
    IdentityProvider,
    ec_key,
    ed_key,
    jwk,
    public_pem,
    rsa_key,
    signed,
)

from gateway.access import AccessRefusedError, Actor, Role
from gateway.clock import ManualClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import ConfigurationError, DependencyDownError, GatewayError
from gateway.resources import demo_directory
from gateway.sessions import session_of
from gateway.store import Store, audit
from gateway.store.audit import Wanted
from gateway.web.authorization import Authorization
from gateway.web.oidc import CALLBACK, OidcLogin
from gateway.web.refusals import status_of

DIRECTORY = Directory.load(demo_directory())
STAFF = "SE2120001355-P000000000117"
ASSIGNMENT = "SE2120001355-U000000000001"
PERSON = {
    "employeeHsaId": STAFF,
    "commissionHsaId": ASSIGNMENT,
    "healthCareUnitHsaId": OFFICE,
    "roles": ["offline_access", "sip-enhet"],
}
ROLES = {"sip-drift": "operator *", "sip-enhet": "operator", "sip-insyn": "reader"}


@dataclass
class Pages:
    """The pages of a gateway with a provider, and a browser before them."""

    provider: IdentityProvider
    clock: ManualClock
    store: Store
    login: OidcLogin
    browser: aiohttp.ClientSession
    url: str

    async def log_in(self, back: str = "/inbox") -> tuple[int, Any, str]:
        """Go to log in and follow wherever one is sent; return status, what is told at the end, and where that is."""
        return await self.go(f"{self.url}/login/oidc", {"next": back})

    async def go(self, address: str, query: dict[str, str] | None = None) -> tuple[int, Any, str]:
        async with self.browser.get(address, params=query) as answer:
            return answer.status, await answer.json(), answer.url.path_qs

    async def log(self) -> list[tuple[str | None, ...]]:
        async with self.store.reading() as tx:
            found = await audit.find(tx, Wanted(), limit=100)
        return [tuple(row.said[name] for name in ("action", "by", "assignment", "unit", "code")) for row in found]


def settings_for(folder: Path, provider: IdentityProvider, url: str, **more: Any) -> Settings:
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    values = {
        "party": "kommun",
        "public_url": url + "/",
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret_file": folder / "secret",
        "oidc_audience": AUDIENCE,
        "oidc_roles": ROLES,
    }
    return Settings.model_validate(values | more)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the tables and no rows: a copy is there faster than a migration."""

    async def brought_up() -> None:
        async with Store(f"sqlite+aiosqlite:///{file}"):
            pass

    file = tmp_path_factory.mktemp("oidc") / "gateway.sqlite"
    asyncio.run(brought_up())
    return file


@asynccontextmanager
async def pages_of(folder: Path, empty: Path, **more: Any) -> AsyncIterator[Pages]:
    """Run a provider and the two handlers, each on a port of its own."""
    clock = ManualClock(NOON)
    provider = IdentityProvider(clock, dict(PERSON))
    shutil.copy(empty, folder / "gateway.sqlite")

    async def start(request: web.Request) -> web.StreamResponse:
        return await told(login.start, request)

    async def callback(request: web.Request) -> web.StreamResponse:
        return await told(login.callback, request)

    async def told(handler: Callable[[web.Request], Any], request: web.Request) -> web.StreamResponse:
        try:
            found: web.StreamResponse = await handler(request)
        except GatewayError as error:
            return web.json_response({"codes": error.codes}, status=status_of(error).value)
        return found

    async def page(request: web.Request) -> web.Response:
        session = await session_of(store, request.cookies.get("session", ""), clock.now())
        return web.json_response({"name": session.actor.name})

    app = web.Application()
    app.router.add_get("/login/oidc", start)
    app.router.add_get(CALLBACK, callback)
    app.router.add_get("/{rest:.*}", page)
    gateway = TestServer(app)
    await provider.server.start_server()
    await gateway.start_server()
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        Store(f"sqlite+aiosqlite:///{folder / 'gateway.sqlite'}", migrates=False) as store,
        aiohttp.ClientSession(cookie_jar=jar) as browser,
    ):
        url = str(gateway.make_url("")).rstrip("/")
        settings = settings_for(folder, provider, url, **more)
        login = OidcLogin(settings, store, clock, DIRECTORY, lambda answer, value: answer.set_cookie("session", value))
        try:
            yield Pages(provider, clock, store, login, browser, url)
        finally:
            await login.close()
            await gateway.close()
            await provider.server.close()


@pytest.fixture
async def pages(tmp_path: Path, empty: Path) -> AsyncIterator[Pages]:
    async with pages_of(tmp_path, empty) as opened:
        yield opened


def actor_at(pages: Pages) -> Any:
    (cookie,) = [one.value for one in pages.browser.cookie_jar if one.key == "session"]
    return session_of(pages.store, cookie, pages.clock.now())


# --- people -----------------------------------------------------------------------------------------------------------


async def test_a_person_goes_to_the_provider_and_comes_back_with_a_session(pages: Pages) -> None:
    assert await pages.log_in("/inbox?unit=1") == (200, {"name": STAFF}, "/inbox?unit=1")
    session = await actor_at(pages)
    assert session.actor == Actor(name=STAFF, role=Role.OPERATOR, units=frozenset({OFFICE}), assignment=ASSIGNMENT)
    assert [one.key for one in pages.browser.cookie_jar] == ["session"]
    assert await pages.log() == [("session.begun", STAFF, ASSIGNMENT, OFFICE, None)]
    await pages.log_in()
    assert pages.provider.asked["/.well-known/openid-configuration"] == pages.provider.asked["/keys"] == 1
    verifiers = [form["code_verifier"] for form in pages.provider.forms]
    assert len(set(verifiers)) == 2


async def test_what_a_browser_keeps_meanwhile_is_for_the_gateway_alone_and_short_lived(
    tmp_path: Path, empty: Path
) -> None:
    async with (
        pages_of(tmp_path, empty, public_url="https://gateway.example") as pages,
        pages.browser.get(f"{pages.url}/login/oidc", allow_redirects=False) as answer,
    ):
        cookie = answer.cookies["__Host-login"]
        asked = answer.headers["Location"]
    assert (answer.status, cookie["max-age"], cookie["path"], cookie["samesite"]) == (303, "600", "/", "Lax")
    assert cookie["secure"]
    assert cookie["httponly"]
    assert "redirect_uri=https%3A%2F%2Fgateway.example%2Flogin%2Foidc%2Fcallback&" in asked
    secret = cookie.value.partition(".")[0]
    assert secret not in asked


@pytest.mark.parametrize(
    "elsewhere",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:1", "/\t/elsewhere", ""],
)
async def test_nobody_is_led_elsewhere_after_logging_in(pages: Pages, elsewhere: str) -> None:
    assert await pages.log_in(elsewhere) == (200, {"name": STAFF}, "/")


async def test_a_way_back_that_is_no_text_is_none(pages: Pages) -> None:
    async with pages.browser.get(f"{pages.url}/login/oidc?next=/%ED%A0%80%0a", allow_redirects=False) as answer:
        assert answer.status == 303
    (errand,) = [Authorization.read(one.value, pages.clock.now()) for one in pages.browser.cookie_jar]
    assert errand is not None
    assert errand.back == "/"


async def test_a_way_back_that_no_cookie_can_hold_ends_on_the_first_page(pages: Pages) -> None:
    assert (await pages.log_in("/messages?q=" + "x" * 1490))[2] == "/"
    assert (await pages.log_in("/messages?q=" + "x" * 1400))[2].startswith("/messages?q=x")


def forged_with(header: dict[str, Any], key: Any) -> Callable[[Claims], str]:
    return lambda claims: signed(claims, key, header)


RIGHT = {"alg": "RS256", "kid": "first"}
UNTRUE: dict[str, Callable[[IdentityProvider], None]] = {}


def untrue(name: str, **claims: Any) -> None:
    """Note a lie about claims; one that is ``None`` is left out."""

    def lie(provider: IdentityProvider) -> None:
        provider.alter = lambda said: {
            key: value(provider) if callable(value) else value
            for key, value in {**said, **claims}.items()
            if value is not None
        }

    UNTRUE[name] = lie


def forged(name: str, header: dict[str, Any], key: Callable[[], Any]) -> None:
    def lie(provider: IdentityProvider) -> None:
        provider.sign = forged_with(header, key())

    UNTRUE[name] = lie


untrue("another nonce", nonce="other")
untrue("no nonce", nonce=None)
untrue("a nonce that is a number", nonce=1)
untrue("a nonce that is no text", nonce="\ud800")
untrue("for another", aud="other")
untrue("for nobody", aud=None)
untrue("for several, and not to us", aud=[CLIENT, "other"])
untrue("to another of several", aud=[CLIENT, "other"], azp="other")
untrue("to another", azp="other")
untrue("expired", exp=lambda provider: provider.seconds(-60))
untrue("never expires", exp=None)
untrue("expires as a text", exp="9999999999")
untrue("expires as no number", exp=float("nan"))
untrue("not yet", nbf=lambda provider: provider.seconds(61))
untrue("issued in the future", iat=lambda provider: provider.seconds(61))
untrue("issued at no time", iat=None)
untrue("by another issuer", iss="https://elsewhere.example")
untrue("by nobody", iss=None)
untrue("about nobody", sub=None)
forged("not signed", {"alg": "none"}, lambda: None)
forged("not signed, with a key named", {"alg": "none", "kid": "first"}, lambda: None)
forged("signed with the public key as a secret", {"alg": "HS256", "kid": "first"}, lambda: public_pem(rsa_key("first")))
forged("signed with no secret", {"alg": "HS256"}, lambda: b"")
forged("signed with another key", RIGHT, lambda: rsa_key("second"))
forged("signed with a key nobody knows", {"alg": "RS256", "kid": "other"}, lambda: rsa_key("second"))
forged("signed with a key it brings", {**RIGHT, "jwk": jwk(rsa_key("second"), "first")}, lambda: rsa_key("second"))
forged("signed as nobody may", {"alg": "RS1", "kid": "first"}, lambda: None)
forged("with what must be understood", {**RIGHT, "crit": ["exp"], "exp": 1}, lambda: rsa_key("first"))


def _set_sign(provider: IdentityProvider, sign: Callable[[Claims], str]) -> None:
    provider.sign = sign


UNTRUE["cut off"] = lambda provider: _set_sign(provider, lambda claims: provider.signed(claims)[:-1])
UNTRUE["no token"] = lambda provider: _set_sign(provider, lambda _: "å.å.å")
UNTRUE["too deep"] = lambda provider: _set_sign(provider, lambda _: "W1tb" * 2000 + ".e30.e30")
UNTRUE["no object"] = lambda provider: _set_sign(provider, lambda _: signed([1], rsa_key("first"), RIGHT))  # type: ignore[arg-type]


async def test_what_does_not_hold_logs_nobody_in(pages: Pages) -> None:
    for name, lie in UNTRUE.items():
        pages.provider.alter, pages.provider.sign = dict, None
        lie(pages.provider)
        pages.clock.advance(timedelta(minutes=1))
        assert (await pages.log_in())[:2] == (403, {"codes": ["login.identity-refused"]}), name
    assert await pages.log() == []
    assert [one.key for one in pages.browser.cookie_jar] == ["login"]
    pages.provider.alter, pages.provider.sign = dict, None
    assert (await pages.log_in())[0] == 200


async def test_clocks_may_differ_by_a_minute(pages: Pages) -> None:
    times = {"exp": pages.provider.seconds(-59), "iat": pages.provider.seconds(60), "nbf": pages.provider.seconds(60)}
    pages.provider.alter = lambda said: said | times
    assert (await pages.log_in())[0] == 200


async def test_only_the_browser_that_left_comes_back_in_time_and_once(pages: Pages) -> None:
    async def leave() -> str:
        async with pages.browser.get(f"{pages.url}/login/oidc", allow_redirects=False) as answer:
            where = answer.headers["Location"]
        async with pages.browser.get(where, allow_redirects=False) as answer:
            return answer.headers["Location"]

    not_begun = (403, {"codes": ["login.not-begun"]})
    first = await leave()
    assert (await pages.go(first.replace("state=", "state=x")))[:2] == not_begun
    assert (await pages.go(first.partition("&state=")[0]))[:2] == not_begun
    assert (await pages.go(first.replace("iss=http", "iss=https")))[:2] == not_begun
    async with aiohttp.ClientSession() as another, another.get(first) as answer:
        assert (answer.status, await answer.json()) == not_begun
    pages.clock.advance(timedelta(minutes=10))
    assert (await pages.go(first))[:2] == not_begun
    second = await leave()
    cookie = next(one.value for one in pages.browser.cookie_jar if one.key == "login")
    assert (await pages.go(first))[:2] == not_begun
    assert (await pages.go(second))[:2] == (200, {"name": STAFF})
    pages.browser.cookie_jar.update_cookies({"login": cookie})  # somebody who has seen all of it
    assert (await pages.go(second))[:2] == (403, {"codes": ["login.code-refused"]})
    third, fourth = await leave(), await leave()
    theirs = third.partition("code=")[2].partition("&")[0]
    mine = fourth.partition("code=")[2].partition("&")[0]
    # A code that was given to another errand is no good here: PKCE.
    assert (await pages.go(fourth.replace(mine, theirs)))[:2] == (403, {"codes": ["login.code-refused"]})
    assert (await pages.go(fourth.replace(f"code={mine}", "error=access_denied")))[:2] == (
        403,
        {"codes": ["login.denied"]},
    )
    assert (await pages.go(fourth.replace(f"code={mine}", "code=")))[:2] == (403, {"codes": ["login.denied"]})


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"roles": ["offline_access"]}, "login.no-role"),
        ({"roles": "SIP-ENHET"}, "login.no-role"),
        ({"roles": {"sip-enhet": True}}, "login.no-role"),
        ({"healthCareUnitHsaId": CLINIC}, "login.no-unit"),
        ({"healthCareUnitHsaId": ["*"]}, "login.no-unit"),
        ({"healthCareUnitHsaId": None}, "login.no-unit"),
    ],
)
async def test_whoever_has_no_role_or_unit_here_is_refused_and_in_the_log(
    pages: Pages, claims: Claims, code: str
) -> None:
    pages.provider.person |= claims
    assert (await pages.log_in())[:2] == (403, {"codes": [code]})
    assert await pages.log() == [("login.refused", STAFF, None, None, code)]


@pytest.mark.parametrize("name", [None, "", "198509129808", "Alva Testberg", STAFF[:-1] + "å", [STAFF, STAFF], 7])
async def test_whoever_has_no_hsa_id_is_refused_and_named_nowhere(
    pages: Pages, name: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pages.provider.person["employeeHsaId"] = name
    assert (await pages.log_in())[:2] == (403, {"codes": ["login.no-name"]})
    assert await pages.log() == []
    told = capsys.readouterr()
    assert [word for word in ("198509129808", "Testberg") if word in told.out + told.err] == []


@pytest.mark.parametrize(
    ("claims", "role", "units", "assignment"),
    [
        ({"roles": ["sip-insyn", "sip-enhet"]}, Role.OPERATOR, {OFFICE}, ASSIGNMENT),
        ({"roles": "sip-insyn"}, Role.READER, {OFFICE}, ASSIGNMENT),
        ({"roles": ["sip-enhet", "sip-drift"], "healthCareUnitHsaId": None}, Role.OPERATOR, None, ASSIGNMENT),
        ({"healthCareUnitHsaId": [CLINIC, OFFICE]}, Role.OPERATOR, {OFFICE}, ASSIGNMENT),
        ({"commissionHsaId": "Chef på enheten"}, Role.OPERATOR, {OFFICE}, None),
    ],
)
async def test_the_role_is_the_first_that_the_settings_list_and_units_are_the_partys_own(
    pages: Pages, claims: Claims, role: Role, units: set[str] | None, assignment: str | None
) -> None:
    pages.provider.person |= claims
    assert (await pages.log_in())[0] == 200
    actor = (await actor_at(pages)).actor
    assert (actor.role, actor.units, actor.assignment) == (role, units and frozenset(units), assignment)


async def test_claims_may_have_other_names_lie_deeper_and_be_told_beside_the_token(tmp_path: Path, empty: Path) -> None:
    named = {"oidc_role_claim": "realm_access.roles", "oidc_units_claim": "https://id.example/units"}
    async with pages_of(tmp_path, empty, oidc_client_secret_file=None, **named) as pages:
        pages.provider.secret = None
        pages.provider.person = {"employeeHsaId": STAFF}
        pages.provider.more = {"realm_access": {"roles": ["sip-insyn"]}, "https://id.example/units": [OFFICE]}
        pages.provider.more["employeeHsaId"] = "SE2120001355-P000000000125"  # what is signed stands
        assert (await pages.log_in())[1] == {"name": STAFF}
        assert (await actor_at(pages)).actor.role is Role.READER
        pages.provider.more["sub"] = "s-2"
        assert (await pages.log_in())[:2] == (503, {"codes": ["oidc.unreadable"]})
        pages.provider.document["userinfo_endpoint"] = "http://elsewhere.example/"
        pages.clock.advance(timedelta(hours=1))
        assert (await pages.log_in())[:2] == (503, {"codes": ["oidc.unreadable"]})


# --- a provider in trouble --------------------------------------------------------------------------------------------


def said(status: int, text: str = "{}", **headers: str) -> Callable[[], web.Response]:
    return lambda: web.Response(status=status, text=text, headers=headers)


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        (DISCOVERY, said(500), "oidc.down"),
        (DISCOVERY, said(404), "oidc.unreadable"),
        (DISCOVERY, said(302, Location="/keys"), "oidc.unreadable"),
        (DISCOVERY, said(200, "<html>"), "oidc.unreadable"),
        (DISCOVERY, said(200, "[]"), "oidc.unreadable"),
        (DISCOVERY, said(200, "{}"), "oidc.other-issuer"),
        (DISCOVERY, said(200, json.dumps({"x": "x" * 600_000})), "oidc.unreadable"),
        ("/keys", said(503), "oidc.down"),
        ("/keys", said(200, '{"keys": 1}'), "login.identity-refused"),
        ("/token", said(500), "oidc.down"),
        ("/token", said(200, "{}"), "oidc.unreadable"),
        ("/token", said(401), "oidc.client-refused"),
        ("/token", said(400, '{"error": "unauthorized_client"}'), "oidc.client-refused"),
        ("/token", said(400, '{"error": "invalid_grant"}'), "login.code-refused"),
    ],
)
async def test_a_provider_in_trouble_is_told_as_what_it_is(
    pages: Pages, path: str, answer: Callable[[], web.Response], code: str
) -> None:
    pages.provider.instead = {path: answer}
    status = 503 if code.startswith("oidc.") else 403
    assert (await pages.log_in())[:2] == (status, {"codes": [code]})
    assert await pages.log() == []
    pages.provider.instead = {}
    pages.clock.advance(timedelta(minutes=1))
    assert (await pages.log_in())[0] == 200


@pytest.mark.parametrize("place", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_a_provider_that_sends_people_or_secrets_over_open_lines_is_not_used(pages: Pages, place: str) -> None:
    for address in ("http://elsewhere.example/x", "/authorize", 7, None):
        pages.provider.document[place] = address
        assert (await pages.log_in())[:2] == (503, {"codes": ["oidc.unreadable"]})
        pages.clock.advance(timedelta(seconds=5))


async def test_a_provider_that_does_not_answer_is_left_alone_for_some_seconds(pages: Pages) -> None:
    pages.provider.instead = {DISCOVERY: said(500)}
    for seconds, asked in ((0, 1), (4, 1), (1, 2)):
        pages.clock.advance(timedelta(seconds=seconds))
        assert (await pages.log_in())[0] == 503
        assert pages.provider.asked[DISCOVERY] == asked
    await pages.provider.server.close()
    pages.clock.advance(timedelta(seconds=5))
    assert (await pages.log_in())[:2] == (503, {"codes": ["oidc.down"]})


# --- programs ---------------------------------------------------------------------------------------------------------

PROGRAM = {"roles": ["sip-insyn"], "healthCareUnitHsaId": [OFFICE]}


async def refused(pages: Pages, token: str) -> bool:
    try:
        await pages.login.actor_of(token)
    except AccessRefusedError as error:
        return error.codes == ("access.token-refused",)
    return False


async def test_a_program_is_known_by_what_it_is_called_and_a_person_by_their_hsa_id(pages: Pages) -> None:
    provider = pages.provider
    actor = await pages.login.actor_of(provider.signed(provider.access_claims(**PROGRAM)))
    assert actor == Actor(name="oidc:portal", role=Role.READER, units=frozenset({OFFICE}))
    person = await pages.login.actor_of(provider.signed(provider.access_claims(**PERSON)))
    assert (person.name, person.assignment) == (STAFF, ASSIGNMENT)
    names = set()
    for client in ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3302"):
        names.add(
            (await pages.login.actor_of(provider.signed(provider.access_claims(client_id=client, **PROGRAM)))).name
        )
    assert {len(name) for name in names} == {31}
    assert len(names) == 2
    for wrong in ("", "å", "x" * 101, "198509129808", 7, None):
        said_so = provider.access_claims(client_id=wrong, **PROGRAM)
        assert await refused(pages, provider.signed(said_so)), wrong


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", lambda: rsa_key("first")), ("PS256", lambda: rsa_key("first")), ("ES256", ec_key), ("EdDSA", ed_key)],
)
async def test_tokens_are_taken_in_every_algorithm_with_a_private_key(
    pages: Pages, algorithm: str, key: Callable[[], Any]
) -> None:
    pages.provider.keys = {"one": rsa_key("second"), "two": key()}
    claims = pages.provider.access_claims(**PROGRAM)
    more = {"typ": "at+jwt", "x5t#S256": "x" * 43, "vendor": True}
    token = signed(claims, key(), {"alg": algorithm, "kid": "two", **more})
    assert (await pages.login.actor_of(token)).name == "oidc:portal"
    assert await refused(pages, token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1])
    assert await refused(pages, signed(claims, key(), {"alg": algorithm, "kid": "one"}))
    # Which of several keys it is must be said; of one alone, it need not.
    unnamed = signed(claims, rsa_key("second"), {"alg": "RS256"})
    assert await refused(pages, unnamed)
    pages.provider.keys = {"one": rsa_key("second")}
    pages.clock.advance(timedelta(minutes=1))
    assert await refused(pages, signed(claims, key(), {"alg": algorithm, "kid": "three"}))
    assert not await refused(pages, unnamed)


async def test_a_token_that_does_not_hold_is_refused_whatever_the_reason(pages: Pages) -> None:
    provider, first = pages.provider, rsa_key("first")
    right = provider.access_claims(**PROGRAM)
    assert not await refused(pages, provider.signed(right))
    for wrong in (
        right | {"aud": CLIENT},
        right | {"iss": "https://elsewhere.example"},
        right | {"exp": provider.seconds(-60)},
        right | {"nbf": provider.seconds(61)},
        right | {"nonce": "n", "aud": [CLIENT, AUDIENCE]},  # an ID token: made for logging in, and no more
        right | {"roles": []},
        right | {"healthCareUnitHsaId": [CLINIC]},
    ):
        assert await refused(pages, provider.signed(wrong)), wrong
    for header, key in (
        ({"alg": "none"}, None),
        ({"alg": "HS256", "kid": "first"}, public_pem(first)),
        ({"alg": "RS256", "kid": "first"}, rsa_key("second")),
    ):
        assert await refused(pages, signed(right, key, header)), header
    for text in ("", "..", "a.b.c", "\ud800.x.y", "." * 9000, "gateway_" + "A" * 43):
        assert await refused(pages, text)
    assert await pages.log() == []


async def test_without_an_audience_no_token_of_the_provider_is_taken(tmp_path: Path, empty: Path) -> None:
    async with pages_of(tmp_path, empty, oidc_audience=None) as pages:
        for audience in (AUDIENCE, CLIENT, None, "None"):
            claims = pages.provider.access_claims(aud=audience, **PROGRAM)
            assert await refused(pages, pages.provider.signed(claims))
        assert pages.provider.asked["/keys"] == 0


async def test_new_keys_are_fetched_when_one_is_not_known_once_a_minute_and_old_ones_go_within_an_hour(
    pages: Pages,
) -> None:
    provider = pages.provider
    old = provider.signed(provider.access_claims(exp=provider.seconds(9000), **PROGRAM))
    await pages.login.actor_of(old)
    provider.keys = {"second": rsa_key("second")}
    new = provider.signed(provider.access_claims(exp=provider.seconds(9000), **PROGRAM))
    for seconds, is_refused, asked in ((0, True, 1), (59, True, 1), (1, False, 2), (0, False, 2)):
        pages.clock.advance(timedelta(seconds=seconds))
        assert (await refused(pages, new), provider.asked["/keys"]) == (is_refused, asked)
    assert await refused(pages, old)
    for _ in range(3):  # strangers do not make the gateway ask on and on
        assert await refused(pages, signed(provider.access_claims(), rsa_key("first"), {"alg": "RS256", "kid": "x"}))
    assert provider.asked["/keys"] == 2
    provider.keys = {"third": rsa_key("first")}
    pages.clock.advance(timedelta(minutes=59))
    assert not await refused(pages, new)
    pages.clock.advance(timedelta(minutes=1))
    assert await refused(pages, new)
    assert provider.asked["/keys"] == 3
    pages.clock.advance(timedelta(hours=1))
    provider.instead = {"/keys": said(503)}
    with pytest.raises(DependencyDownError):
        await pages.login.actor_of(new)


async def test_keys_that_may_not_show_a_signature_are_passed_over(pages: Pages) -> None:
    provider = pages.provider
    claims = provider.access_claims(**PROGRAM)
    short = rsa_key("short", 1024)
    provider.extra_keys = [
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        jwk(short, "short"),
        jwk(rsa_key("second"), "sealing") | {"use": "enc"},
        jwk(rsa_key("second"), "first") | {"use": "enc"},
        {"kty": "RSA", "kid": "broken"},
        {"kty": "AKP", "kid": "later"},
        jwk(rsa_key("second"), "bound", alg="PS256"),
        7,  # type: ignore[list-item]
    ]
    for kid, key, algorithm in (
        ("secret", b"secret", "HS256"),
        ("short", short, "RS256"),
        ("sealing", rsa_key("second"), "RS256"),
        ("broken", rsa_key("second"), "RS256"),
        ("bound", rsa_key("second"), "RS256"),
    ):
        assert await refused(pages, signed(claims, key, {"alg": algorithm, "kid": kid})), kid
    assert not await refused(pages, signed(claims, rsa_key("second"), {"alg": "PS256", "kid": "bound"}))
    assert not await refused(pages, provider.signed(claims))


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"oidc_issuer": None}, ["config.oidc-unused"] * 4),
        ({"oidc_client_id": None}, ["config.oidc-needs"]),
        ({"public_url": None}, ["config.oidc-needs"]),
        ({"oidc_roles": {}}, ["config.oidc-needs"]),
        ({"oidc_issuer": "http://idp.example"}, ["config.oidc-in-clear"]),
        ({"public_url": "http://gateway.example"}, ["config.oidc-in-clear"]),
        ({"oidc_roles": {"a": "chef"}}, ["config.oidc-role"]),
        ({"oidc_roles": {"a": "operator all"}}, ["config.oidc-role"]),
        ({"oidc_client_secret_file": Path("/nowhere/secret")}, ["config.secret-unreadable"]),
        ({"oidc_issuer": None, "oidc_client_id": None, "oidc_client_secret_file": None}
         | {"oidc_audience": None, "oidc_roles": {}}, ["login.no-issuer"]),
    ],
)  # fmt: skip
async def test_settings_that_cannot_be_used_are_refused_by_name(
    tmp_path: Path, changed: dict[str, Any], codes: list[str]
) -> None:
    clock = ManualClock(NOON)
    provider = IdentityProvider(clock, {})
    await provider.server.start_server()
    settings = settings_for(tmp_path, provider, "https://gateway.example", **changed)
    await provider.server.close()
    store = Store("sqlite+aiosqlite://")
    with pytest.raises(ConfigurationError) as caught:
        OidcLogin(settings, store, clock, DIRECTORY, lambda *_: None)
    assert list(caught.value.codes) == codes
