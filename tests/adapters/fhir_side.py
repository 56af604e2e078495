"""What the tests of FHIR share: a gateway's way in from a journal, its door, and what it has kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from blank import blank_store
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir_documents import DIRECTORY, Json, encounter, patient, practitioner, role
from fhir_journal import Journal, serving
from http_side import opened, taking
from sqlalchemy import select

from gateway.adapter_book import AdapterBook
from gateway.adapters.fhir_answers import FhirAnswers
from gateway.adapters.fhir_intake import FhirIntake
from gateway.adapters.fhir_server import FhirServer
from gateway.adapters.fhir_words import FhirWords
from gateway.adapters.http_door import HttpDoor
from gateway.adapters.http_events import Entrance, HttpEvents
from gateway.adapters.http_intake import HttpArrival
from gateway.adapters.http_trust import Tokens
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.errors import InvalidDocumentError
from gateway.outbox import Outbox
from gateway.store import Store
from gateway.store.tables import event as event_table

SECRET = "en-hemlighet-som-ingen-annan-har-0"  # noqa: S105 -- of this test
HEADERS = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/fhir+json"}
BEGINS = datetime(2026, 11, 1, tzinfo=UTC)
AT_WORK = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
ADDRESS = "/api/v1/events/fhir"
CHANGES = f"{ADDRESS}/changes"


Opened = tuple["Keeper", aiohttp.ClientSession, FhirIntake]


class Keeper:
    """Keeps what comes by an intake as a gateway does, and may be told to fail, or to leave some of it."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self.store = store
        self.outbox = outbox
        self.failing: Exception | None = None
        self.leaves: bytes | None = None
        self.left = 0
        self.hold: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.came = asyncio.Event()

    async def answer(self, arrival: HttpArrival) -> None:
        self.asked.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.failing is not None or (self.leaves is not None and self.leaves in arrival.event.content):
            self.left += 1
            return  # it is with whoever sent it
        try:
            kept = await self.outbox.submit(arrival.event)
        except InvalidDocumentError as error:
            await arrival.refuse(error.findings)
        else:
            await arrival.accept(kept.as_json())
        self.came.set()

    async def kept(self) -> list[tuple[str, str | None, int]]:
        """Return the state, the kind and the size of every event that is stored."""
        async with self.store.reading() as tx:
            rows = (await tx.execute(select(event_table.c.state, event_table.c.kind, event_table.c.content))).all()
        return [(row.state, row.kind, len(row.content)) for row in rows]

    async def answers(self, kind: str) -> list[Json]:
        """Return what the events of a kind were answered."""
        async with self.store.reading() as tx:
            return list((await tx.execute(select(event_table.c.answer).where(event_table.c.kind == kind))).scalars())


@asynccontextmanager
async def standing(
    folder: Path, journal: Journal, *, made: datetime = BEGINS, every: timedelta | None = timedelta(hours=1)
) -> AsyncIterator[Opened]:
    clock = ManualClock(made)
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(journal))
        store = await stack.enter_async_context(Store(blank_store(folder / "store.sqlite")))
        book = AdapterBook(store, clock)
        intake = await stack.enter_async_context(
            FhirIntake(
                FhirWords(), DIRECTORY, clock, name="fhir", server=FhirServer(base, timeout=5), book=book, every=every
            )
        )
        clock.advance(max(AT_WORK - made, timedelta()))
        context = Context("region", DIRECTORY, store, clock, lambda _: None, chance=lambda: 0.5)
        keeper = Keeper(store, Outbox(context, intake))
        trust = Tokens(frozenset({hashlib.sha256(SECRET.encode()).hexdigest()}))
        door = HttpDoor(HttpEvents([Entrance(intake, (trust,), FhirAnswers(), intake.fetch)], book=book))
        await stack.enter_async_context(taking(intake, keeper.answer))
        session = await stack.enter_async_context(opened(door))
        yield keeper, session, intake


async def answer_of(response: aiohttp.ClientResponse) -> tuple[int, Json]:
    assert response.content_type == "application/fhir+json"
    found: Any = json.loads(await response.read())
    OperationOutcome.model_validate(found)
    return response.status, found


def journal_with_an_admission(journal: Journal) -> None:
    for one in (encounter(), patient(), practitioner(), role()):
        journal.put({"meta": {"versionId": "1", "lastUpdated": "2026-11-10T08:55:00+01:00"}, **one})


def changed(resource: Json, at: str, version: str = "1") -> Json:
    return {
        **resource,
        "meta": {"versionId": version, "lastUpdated": f"2026-11-10T{at if at.count(':') > 1 else f'{at}:00'}+01:00"},
    }


async def notified(session: aiohttp.ClientSession) -> None:
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert response.status == 200
