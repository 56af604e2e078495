"""A connection to RabbitMQ: how one logs in, what a refusal means, and how one that is dead is noticed.

The AMQP library opens the connection and its channels, declares and consumes. It reads the stream through a tap, which
takes out the frames of messages; see ``rabbitmq_frames``.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, SupportsIndex

import aiormq
import structlog
from aiormq.abc import AbstractChannel, AbstractConnection
from aiormq.connection import TransportFactory
from aiormq.exceptions import (
    AMQPError,
    ChannelAccessRefused,
    ChannelLockedResource,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)
from yarl import URL

from gateway.errors import ConfigurationError, DependencyDownError, Fault, GatewayError
from gateway.transport import EXCHANGE_DOWN
from gateway.transport.rabbitmq_frames import HEARTBEAT_FRAME, Receiver, Splitter

log = structlog.get_logger(__name__)

# What goes wrong on a connection is told once, here, in the words of the gateway.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)

INVALID_URL = Fault(
    "exchange.url",
    "Meddelandeväxelns adress ska ha formen amqp(s)://användare@dator:port/vhost.",
    "The address of the message exchange has the form amqp(s)://user@host:port/vhost.",
)
LOGIN_REFUSED = Fault(
    "exchange.login-refused",
    "Meddelandeväxeln godtar inte användaren eller lösenordet.",
    "The message exchange does not accept the user or the password.",
)
VHOST_REFUSED = Fault(
    "exchange.vhost-refused",
    "Meddelandeväxelns vhost finns inte, eller så får användaren inte använda den.",
    "The virtual host of the message exchange does not exist, or the user may not use it.",
)
TLS_REFUSED = Fault(
    "exchange.tls-refused",
    "Meddelandeväxelns certifikat godtas inte, eller så godtar växeln inte gatewayens.",
    "The certificate of the message exchange is not accepted, or the exchange does not accept the gateway's.",
)
TLS_BROKEN_OFF = Fault(
    "exchange.tls-broken-off",
    "Meddelandeväxeln bröt den krypterade förbindelsen utan ett ord; kanske godtas inte gatewayens certifikat.",
    "The message exchange broke off the encrypted connection without a word; perhaps it does not accept the gateway's "
    "certificate.",
)
TLS_FILES = Fault(
    "exchange.tls-files",
    "Filerna med certifikat och nyckel till meddelandeväxeln kan inte läsas.",
    "The files with the certificates and the key for the message exchange cannot be read.",
)

REFUSALS = (ChannelAccessRefused, ChannelLockedResource, ChannelNotFoundEntity, ChannelPreconditionFailed)
"""How the broker says no to a question that it has understood."""

_BROKER_SAYS = {403: LOGIN_REFUSED, 530: VHOST_REFUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files in PEM form: who signs the certificate of the exchange, and the certificate this gateway shows.

    Without ``ca`` the authorities that the system trusts are used. ``key`` may stand in the file of ``certificate``.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files.

        Raises:
            ConfigurationError: one of them cannot be read, or the key is not the key of the certificate.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError:  # of which the errors of TLS are a kind
            raise ConfigurationError(TLS_FILES.at()) from None
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a broker is, and how to log in. A password that is given goes before one that stands in the URL.

    ``heartbeat`` is how often each side gives a sign of life at the least; a broker that has given none for one and a
    half times as long is taken for dead. ``patience`` is how long the broker may take to answer anything.
    """

    url: str
    password: str | None = None
    tls: Tls | None = None
    heartbeat: timedelta = timedelta(seconds=10)
    patience: timedelta = timedelta(seconds=5)

    def resolve(self) -> URL:
        """Return the URL to connect to.

        Raises:
            ConfigurationError: it is no URL of a broker, or names no user.
        """
        try:
            url = URL(self.url)
        except ValueError:
            raise ConfigurationError(INVALID_URL.at()) from None
        if url.scheme not in ("amqp", "amqps") or not url.host or not url.user:
            raise ConfigurationError(INVALID_URL.at())
        if self.password is not None:
            url = url.with_password(self.password)
        return url.update_query(heartbeat=str(max(1, int(self.heartbeat.total_seconds()))))


class _Tap(asyncio.StreamReader):
    """A stream in which only the frames that are for the library arrive."""

    def __init__(self, splitter: Splitter) -> None:
        self._clock = asyncio.get_running_loop()
        super().__init__(loop=self._clock)
        self._splitter = splitter
        self.heard = False
        self.heard_at = self._clock.time()
        self.lost = asyncio.Event()

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        self.heard = True
        self.heard_at = self._clock.time()
        for frame in self._splitter.split(bytes(data)):
            super().feed_data(frame)

    def pass_on(self, frame: bytes) -> None:
        """Let a frame arrive that the broker has not sent."""
        super().feed_data(frame)

    def feed_eof(self) -> None:
        super().feed_eof()
        self.lose()

    def set_exception(self, exc: BaseException) -> None:
        super().set_exception(exc)  # type: ignore[arg-type]
        self.lose()

    def lose(self) -> None:
        """Let everyone know that nothing comes any more."""
        if not self.lost.is_set():
            self.lost.set()
            for receiver in self._splitter.receivers.values():
                receiver.closed(0, "the connection is lost")


