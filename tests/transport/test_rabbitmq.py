"""The exchange on RabbitMQ: the promises of every exchange, and its own about the broker, on a real node."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from conformance import (
    ACCEPT,
    CONFIRMED,
    PATIENCE,
    REJECT,
    REQUEUE,
    RETURNED,
    Consumer,
    Exchange,
    TransportConformance,
    envelopes,
)
from envelopes import envelope
from services.rabbitmq import RabbitMqNode, ServerTls
from yarl import URL

from gateway.envelope import ACKNOWLEDGEMENT, Channel, Envelope
from gateway.errors import ConfigurationError, DependencyDownError, GatewayError
from gateway.ports import PublishOutcome, Transport
from gateway.transport.rabbitmq import RabbitMqTransport
from gateway.transport.rabbitmq_connection import Address, Tls
from gateway.transport.rabbitmq_subscription import BuriedDelivery
from gateway.transport.rabbitmq_topology import check, declare

UNCONFIRMED = PublishOutcome.UNCONFIRMED
SHORT = timedelta(seconds=1)
OwnNode = Callable[..., RabbitMqNode]


class RabbitMqExchange:
    """One virtual host, and the transports a test opened on it."""

    def __init__(self, url: str, stack: AsyncExitStack) -> None:
        self._url = url
        self._stack = stack
        self._open: dict[Transport, AsyncExitStack] = {}

    async def open(self, party: str) -> RabbitMqTransport:
        own = await self._stack.enter_async_context(AsyncExitStack())
        # The suite keeps up to a thousand deliveries unsettled; a gateway never has more than a few batches.
        transport = await own.enter_async_context(RabbitMqTransport(self._url, party, prefetch=1024))
        self._open[transport] = own
        return transport

    async def close(self, transport: Transport) -> None:
        await self._open.pop(transport).aclose()

    async def crash(self, transport: Transport) -> None:
        assert isinstance(transport, RabbitMqTransport)
        transport._publishing.drop()
        transport._consuming.drop()
        await self.close(transport)
        await self._nobody_consumes(f"{transport._party}.messages")

    async def dead_letters(self, party: str, number: int) -> Sequence[Envelope]:
        # The broker moves a dead letter at once, but not before it answers whoever rejected it.
        async with RabbitMqTransport(self._url, party) as reader, asyncio.timeout(PATIENCE):
            while len(letters := await reader.dead_letters()) < number:
                pass
        return [letter.envelope for letter in letters if letter.envelope is not None]

    async def _nobody_consumes(self, queue: str) -> None:
        """Return when the broker has noticed a crash; until then it goes on handing over to the dead."""
        async with await aio_pika.connect(self._url) as connection, asyncio.timeout(PATIENCE):
            channel = await connection.channel()
            while (await channel.declare_queue(queue, passive=True)).declaration_result.consumer_count:
                pass


@pytest.fixture
async def exchange(rabbitmq_url: str) -> AsyncIterator[Exchange]:
    async with AsyncExitStack() as stack:
        yield RabbitMqExchange(rabbitmq_url, stack)


class TestRabbitMq(TransportConformance):
    """Every promise of an exchange."""


@pytest.fixture
async def region(rabbitmq_url: str) -> AsyncIterator[RabbitMqTransport]:
    async with RabbitMqTransport(rabbitmq_url, "region") as transport:
        yield transport


@pytest.fixture
async def raw(rabbitmq_url: str, region: RabbitMqTransport) -> AsyncIterator[AbstractChannel]:
    """A channel of a plain client, on a broker where everything is in place."""
    async with await aio_pika.connect(rabbitmq_url) as connection:
        yield await connection.channel()


async def next_dead(region: RabbitMqTransport) -> BuriedDelivery:
    async with asyncio.timeout(PATIENCE):
        async for batch in region.buried():
            await region.settle([(batch[0], ACCEPT)])
            return batch[0]
    raise AssertionError("the exchange was closed")


async def fetch(raw: AbstractChannel, queue: str) -> AbstractIncomingMessage:
    """Take one message as any client does."""
    async with asyncio.timeout(PATIENCE), (await raw.get_queue(queue)).iterator(no_ack=True) as messages:
        return await anext(messages)


# --- on the wire ------------------------------------------------------------------------------------------------------


async def test_what_a_message_is_can_be_read_by_any_client(region: RabbitMqTransport, raw: AbstractChannel) -> None:
    sent = Envelope(
        message_id="0190c0de-0000-7000-8000-000000000001",
        type="plan",
        version=2,
        sender="kommun",
        recipient="region",
        unit="SE2321000016-ÅÄÖ",
        sender_unit="SE2120001355-SOCHISINGEN",
        case_ref="V12345678",
        created_at=datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
        body="<plan>Å</plan>".encode(),
        correlation_id="0190c0de-0000-7000-8000-000000000000",
        sequence=7,
    )
    assert await region.publish([sent]) == [CONFIRMED]
    arrived = await fetch(raw, "region.messages")
    assert (arrived.exchange, arrived.routing_key, arrived.body) == ("sip.messages", "plan.2.region", sent.body)
    assert arrived.content_type == "application/xml; charset=utf-8"
    assert (arrived.message_id, arrived.correlation_id, arrived.type) == (
        sent.message_id,
        sent.correlation_id,
        sent.type,
    )
    assert arrived.timestamp == sent.created_at.replace(microsecond=0)
    assert (arrived.app_id, arrived.delivery_mode) == ("sip-gateway", 2)
    traceparent = arrived.headers.pop("traceparent")
    assert arrived.headers == {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": sent.message_id,
        "cloudEvents_source": "kommun",
        "cloudEvents_type": "plan",
        "cloudEvents_subject": "V12345678",
        "cloudEvents_time": "2026-03-29T01:30:00.123456+00:00",
        "unit": "SE2321000016-ÅÄÖ",
        "sender_unit": "SE2120001355-SOCHISINGEN",
        "version": 2,
        "sequence": 7,
    }
    version, trace, span, flags = str(traceparent).split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "00")


async def test_an_answer_is_in_the_trace_of_the_message_it_answers(
    region: RabbitMqTransport, raw: AbstractChannel
) -> None:
    asked = envelope()
    answer = Envelope(**{**_fields(envelope(type=ACKNOWLEDGEMENT)), "correlation_id": asked.message_id})
    await region.publish([asked, answer])
    traces = [
        str((await fetch(raw, f"region.{name}")).headers["traceparent"]).split("-")
        for name in ("messages", "acknowledgements")
    ]
    assert traces[0][1] == traces[1][1]
    assert traces[0][2] != traces[1][2]


def _fields(one: Envelope) -> dict[str, object]:
    return {name: getattr(one, name) for name in Envelope.__dataclass_fields__}


async def test_a_body_larger_than_a_frame_arrives_whole(region: RabbitMqTransport) -> None:
    large = [envelope(body=bytes(range(256)) * 2000), envelope(body=b"x" * 131_064), envelope(body=b"y" * 131_065)]
    assert set(await region.publish(large)) == {CONFIRMED}
    assert envelopes(await Consumer(region).take(3)) == large


async def test_more_than_is_under_way_at_once_has_its_outcomes_in_order(region: RabbitMqTransport) -> None:
    sent = [envelope("nobody" if number % 7 == 0 else "region") for number in range(1000)]
    outcomes = await region.publish(sent)
    assert list(outcomes) == [RETURNED if one.recipient == "nobody" else CONFIRMED for one in sent]
    assert await region.depth(Channel.MESSAGES) == outcomes.count(CONFIRMED)


async def test_a_full_queue_leaves_an_envelope_unconfirmed(
    rabbitmq_node: RabbitMqNode, region: RabbitMqTransport, rabbitmq_url: str
) -> None:
    vhost = ",".join(str(byte) for byte in URL(rabbitmq_url).path[1:].encode())
    await rabbitmq_node.evaluate(
        f'ok = rabbit_policy:set(<<{vhost}>>, <<"full">>, <<"^region.messages$">>, [{{<<"max-length">>, 3}}], 0, '
        '<<"queues">>, <<"test">>), ok.'
    )
    async with asyncio.timeout(PATIENCE):
        while UNCONFIRMED not in (outcomes := await region.publish([envelope(), envelope(type=ACKNOWLEDGEMENT)])):
            pass
    assert list(outcomes) == [UNCONFIRMED, CONFIRMED]


# --- dead letters -----------------------------------------------------------------------------------------------------

FOREIGN = [
    aio_pika.Message(b"no properties"),
    aio_pika.Message(b"no headers", message_id="1", type="plan"),
    aio_pika.Message(b"odd headers", message_id="2", type="plan", headers={"unit": 7, "list": [1, {"a": None}]}),
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda message: message.body.decode())
@pytest.mark.parametrize("key", ["plan.1.region", "region.messages"])
async def test_what_no_gateway_published_is_a_dead_letter_and_stops_nothing(
    region: RabbitMqTransport, raw: AbstractChannel, foreign: aio_pika.Message, key: str
) -> None:
    around = raw.default_exchange if key == "region.messages" else await raw.get_exchange("sip.messages")
    await around.publish(foreign, key)
    marker = envelope()
    await region.publish([marker])
    assert (await Consumer(region).one()).envelope == marker
    dead = await next_dead(region)
    assert (dead.envelope, dead.body, dead.reason) == (None, foreign.body, "rejected")


async def test_what_is_addressed_to_another_party_is_a_dead_letter(
    rabbitmq_url: str, region: RabbitMqTransport, raw: AbstractChannel
) -> None:
    await region.publish([envelope()])
    taken = await fetch(raw, "region.messages")
    copy = aio_pika.Message(taken.body, headers=taken.headers, message_id=taken.message_id, type=taken.type)
    await raw.default_exchange.publish(copy, "region.acknowledgements")
    waiting = asyncio.create_task(Consumer(region, Channel.ACKNOWLEDGEMENTS).one())
    dead = await next_dead(region)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (dead.body, dead.reason) == (b"<plan/>", "rejected")


async def test_a_dead_letter_tells_why_and_since_when_and_is_gone_once_accepted(region: RabbitMqTransport) -> None:
    began = datetime.now(UTC).replace(microsecond=0)
    bad, spent = envelope(), envelope(type=ACKNOWLEDGEMENT)
    await region.publish([bad, spent])
    consumer = Consumer(region)
    await region.settle([(await consumer.one(), REJECT)])
    consumer = Consumer(region, Channel.ACKNOWLEDGEMENTS)
    for _ in range(5):
        await region.settle([(await consumer.one(), REQUEUE)])
    found: dict[str, BuriedDelivery] = {}
    async with asyncio.timeout(PATIENCE):
        async for batch in region.buried():
            for one in batch:
                assert one.envelope is not None
                found[one.reason] = one
            await region.settle([(one, ACCEPT) for one in batch])
            if len(found) == 2:
                break
    assert {reason: one.envelope for reason, one in found.items()} == {"rejected": bad, "delivery_limit": spent}
    assert all(one.at is not None and began <= one.at <= datetime.now(UTC) for one in found.values())
    assert await region.dead_letters() == []


async def test_a_dead_letter_that_is_rejected_stays(region: RabbitMqTransport) -> None:
    await region.publish([bad := envelope()])
    await region.settle([(await Consumer(region).one(), REJECT)])
    async with asyncio.timeout(PATIENCE):
        async for batch in region.buried():
            if batch[0].attempt == 2:
                break
            await region.settle([(batch[0], REJECT)])
    assert batch[0].envelope == bad


async def test_a_dead_letter_for_which_no_queue_is_there_is_kept(
    region: RabbitMqTransport, raw: AbstractChannel
) -> None:
    await region.publish([bad := envelope()])
    consumer = Consumer(region)
    delivery = await consumer.one()
    await (await raw.get_queue("region.dead")).delete(if_unused=False, if_empty=False)
    await region.settle([(delivery, REJECT)])
    assert (await fetch(raw, "sip.unrouted")).message_id == bad.message_id


# --- topology ---------------------------------------------------------------------------------------------------------


async def test_declaring_leaves_nothing_to_find(rabbitmq_url: str) -> None:
    address = Address(url=rabbitmq_url)
    missing = await check(address, ["region"])
    assert {finding.code for finding in missing} == {"exchange.missing"}
    assert "region.acknowledgements" in " ".join(finding.sv for finding in missing)
    assert len(missing) == 8
    await declare(address, ["region", "kommun"])
    await declare(address, ["region", "kommun"])
    assert await check(address, ["region", "kommun"]) == []


async def test_a_queue_with_other_properties_is_found_and_not_used(rabbitmq_url: str) -> None:
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("region.messages", durable=True)
    address = Address(url=rabbitmq_url)
    await declare(address, [])
    [different] = [finding for finding in await check(address, ["region"]) if finding.code != "exchange.missing"]
    assert different.code == "exchange.different"
    assert "region.messages" in different.en
    for opening in (declare(address, ["region"]), RabbitMqTransport(rabbitmq_url, "region").__aenter__()):
        with pytest.raises(ConfigurationError) as refused:
            await opening
        assert refused.value.codes == ("exchange.different",)


async def test_a_user_who_may_configure_nothing_uses_what_is_there(
    rabbitmq_node: RabbitMqNode, rabbitmq_url: str
) -> None:
    vhost = URL(rabbitmq_url).path[1:]
    url = await rabbitmq_node.user(vhost, f"{vhost}-plain", configure="^$", write=r"^sip\.", read=r"^region\.")
    with pytest.raises(ConfigurationError) as refused:
        await RabbitMqTransport(url, "region").__aenter__()
    assert set(refused.value.codes) == {"exchange.missing"}
    await declare(Address(url=rabbitmq_url), ["region"])
    async with RabbitMqTransport(url, "region") as region:
        await region.publish([sent := envelope()])
        assert (await Consumer(region).one()).envelope == sent
        await region.ping()


# --- logging in -------------------------------------------------------------------------------------------------------


async def test_what_is_wrong_with_an_address_is_told_when_it_is_used(rabbitmq_url: str) -> None:
    good = URL(rabbitmq_url)
    password = str(good.password)
    wrong = {
        "exchange.login-refused": (str(good), "wrong"),
        "exchange.vhost-refused": (str(good.with_path("/elsewhere")), None),
        "exchange.url": ("https://gateway@localhost/", None),
    }
    for code, (url, secret) in wrong.items():
        with pytest.raises(ConfigurationError) as refused:
            await RabbitMqTransport(url, "region", password=secret).__aenter__()
        assert refused.value.codes == (code,)
        assert password not in str(refused.value)
    with pytest.raises(DependencyDownError):
        await RabbitMqTransport(str(good.with_port(1)), "region").__aenter__()
    async with RabbitMqTransport(str(good.with_password(None)), "region", password=password) as region:
        await region.ping()


# --- a broker in trouble ----------------------------------------------------------------------------------------------


async def test_what_was_delivered_on_a_lost_connection_comes_again_and_the_old_cannot_be_settled(
    region: RabbitMqTransport,
) -> None:
    await region.publish([sent := envelope()])
    consumer = Consumer(region)
    stale = await consumer.one()
    region._consuming.drop()
    with pytest.raises(DependencyDownError):
        await consumer.one()
    consumer = Consumer(region)
    again = await consumer.one()
    await region.settle([(stale, ACCEPT)])
    await region.publish([marker := envelope()])
    await region.settle([(again, REQUEUE), (again, ACCEPT), (stale, REJECT)])
    # The marker was under way already, so it may come first.
    assert {one.envelope.message_id: one.attempt for one in await consumer.take(2)} == {
        marker.message_id: 1,
        sent.message_id: 3,
    }


@pytest.mark.long
async def test_a_broker_that_stands_still_is_noticed_and_used_again(own_rabbitmq_node: OwnNode) -> None:
    async with own_rabbitmq_node() as node:
        url = await node.vhost()
        options = {"confirm_timeout": SHORT, "heartbeat": SHORT}
        async with RabbitMqTransport(url, "region", **options) as region:
            waiting = asyncio.create_task(Consumer(region).one())
            await region.publish([first := envelope()])
            assert (await waiting).envelope == first
            consumer = Consumer(region)
            await region.settle([(await consumer.one(), ACCEPT)])
            waiting = asyncio.create_task(consumer.one())
            node.pause()
            try:
                async with asyncio.timeout(PATIENCE):
                    assert list(await region.publish([envelope()])) == [UNCONFIRMED]
                    with pytest.raises(DependencyDownError):
                        await region.publish([envelope()])
                    with pytest.raises(DependencyDownError):
                        await region.ping()
                    with pytest.raises(DependencyDownError):
                        await waiting
            finally:
                node.resume()
            await until_up(region)
            await region.publish([later := envelope()])
            consumer = Consumer(region)
            while (await consumer.one()).envelope != later:
                pass


async def until_up(transport: RabbitMqTransport) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                return await transport.ping()
            except DependencyDownError:
                await asyncio.sleep(0.05)  # as long as somebody who tries again waits at the least


class Traffic:
    """Publishes and consumes through whatever happens to the broker, as the loops of a gateway do."""

    def __init__(self) -> None:
        self.confirmed: set[str] = set()
        self.arrived: set[str] = set()
        self.moved = asyncio.Event()

    async def publish(self, kommun: RabbitMqTransport) -> None:
        while True:
            batch = [envelope() for _ in range(50)]
            try:
                outcomes = await kommun.publish(batch)
            except DependencyDownError:
                await asyncio.sleep(0.05)
                continue
            self.confirmed.update(
                one.message_id for one, outcome in zip(batch, outcomes, strict=True) if outcome is CONFIRMED
            )
            self.moved.set()

    async def consume(self, region: RabbitMqTransport) -> None:
        while True:
            try:
                async for batch in region.deliveries(Channel.MESSAGES):
                    self.arrived.update(one.envelope.message_id for one in batch)
                    await region.settle([(one, ACCEPT) for one in batch])
                    self.moved.set()
            except DependencyDownError:
                await asyncio.sleep(0.05)

    async def grow(self, which: set[str]) -> None:
        """Return when there is more in one of the two than now."""
        before = len(which)
        while len(which) == before:
            self.moved.clear()
            await self.moved.wait()


@pytest.mark.long
async def test_nothing_confirmed_is_lost_when_the_broker_is_killed_and_stopped(own_rabbitmq_node: OwnNode) -> None:
    traffic = Traffic()
    async with own_rabbitmq_node() as node:
        url = await node.vhost()
        async with (
            RabbitMqTransport(url, "kommun") as kommun,
            RabbitMqTransport(url, "region") as region,
            asyncio.timeout(110),
        ):
            publishing = asyncio.create_task(traffic.publish(kommun))
            consuming = asyncio.create_task(traffic.consume(region))
            for end in (node.kill, node.stop):
                await traffic.grow(traffic.confirmed)
                await end()
                await node.start()
            await traffic.grow(traffic.confirmed)
            publishing.cancel()
            while not traffic.confirmed <= traffic.arrived:
                await traffic.grow(traffic.arrived)
            consuming.cancel()
            await asyncio.gather(publishing, consuming, return_exceptions=True)


# --- TLS --------------------------------------------------------------------------------------------------------------


def issue(folder: Path, name: str, ca: str | None = None) -> Path:
    """Write a certificate and its key; without ``ca`` it is one that signs others."""
    key, request, certificate = (folder / f"{name}.{kind}" for kind in ("key", "csr", "pem"))
    openssl = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    names = ["-subj", f"/CN={name}"]
    if ca is None:
        command = [*openssl, *names, "-x509", "-days", "2", "-out", certificate]
        subprocess.run(command, check=True, capture_output=True)
        return certificate
    subprocess.run([*openssl, *names, "-out", request], check=True, capture_output=True)
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1", encoding="ascii")
    command = ["openssl", "x509", "-req", "-in", request, "-days", "2", "-out", certificate]
    command += ["-CA", folder / f"{ca}.pem", "-CAkey", folder / f"{ca}.key", "-extfile", folder / "names"]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


@pytest.mark.long
async def test_both_sides_show_certificates_that_the_other_trusts(own_rabbitmq_node: OwnNode, tmp_path: Path) -> None:
    ca, stranger = issue(tmp_path, "authority"), issue(tmp_path, "stranger")
    server, client = issue(tmp_path, "localhost", "authority"), issue(tmp_path, "region", "authority")
    strange = issue(tmp_path, "strange", "stranger")
    async with own_rabbitmq_node(tls=ServerTls(ca=ca, certificate=server, key=server.with_suffix(".key"))) as node:
        url = await node.vhost(tls=True)
        trusted = Tls(ca=ca, certificate=client, key=client.with_suffix(".key"))
        async with RabbitMqTransport(url, "region", tls=trusted) as region:
            large = [envelope(body=b"x" * 300_000), envelope()]
            assert set(await region.publish(large)) == {CONFIRMED}
            assert envelopes(await Consumer(region).take(2)) == large
        for code, tls in (
            ("exchange.tls-refused", Tls(ca=ca)),
            ("exchange.tls-refused", Tls(ca=ca, certificate=strange, key=strange.with_suffix(".key"))),
            ("exchange.tls-refused", Tls(ca=stranger, certificate=client, key=client.with_suffix(".key"))),
            ("exchange.tls-files", Tls(ca=ca, certificate=client, key=strange.with_suffix(".key"))),
            ("exchange.tls-files", Tls(ca=tmp_path / "nowhere.pem")),
        ):
            with pytest.raises(GatewayError) as refused:
                await RabbitMqTransport(url, "region", tls=tls).__aenter__()
            # The broker hangs up while it says what it does not accept; sometimes only the first is heard.
            assert refused.value.codes in ((code,), ("exchange.tls-broken-off",))
