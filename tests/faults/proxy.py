"""A stretch of network between a gateway and the broker that can be cut, slowed, squeezed, or fall silent."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from services.ports import LOOPBACK

CHUNK = 16_384


class Proxy:
    """Forwards connections to ``port`` on the loopback address; its switches may be turned while it runs.

    ``delay`` is how many seconds each piece is held back, ``per_second`` how many bytes pass at most, and while it is
    ``silent`` nothing passes though everything stays open.
    """

    def __init__(self, port: int) -> None:
        self._beyond = port
        self.delay = 0.0
        self.per_second: float | None = None
        self._passes = asyncio.Event()
        self._passes.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    @property
    def silent(self) -> bool:
        """Whether nothing passes."""
        return not self._passes.is_set()

    @silent.setter
    def silent(self, is_silent: bool) -> None:
        if is_silent:
            self._passes.clear()
        else:
            self._passes.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for pipe in self._pipes:
            pipe.cancel()
        if self._pipes:
            await asyncio.wait(self._pipes)

    def cut(self) -> None:
        """Break every connection at once, in the middle of whatever it carries."""
        for writer in self._open:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            beyond_reader, beyond_writer = await asyncio.open_connection(LOOPBACK, self._beyond)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, beyond_writer}
        self._open |= ends
        for source, sink in ((reader, beyond_writer), (beyond_reader, writer)):
            pipe = asyncio.create_task(self._pipe(source, sink, ends))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)

    async def _pipe(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, ends: set[asyncio.StreamWriter]
    ) -> None:
        with suppress(OSError):
            while piece := await source.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.per_second is not None:
                    await asyncio.sleep(len(piece) / self.per_second)
                await self._passes.wait()
                sink.write(piece)
                await sink.drain()
        for writer in ends:
            writer.close()
        self._open -= ends
