"""Messages to a case system over HTTP, against a real server that does what it should not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from case_events import MakeMessage, message_to
from http_side import certificate

from gateway.adapters.http_delivery import HttpDelivery
from gateway.adapters.signing import Secrets
from gateway.adapters.table import VOCABULARIES
from gateway.adapters.tls import server_side
from gateway.clock import ManualClock
from gateway.errors import DependencyDownError, RefusedError
from gateway.messages import Message
from gateway.ports import Registration

NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)
SECRETS = Secrets((b"a secret of more than 24 bytes",))
Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class System:
    """A case system that takes signed messages, numbers each once, and answers as a test says."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.answer: Answering = self.takes
        self.url = ""

    async def takes(self, request: web.Request) -> web.Response:
        """Take what is sent, whoever has sent it before."""
        if request.method == "HEAD":
            return web.Response(status=405)
        body = await request.read()
        assert SECRETS.vouch_for(request.headers, body)
        sent = json.loads(body)
        assert request.headers["webhook-id"] == sent["id"]
        self.taken.setdefault(sent["id"], sent)
        number = list(self.taken).index(sent["id"]) + 1
        return web.json_response({"recordId": f"TRE-{number}", "registeredAt": NOW.isoformat()})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        return await self.answer(request)


@asynccontextmanager
async def serving(system: System, tls: Any = None) -> AsyncIterator[System]:
    app = web.Application()
    app.router.add_route("*", "/{way:.*}", system.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    system.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{runner.addresses[0][1]}/sip"
    try:
        yield system
    finally:
        await runner.cleanup()


@pytest.fixture
async def system() -> AsyncIterator[System]:
    async with serving(System()) as at_work:
        yield at_work


@pytest.fixture
def message(make_message: MakeMessage) -> Message:
    return message_to("treserva", make_message)


def way_to(system: System, clock: ManualClock | None = None, **options: Any) -> HttpDelivery:
    options = {"name": "treserva", "timeout": 5.0} | options
    return HttpDelivery(VOCABULARIES["treserva"], system.url, SECRETS, clock or ManualClock(NOW), **options)


async def delivered(system: System, message: Message, **options: Any) -> Registration:
    async with way_to(system, **options) as way:
        return await way.deliver(message, message.header.recipients[0].unit)


def answers(status: int, body: bytes = b"", **headers: str) -> Answering:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=headers)

    return answer


async def test_a_message_is_registered_with_the_number_that_the_system_gives(system: System, message: Message) -> None:
    registration = await delivered(system, message)
    assert registration == Registration(record_id="TRE-1", at=NOW)
    (sent,) = system.taken.values()
    unit = message.header.recipients[0].unit
    assert sent["type"] == "message"
    assert sent["unit"] == unit
    assert sent["content"] == VOCABULARIES["treserva"].message(message, unit)


async def test_a_message_that_is_sent_again_is_the_same_message(system: System, message: Message) -> None:
    assert await delivered(system, message) == await delivered(system, message)
    assert (system.asked, len(system.taken)) == (2, 1)


async def test_a_step_and_a_test_are_sent_as_what_they_are(system: System, make_message: MakeMessage) -> None:
    message = message_to("journal", make_message)
    async with way_to(system) as way:
        await way.note(message)
        await way.test()
        await way.ping()
    assert [sent["type"] for sent in system.taken.values()] == ["note", "test"]


@pytest.mark.parametrize("status", [400, 409, 410, 413, 422])
async def test_a_no_is_for_good_and_only_its_code_is_told(system: System, message: Message, status: int) -> None:
    system.answer = answers(status, b'{"code": "person.unknown", "reason": "Mira Solvind 19850912-9808"}')
    with pytest.raises(RefusedError) as caught:
        await delivered(system, message)
    (finding,) = caught.value.findings
    assert "(kod person.unknown)" in finding.sv
    assert "Mira" not in str(caught.value)


async def test_a_code_that_is_none_is_told_by_its_status(system: System, message: Message) -> None:
    system.answer = answers(422, b'{"code": "Mira Solvind"}')
    with pytest.raises(RefusedError) as caught:
        await delivered(system, message)
    assert "(kod http-422)" in caught.value.findings[0].sv


@pytest.mark.parametrize("status", [400, 409, 410, 413, 422, 495])
@pytest.mark.parametrize("body", [b"<html>No required SSL certificate was sent</html>", b"[]", b"{}", b"", b"\xff"])
async def test_a_no_that_is_not_the_systems_own_gives_no_message_up(
    system: System, message: Message, status: int, body: bytes
) -> None:
    system.answer = answers(status, body)
    with pytest.raises(DependencyDownError) as caught:
        await delivered(system, message)
    assert caught.value.codes == ("system.no-without-code",)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504])
