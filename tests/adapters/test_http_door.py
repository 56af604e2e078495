"""The door for events over HTTP, on a real socket: who gets in, what is answered, and what it withstands."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from http_side import ANSWER, accepts, certificate, opened, taking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.http_door import HttpDoor
from gateway.adapters.http_events import Entrance, HttpEvents
from gateway.adapters.http_intake import HttpArrival, HttpIntake
from gateway.adapters.http_trial import door_answers
from gateway.adapters.http_trust import Certificates, Signed, Tokens, Trust
from gateway.adapters.signing import Secrets
from gateway.adapters.table import VOCABULARIES
from gateway.adapters.tls import client_side, server_side
from gateway.clock import ManualClock
from gateway.directory import Directory
from gateway.errors import ConfigurationError, DependencyDownError, Fault
from gateway.outbox import EVENT_CONFLICT
from gateway.ports import Event

NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)
SECRETS = Secrets((b"a secret of more than 24 bytes",))
CLOCK = ManualClock(NOW)
TOKEN = "0123456789abcdef" * 2
EVENTS = "/api/v1/events/treserva"
JSON = {"Content-Type": "application/json"}

DOWN = Fault("test.down", "Borta.", "Away.")
WRONG = Fault("test.wrong", "Fel.", "Wrong.")


class KnownKeys:
    """Keys in memory, and a database that may be away."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], str] = {}
        self.is_away = False
        self.paused: set[str] = set()

    async def is_paused(self, name: str) -> bool:
        if self.is_away:
            raise DependencyDownError(DOWN.at())
        return name in self.paused

    async def claim(self, source: str, key: str, content: str) -> bool:
        if self.is_away:
            raise DependencyDownError(DOWN.at())
        return self.known.setdefault((source, key), content) == content


def intake(directory: Directory, *, name: str = "treserva", patience: float = 5.0) -> HttpIntake:
    return HttpIntake(VOCABULARIES["treserva"], directory, name=name, patience=patience)


def door_to(*intakes: HttpIntake, trusts: tuple[Trust, ...] = (), **options: Any) -> HttpDoor:
    of_door = {name: options.pop(name) for name in ("host", "tls", "probes") if name in options}
    return HttpDoor(HttpEvents([Entrance(one, trusts) for one in intakes], **options), **of_door)


async def problem_of(response: aiohttp.ClientResponse, status: HTTPStatus) -> dict[str, Any]:
    assert response.status == status, await response.text()
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = json.loads(await response.read())
    assert document["status"] == status
    assert all(error["code"] and error["sv"] and error["en"] for error in document["errors"])
    return document


async def test_an_event_is_answered_when_it_is_kept(directory: Directory) -> None:
    into, kept = intake(directory), asyncio.Event()

    async def slowly(arrival: HttpArrival) -> None:
        await kept.wait()
        await arrival.accept(ANSWER)

    async with taking(into, slowly) as came, opened(door_to(into)) as client:
        asked = asyncio.create_task(client.post(EVENTS, data=b"{}", headers=JSON))
        done, _ = await asyncio.wait([asked], timeout=0.1)
        assert not done
        kept.set()
        response = await asked
        assert response.status == HTTPStatus.ACCEPTED
        assert await response.json() == ANSWER
        assert response.headers["Server"] == "sip-gateway"
        assert came == [b"{}"]


async def test_every_fault_is_told_with_its_place_and_in_both_languages(directory: Directory) -> None:
    into = intake(directory)

    async def refuses(arrival: HttpArrival) -> None:
        await arrival.refuse([WRONG.at("/person/namn"), WRONG.at("header/inReplyTo"), WRONG.at(line=3)])

    async with taking(into, refuses), opened(door_to(into)) as client:
        document = await problem_of(
            await client.post(EVENTS, data=b"{}", headers=JSON), HTTPStatus.UNPROCESSABLE_ENTITY
        )
    told = {"code": "test.wrong", "sv": "Fel.", "en": "Wrong."}
    assert document["errors"] == [
        told | {"pointer": "/person/namn"},
        told | {"path": "header/inReplyTo"},
        told | {"line": 3},
    ]


async def test_the_same_event_id_with_other_content_is_a_conflict(directory: Directory) -> None:
    into = intake(directory)

    async def refuses(arrival: HttpArrival) -> None:
        await arrival.refuse([EVENT_CONFLICT.at()])

    async with taking(into, refuses), opened(door_to(into)) as client:
        await problem_of(await client.post(EVENTS, data=b"{}", headers=JSON), HTTPStatus.CONFLICT)


