"""What the staff of simulated systems say over HTTP, FHIR and MLLP, to the gateway's own doors."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from blank import blank_store
from build import CLINIC, NOON, message, plan, transfer
from case_events import DIRECTORY, EVENTS
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from hl7_events import hl7_bytes
from http_side import ANSWER, opened, taking
from services.ports import free_port

from gateway.adapter_book import AdapterBook
from gateway.adapters.behaviour import Behaviour
from gateway.adapters.fhir_answers import FhirAnswers
from gateway.adapters.fhir_delivery import FhirOutbound
from gateway.adapters.fhir_intake import FhirIntake
from gateway.adapters.fhir_server import FhirServer
from gateway.adapters.fhir_words import FhirWords
from gateway.adapters.http_delivery import HttpDelivery
from gateway.adapters.http_door import HttpDoor
from gateway.adapters.http_events import Entrance, HttpEvents
from gateway.adapters.http_intake import HttpArrival, HttpIntake
from gateway.adapters.http_trust import Signed, Tokens, Trust
from gateway.adapters.mllp import MllpServer
from gateway.adapters.signing import Secrets
from gateway.adapters.simulated_caller import Caller
from gateway.adapters.simulated_fhir import SimulatedFhirJournal
from gateway.adapters.simulated_http import SimulatedHttpSystem
from gateway.adapters.simulated_mllp import tell_over_mllp
from gateway.adapters.table import VOCABULARIES
from gateway.clock import ManualClock, SystemClock
from gateway.errors import ConfigurationError, DependencyDownError
from gateway.messages import Acknowledgement
from gateway.notices import Notice, NoticeKind
from gateway.ports import Event
from gateway.store import Store

NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)
SECRETS = Secrets((b"a secret of more than 24 bytes",))
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 -- of this test
PLAN = message(plan(), CLINIC)
TRANSFER = message(transfer(), CLINIC)
"""What somebody must take charge of."""


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="ascii")
    return file


# --- over HTTP ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_signed", [True, False], ids=["signed", "token"])
@pytest.mark.parametrize("times", [1, 2])
async def test_staff_take_charge_by_an_event_until_the_gateway_has_kept_it(
    tmp_path: Path, token_file: Path, is_signed: bool, times: int
) -> None:
    clock = ManualClock(NOW)
    trust: Trust = Signed(SECRETS, clock)
    if not is_signed:
        trust = Tokens(frozenset({hashlib.sha256(TOKEN.encode()).hexdigest()}))
    intake, came = HttpIntake(VOCABULARIES["journal"], DIRECTORY, name="journal"), list[bytes]()
    kept = asyncio.Event()

    async def answers(arrival: HttpArrival) -> None:
        came.append(arrival.event.content)
        if len(came) == 1:
            arrival.leave()  # not kept now
        else:
            await arrival.accept(ANSWER)
            if len(came) > times:
                kept.set()

    door = HttpDoor(HttpEvents([Entrance(intake, (trust,))]))
    async with taking(intake, answers), opened(door):
        url = f"http://127.0.0.1:{door.address[1]}/api/v1/events/journal"
        shows = {"secrets": SECRETS} if is_signed else {"token_file": token_file}
        caller = Caller(url, clock, **shows)  # type: ignore[arg-type]
        system = SimulatedHttpSystem(tmp_path, "journal", clock, SECRETS, caller=caller, interval=0.01, retry=0.01)
        system.behaviour = Behaviour(twice=times == 2)
        async with system, HttpDelivery(VOCABULARIES["journal"], system.address, SECRETS, clock, name="j") as way:
            await way.deliver(PLAN, CLINIC)
            await asyncio.wait_for(kept.wait(), 5)
            for _ in range(500):
                counts = await system.counts()
                if counts["acknowledged"]:
                    break
                await asyncio.sleep(0.01)
    assert (counts["records"], counts["acknowledged"], counts["refused"]) == (1, 1, 0)
    assert len(set(came)) == 1
    (draft,) = intake.translate(Event(source="journal", content=came[0])).drafts
    assert isinstance(draft.body, Acknowledgement)
    assert (draft.body.message_id, draft.body.message_type, draft.unit) == (PLAN.header.message_id, "plan", CLINIC)


async def test_an_event_is_answered_as_the_gateway_answers_it(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    intake = HttpIntake(VOCABULARIES["journal"], DIRECTORY, name="journal")
    door = HttpDoor(HttpEvents([Entrance(intake, (Signed(SECRETS, clock),))]))
    async with taking(intake), opened(door):
        url = f"http://127.0.0.1:{door.address[1]}/api/v1/events/"
        told = []
        for name, secrets in (("journal", SECRETS), ("journal", Secrets((b"x" * 24,))), ("nobody", SECRETS)):
            caller = Caller(f"{url}{name}", clock, secrets=secrets)
            async with SimulatedHttpSystem(tmp_path, "journal", clock, SECRETS, caller=caller) as system:
                told.append(await system.tell("01", b"{}"))
    assert told[0] == {"status": 202, "answer": ANSWER}
    assert [one["status"] for one in told] == [202, 401, 404]


async def test_only_who_signs_is_given_a_receipt_and_a_test_leaves_no_record(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with SimulatedHttpSystem(tmp_path, "treserva", clock, SECRETS) as system:
        words = VOCABULARIES["treserva"]
        async with HttpDelivery(words, system.address, SECRETS, clock, name="t") as way:
            await way.ping()
            await way.test()
        async with HttpDelivery(words, system.address, Secrets((b"x" * 24,)), clock, name="t") as stranger:
            with pytest.raises(DependencyDownError):
                await stranger.deliver(PLAN, CLINIC)
        assert await system.counts() == {"asked": 3, "records": 0, "acknowledged": 0, "refused": 0}


def test_a_token_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Caller("http://localhost/", ManualClock(NOW), token_file=tmp_path / "none")


# --- over FHIR ------------------------------------------------------------------------------------------------------


class Gateway:
    """A gateway's door for FHIR, which keeps what is fetched from a journal once it has ``met`` it."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.port = free_port(folder / "ports")
        self.url = f"http://127.0.0.1:{self.port}/api/v1/events/fhir/changes"
        self._folder = folder
        self._clock = clock
        self._more = asyncio.Event()
        self.drafts: list[Any] = []

    @asynccontextmanager
    async def met(self, journal: SimulatedFhirJournal) -> AsyncIterator[FhirOutbound]:
        """Let ``journal`` notify, and yield the way out to it; before that nobody answers it."""
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(Store(blank_store(self._folder / "gateway.sqlite")))
            book, server = AdapterBook(store, self._clock), FhirServer(journal.address)
            intake = FhirIntake(FhirWords(), DIRECTORY, self._clock, name="fhir", server=server, book=book)
            await stack.enter_async_context(intake)

            async def keep(arrival: HttpArrival) -> None:
                self.drafts += intake.translate(arrival.event).drafts
                await arrival.accept({"messageIds": []})
                self._more.set()

            await stack.enter_async_context(taking(intake, keep))
            trust = Tokens(frozenset({hashlib.sha256(TOKEN.encode()).hexdigest()}))
            events = HttpEvents([Entrance(intake, (trust,), FhirAnswers(), intake.fetch)], book=book)
            await stack.enter_async_context(opened(HttpDoor(events, port=self.port)))
            yield await stack.enter_async_context(FhirOutbound(FhirServer(journal.address)))

    async def draft(self) -> Any:
        """Return the only message that what was fetched becomes, as soon as there is one."""
        while not self.drafts:
            self._more.clear()
            await self._more.wait()
        (draft,) = self.drafts
        return draft