class _TappedStreams(TransportFactory):
    """Opens the streams of one connection for the library, and keeps hold of them."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self.splitter = Splitter()
        self.reader: _Tap
        self.writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **_: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        assert url.host is not None
        assert url.port is not None  # the library has put in the one the scheme stands for
        loop = asyncio.get_running_loop()
        self.reader = _Tap(self.splitter)
        protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
        transport, _protocol = await loop.create_connection(lambda: protocol, url.host, url.port, ssl=self._context)
        self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        return self.reader, self.writer

    def failure(self, error: BaseException) -> GatewayError:
        """Return what it means that the connection could not be opened."""
        if (fault := _BROKER_SAYS.get(self.splitter.refused or 0)) is not None:
            return ConfigurationError(fault.at())
        if _distrusts(error):
            return ConfigurationError(TLS_REFUSED.at())
        # A broker that refuses a certificate says so and hangs up, and the second may overtake the first.
        hung_up = self._context is not None and self.writer is not None and not self.reader.heard
        hung_up = hung_up and not isinstance(error, TimeoutError)
        return DependencyDownError((TLS_BROKEN_OFF if hung_up else EXCHANGE_DOWN).at())


class Connection:
    """An open connection. Once it is lost it stays lost; open another. ``frame_max`` is in bytes."""

    def __init__(self, amqp: AbstractConnection, streams: _TappedStreams, address: Address) -> None:
        assert streams.writer is not None
        self._amqp = amqp
        self._splitter = streams.splitter
        self._reader = streams.reader
        self._writer = streams.writer
        self._heartbeat = address.heartbeat.total_seconds()
        self._patience = address.patience.total_seconds()
        self.frame_max = int(amqp.connection_tune.frame_max)
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def open(cls, address: Address, name: str) -> Self:
        """Connect and log in; ``name`` is what the broker's operator sees.

        Raises:
            ConfigurationError: the broker does not let this user in, or one side does not trust the other.
            DependencyDownError: the broker does not answer.
        """
        url = address.resolve()
        streams = _TappedStreams((address.tls or Tls()).context() if url.scheme == "amqps" else None)
        try:
            async with asyncio.timeout(address.patience.total_seconds()):
                amqp = await aiormq.connect(url, transport_factory=streams, client_properties={"connection_name": name})
        except BaseException as error:
            if streams.writer is not None:
                streams.writer.transport.abort()
            # The library ends its stream of frames where the other end hangs up before it has said anything.
            if not isinstance(error, AMQPError | OSError | EOFError | TimeoutError | StopAsyncIteration):
                raise
            raise streams.failure(error) from error
        return cls(amqp, streams, address)

    @property
    def is_lost(self) -> bool:
        """Whether it can no longer be used."""
        return self._reader.lost.is_set() or self._amqp.is_closed

    async def open_channel(self) -> AbstractChannel:
        """Open a channel.

        Raises:
            DependencyDownError: the broker does not answer.
        """
        async with self.answering():
            return await self._amqp.channel(publisher_confirms=False)

    async def close_channel(self, channel: AbstractChannel) -> None:
        """Close a channel, if there still is one. What was delivered on it and not settled comes again."""
        if not self.is_lost and not channel.is_closed:
            with suppress(DependencyDownError, *REFUSALS):
                async with self.answering():
                    await channel.close()

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """Open a channel for as long as the block runs.

        Raises:
            DependencyDownError: the broker does not answer.
        """
        channel = await self.open_channel()
        try:
            yield channel
        finally:
            await self.close_channel(channel)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Ask the broker something in the block. A connection on which it gives no answer in time is dropped.

        Raises:
            DependencyDownError: the broker does not answer, or the connection is lost.
            AMQPChannelError: one of ``REFUSALS``: the broker says no. The channel is then closed.
        """
        try:
            async with asyncio.timeout(self._patience):
                yield
        except REFUSALS:
            raise
        except (AMQPError, OSError, RuntimeError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                self.drop()
            raise DependencyDownError(EXCHANGE_DOWN.at()) from error
        except asyncio.CancelledError as error:
            # The library cancels what waits on a connection that is lost. That is no wish of whoever called us.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise DependencyDownError(EXCHANGE_DOWN.at()) from error

    def receive(self, channel: AbstractChannel, receiver: Receiver) -> None:
        """Give the messages and confirms of a channel to a receiver from now on."""
        self._splitter.receivers[int(channel.number)] = receiver

    def write(self, frames: bytes) -> None:
        """Send whole frames. What is written on a connection that is lost goes nowhere."""
        if not self.is_lost:
            self._writer.write(frames)

    async def drain(self) -> None:
        """Wait until what was written is on its way.

        Raises:
            OSError: the connection is lost.
        """
        await self._writer.drain()

    def drop(self) -> None:
        """Give the connection up at once, without a word to the broker."""
        self._watching.cancel()
        self._writer.transport.abort()
        self._reader.lose()

    async def close(self) -> None:
        """Close the connection as the protocol wants it, or drop it if the broker takes no part."""
        self._watching.cancel()
        if not self.is_lost:
            with suppress(AMQPError, OSError, TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self._amqp.close()
        self.drop()

    async def _watch(self) -> None:
        """Drop the connection when the broker has been silent for too long; else keep the library from thinking so."""
        loop = asyncio.get_running_loop()
        while not self.is_lost:
            await asyncio.sleep(self._heartbeat / 2)
            if self.is_lost:
                return
            if loop.time() - self._reader.heard_at > self._heartbeat * 1.5:
                log.warning("exchange.silent", seconds=round(loop.time() - self._reader.heard_at))
                self.drop()
            else:
                self._reader.pass_on(HEARTBEAT_FRAME)


def _distrusts(error: BaseException) -> bool:
    """Tell whether a failure comes from one side's distrust of the other; a broken connection alone does not."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:  # the library links its errors in circles
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return any(
        isinstance(one, ssl.SSLCertVerificationError)
        or (isinstance(one, ssl.SSLError) and "ALERT" in (one.reason or ""))
        for one in seen
    )
