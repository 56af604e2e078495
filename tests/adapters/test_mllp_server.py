"""The MLLP server against the real client: frames, several messages, batches, TLS, and answers only when stored."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hl7.client import MLLPClient
from hl7_events import hl7_bytes
from hypothesis import given
from hypothesis import strategies as st
from scripted import DIRECTORY

from gateway.adapters.hl7_inbound import Hl7Inbound
from gateway.adapters.hl7_translation import ABSENT
from gateway.adapters.hl7_words import Hl7Words
from gateway.adapters.mllp import MllpServer, may_send
from gateway.adapters.mllp_frames import Frames, framed
from gateway.adapters.mllp_trial import port_answers
from gateway.adapters.tls import server_side
from gateway.clock import SystemClock
from gateway.errors import ConfigurationError, DependencyDownError, InvalidDocumentError
from gateway.ports import Event

A01, A08 = hl7_bytes("valid_a01"), hl7_bytes("valid_a08")
TIMERS = Path("/proc/net/tcp")
MISSING = ABSENT.at("PV2-9", place="PV2-9")


def listening(**settings: object) -> MllpServer:
    return MllpServer(source="hl7", clock=SystemClock(), port=0, **settings)  # type: ignore[arg-type]


async def connected(server: MllpServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port)


async def frame_from(reader: asyncio.StreamReader) -> bytes:
    return (await reader.readuntil(b"\x1c\r")).removeprefix(b"\x0b").removesuffix(b"\x1c\r")


async def take(server: MllpServer, count: int) -> list[bytes]:
    """Accept ``count`` messages, and return what came."""
    came: list[bytes] = []
    arrivals = server.arrivals()
    while len(came) < count:
        for arrival in await anext(arrivals):
            came.append(arrival.event.content)
            await arrival.accept({"messageIds": ["m"]})
    await arrivals.aclose()
    return came


async def answer_all(server: MllpServer, came: asyncio.Event) -> None:
    """Accept all that comes, and tell when it is A01."""
    async for batch in server.arrivals():
        for arrival in batch:
            await arrival.accept({"messageIds": ["m"]})
            if arrival.event.content == A01:
                came.set()


def sending(port: int, *messages: bytes) -> Callable[[], list[bytes]]:
    def send() -> list[bytes]:
        with MLLPClient("127.0.0.1", port) as client:
            return [client.send_message(message) for message in messages]

    return send


async def test_a_client_has_each_of_its_messages_answered_on_one_connection() -> None:
    async with listening() as server, asyncio.timeout(10):
        talk = asyncio.create_task(asyncio.to_thread(sending(server.port, A01, A08)))
        assert await take(server, 2) == [A01, A08]
        first, second = await talk

    assert first.startswith(b"\x0bMSH|")
    assert first.endswith(b"\r\x1c\r")
    assert b"\rMSA|AA|MSG-2026-0001|" in first
    assert b"\rMSA|AA|MSG-2026-0014|" in second


async def test_messages_that_do_not_wait_for_each_other_are_answered_in_their_order() -> None:
    async with listening() as server, asyncio.timeout(10):
        reader, writer = await connected(server)
        writer.write(framed(A01) + framed(A08))
        arrivals = server.arrivals()
        came = []
        while len(came) < 2:
            came += await anext(arrivals)
        await came[1].accept({"messageIds": []})
        await came[0].refuse([MISSING])

        assert b"\rMSA|AE|MSG-2026-0001|hl7.missing" in await frame_from(reader)
        assert b"\rMSA|AA|MSG-2026-0014|hl7.nothing-to-send" in await frame_from(reader)
        writer.close()


async def test_nothing_is_answered_before_it_is_stored_and_what_is_not_comes_again() -> None:
    async with listening() as server, asyncio.timeout(10):
        reader, writer = await connected(server)
        writer.write(framed(A01))
        first = server.arrivals()
        (arrival,) = await anext(first)
        await first.aclose()  # the database was away

        again = server.arrivals()
        (same,) = await anext(again)
        assert same is arrival
        reading = asyncio.create_task(frame_from(reader))
        await asyncio.sleep(0)
        assert not reading.done()
        await same.accept({"messageIds": ["m"]})
        await same.accept({"messageIds": ["m"]})
        assert b"\rMSA|AA|" in await reading
        writer.close()


async def test_a_batch_is_answered_as_one() -> None:
    async with listening() as server, asyncio.timeout(10):
        reader, writer = await connected(server)
        writer.write(framed(b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + A01 + A08 + b"BTS|2\rFTS|1\r"))
        assert await take(server, 2) == [A01, A08]

        answer = await frame_from(reader)
        assert answer.startswith(b"BHS|^~\\&\rMSH|")
        assert answer.count(b"\rMSA|AA|") == 2
        assert answer.endswith(b"\rBTS|2\r")
        writer.close()


async def test_a_batch_that_is_not_whole_comes_as_it_is_to_be_refused() -> None:
    broken = b"BHS|^~\\&|A\r" + A01 + b"BTS|2\r"
    async with listening() as server, asyncio.timeout(10):
        _, writer = await connected(server)
        writer.write(framed(broken))
        assert await take(server, 1) == [broken]
        writer.close()


async def test_what_is_too_large_is_cut_and_the_next_message_is_taken() -> None:
    async with listening(limit=1000) as server, asyncio.timeout(10):
        _, writer = await connected(server)
        writer.write(framed(b"MSH|" + b"x" * 200_000) + framed(A08))
        large, small = await take(server, 2)
        writer.close()

    assert len(large) == 1001
    assert small == A08


async def test_half_a_message_is_never_taken_for_a_whole_one() -> None:
    async with listening() as server, asyncio.timeout(10):
        _, writer = await connected(server)
        writer.write(b"\x0b" + A01)
        writer.close()
        await writer.wait_closed()
        _, other = await connected(server)
        other.write(framed(A08))

        whole, half = sorted(await take(server, 2), key=A08.__ne__)
        other.close()
    assert whole == A08
    with pytest.raises(InvalidDocumentError) as caught:  # it is kept, and refused whatever it says
        Hl7Words().translate(Event(source="hl7", content=half), DIRECTORY)
    assert caught.value.codes == ("hl7.frame",)


async def test_what_nobody_framed_is_kept_too() -> None:
    async with listening() as server, asyncio.timeout(10):
        _, writer = await connected(server)
        writer.write(b"hej")
        writer.close()
        assert await take(server, 1) == [b"hej\x0b"]


async def test_who_stops_in_the_midst_of_a_message_is_let_go_and_who_is_silent_between_two_is_not() -> None:
    async with listening(patience=0.05) as server, asyncio.timeout(10):
        silent, other = await connected(server)
        other.write(framed(A08))
        await take(server, 1)
        await frame_from(silent)
        reader, writer = await connected(server)
        writer.write(b"\x0bMSH|")

        assert await reader.read() == b""
        other.write(framed(A01))
        assert set(await take(server, 2)) == {A01, b"MSH|\x0b"}
        writer.close()
        other.close()


async def test_a_further_connection_than_agreed_takes_the_place_of_the_one_idle_longest() -> None:
    async with listening(connections=2) as server, asyncio.timeout(10):
        arrivals = server.arrivals()
        silent, first = await connected(server)
        busy, second = await connected(server)
        second.write(framed(A01))
        (arrival,) = await anext(arrivals)
        _, third = await connected(server)
        assert await silent.read() == b"", "it had nothing under way"
        third.write(framed(A08))
        assert [one.event.content for one in await anext(arrivals)] == [A08]
        refused, fourth = await connected(server)
        assert await refused.read() == b"", "the others have something under way"
        await arrival.accept({"messageIds": ["m"]})
        assert b"MSA|AA" in await frame_from(busy)
        for writer in (first, second, third, fourth):
            writer.close()


async def test_a_port_that_is_full_of_connections_with_something_under_way_says_so_when_it_is_asked() -> None:
    async with listening(connections=1) as server, asyncio.timeout(10):
        arrivals = server.arrivals()
        reader, writer = await connected(server)
        writer.write(framed(A01))
        (arrival,) = await anext(arrivals)
        with pytest.raises(DependencyDownError) as caught:
            await server.ping()
        await arrival.accept({"messageIds": ["m"]})
        await frame_from(reader)
        await server.ping()  # the one that is there would give way
        writer.close()
    assert caught.value.codes == ("mllp.full",)


@pytest.mark.skipif(not TIMERS.exists(), reason="only Linux tells which timers a connection has")
async def test_a_connection_whose_other_end_may_have_gone_is_asked_whether_it_is_there() -> None:
    async with listening() as server, asyncio.timeout(10):
        reader, writer = await connected(server)
        writer.write(framed(A01))
        await take(server, 1)
        await frame_from(reader)
        ours, theirs = (f":{port:04X}" for port in (server.port, writer.get_extra_info("sockname")[1]))
        timers: set[str] = set()
        # The timer of an answer that has just left may be running still, and the table changes while it is read.
        while "02" not in timers:
            rows = [line.split() for line in (await asyncio.to_thread(TIMERS.read_text)).splitlines()[1:]]
            timers = {row[5].partition(":")[0] for row in rows if row[1].endswith(ours) and row[2].endswith(theirs)}
        writer.close()


async def test_a_sender_that_never_listens_and_goes_leaves_no_connection_behind() -> None:
    async with listening(connections=1) as server, asyncio.timeout(20):
        came = asyncio.Event()
        answering = asyncio.create_task(answer_all(server, came))
        for _ in range(3):
            _, writer = await connected(server)
            writer.write(framed(A08) * 500)
            writer.transport.abort()
        while not came.is_set():  # the server may not have seen yet that the last of them has gone
            reader, last = await connected(server)
            last.write(framed(A01))
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await frame_from(reader)
            last.close()
        answering.cancel()


async def test_a_port_in_use_is_told_and_a_server_that_does_not_listen_cannot_be_reached() -> None:
    server = listening()
    with pytest.raises(DependencyDownError):
        await server.ping()
    async with server:
        await server.ping()
        with pytest.raises(ConfigurationError) as caught:
            async with MllpServer(source="hl7", clock=SystemClock(), port=server.port):
                pass
    assert caught.value.codes == ("mllp.cannot-listen",)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of this machine's, valid for a day, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed here")
    chain, secret = folder / "chain.pem", folder / "key.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(secret), "-out", str(chain)]
    subprocess.run([openssl, *made, *names], check=True, capture_output=True)
    return chain, secret


async def test_with_tls_only_those_who_speak_it_are_heard(tmp_path: Path) -> None:
    chain, secret = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, secret)
    trusting = ssl.create_default_context(cafile=str(chain))
    async with listening(tls=tls) as server, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=trusting, server_hostname="localhost"
        )
        writer.write(framed(A01))
        assert await take(server, 1) == [A01]
        assert b"\rMSA|AA|" in await frame_from(reader)
        writer.close()

        plain, other = await connected(server)
        other.write(framed(A08))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await frame_from(plain)
        other.close()


# --- frames ---------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.binary(max_size=20).map(lambda one: one.replace(b"\x0b", b"").replace(b"\x1c", b"")), max_size=5),
    st.integers(1, 7),
)
def test_frames_are_whole_however_the_stream_is_cut(contents: list[bytes], step: int) -> None:
    stream = b"".join(map(framed, contents))
    frames = Frames(100)

    found = [one for at in range(0, len(stream), step) for one in frames.feed(stream[at : at + step])]

    assert found == contents
    assert not frames.is_open


@given(st.binary(max_size=200), st.integers(1, 50))
def test_what_stands_outside_a_frame_carries_the_sign_that_tells_it(stream: bytes, limit: int) -> None:
    frames = Frames(limit)
    for content in frames.feed(stream):
        assert len(content) <= limit + 1
    assert frames.held <= limit + 1


def test_what_breaks_a_frame_is_kept_with_it() -> None:
    frames = Frames(100)

    assert frames.feed(b"MSH|utan ram\x1c\r") == [b"MSH|utan ram\x1c"]
    assert frames.feed(b"\x0bMSH|en\x0bMSH|tv\xc3\xa5\x1c\r") == [b"MSH|en\x0b", b"MSH|tv\xc3\xa5"]
    assert frames.feed(b"\r\n\r\n") == []
    assert not frames.is_open


@pytest.mark.parametrize(
    ("peer", "is_let_in"),
    [
        (("10.1.2.3", 40001), True),
        (("::ffff:10.1.2.3", 40001, 0, 0), True),
        (("fd00::7%eth0", 40001, 0, 0), True),
        (("127.0.0.1", 40001), True),
        (("::1", 40001, 0, 0), True),
        (("10.2.2.3", 40001), False),
        (("::ffff:10.2.2.3", 40001, 0, 0), False),
        (("fd01::7", 40001, 0, 0), False),
        (None, False),
        ((), False),
    ],
)
def test_only_those_who_are_named_and_this_machine_may_send(peer: object, *, is_let_in: bool) -> None:
    senders = [ipaddress.ip_network(one) for one in ("10.1.0.0/16", "fd00::7")]
    assert may_send(peer, senders) is is_let_in
    assert may_send(peer, [])


@pytest.mark.parametrize("encrypted", ["", "server", "both"])
async def test_a_port_can_be_tried_without_a_message_for_production(tmp_path: Path, encrypted: str) -> None:
    tls = None
    if encrypted:
        chain, secret = certificate(tmp_path)
        tls = server_side(chain, secret, chain if encrypted == "both" else None, must_show=True)
    inbound = Hl7Inbound(DIRECTORY, SystemClock(), port=0, tls=tls)
    stop = asyncio.Event()
    door = asyncio.create_task(inbound.listen(stop))
    await inbound.is_open.wait()

    async def judge() -> None:
        async for batch in inbound.arrivals():
            for arrival in batch:
                with pytest.raises(InvalidDocumentError) as caught:
                    inbound.translate(arrival.event)
                await arrival.refuse(caught.value.findings)

    judging = asyncio.create_task(judge())
    await port_answers("127.0.0.1", inbound.port, encrypted=bool(encrypted))
    judging.cancel()
    stop.set()
    await door
    with pytest.raises(DependencyDownError) as caught:
        await port_answers("127.0.0.1", inbound.port, encrypted=bool(encrypted))
    assert caught.value.codes == ("adapter.nobody-listens",)


OTHER_ACK = framed(b"MSH|^~\\&|A|B|C|D|20260101||ACK|1|P|2.5\rMSA|AA|1\r")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request", OTHER_ACK])
async def test_another_answer_is_no_gateways(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x1c\r")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with pytest.raises(DependencyDownError) as caught:
            await port_answers("127.0.0.1", server.sockets[0].getsockname()[1])
    assert caught.value.codes == ("mllp.other-answer",)
