"""Messages handed to a FHIR server that is well, silent, refusing, or talks nonsense."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from build import CLINIC, NOON, booking, message, plan
from fhir_journal import Journal, serving

from gateway.adapters.fhir_delivery import FhirOutbound
from gateway.adapters.fhir_server import FhirServer
from gateway.errors import ConfigurationError, DependencyDownError, RefusedError
from gateway.notices import Notice, NoticeKind
from gateway.ports import MessageTarget


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
async def outbound(journal: Journal) -> AsyncIterator[FhirOutbound]:
    async with serving(journal) as base, FhirOutbound(FhirServer(base, timeout=5)) as made:
        yield made


async def test_a_message_is_registered_under_the_id_of_its_document(outbound: FhirOutbound, journal: Journal) -> None:
    registration = await outbound.deliver(message(plan(), CLINIC), CLINIC)
    assert registration.record_id == "DocumentReference/2"
    assert registration.at is not None
    assert registration.at.isoformat() == "2026-11-10T09:00:00+01:00"
    assert [len(journal.of_type(kind)) for kind in ("Patient", "CarePlan", "Goal", "CareTeam")] == [1, 1, 1, 1]


async def test_handed_over_twice_a_message_is_there_once(outbound: FhirOutbound, journal: Journal) -> None:
    sent = message(booking(CLINIC), CLINIC)
    first = await outbound.deliver(sent, CLINIC)
    count = len(journal.resources)
    assert await outbound.deliver(sent, CLINIC) == first
    assert len(journal.resources) == count
    await outbound.note(sent)
    await outbound.note(sent)
    assert len(journal.resources) == count + 1
    notice = Notice(kind=NoticeKind.REMINDER, unit=CLINIC, case_number="SIP100001", at=NOON, occasion="1")
    await outbound.notify(notice)
    await outbound.notify(notice)
    assert len(journal.resources) == count + 2


async def test_an_answer_that_was_lost_is_found_again(outbound: FhirOutbound, journal: Journal) -> None:
    sent = message(plan(), CLINIC)
    first = await outbound.deliver(sent, CLINIC)
    journal.misbehave = web.Response(status=502)
    with pytest.raises(DependencyDownError):
        await outbound.deliver(sent, CLINIC)
    journal.misbehave = None
    assert await outbound.deliver(sent, CLINIC) == first


async def test_a_server_that_is_silent_is_asked_again_later(journal: Journal) -> None:
    journal.hold = asyncio.Event()
    async with serving(journal) as base:
        server = FhirServer(base, timeout=0.05)
        outbound = FhirOutbound(server)
        with pytest.raises(DependencyDownError) as caught:
            await outbound.deliver(message(plan(), CLINIC), CLINIC)
        await server.close()
    assert caught.value.codes == ("fhir-server.silent",)


async def test_a_server_that_is_gone_is_asked_again_later(journal: Journal) -> None:
    async with serving(journal) as base:
        pass
    server = FhirServer(base)
    outbound = FhirOutbound(server)
    with pytest.raises(DependencyDownError) as caught:
        await outbound.ping()
    await server.close()
    assert caught.value.codes == ("fhir-server.unreachable",)


@pytest.mark.parametrize("status", [301, 401, 403, 404, 409, 429, 500, 502, 503])
async def test_what_says_nothing_about_the_message_is_tried_again(
    outbound: FhirOutbound, journal: Journal, status: int
) -> None:
    journal.misbehave = web.Response(status=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(DependencyDownError) as caught:
        await outbound.deliver(message(plan(), CLINIC), CLINIC)
    assert caught.value.codes == ("fhir-server.troubled",)


@pytest.mark.parametrize("status", [400, 412, 422])
async def test_a_refusal_tells_its_codes_and_never_its_words(
    outbound: FhirOutbound, journal: Journal, status: int
) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "error", "code": "business-rule", "diagnostics": "Henrik Vallgård 197811309819"},
            {"severity": "error", "code": "Henrik Vallgård"},
        ],
    }
    journal.misbehave = web.Response(status=status, body=json.dumps(outcome).encode())
    with pytest.raises(RefusedError) as caught:
        await outbound.deliver(message(plan(), CLINIC), CLINIC)
    (finding,) = caught.value.findings
    assert finding.code == "fhir-server.refused"
    assert "business-rule" in finding.en
    assert "Vallgård" not in str(finding)


@pytest.mark.parametrize("body", [b"", b"<html>No required SSL certificate was sent</html>", b"{}", b"[]"])
async def test_a_refusal_that_is_not_the_servers_own_gives_no_message_up(
    outbound: FhirOutbound, journal: Journal, body: bytes
) -> None:
    journal.misbehave = web.Response(status=400, body=body)
    with pytest.raises(DependencyDownError) as caught:
        await outbound.deliver(message(plan(), CLINIC), CLINIC)
    assert caught.value.codes == ("fhir-server.troubled",)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"resourceType":"OperationOutcome"}',
        b'{"resourceType":"Bundle","type":"transaction-response","entry":[]}',
        b'{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"500"}}]}',
        b'{"resourceType":"Bundle","type":"transaction-response","entry":"x"}',
    ],
)
async def test_an_answer_that_cannot_be_understood_is_no_answer(
    outbound: FhirOutbound, journal: Journal, body: bytes
) -> None:
    journal.misbehave = web.Response(body=body)
    with pytest.raises(DependencyDownError) as caught:
        await outbound.deliver(message(plan(), CLINIC), CLINIC)
    assert caught.value.codes == ("fhir-server.answer-unreadable",)


@pytest.mark.parametrize(
    "response",
    [
        {"status": "201"},
        {"status": "201", "location": "Patient/1"},
        {"status": "201", "location": "DocumentReference/1", "lastModified": "yesterday"},
    ],
)
async def test_a_document_without_its_place_is_not_registered(
    outbound: FhirOutbound, journal: Journal, response: dict[str, str]
) -> None:
    sent = message(plan(), CLINIC)
    await outbound.deliver(sent, CLINIC)
    entries = [{"response": response}] * len(journal.resources)
    answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
    journal.misbehave = web.Response(body=json.dumps(answer).encode())
    with pytest.raises(DependencyDownError):
        await outbound.deliver(sent, CLINIC)


async def test_the_token_is_read_anew_for_each_request(journal: Journal, tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with serving(journal) as base:
        server = FhirServer(base, token_file=token)
        outbound = FhirOutbound(server)
        with pytest.raises(DependencyDownError):
            await outbound.ping()
        for word in ("one", "two"):
            token.write_text(f"{word}\n", encoding="ascii")
            await outbound.ping()
        await server.close()
    assert journal.tokens == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("address", ["http://journal.example/fhir", "ftp://localhost/fhir", "journal.example", ""])
def test_health_data_is_not_sent_in_clear(address: str) -> None:
    with pytest.raises(ConfigurationError):
        FhirServer(address)


async def test_it_is_a_target_by_the_name_it_is_given(journal: Journal) -> None:
    async with serving(journal) as base, FhirOutbound(FhirServer(base), name="region-journal") as outbound:
        target: MessageTarget = outbound
        assert target.name == "region-journal"
        await target.ping()
        assert (await target.deliver(message(plan(), CLINIC), CLINIC)).record_id.startswith("DocumentReference/")


async def test_a_server_can_be_tried_without_anything_written(outbound: FhirOutbound, journal: Journal) -> None:
    await outbound.test()
    assert journal.resources == {}
    journal.misbehave = web.Response(status=403)
    with pytest.raises(DependencyDownError):
        await outbound.test()