async def test_a_key_is_for_one_content(directory: Directory) -> None:
    into, keys = intake(directory), KnownKeys()
    key = JSON | {"Idempotency-Key": "once"}
    async with taking(into) as came, opened(door_to(into, book=keys)) as client:
        for _ in range(2):
            assert (await client.post(EVENTS, data=b"{}", headers=key)).status == HTTPStatus.ACCEPTED
        document = await problem_of(await client.post(EVENTS, data=b"[]", headers=key), HTTPStatus.CONFLICT)
        assert document["errors"][0]["code"] == "http.idempotency-key-taken"
        assert came == [b"{}", b"{}"]
        keys.paused = {"treserva"}
        await problem_of(await client.post(EVENTS, data=b"{}", headers=key), HTTPStatus.SERVICE_UNAVAILABLE)
        keys.paused, keys.is_away = set(), True
        response = await client.post(EVENTS, data=b"{}", headers=key)
        await problem_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
        assert int(response.headers["Retry-After"]) > 0
    assert all("once" not in kept for _, kept in keys.known), "a key is kept as its hash"


async def test_what_the_gateway_cannot_keep_now_is_to_come_again(directory: Directory) -> None:
    into = intake(directory)

    async def leaves(_: HttpArrival) -> None:
        pass

    async with opened(door_to(into)) as client:
        async with taking(into, leaves):
            response = await client.post(EVENTS, data=b"{}", headers=JSON)
            await problem_of(response, HTTPStatus.SERVICE_UNAVAILABLE)
        async with taking(into):
            assert (await client.post(EVENTS, data=b"{}", headers=JSON)).status == HTTPStatus.ACCEPTED


async def test_nobody_waits_for_ever_for_a_gateway_that_takes_nothing(directory: Directory) -> None:
    into = intake(directory, patience=0.05)
    async with opened(door_to(into)) as client:
        await problem_of(await client.post(EVENTS, data=b"{}", headers=JSON), HTTPStatus.SERVICE_UNAVAILABLE)
        async with taking(into) as came:  # whoever has given up is not taken: it asks again
            assert (await client.post(EVENTS, data=b"[]", headers=JSON)).status == HTTPStatus.ACCEPTED
        assert came == [b"[]"]


async def test_a_door_that_closes_finishes_what_is_in_hand_and_leaves_what_waits(directory: Directory) -> None:
    into, in_hand, kept, stop = intake(directory), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(arrival: HttpArrival) -> None:
        in_hand.set()
        await kept.wait()
        await arrival.accept(ANSWER)

    async with taking(into, slowly), opened(door_to(into), stop) as client:
        first = asyncio.create_task(client.post(EVENTS, data=b"1", headers=JSON))
        await in_hand.wait()
        second = asyncio.create_task(client.post(EVENTS, data=b"2", headers=JSON))
        while into.waiting == 0:  # noqa: ASYNC110 -- nobody is told that a request waits
            await asyncio.sleep(0)
        stop.set()
        assert (await second).status == HTTPStatus.SERVICE_UNAVAILABLE
        kept.set()
        assert (await first).status == HTTPStatus.ACCEPTED
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get("/livez")


# --- who gets in ----------------------------------------------------------------------------------------------------


async def test_whoever_signs_gets_in(directory: Directory) -> None:
    into, clock = intake(directory), ManualClock(NOW)
    async with taking(into) as came, opened(door_to(into, trusts=(Signed(SECRETS, clock),))) as client:
        right = JSON | SECRETS.sign("id", NOW, b"{}")
        assert (await client.post(EVENTS, data=b"{}", headers=right)).status == HTTPStatus.ACCEPTED
        old = JSON | SECRETS.sign("id", datetime(2026, 11, 4, 9, 54, 59, tzinfo=UTC), b"{}")
        for headers, body in ((right, b"[]"), (old, b"{}"), (JSON, b"{}")):
            response = await client.post(EVENTS, data=body, headers=headers)
            await problem_of(response, HTTPStatus.UNAUTHORIZED)
            assert response.headers["WWW-Authenticate"] == "Webhook-Signature"
        assert came == [b"{}"]


