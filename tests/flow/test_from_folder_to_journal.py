"""A municipality with a folder, a region with HL7 v2 in and FHIR out: every level is known at the end."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blank import blank_store
from hl7.client import MLLPClient
from service_process import DIRECTORY, ROOT
from services.ports import free_port
from sides import Passages, story, told

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.simulated_caller import Caller
from gateway.adapters.simulated_fhir import SimulatedFhirJournal
from gateway.app import open_gateway, running
from gateway.clock import ManualClock
from gateway.config import Settings
from gateway.hops import Gateway
from gateway.ledger import Dispatch
from gateway.messages import Duty
from gateway.store import ledger

NOW = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
AFTER_THE_MEETING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
EVENTS = ROOT / "fixtures" / "events"
FHIR_EVENTS = EVENTS / "fhir"
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 -- of this test


@dataclass(frozen=True, slots=True)
class Journey:
    """Both gateways at work, beside the municipality's system, the region's journal, and its engine for HL7."""

    kommun: Gateway
    region: Gateway
    passages: Passages
    treserva: SimulatedCaseSystem
    journal: SimulatedFhirJournal
    mllp: int
    clock: ManualClock

    async def happens(self, event: dict[str, Any]) -> None:
        """Let the municipality's system tell an event, and return when it is kept."""
        answer = await self.treserva.tell(str(event["handelseId"]), told(event))
        assert "caseNumber" in answer, answer

    async def says(self, message: str) -> str:
        """Send an HL7 message with the real client, and return the answer."""

        def send() -> bytes:
            with MLLPClient("127.0.0.1", self.mllp) as client:
                answer: bytes = client.send_message(message.encode())
                return answer

        return (await asyncio.to_thread(send)).decode()


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[Journey]:
    clock, passages = ManualClock(NOW), Passages()
    http, mllp = free_port(folder / "ports"), free_port(folder / "ports")
    (folder / "token").write_text(TOKEN, encoding="ascii")
    (folder / "tokens").write_text(hashlib.sha256(TOKEN.encode()).hexdigest(), encoding="ascii")
    caller = Caller(f"http://127.0.0.1:{http}/api/v1/events/fhir/changes", clock, token_file=folder / "token")
    async with AsyncExitStack() as stack:
        treserva = SimulatedCaseSystem(folder / "treserva", "treserva", clock)
        await stack.enter_async_context(treserva)
        journal = SimulatedFhirJournal(folder / "journal", clock, caller=caller, retry=0.05)
        await stack.enter_async_context(journal)
        common: dict[str, Any] = {
            "exchange": f"sqlite+aiosqlite:///{folder / 'exchange.sqlite'}",
            "directory": DIRECTORY,
        }
        municipal = Settings(
            party="kommun",
            store=blank_store(folder / "kommun.sqlite"),
            adapter="treserva",
            folder=folder / "treserva",
            **common,
        )
        regional = Settings(
            party="region",
            store=blank_store(folder / "region.sqlite"),
            http_listen=f"127.0.0.1:{http}",
            adapters=(
                AdapterSettings(name="hl7", words="hl7", way="mllp", direction="in", listen=f"127.0.0.1:{mllp}"),
                AdapterSettings(
                    name="fhir", words="fhir", way="rest", url=journal.address, tokens_file=folder / "tokens"
                ),
            ),
            **common,
        )
        gateways = [
            await stack.enter_async_context(open_gateway(settings, clock, passages.observe))
            for settings in (municipal, regional)
        ]
        await stack.enter_async_context(running(*gateways))
        async with asyncio.timeout(60):
            yield Journey(*gateways, passages, treserva, journal, mllp, clock)


async def sent(gateway: Gateway) -> list[Dispatch]:
    async with gateway.context.store.reading() as tx:
        return list(await ledger.sent_messages(tx))


def hl7_bytes(name: str) -> bytes:
    return (EVENTS / "hl7" / f"{name}.hl7").read_bytes()


