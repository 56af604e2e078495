"""A simulated journal with a FHIR R4 server: what its staff do, and how the gateway learns of it.

Staff take charge by accepting the Task of a message. Each change of the journal's own is told by a notification without
content, as a Subscription with a rest-hook would.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from gateway.adapters.behaviour import Behaviour
from gateway.adapters.fhir_codes import TASK_SYSTEM
from gateway.adapters.fhir_extensions import written
from gateway.adapters.fhir_identifiers import ENTRY_SYSTEM
from gateway.adapters.fhir_out import RECORD
from gateway.adapters.fhir_written import Json, time
from gateway.adapters.journal import JOURNAL
from gateway.adapters.simulated_caller import Caller
from gateway.adapters.simulated_fhir_answers import BASE, MOST_ON_A_PAGE, ServerAnswers
from gateway.adapters.simulated_resources import Resources, Stored
from gateway.adapters.simulated_server import SimulatedServer
from gateway.clock import Clock
from gateway.messages.hardened import read_json


class SimulatedFhirJournal:
    """A journal whose resources are at ``path``; its server listens on ``host`` and ``port`` while it is entered.

    It tells ``caller`` when something of its own has changed; without one, it waits to be asked. Seconds: ``interval``
    between two looks at what there is to take charge of, ``retry`` until what was not heard is told again.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        caller: Caller | None = None,
        interval: float = 0.05,
        retry: float = 1.0,
        behaviour: Behaviour | None = None,
        acknowledges: bool = True,
        page: int = MOST_ON_A_PAGE,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.acknowledges = acknowledges
        self._resources = Resources(path / "journal.sqlite", clock)
        self._clock = clock
        self._caller = caller
        self._interval, self._retry = interval, retry
        self._answers = ServerAnswers(self._resources, clock, page=page)
        self._server = SimulatedServer(self, self._answer, host=host, port=port)
        self._taken = self._notified = self._looked_at = 0
        # What changed just before it was killed may not have been told.
        self._has_news = True
        self._stopping = asyncio.Event()
        self._stack = AsyncExitStack()

    @property
    def address(self) -> str:
        """The base address of the server."""
        return f"{self._server.origin}{BASE}"

    async def __aenter__(self) -> Self:
        """Open the resources, listen, and begin to work. Raises :class:`ConfigurationError`."""
        await asyncio.to_thread(self._open)
        self._stopping.clear()
        await self._stack.enter_async_context(self._server)
        if self._caller is not None:
            await self._stack.enter_async_context(self._caller)
        task = asyncio.create_task(self._work(), name="simulated journal with FHIR")
        self._stack.push_async_callback(self._end, task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop working. A fault of the journal's own comes out here."""
        await self._stack.aclose()

    async def tell(self, name: str, event: bytes) -> Any:
        """Keep the resources of a Bundle, or a single one, as the journal's own; return what they are called now.

        One without an id gets ``name``. The gateway is notified, and fetches them.

        Raises:
            InvalidDocumentError: it is no JSON.
        """
        document = read_json(event)
        is_bundle = isinstance(document, dict) and document.get("resourceType") == "Bundle"
        found = [one.get("resource") for one in document.get("entry", ())] if is_bundle else [document]
        told = [
            {"id": f"{name}-{number}", **resource}
            for number, resource in enumerate(found)
            if isinstance(resource, dict) and resource.get("resourceType") not in (None, "MessageHeader")
        ]
        kept = [Stored(one).name for one in await asyncio.to_thread(self._resources.put, told)]
        self._has_news = True
        return {"stored": kept}

    async def records(self) -> list[Json]:
        """Return the messages it holds, each a DocumentReference, in the order it took them."""
        return await self.of_kind(RECORD)

    async def of_kind(self, kind: str) -> list[Json]:
        """Return its resources of a kind, the longest unchanged first."""
        return await asyncio.to_thread(self._resources.of_kind, kind)

    async def counts(self) -> dict[str, int]:
        """Return how often it was asked, what it holds, and how often it took charge and notified since it started."""
        counts = await asyncio.to_thread(self._resources.counts)
        return {"asked": self._server.asked, **counts, "acknowledged": self._taken, "notified": self._notified}

    async def _answer(self, request: web.Request) -> web.Response:
        return await self._answers.answer(request, refuses=self.behaviour.refuse)

    # --- its staff ---------------------------------------------------------------------------------------------------

    async def _end(self, task: asyncio.Task[None]) -> None:
        self._stopping.set()
        await task

    async def _work(self) -> None:
        while not self._stopping.is_set():
            is_well = True
            if not self.behaviour.down:
                if self.acknowledges:
                    await asyncio.to_thread(self._take_charge)
                is_well = await self._notify()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval if is_well else self._retry)

    async def _notify(self) -> bool:
        """Tell the gateway that something has changed, if it has; return whether it was heard."""
        if self._caller is None or not self._has_news:
            return True
        self._has_news = False
        answers = [await self._caller.post("notification", b"") for _ in range(2 if self.behaviour.twice else 1)]
        if not answers[-1].is_yes:
            self._has_news = True
            return False
        self._notified += len(answers)
        return True

    def _open(self) -> None:
        self._resources.open()
        if self._resources.read("PractitionerRole", "staff") is None:
            self._resources.put(_staff(self._clock.now()))

    def _take_charge(self) -> None:
        last = self._resources.last()
        if last == self._looked_at:
            return
        self._looked_at = last
        for task in self._resources.of_kind("Task"):
            if not _waits_for_somebody(task):
                continue
            performer = written("performer", {"reference": "PractitionerRole/staff"})
            taken = {
                **task,
                "status": "accepted",
                "lastModified": time(self._clock.now()),
                "extension": [*task.get("extension", []), *performer],
            }
            for _ in range(2 if self.behaviour.twice else 1):
                self._resources.put([taken])
            self._taken += 1
            self._has_news = True


def _waits_for_somebody(task: Json) -> bool:
    codings = task.get("code", {}).get("coding", [])
    is_ours = any(one.get("system") == ENTRY_SYSTEM for one in task.get("identifier", []))
    is_to_take_charge = any((one.get("system"), one.get("code")) == (TASK_SYSTEM, "take-charge") for one in codings)
    return is_ours and is_to_take_charge and task.get("status") == "requested"


def _staff(now: datetime) -> list[Json]:
    """Return the member of staff who acts: the one of the simulated journal that exchanges files."""
    entry = {"organization": {"identifier": {"value": ""}}, "message": {"id": ""}}
    one = JOURNAL.acknowledgement(entry, now)["performer"]
    return [
        {"resourceType": "Practitioner", "id": "staff", "name": [{"text": one["name"]}]},
        {
            "resourceType": "PractitionerRole",
            "id": "staff",
            "practitioner": {"reference": "Practitioner/staff"},
            "code": [{"text": one["role"]}],
            "telecom": [{"system": "phone", "value": one["phone"]}],
        },
    ]
