"""An MLLP server: journals connect to it over TCP, with TLS or without, and tell it HL7 v2 messages.

Each message is answered on its connection, in the order it came, and only after whoever takes the arrivals has said
what became of it: stored, or refused and stored. Until then the sender holds it. A connection may have several messages
under way, and a batch is answered as a batch.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import structlog

from gateway.adapters.hl7_acknowledgement import answers
from gateway.adapters.hl7_batch import is_batch, messages_in
from gateway.adapters.hl7_message import MAX_BYTES
from gateway.adapters.hl7_text import Delimiters, beginning
from gateway.adapters.mllp_frames import Frames, framed
from gateway.clock import Clock
from gateway.errors import ConfigurationError, DependencyDownError, Fault, Finding, InvalidDocumentError
from gateway.ports import Event

CANNOT_LISTEN: Final = Fault(
    "mllp.cannot-listen",
    "MLLP-porten {port} kan inte öppnas; den används av något annat, eller adressen finns inte.",
    "The MLLP port {port} cannot be opened; something else uses it, or the address does not exist.",
)
NOT_LISTENING: Final = Fault(
    "mllp.not-listening", "MLLP-servern tar inte emot anslutningar.", "The MLLP server takes no connections."
)
FULL: Final = Fault(
    "mllp.full",
    "MLLP-porten har {limit} anslutningar, och alla har något på gång; ingen mer släpps in.",
    "The MLLP port has {limit} connections, all with something under way; no further one is let in.",
)

BATCH: Final = 64
"""How many messages are yielded at a time, and may be under way on one connection."""
COME_AGAIN_AFTER: Final = 5.0
"""Seconds after which a message that was yielded and not answered is yielded again."""
_CHUNK: Final = 64 * 1024

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class MllpArrival:
    """A message whose sender waits for its answer; until it has one it is among those ``waiting``."""

    event: Event
    clock: Clock
    answered: asyncio.Future[tuple[bytes, ...]]
    waiting: dict[MllpArrival, None]
    yielded_at: float | None = None

    async def accept(self, answer: dict[str, Any]) -> None:
        """Answer that the message is kept; one that became no message is told so. Repeatable."""
        self._answer((), nothing_to_send=not answer.get("messageIds"))

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Answer why the message cannot be used. Repeatable."""
        self._answer(findings)

    def _answer(self, findings: Sequence[Finding], *, nothing_to_send: bool = False) -> None:
        if not self.answered.done():
            told = answers(self.event.content, findings, now=self.clock.now(), nothing_to_send=nothing_to_send)
            self.answered.set_result(tuple(told))
            self.waiting.pop(self, None)


@dataclass(frozen=True, slots=True)
class _Block:
    """What came in one frame: its messages, and, where they are a batch, its first segment."""

    arrivals: tuple[MllpArrival, ...]
    batch: bytes | None


@dataclass(eq=False)
class _Line:
    """A connection: when its sender was last heard, what of a message has come, and which messages wait for answers."""

    frames: Frames
    heard_at: float
    waiting: set[MllpArrival] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        return not self.frames.is_open and all(one.answered.done() for one in self.waiting)