async def test_what_says_nothing_about_the_message_is_tried_again(
    system: System, message: Message, status: int
) -> None:
    system.answer = answers(status, b'{"code": "x"}', Location=f"{system.url}/elsewhere")
    with pytest.raises(DependencyDownError) as caught:
        await delivered(system, message)
    assert caught.value.codes == ("system.not-now",)
    assert system.asked == 1, "nobody is followed anywhere"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>Log in</html>",
        b"{}",
        b'{"recordId": ""}',
        b'{"recordId": 7}',
        b'{"recordId": "x", "registeredAt": "soon"}',
        b'["x"]',
        b'{"recordId": "x"' + b" " * 70_000 + b"}",
    ],
)
async def test_a_yes_without_a_receipt_is_no_receipt(system: System, message: Message, body: bytes) -> None:
    system.answer = answers(200, body)
    with pytest.raises(DependencyDownError) as caught:
        await delivered(system, message)
    assert caught.value.codes == ("system.answer-unreadable",)


async def test_a_system_that_does_not_answer_in_time_is_silent(system: System, message: Message) -> None:
    gone = asyncio.Event()

    async def never(_: web.Request) -> web.Response:
        await gone.wait()
        return web.Response()

    system.answer = never
    with pytest.raises(DependencyDownError) as caught:
        await delivered(system, message, timeout=0.1)
    assert caught.value.codes == ("system.no-answer",)
    gone.set()


async def test_a_system_that_answers_without_end_is_cut_off(system: System, message: Message) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not request.transport.is_closing() if request.transport else False:
            await response.write(b" " * 65536)
        return response

    system.answer = endless
    with pytest.raises(DependencyDownError) as caught:
        await delivered(system, message)
    assert caught.value.codes == ("system.answer-unreadable",)


@pytest.mark.parametrize(
    "said",
    [b"", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 two hundred\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"],
)
async def test_what_answers_no_http_cannot_be_reached(message: Message, said: bytes) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    system = System()
    async with server:
        system.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(DependencyDownError) as caught:
            await delivered(system, message)
    assert caught.value.codes == ("system.unreachable",)
    with pytest.raises(DependencyDownError) as caught:  # nobody is there any more
        await delivered(system, message)
    assert caught.value.codes == ("system.unreachable",)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9" * 30, 3600),
        ("Wed, 04 Nov 2026 10:02:00 GMT", 120),
        ("Wed, 04 Nov 2020 10:02:00 GMT", 0),
    ],
)
async def test_a_system_that_asks_to_be_left_alone_is(
    system: System, message: Message, said: str, seconds: int
) -> None:
    clock = ManualClock(NOW)
    system.answer = answers(429, **{"Retry-After": said})
    async with way_to(system, clock) as way:
        unit = message.header.recipients[0].unit
        with pytest.raises(DependencyDownError) as caught:
            await way.deliver(message, unit)
        assert caught.value.retry_after == timedelta(seconds=seconds)
        system.answer = system.takes
        if seconds:
            with pytest.raises(DependencyDownError):
                await way.deliver(message, unit)
            assert system.asked == 1, "it was left alone"
            clock.advance(timedelta(seconds=seconds))
        assert (await way.deliver(message, unit)).record_id == "TRE-1"


@pytest.mark.parametrize("said", ["soon", "-1", "1.5", "²", "Wed, 04 Nov 2026 10:02:00", ""])
async def test_a_wait_that_is_none_is_left_out(system: System, message: Message, said: str) -> None:
    system.answer = answers(503, **{"Retry-After": said})
    with pytest.raises(DependencyDownError) as caught:
        await delivered(system, message)
    assert caught.value.retry_after is None or said == "Wed, 04 Nov 2026 10:02:00"


async def test_a_system_is_known_by_its_certificate(message: Message, tmp_path: Path) -> None:
    ca, _ = certificate(tmp_path, "ca")
    other, _ = certificate(tmp_path, "other")
    tls = server_side(*certificate(tmp_path, "server", ca="ca"))
    async with serving(System(), tls) as system:
        assert (await delivered(system, message, ca_file=ca)).record_id == "TRE-1"
        for stranger in (other, None):
            with pytest.raises(DependencyDownError) as caught:
                await delivered(system, message, ca_file=stranger)
            assert caught.value.codes == ("system.unreachable",)
    assert system.asked == 1


async def test_the_gateway_shows_its_own_certificate(message: Message, tmp_path: Path) -> None:
    ca, _ = certificate(tmp_path, "ca")
    mine = certificate(tmp_path, "mine", ca="ca")
    tls = server_side(*certificate(tmp_path, "server", ca="ca"), client_ca=ca)
    async with serving(System(), tls) as system:
        shown = []

        async def looks(request: web.Request) -> web.Response:
            assert request.transport is not None
            shown.append(request.transport.get_extra_info("peercert"))
            return await system.takes(request)

        system.answer = looks
        await delivered(system, message, ca_file=ca, certificate_file=mine[0], key_file=mine[1])
    assert shown[0]["subject"][0][0] == ("commonName", "mine")
