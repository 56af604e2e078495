"""The way in of journals that speak HL7 v2 over MLLP.

What the gateway has for such a journal, messages, notes and notices, goes out another way.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence

import structlog

from gateway.adapters.address import somebody_listens
from gateway.adapters.hl7_words import NAME, Hl7Words
from gateway.adapters.mllp import MllpArrival, MllpServer, Network
from gateway.adapters.mllp_trial import port_answers
from gateway.clock import Clock
from gateway.directory import Directory
from gateway.ports import Event, Translation

log = structlog.get_logger(__name__)


class Hl7Inbound:
    """Takes the messages of one journal, or of an integration engine for several, on an MLLP port while it listens.

    ``name`` is the ``source`` of its events: one for each journal, which counts its own messages. ``words`` tell what
    is particular to the sender; ``tls``, ``senders`` and ``connections`` are those of
    :class:`~gateway.adapters.mllp.MllpServer`.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        *,
        name: str = NAME,
        words: Hl7Words | None = None,
        host: str = "127.0.0.1",
        port: int = 2575,
        tls: ssl.SSLContext | None = None,
        senders: Sequence[Network] = (),
        connections: int = 64,
    ) -> None:
        self._name = name
        self._directory = directory
        self._words = words or Hl7Words()
        self._address = host, port
        self._is_encrypted = tls is not None
        self._server = MllpServer(
            source=name,
            clock=clock,
            host=host,
            port=port,
            tls=tls,
            senders=senders,
            limit=self._words.limit,
            connections=connections,
        )
        self.is_open = asyncio.Event()

    @property
    def name(self) -> str:
        """The ``source`` of its events."""
        return self._name

    @property
    def port(self) -> int:
        """The port it listens on, once ``is_open`` is set."""
        return self._server.port

    async def listen(self, stop: asyncio.Event) -> None:
        """Let journals in until ``stop`` is set; what is not answered then stays with its sender.

        Raises:
            ConfigurationError: the address is taken, or is not one of this machine.
        """
        async with self._server:
            log.info("mllp.listening", source=self._name, port=self.port, tls=self._is_encrypted)
            self.is_open.set()
            try:
                await stop.wait()
            finally:
                self.is_open.clear()

    def arrivals(self) -> AsyncIterator[list[MllpArrival]]:
        """Yield messages in the order they came; see :meth:`~gateway.adapters.mllp.MllpServer.arrivals`."""
        return self._server.arrivals()

    def translate(self, event: Event) -> Translation:
        """Understand a message. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place: ``PID-3.1``, ``OBX[3]-5``.
        """
        return self._words.translate(event, self._directory)

    async def ping(self) -> None:
        """Return when somebody listens where journals connect, and lets one more in where that is known here.

        Raises:
            DependencyDownError: nobody does.
        """
        if self.is_open.is_set():
            await self._server.ping()
            return
        await somebody_listens(*self._address)

    async def test(self) -> None:
        """Send a message that is for debugging, and return when it is answered as one, or a certificate is asked for.

        It is refused and kept, once however often this is done.

        Raises:
            DependencyDownError: it is not.
        """
        await port_answers(*self._address, encrypted=self._is_encrypted)