@pytest.mark.parametrize("twice", [False, True])
async def test_staff_take_charge_by_accepting_the_task_and_the_gateway_fetches_it(
    tmp_path: Path, token_file: Path, twice: bool
) -> None:
    clock = ManualClock(NOW)
    gateway = Gateway(tmp_path, clock)
    caller = Caller(gateway.url, clock, token_file=token_file)
    journal = SimulatedFhirJournal(
        tmp_path / "journal", clock, caller=caller, interval=0.01, retry=0.01, behaviour=Behaviour(twice=twice), page=1
    )
    async with asyncio.timeout(10), journal, gateway.met(journal) as outbound:
        for occasion in "123":  # Tasks too, that nobody takes charge of; each is a page of its own
            notice = Notice(kind=NoticeKind.REMINDER, unit=CLINIC, case_number="SIP100001", at=NOON, occasion=occasion)
            await outbound.notify(notice)
        await outbound.deliver(TRANSFER, CLINIC)
        draft = await gateway.draft()
        counts = await journal.counts()
        tasks = await journal.of_kind("Task")
    answer = draft.body
    assert draft.type == "acknowledgement"
    assert (answer.message_id, answer.message_type, answer.unit) == (
        TRANSFER.header.message_id,
        "responsibilityTransfer",
        CLINIC,
    )
    assert (answer.at, answer.acknowledged_by.name) == (NOW, "Isak Fjellander")
    assert counts["acknowledged"] == 1
    assert [task["status"] for task in tasks] == ["requested"] * 3 + ["accepted"]
    assert tasks[-1]["meta"]["versionId"] == ("3" if twice else "2")