class MllpServer:
    """Listens on ``host`` and ``port`` (0 for any that is free) while it is entered; its events are from ``source``.

    ``tls`` lets connections in by TLS only; whether senders show a certificate is up to it. A block, a batch too, may
    have ``limit`` bytes. There may be ``connections`` at once: for a further one the one that has been idle for longest
    is closed, or else it is itself. Those from another machine than ``senders`` are closed, where any are named, and
    one that says nothing for ``patience`` seconds in the midst of a message.
    """

    def __init__(
        self,
        *,
        source: str,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 2575,
        tls: ssl.SSLContext | None = None,
        senders: Sequence[Network] = (),
        limit: int = MAX_BYTES,
        connections: int = 64,
        patience: float = 60.0,
    ) -> None:
        self._source = source
        self._clock = clock
        self._host = host
        self._port = port
        self._tls = tls
        self._senders = senders
        self._limit = limit
        self._most = connections
        self._patience = patience
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Line] = {}
        self._waiting: dict[MllpArrival, None] = {}
        self._came = asyncio.Event()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else self._port

    async def __aenter__(self) -> Self:
        """Listen. Raises :class:`ConfigurationError`."""
        try:
            self._server = await asyncio.start_server(self._serve, self._host, self._port, ssl=self._tls)
        except OSError:
            raise ConfigurationError(CANNOT_LISTEN.at(port=self._port)) from None
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Take nothing more; what is not answered stays with its sender."""
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()
        self._server = None

    async def ping(self) -> None:
        """Return when it listens, and would let one more in. Raises :class:`DependencyDownError`."""
        if self._server is None or not self._server.is_serving():
            raise DependencyDownError(NOT_LISTENING.at())
        if len(self._connections) >= self._most and not any(line.is_idle for line in self._connections.values()):
            raise DependencyDownError(FULL.at(limit=self._most))

    async def arrivals(self) -> AsyncIterator[list[MllpArrival]]:
        """Yield messages in the order they came, some at a time, and wait while there are none.

        One that is still not answered comes again after :data:`COME_AGAIN_AFTER` seconds, and at once to whoever begins
        anew. It goes when its connection does: the sender, who has no answer, sends it again.
        """
        loop = asyncio.get_running_loop()
        for arrival in self._waiting:
            arrival.yielded_at = None
        while True:
            self._came.clear()
            now = loop.time()
            due = [
                arrival
                for arrival in self._waiting
                if arrival.yielded_at is None or now - arrival.yielded_at >= COME_AGAIN_AFTER
            ][:BATCH]
            if due:
                for arrival in due:
                    arrival.yielded_at = now
                yield due
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(COME_AGAIN_AFTER if self._waiting else None):
                    await self._came.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not may_send(writer.get_extra_info("peername"), self._senders):
            log.warning("mllp.not-a-sender", source=self._source)
            writer.close()
            return
        if len(self._connections) >= self._most and not self._make_room():
            log.warning("mllp.too-many-connections", source=self._source, limit=self._most)
            writer.close()
            return
        _keep_alive(writer)
        line = self._connections[task] = _Line(Frames(self._limit), asyncio.get_running_loop().time())
        blocks: asyncio.Queue[_Block | None] = asyncio.Queue(BATCH)
        answering = asyncio.create_task(self._answer(blocks, writer))
        try:
            await self._read(reader, blocks, answering, line)
            await _put(blocks, None, answering)  # a sender that has said all may wait for the last answers
            await answering
        except asyncio.CancelledError:
            pass  # the server ends; asyncio would tell of a cancelled connection as of a fault
        finally:
            answering.cancel()
            for arrival in line.waiting:
                arrival.answered.cancel()
                self._waiting.pop(arrival, None)
            writer.close()
            self._connections.pop(task, None)

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest; tell whether there was one."""
        idle = [
            (line.heard_at, number, task)
            for number, (task, line) in enumerate(self._connections.items())
            if line.is_idle
        ]
        if not idle:
            return False
        *_, longest = min(idle)
        longest.cancel()
        self._connections.pop(longest)
        log.info("mllp.idle-closed", source=self._source)
        return True

    async def _read(
        self,
        reader: asyncio.StreamReader,
        blocks: asyncio.Queue[_Block | None],
        answering: asyncio.Task[None],
        line: _Line,
    ) -> None:
        with suppress(OSError):  # the sender is gone; what it has no answer to it sends again
            while not answering.done() and (data := await self._more(reader, line.frames)):
                line.heard_at = asyncio.get_running_loop().time()
                for content in line.frames.feed(data):
                    block = self._block(content)
                    self._waiting |= dict.fromkeys(block.arrivals)
                    line.waiting.difference_update([one for one in line.waiting if one.answered.done()])
                    line.waiting.update(block.arrivals)
                    self._came.set()
                    await _put(blocks, block, answering)
        if line.frames.is_open:  # half a message is no message; it is kept as what was refused, and nobody is there
            log.warning("mllp.cut-off", source=self._source, size=line.frames.held)
            self._waiting[self._arrival(line.frames.rest)] = None
            self._came.set()

    async def _more(self, reader: asyncio.StreamReader, frames: Frames) -> bytes:
        """Return what comes next, nothing at the end; whoever has begun a message must go on with it in time."""
        async with asyncio.timeout(self._patience if frames.is_open else None):  # its error is an OSError
            return await reader.read(_CHUNK)

    def _block(self, content: bytes) -> _Block:
        """Return the messages in a frame. A batch that cannot be parted is one message, which will be refused."""
        if is_batch(content):
            with suppress(InvalidDocumentError):
                return _Block(tuple(map(self._arrival, messages_in(content))), beginning(content).encode("latin-1"))
        return _Block((self._arrival(content),), None)

    def _arrival(self, content: bytes) -> MllpArrival:
        answered = asyncio.get_running_loop().create_future()
        return MllpArrival(Event(source=self._source, content=content), self._clock, answered, self._waiting)

    async def _answer(self, blocks: asyncio.Queue[_Block | None], writer: asyncio.StreamWriter) -> None:
        """Write the answers of each block, in order, when all its messages have theirs."""
        with suppress(OSError):
            while (block := await blocks.get()) is not None:
                told: list[bytes] = []
                for arrival in block.arrivals:
                    told += await arrival.answered
                if block.batch is not None and told:
                    told = [_batch_of(block.batch, told)]
                writer.write(b"".join(map(framed, told)))
                await writer.drain()


async def _put(blocks: asyncio.Queue[_Block | None], block: _Block | None, answering: asyncio.Task[None]) -> None:
    """Put a block in line, unless nobody answers any more: the sender has gone without a word."""
    putting = asyncio.create_task(blocks.put(block))
    try:
        await asyncio.wait({putting, answering}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        putting.cancel()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let a connection end whose other end has gone without a word, as behind a firewall that has forgotten it."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def may_send(peer: Any, senders: Sequence[Network]) -> bool:
    """Tell whether a peer, as a socket names it, is one of ``senders``, or here; without any, all may send."""
    if not senders:
        return True
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except (TypeError, ValueError, IndexError):  # a connection that is gone already has no peer
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback or any((mapped or address) in network for network in senders)


def _batch_of(header: bytes, told: Sequence[bytes]) -> bytes:
    """Return answers as a batch, parted by the delimiters of the ``header`` that came."""
    try:
        signs = Delimiters.of_header(header.decode("latin-1"))
    except InvalidDocumentError:
        signs = Delimiters()
    first, last = f"BHS{signs.field}{signs.encoding}\r", f"BTS{signs.field}{len(told)}\r"
    return first.encode() + b"".join(told) + last.encode()