async def test_a_token_opens_its_own_adapter_alone(directory: Directory) -> None:
    mine, other = intake(directory), intake(directory, name="other")
    known = Tokens(frozenset({hashlib.sha256(TOKEN.encode()).hexdigest()}))
    unknown = Tokens(frozenset({"0" * 64}))
    door = HttpDoor(HttpEvents([Entrance(mine, (known,)), Entrance(other, (unknown,))]))
    bearer = JSON | {"Authorization": f"Bearer {TOKEN}"}
    async with taking(mine), opened(door) as client:
        assert (await client.post(EVENTS, data=b"{}", headers=bearer)).status == HTTPStatus.ACCEPTED
        await problem_of(await client.post("/api/v1/events/other", data=b"{}", headers=bearer), HTTPStatus.FORBIDDEN)
        await problem_of(await client.post(EVENTS, data=b"{}", headers=JSON), HTTPStatus.UNAUTHORIZED)


async def test_a_certificate_gets_in_when_it_is_known(directory: Directory, tmp_path: Path) -> None:
    into = intake(directory)
    ca, _ = certificate(tmp_path, "ca")
    server, client, stranger = (certificate(tmp_path, name, ca="ca") for name in ("server", "client", "stranger"))
    outsider = certificate(tmp_path, "outsider")
    der = ssl.PEM_cert_to_DER_cert(client[0].read_text())
    trusts = (Certificates(frozenset({hashlib.sha256(der).hexdigest()})),)
    door = door_to(into, trusts=trusts, tls=server_side(*server, client_ca=ca))
    async with taking(into), opened(door) as none:

        async def sent(*shown: Path) -> int:
            return (await none.post(EVENTS, data=b"{}", headers=JSON, ssl=client_side(ca, *shown))).status

        assert await sent(*client) == HTTPStatus.ACCEPTED
    async with taking(into), opened(door) as fresh:
        response = await fresh.post(EVENTS, data=b"{}", headers=JSON, ssl=client_side(ca, *stranger))
        await problem_of(response, HTTPStatus.UNAUTHORIZED)
    async with opened(door) as fresh:
        assert (
            await fresh.post(EVENTS, data=b"{}", headers=JSON, ssl=client_side(ca))
        ).status == HTTPStatus.UNAUTHORIZED
        with pytest.raises(aiohttp.ClientError):
            await fresh.post(EVENTS, data=b"{}", headers=JSON, ssl=client_side(ca, *outsider))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "gateway.example"])  # noqa: S104 -- the refusal is what is tested
def test_other_machines_come_in_only_where_they_are_known(directory: Directory, host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        door_to(intake(directory), host=host)
    assert caught.value.codes == ("http.open-to-all",)
    door_to(intake(directory), host=host, trusts=(Signed(SECRETS, ManualClock(NOW)),))


# --- what is refused before it comes to the gateway -----------------------------------------------------------------


@pytest.fixture
async def client(directory: Directory) -> AsyncIterator[aiohttp.ClientSession]:
    into = intake(directory)
    async with taking(into, accepts), opened(door_to(into, max_bytes=1000, read_seconds=0.3)) as session:
        yield session


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml"},
        {"Content-Type": "application/json; charset=latin-1"},
        JSON | {"Content-Encoding": "gzip"},
    ],
)
async def test_what_is_no_json_is_refused(client: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    await problem_of(await client.post(EVENTS, data=b"{}", headers=headers), HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


async def test_what_is_too_large_is_refused_told_or_not(client: aiohttp.ClientSession) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    for body in (b" " * 1001, chunks()):
        await problem_of(await client.post(EVENTS, data=body, headers=JSON), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    assert (await client.post(EVENTS, data=b" " * 1000, headers=JSON)).status == HTTPStatus.ACCEPTED


async def test_content_that_does_not_come_is_not_waited_for(client: aiohttp.ClientSession) -> None:
    never = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    await problem_of(await client.post(EVENTS, data=half(), headers=JSON), HTTPStatus.REQUEST_TIMEOUT)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", EVENTS, HTTPStatus.METHOD_NOT_ALLOWED),
        ("DELETE", EVENTS, HTTPStatus.METHOD_NOT_ALLOWED),
        ("POST", "/api/v1/events/unknown", HTTPStatus.NOT_FOUND),
        ("POST", "/api/v1/events/", HTTPStatus.NOT_FOUND),
        ("GET", "/", HTTPStatus.NOT_FOUND),
        ("GET", "/..%2f..%2fetc/passwd", HTTPStatus.NOT_FOUND),
    ],
)
async def test_other_places_and_methods_are_refused(
    client: aiohttp.ClientSession, method: str, path: str, status: HTTPStatus
) -> None:
    await problem_of(await client.request(method, path, headers=JSON), status)


@pytest.mark.parametrize("key", ["", "a b", "å", "x" * 256])
async def test_a_key_that_is_none_is_refused(client: aiohttp.ClientSession, key: str) -> None:
    headers = JSON | {"Idempotency-Key": key}
    await problem_of(await client.post(EVENTS, data=b"{}", headers=headers), HTTPStatus.BAD_REQUEST)


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Content-Type",
            "Content-Encoding",
            "Idempotency-Key",
            "webhook-id",
            "Authorization",
            "Accept",
            "Expect",
            "X-Y",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cc"]), max_size=30),
)