async def test_a_journal_tells_what_it_is_told_to_say(tmp_path: Path, token_file: Path) -> None:
    clock = ManualClock(datetime(2026, 11, 10, 9, 0, tzinfo=UTC))
    gateway = Gateway(tmp_path, clock)
    caller = Caller(gateway.url, clock, token_file=token_file)
    journal = SimulatedFhirJournal(tmp_path / "journal", clock, caller=caller, interval=0.01, retry=0.01)
    async with asyncio.timeout(10), journal, gateway.met(journal):
        told = await journal.tell("admitted", (EVENTS / "fhir" / "valid_encounter-admitted.json").read_bytes())
        draft = await gateway.draft()
    assert any(name.startswith("Encounter/") for name in told["stored"])
    assert not any(name.startswith("MessageHeader/") for name in told["stored"])
    assert draft.type == "admissionNotice"


async def test_the_server_answers_as_fhir_wants_it(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with SimulatedFhirJournal(tmp_path, clock, acknowledges=False, page=2) as journal:
        async with FhirOutbound(FhirServer(journal.address)) as outbound:
            await outbound.ping()
            await outbound.test()
            registration = await outbound.deliver(TRANSFER, CLINIC)
        (task,) = await journal.of_kind("Task")
        (document,) = await journal.records()
        async with aiohttp.ClientSession() as client:

            async def got(path: str) -> tuple[int, Any]:
                async with client.get(f"{journal.address}/{path}") as response:
                    assert response.content_type == "application/fhir+json"
                    return response.status, await response.json()

            assert CapabilityStatement.model_validate((await got("metadata"))[1]).fhirVersion == "4.0.1"
            assert Bundle.model_validate((await got("Task?_count=9"))[1]).type == "searchset"
            assert (await got(registration.record_id))[1] == document
            assert (await got(f"Task/{task['id']}/_history/1"))[1] == task
            for path in (f"Task/{task['id']}/_history/2", "Task/0", "a/b/c/d"):
                assert (await got(path))[0] == 404
            for path in ("Task?status=requested", "Task?_lastUpdated=ge2026", "Task?_count=x", "Task?_sort=-status"):
                assert (await got(path))[0] in {200, 400}
                assert (await got(path))[1]["resourceType"] in {"OperationOutcome", "Bundle"}
            assert (await got("Task?status=requested"))[0] == 400
            for body in (b"", b"{}", b'{"type": "transaction", "entry": [{}]}', b"\xff"):
                async with client.post(journal.address, data=body) as response:
                    assert response.status == 400
    # What a transaction refers to is there, under its own name.
    assert task["focus"]["reference"] == registration.record_id
    assert task["for"]["reference"].startswith("Patient/")


# --- over MLLP ------------------------------------------------------------------------------------------------------


async def test_an_hl7_message_is_answered_by_its_msa() -> None:
    async with MllpServer(source="hl7", clock=SystemClock(), port=0) as server, asyncio.timeout(10):
        talk = asyncio.create_task(tell_over_mllp("127.0.0.1", server.port, hl7_bytes("valid_a01_enhanced")))
        async with aclosing(server.arrivals()) as arrivals:  # type: ignore[type-var]
            (arrival,) = await anext(arrivals)
            await arrival.accept({"messageIds": ["m"]})
            answers = await talk
    assert [answer.split("|")[1] for answer in answers] == ["CA", "AA"]
