"""A journal that speaks HL7 v2, through a gateway at work: stored, then answered; told again, answered the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store
from build import KOMMUN, OTHER_PERSON, REGION, STAFF, consent, need
from case_events import PSYCHIATRY, SOCIAL
from hl7.client import MLLPClient
from hl7_events import INVALID_HL7, changed, hl7_bytes
from scripted import DIRECTORY, NAME_OF, ScriptedAdapter
from sqlalchemy import select

from gateway.adapters.hl7_inbound import Hl7Inbound
from gateway.adapters.mllp import MllpArrival
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.hops import Gateway
from gateway.ledger import Dispatch
from gateway.messages import ConsentScope, InformationType, Message, parse_xml
from gateway.ports import Draft, Event, Translation
from gateway.progress import ignore
from gateway.store import Store, cases, ledger, outgoing, tables
from gateway.transport.embedded import EmbeddedTransport

ADMITTED = datetime(2026, 11, 10, 8, 5, tzinfo=UTC)


class JournalBothWays(ScriptedAdapter):
    """An adapter put together of two: HL7 in, and another way out."""

    name = "hl7"

    def __init__(self, inbound: Hl7Inbound) -> None:
        super().__init__()
        self._inbound = inbound

    def arrivals(self) -> AsyncIterator[list[MllpArrival]]:  # type: ignore[override]
        return self._inbound.arrivals()

    def translate(self, event: Event) -> Translation:
        return self._meant.get(event.content) or self._inbound.translate(event)


class Hospital:
    """A journal beside the gateway of its region."""

    def __init__(self, gateway: Gateway, adapter: JournalBothWays, port: int, clock: ManualClock) -> None:
        self.clock = clock
        self._adapter = adapter
        self._gateway = gateway
        self._port = port

    async def says(self, content: bytes) -> str:
        """Send a message with the real client, and return the answer."""

        def send() -> bytes:
            with MLLPClient("127.0.0.1", self._port) as client:
                answer: bytes = client.send_message(content)
                return answer

        return (await asyncio.to_thread(send)).decode(errors="replace")  # it is in the sender's own character set

    async def says_otherwise(self, body: Any, *to: str) -> None:
        """Say, by the other way in that the adapter has, what HL7 has no message for."""
        kind = NAME_OF[type(body)]
        draft = Draft(type=kind, body=body, unit=PSYCHIATRY, user=STAFF, recipients=to, person=OTHER_PERSON)
        await self._gateway.outbox.submit(self._adapter.saying(draft, about="CASE-77310"))

    async def kept(self) -> list[tuple[str, str | None]]:
        """Return state and kind of every event that is kept."""
        async with self._gateway.context.store.reading() as tx:
            rows = await tx.execute(select(tables.event.c.state, tables.event.c.kind).order_by(tables.event.c.id))
            return [(row.state, row.kind) for row in rows]

    async def sent(self) -> list[tuple[str, str]]:
        """Return type and unit of every message, in order."""
        return [(row.type, row.unit) for row in await self._rows()]

    async def message(self, type_name: str) -> Message:
        """Return the last message of a type."""
        last = [row for row in await self._rows() if row.type == type_name][-1]
        async with self._gateway.context.store.reading() as tx:
            return parse_xml(await outgoing.content(tx, last.message_id))

    async def state(self) -> str:
        """Return the state of the case of the stay."""
        async with self._gateway.context.store.reading() as tx:
            number = await cases.number_of(tx, "hl7", "ENC-2026-60417")
            case = (await cases.load(tx, number)).case
        assert case is not None
        return case.state.value

    async def _rows(self) -> list[Dispatch]:
        async with self._gateway.context.store.reading() as tx:
            return list(await ledger.sent_messages(tx))


@asynccontextmanager
async def at_work(folder: Path, at: datetime) -> AsyncIterator[Hospital]:
    clock = ManualClock(at)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(blank_store(folder / f"{REGION}.sqlite")))
        exchange = f"sqlite+aiosqlite:///{folder / 'exchange'}.sqlite"
        transport = await stack.enter_async_context(EmbeddedTransport(exchange, REGION, clock))
        await stack.enter_async_context(EmbeddedTransport(exchange, KOMMUN, clock))
        inbound = Hl7Inbound(DIRECTORY, clock, port=0)
        context = Context(REGION, DIRECTORY, store, clock, ignore, chance=lambda: 0.5)
        adapter = JournalBothWays(inbound)
        gateway = Gateway(context, adapter, transport, doors=(inbound,))
        running = asyncio.create_task(gateway.run(stop))
        try:
            async with asyncio.timeout(60):
                await inbound.is_open.wait()
                yield Hospital(gateway, adapter, inbound.port, clock)
        finally:
            stop.set()
            await running


@pytest.fixture
async def hospital(tmp_path: Path) -> AsyncIterator[Hospital]:
    async with at_work(tmp_path, ADMITTED) as hospital:
        yield hospital


async def test_an_admission_is_stored_and_then_answered_and_told_again_is_answered_the_same(
    hospital: Hospital,
) -> None:
    first = await hospital.says(hl7_bytes("valid_a01"))
    again = await hospital.says(hl7_bytes("valid_a01"))

    assert "\rMSA|AA|MSG-2026-0001|\r" in first
    assert again == first
    assert await hospital.kept() == [("accepted", "ADT^A01")]
    assert {kind for kind, _ in await hospital.sent()} == {"admissionNotice"}
    assert len(await hospital.sent()) == 2


async def test_other_content_under_the_same_id_is_refused_and_kept(hospital: Hospital) -> None:
    await hospital.says(hl7_bytes("valid_a01"))
    answer = await hospital.says(changed("valid_a01", "|20261116", "|20261117"))
    other_type = await hospital.says(changed("valid_a31", "MSG-2026-0021", "MSG-2026-0001"))

    assert "\rMSA|AE|MSG-2026-0001|event.id-conflict\r" in answer
    assert "^HL70357|E|event.id-conflict^^99SIP|" in answer
    assert "\rMSA|AA|MSG-2026-0001|" in other_type  # a sender may count each type by itself
    assert await hospital.kept() == [("accepted", "ADT^A01"), ("refused", "ADT^A01"), ("accepted", "ADT^A31")]


async def test_in_the_enhanced_mode_it_is_first_kept_and_then_accepted(hospital: Hospital) -> None:
    answer = await hospital.says(hl7_bytes("valid_a01_enhanced"))

    kept, accepted = answer.split("\x1c\r")[:2]
    assert "\rMSA|CA|MSG-2026-0003|" in kept
    assert "\rMSA|AA|MSG-2026-0003|" in accepted


async def test_a_stay_is_told_from_admission_to_discharge(hospital: Hospital) -> None:
    said = []
    for name, at in (
        ("valid_a01", ADMITTED),
        ("valid_a02", datetime(2026, 11, 12, 9, 20, tzinfo=UTC)),
        ("valid_a08", datetime(2026, 11, 13, 8, 5, tzinfo=UTC)),
        ("valid_a08_nothing-new", datetime(2026, 11, 13, 8, 15, tzinfo=UTC)),
        ("valid_a16", datetime(2026, 11, 16, 9, 45, tzinfo=UTC)),
        ("valid_a25", datetime(2026, 11, 17, 15, 0, tzinfo=UTC)),
        ("valid_a03", datetime(2026, 11, 18, 8, 5, tzinfo=UTC)),
        ("valid_a13", datetime(2026, 11, 18, 11, 5, tzinfo=UTC)),
        ("valid_a03_information", datetime(2026, 11, 18, 11, 10, tzinfo=UTC)),
    ):
        hospital.clock.advance(at - hospital.clock.now())
        answer = await hospital.says(hl7_bytes(name))
        said.append(answer.split("\rMSA|")[1][:2])

    assert said == ["AA"] * 9
    assert list(dict.fromkeys(kind for kind, _ in await hospital.sent())) == [
        "admissionNotice",
        "admissionUpdate",
        "dischargeReady",
        "dischargeReadyRecall",
        "dischargeMessage",
        "dischargeInformation",
    ]
    ready, recall = await hospital.message("dischargeReady"), await hospital.message("dischargeReadyRecall")
    assert recall.body.ready_message_id == ready.header.message_id
    assert await hospital.state() == "discharged"


async def test_an_update_is_told_only_when_it_says_something_new_of_an_open_case(hospital: Hospital) -> None:
    unknown = await hospital.says(hl7_bytes("valid_a08"))
    await hospital.says(hl7_bytes("valid_a01"))
    same_day = await hospital.says(changed("valid_a08", "|20261120", "|20261116").replace(b"0014", b"0040"))
    news = await hospital.says(changed("valid_a08", "0014", "0041"))

    assert "hl7.nothing-to-send" in unknown
    assert "hl7.nothing-to-send" in same_day
    assert "hl7.nothing-to-send" not in news
    assert [kind for kind, _ in await hospital.sent()] == ["admissionNotice"] * 2 + ["admissionUpdate"] * 2


async def test_a_cancelled_admission_ends_the_process_once(hospital: Hospital) -> None:
    await hospital.says(hl7_bytes("valid_a01"))
    hospital.clock.advance(datetime(2026, 11, 10, 11, 5, tzinfo=UTC) - ADMITTED)
    await hospital.says(hl7_bytes("valid_a11"))
    again = await hospital.says(changed("valid_a11", "0017", "0042"))

    assert await hospital.state() == "interrupted"
    assert "\rMSA|AA|" in again
    assert [kind for kind, _ in await hospital.sent()].count("processInterruption") == 2


async def test_what_breaks_a_rule_is_told_by_the_field_it_was_read_from(hospital: Hospital) -> None:
    answer = await hospital.says(changed("valid_a01", "|20261116", "|20261108"))

    assert "\rERR||PV2^1^9^1|207^" in answer
    assert "|admission-notice.discharge-before-admission^^99SIP||PV2-9: " in answer


async def test_a_recall_without_anything_to_recall_is_refused_by_name(hospital: Hospital) -> None:
    await hospital.says(hl7_bytes("valid_a01"))
    answer = await hospital.says(hl7_bytes("valid_a25"))

    assert "\rMSA|AE|MSG-2026-0020|case.nothing-in-force\r" in answer


async def test_a_meeting_of_a_sip_is_booked_moved_and_called_off(tmp_path: Path) -> None:
    start = datetime(2026, 9, 18, 7, 0, tzinfo=UTC)
    async with at_work(tmp_path, start) as journal:
        await journal.says_otherwise(need(), SOCIAL)
        scope = ConsentScope(parties=(KOMMUN,), information_types=tuple(InformationType))
        await journal.says_otherwise(replace(consent(at=start), scope=scope))
        said = []
        for content, hours in (
            (hl7_bytes("valid_s12"), 3),
            (hl7_bytes("valid_s13"), 4),
            (changed("valid_s14", "20260924143000", "20260924150000"), 1),
            (hl7_bytes("valid_s26"), 80),  # not the meeting that is booked now
            (changed("valid_s15", "20260921130000", "20260924130000").replace(b"20260921143000", b"20260924150000"), 1),
        ):
            journal.clock.advance(timedelta(hours=hours))
            said.append((await journal.says(content)).split("\rMSA|")[1].split("\r")[0])

        assert [one[:2] for one in said] == ["AA", "AA", "AA", "AE", "AA"], said
        assert [kind for kind, _ in await journal.sent()].count("meetingChange") == 2
        assert (await journal.message("meetingCancellation")).body.slot.end == datetime(2026, 9, 24, 13, 0, tzinfo=UTC)
        moved = (await journal.message("meetingChange")).body
        assert moved.previous.start == moved.meeting.start == datetime(2026, 9, 24, 11, 0, tzinfo=UTC)
        assert moved.meeting.end - moved.previous.end == timedelta(minutes=30)


async def test_a_merge_is_accepted_and_kept_and_said_to_be_sent_to_nobody(hospital: Hospital) -> None:
    answer = await hospital.says(hl7_bytes("valid_a40"))

    assert "\rMSA|AA|MSG-2026-0022|hl7.nothing-to-send\r" in answer
    assert await hospital.kept() == [("accepted", "ADT^A40")]
    assert await hospital.sent() == []


RESERVE = "19810829M070^^^&1.2.752.113.11.0.2.1.1.1&ISO"
SWEDISH = "197811309819^^^&1.2.752.129.2.1.3.1&ISO"


async def test_a_stay_that_began_under_a_reserve_number_goes_on_under_the_number_it_was_merged_with(
    hospital: Hospital,
) -> None:
    await hospital.says(changed("valid_a01", SWEDISH, RESERVE))
    before = await hospital.says(changed("valid_a08", "0014", "0051"))
    merged = await hospital.says(hl7_bytes("valid_a40"))
    hospital.clock.advance(datetime(2026, 11, 16, 9, 45, tzinfo=UTC) - ADMITTED)
    ready = await hospital.says(hl7_bytes("valid_a16"))

    assert "\rMSA|AE|MSG-2026-0051|case.other-person\r" in before
    assert "\rMSA|AA|MSG-2026-0022|" in merged
    assert "\rMSA|AA|MSG-2026-0019|\r" in ready
    person = (await hospital.message("dischargeReady")).header.person
    assert person is not None
    # The municipality, which knows the old number only, learns both.
    assert [one.extension for one in person.identifiers] == ["197811309819", "19810829M070"]


async def test_a_merge_lets_no_third_number_into_the_stay(hospital: Hospital) -> None:
    await hospital.says(changed("valid_a01", SWEDISH, RESERVE))
    await hospital.says(changed("valid_a40", SWEDISH, "198509129808^^^&1.2.752.129.2.1.3.1&ISO"))
    hospital.clock.advance(datetime(2026, 11, 16, 9, 45, tzinfo=UTC) - ADMITTED)

    assert "\rMSA|AE|MSG-2026-0019|case.other-person\r" in await hospital.says(hl7_bytes("valid_a16"))


async def test_every_bad_message_is_answered_with_its_code_and_kept_and_nothing_personal_is_said(
    hospital: Hospital, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for path in INVALID_HL7:
        content = path.read_bytes()
        if b"\x0b" in content or content.startswith(b"BHS") or len(set(content)) < 5:
            continue  # the frame or the batch is what is bad: see the tests of the server
        answer = await hospital.says(content)
        assert path.name.split("_")[1] in answer, path.name
        assert answer.split("\rMSA|")[1][:2] in ("AE", "AR"), path.name
        told.append(answer)

    assert len(told) > 35
    assert await hospital.sent() == []
    assert {state for state, _ in await hospital.kept()} == {"refused"}
    assert len(await hospital.kept()) == len(told)
    written = "".join(told) + "".join(capsys.readouterr())
    assert not [word for word in ("Vallgård", "197811309819", "Övningsgatan") if word in written]