@given(headers=HEADERS, body=st.binary(max_size=1200))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_as_described(directory: Directory, headers: dict[str, str], body: bytes) -> None:
    async def send() -> None:
        into = intake(directory)
        async with taking(into), opened(door_to(into, max_bytes=1000, book=KnownKeys())) as session:
            response = await session.post(EVENTS, data=body, headers=headers)
            text = await response.text()
            assert response.status in {202, 400, 413, 415, 417}, text
            assert "Traceback" not in text

    asyncio.run(send())


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_that_are_no_http_harm_nobody(directory: Directory, sent: bytes) -> None:
    async def send() -> None:
        into = intake(directory)
        async with taking(into), opened(door_to(into)) as session:
            base = session._base_url
            assert base is not None
            assert base.host is not None
            reader, writer = await asyncio.open_connection(base.host, base.port)
            writer.write(sent + b"\r\n\r\n")
            writer.write_eof()
            assert b"Traceback" not in await reader.read()
            writer.close()
            assert (await session.post(EVENTS, data=b"{}", headers=JSON)).status == HTTPStatus.ACCEPTED

    asyncio.run(send())


# --- health ---------------------------------------------------------------------------------------------------------


async def test_health_says_what_is_away(directory: Directory) -> None:
    async def answers() -> None:
        pass

    async def is_away() -> None:
        raise DependencyDownError(DOWN.at())

    async with opened(door_to(intake(directory), probes={"database": answers})) as session:
        assert (await session.get("/livez")).status == HTTPStatus.OK
        assert (await session.get("/readyz")).status == HTTPStatus.OK
    async with opened(door_to(intake(directory), probes={"database": answers, "exchange": is_away})) as session:
        assert (await session.get("/livez")).status == HTTPStatus.OK
        ready = await session.get("/readyz")
        assert ready.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert (await ready.json())["checks"] == {"database": "up", "exchange": "down"}


async def test_an_address_that_is_taken_is_told(directory: Directory) -> None:
    first = door_to(intake(directory))
    async with opened(first):
        second = HttpDoor(HttpEvents([]), port=first.address[1])
        with pytest.raises(ConfigurationError) as caught:
            await second.listen(asyncio.Event())
        assert caught.value.codes == ("http.cannot-listen",)


def test_what_comes_by_http_is_understood_as_what_comes_in_a_folder(directory: Directory) -> None:
    path = sorted((Path(__file__).parents[2] / "fixtures" / "events" / "treserva").glob("valid_*"))[0]
    event = Event(source="treserva", content=path.read_bytes())
    assert intake(directory).translate(event) == VOCABULARIES["treserva"].translate(event, directory)


@pytest.mark.parametrize("trusts", [(), (Signed(SECRETS, CLOCK),)], ids=["open", "signed"])
async def test_a_door_can_be_tried_without_an_event(directory: Directory, trusts: tuple[Trust, ...]) -> None:
    way_in = intake(directory)
    door, secrets = door_to(way_in, trusts=trusts), SECRETS if trusts else None
    async with taking(way_in) as came, opened(door):
        listen = "{}:{}".format(*door.address)
        await door_answers(listen, "treserva", CLOCK, encrypted=False, secrets=secrets)
        for name, shown in (("other", secrets), ("treserva", Secrets((b"x" * 24,)))):
            if trusts or name == "other":
                with pytest.raises(DependencyDownError) as caught:
                    await door_answers(listen, name, CLOCK, encrypted=False, secrets=shown)
                assert caught.value.codes == ("http.other-answer",)
    assert came == []
    with pytest.raises(DependencyDownError) as caught:
        await door_answers(listen, "treserva", CLOCK, encrypted=False)
    assert caught.value.codes == ("adapter.nobody-listens",)


async def test_a_door_that_knows_tokens_alone_is_seen_to_ask_for_one(directory: Directory) -> None:
    door = door_to(intake(directory), trusts=(Tokens(frozenset({"0" * 64})),))
    async with opened(door):
        listen = "{}:{}".format(*door.address)
        await door_answers(listen, "treserva", CLOCK, encrypted=False, is_open=False)
        with pytest.raises(DependencyDownError):
            await door_answers(listen, "treserva", CLOCK, encrypted=False)
