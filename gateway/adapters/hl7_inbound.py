"""The way in of journals that speak HL7 v2 over MLLP.

It is the inbound half of an adapter: ``arrivals``, ``translate`` and ``ping``. What the gateway has for such a system,
messages, notes and notices, goes out another way; whoever puts an adapter together takes the other half from elsewhere.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from gateway.adapters.hl7_mapping import Hl7Mapping
from gateway.adapters.hl7_message import MAX_BYTES
from gateway.adapters.hl7_translation import translate
from gateway.adapters.mllp import MllpArrival, MllpServer
from gateway.clock import Clock
from gateway.directory import Directory
from gateway.ports import Event, Translation

NAME = "hl7"
"""The ``source`` of its events, unless it is given another: one for each journal, which counts its own messages."""


class Hl7Inbound:
    """Takes the messages of one journal, or of an integration engine for several, on an MLLP port while it is entered.

    ``mapping`` tells what is particular to the sender; ``tls``, ``limit`` and ``connections`` are those of
    :class:`~gateway.adapters.mllp.MllpServer`.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        *,
        name: str = NAME,
        host: str = "127.0.0.1",
        port: int = 2575,
        tls: ssl.SSLContext | None = None,
        mapping: Hl7Mapping | None = None,
        limit: int = MAX_BYTES,
        connections: int = 64,
    ) -> None:
        self._name = name
        self._directory = directory
        self._mapping = mapping or Hl7Mapping()
        self._limit = limit
        self._server = MllpServer(
            source=name, clock=clock, host=host, port=port, tls=tls, limit=limit, connections=connections
        )

    @property
    def name(self) -> str:
        """The ``source`` of its events."""
        return self._name

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    async def __aenter__(self) -> Self:
        """Listen. Raises :class:`ConfigurationError`."""
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Take nothing more; what is not answered stays with its sender."""
        await self._server.__aexit__(*error)

    def arrivals(self) -> AsyncIterator[list[MllpArrival]]:
        """Yield messages in the order they came; see :meth:`~gateway.adapters.mllp.MllpServer.arrivals`."""
        return self._server.arrivals()

    def translate(self, event: Event) -> Translation:
        """Understand a message. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place: ``PID-3.1``, ``OBX[3]-5``.
        """
        return translate(event.content, self._directory, self._mapping, limit=self._limit)

    async def ping(self) -> None:
        """Return when the port is open. Raises :class:`DependencyDownError`."""
        await self._server.ping()