async def known(gateway: Gateway, passages: Passages, owed: int) -> list[Dispatch]:
    """Return what a gateway has sent once all of it is registered, and so much of what somebody must answer is.

    Somebody must take charge of those that ask for it; the others are known when they are registered.
    """
    while True:
        before = len(passages)
        rows = await sent(gateway)
        answered = [row for row in rows if row.duty is not Duty.NOTIFY and row.acknowledged_at is not None]
        if len(answered) == owed and all(row.record_id for row in rows):
            return rows
        await passages.after(before)


def admitted(person: dict[str, str]) -> str:
    """Return the fixture of an admission, about ``person``."""
    given, family = person["namn"].split(" ", 1)
    message = hl7_bytes("valid_a01").decode().replace("Vallgård^Henrik", f"{family}^{given}")
    return message.replace("197811309819", person["personnummer"].replace("-", ""))


def coming(booking: Dispatch, person: dict[str, str], patient: str) -> bytes:
    """Return the fixture of a unit that says it will come, as its answer to a ``booking``, of a ``patient`` there."""
    told = (FHIR_EVENTS / "valid_appointmentresponse-accepted.json").read_text(encoding="utf-8")
    given, family = person["namn"].split(" ", 1)
    for old, new in (
        ("5f0e8c1a-3b7d-4c52-9a64-0d1e2f3a4b5c", booking.message_id),
        ("JRN-SIP-17", booking.case_number),
        ("SE2321000131-E000000000101", booking.unit),
        ("197811309819", person["personnummer"].replace("-", "")),
        ("Vallgård", family),
        ("Henrik", given),
        ('Patient/p1"', f'Patient/{patient}"'),
        ('"id": "p1"', f'"id": "{patient}"'),
        *((f'{name}"', f'{name}-{booking.unit[-3:]}"') for name in ("resp-1", "isak-303", "/isak", ': "isak')),
    ):
        assert old in told
        told = told.replace(old, new)
    return told.encode()


async def test_every_level_of_every_message_is_known(tmp_path: Path) -> None:
    need, consent, booking, plan = story("journey")[:4]
    person = need["person"]
    transfer = json.loads((EVENTS / "treserva" / "valid_ansvar.json").read_text(encoding="utf-8"))
    transfer |= {name: need[name] for name in ("arendeId", "enhet", "handlaggare", "person")}
    transfer |= {"tidpunkt": "2026-11-20T09:00:00", "franOchMed": "2026-11-23"}
    async with at_work(tmp_path) as journey:
        for event in (need, consent, booking):
            await journey.happens(event)
        rows = await known(journey.kommun, journey.passages, 0)
        # What the region hears by HL7 v2.
        assert "MSA|AA|" in await journey.says(admitted(person))
        # What its staff do in the journal with FHIR.
        (patient,) = await journey.journal.of_kind("Patient")
        bookings = [row for row in rows if row.type == "meetingBooking"]
        for row in bookings:
            await journey.journal.tell(f"answer-{row.unit[-3:]}", coming(row, person, patient["id"]))
        await known(journey.kommun, journey.passages, len(bookings))
        journey.clock.advance(AFTER_THE_MEETING - NOW)
        for event in (plan, transfer):
            await journey.happens(event)
        to_region = await known(journey.kommun, journey.passages, len(bookings) + 2)
        to_kommun = await known(journey.region, journey.passages, 2)
        records = [f"DocumentReference/{one['id']}" for one in await journey.journal.records()]
        in_treserva = [one["recordId"] for one in await journey.treserva.records()]
    assert len(bookings) == 2
    assert {row.type for row in to_region} == {
        "sipStart",
        "consent",
        "meetingBooking",
        "plan",
        "responsibilityTransfer",
    }
    assert {row.type for row in to_kommun} == {"admissionNotice", "invitationReply"}
    for rows, held in ((to_region, records), (to_kommun, in_treserva)):
        for row in rows:
            assert None not in (row.sent_at, row.received_at, row.registered_at), row
            assert row.record_id in held, row
            assert row.acknowledged_at is not None or row.duty is Duty.NOTIFY, row
