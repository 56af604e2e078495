"""A simulated case system that speaks HTTP: it takes the gateway's signed messages, and posts its events to it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, suppress
from http import HTTPMethod, HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from gateway.adapters.adapter import MESSAGE
from gateway.adapters.behaviour import REFUSAL, Behaviour
from gateway.adapters.disk import json_bytes
from gateway.adapters.http_trust import Asked, Signed
from gateway.adapters.signing import ID, Secrets
from gateway.adapters.simulated_caller import Caller
from gateway.adapters.simulated_records import Record, Records
from gateway.adapters.simulated_server import SimulatedServer
from gateway.adapters.table import VOCABULARIES
from gateway.clock import Clock
from gateway.errors import InvalidDocumentError
from gateway.messages.hardened import read_json

PATH: Final = "/sip"
"""Where it takes messages."""
TEST: Final = "test"
"""What is sent that is no message, and the record id of its receipt."""

_KINDS: Final = ("message", "note", "notice", TEST)
_NOT_UNDERSTOOD: Final = {"code": "simulated.not-understood", "reason": "Det är inget meddelande från en gateway."}
_STRANGER: Final = {"code": "simulated.signature", "reason": "Signaturen stämmer inte."}


class SimulatedHttpSystem:
    """A case system of one kind whose records are at ``path``; it listens on ``host`` and ``port`` while it is entered.

    ``secrets`` vouch for what comes. Its staff take charge of each message by telling it to ``caller``; without one
    they do nothing. Seconds: ``interval`` between two looks at what there is to take charge of, ``retry`` until what
    the gateway did not keep is told again.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        clock: Clock,
        secrets: Secrets,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        caller: Caller | None = None,
        interval: float = 0.05,
        retry: float = 1.0,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self._kind = kind
        self._records = Records(path / "system.sqlite", VOCABULARIES[kind], clock)
        self._trust = Signed(secrets, clock)
        self._caller = caller
        self._interval, self._retry = interval, retry
        self._server = SimulatedServer(self, self._answer, host=host, port=port)
        self._refused = 0
        self._stopping = asyncio.Event()
        self._stack = AsyncExitStack()

    @property
    def address(self) -> str:
        """Where the gateway sends its messages."""
        return f"{self._server.origin}{PATH}"

    async def __aenter__(self) -> Self:
        """Open the records, listen, and begin to work. Raises :class:`ConfigurationError`."""
        await asyncio.to_thread(self._records.open)
        self._stopping.clear()
        await self._stack.enter_async_context(self._server)
        if self._caller is not None:
            await self._stack.enter_async_context(self._caller)
            task = asyncio.create_task(self._work(self._caller), name=f"simulated {self._kind}")
            self._stack.push_async_callback(self._end, task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop working. A fault of the system's own comes out here."""
        await self._stack.aclose()

    async def tell(self, name: str, event: bytes) -> Any:
        """Post an event, again while the gateway is not there or asks for it again; return status and answer."""
        assert self._caller is not None, "it tells whom it knows"
        while True:
            answer = await self._caller.post(name, event)
            if not answer.is_for_later:
                return {"status": answer.status, "answer": answer.body}
            await asyncio.sleep(self._retry)

    async def records(self) -> list[dict[str, Any]]:
        """Return the messages it holds, in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._records.held, MESSAGE)

    async def counts(self) -> dict[str, int]:
        """Return how often it was asked, how much it holds, and how often the gateway refused what its staff did."""
        counts = await asyncio.to_thread(self._records.counts)
        return {"asked": self._server.asked, **counts, "refused": self._refused}

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method != HTTPMethod.POST or request.path != PATH:
            status = HTTPStatus.METHOD_NOT_ALLOWED if request.path == PATH else HTTPStatus.NOT_FOUND
            return web.Response(status=status)
        body = await request.read()
        if not self._trust.vouches(Asked(request.headers, body)):
            return _said(HTTPStatus.UNAUTHORIZED, _STRANGER)
        sent = _sent_in(body)
        if sent is None or sent["id"] != request.headers[ID]:
            return _said(HTTPStatus.BAD_REQUEST, _NOT_UNDERSTOOD)
        record = await asyncio.to_thread(self._take, sent)
        if record is not None:
            return _said(HTTPStatus.OK, record.receipt())
        if self.behaviour.refuse:
            return _said(HTTPStatus.UNPROCESSABLE_ENTITY, REFUSAL)
        return _said(HTTPStatus.OK, {"recordId": TEST})

    def _take(self, sent: dict[str, Any]) -> Record | None:
        """Return the record of what was sent; ``None`` where there is none, since it is refused or no message."""
        if sent["type"] == TEST or self.behaviour.refuse:
            return self._records.find(sent["id"])
        return self._records.commit(sent["id"], json.dumps(sent["content"], ensure_ascii=False))

    async def _end(self, task: asyncio.Task[None]) -> None:
        self._stopping.set()
        await task

    async def _work(self, caller: Caller) -> None:
        while not self._stopping.is_set():
            is_well = self.behaviour.down or await self._take_charge(caller)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval if is_well else self._retry)

    async def _take_charge(self, caller: Caller) -> bool:
        """Tell of each message that staff take charge of it; return whether the gateway has answered each time."""
        for record in await asyncio.to_thread(self._records.untaken):
            event = json_bytes(self._records.acknowledgement(record))
            for _ in range(2 if self.behaviour.twice else 1):
                answer = await caller.post(f"acknowledgement-{record.sent_id}", event)
                if not answer.is_final:
                    return False
                self._refused += not answer.is_yes
            await asyncio.to_thread(self._records.take_charge, record)
        return True


def _sent_in(body: bytes) -> dict[str, Any] | None:
    try:
        sent = read_json(body)
    except InvalidDocumentError:
        return None
    is_sent = (
        isinstance(sent, dict)
        and sent.get("type") in _KINDS
        and isinstance(sent.get("id"), str)
        and isinstance(sent.get("content"), dict)
    )
    return sent if is_sent else None


def _said(status: HTTPStatus, answer: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=json_bytes(answer), content_type="application/json")
