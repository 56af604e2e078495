"""What a journal is answered over HTTP: only when the event is stored, with a coded reason and place for each fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from fhir_documents import (
    CENTRE,
    DIRECTORY,
    PERSONNUMMER,
    WARD,
    bundle,
    call,
    case,
    close,
    communication,
    decision,
    encounter,
    extensions,
    patient,
    people,
    serialised,
    start,
)
from fhir_journal import Journal
from fhir_side import (
    ADDRESS,
    AT_WORK,
    CHANGES,
    HEADERS,
    SECRET,
    Opened,
    answer_of,
    changed,
    journal_with_an_admission,
    notified,
    standing,
)

from gateway.adapters.folder import UNAVAILABLE
from gateway.errors import DependencyDownError
from gateway.store import adapters


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
async def door(tmp_path: Path, journal: Journal) -> AsyncIterator[Opened]:
    async with standing(tmp_path, journal) as found:
        yield found


async def test_an_admission_is_stored_before_it_is_answered_and_the_same_again_gets_the_same_answer(
    door: Opened,
) -> None:
    gateway, session, _ = door
    content = serialised(bundle(encounter(), *people()))
    answers = []
    for _ in range(2):
        async with session.post(ADDRESS, data=content, headers=HEADERS) as response:
            answers.append(await answer_of(response))
    (status, outcome), again = answers
    assert status == 201
    assert again == (status, outcome)
    codes = [coding["system"] for coding in outcome["issue"][0]["details"]["coding"]]
    assert codes == ["urn:sip-gateway:accepted:message-id", "urn:sip-gateway:accepted:case-number"]
    assert await gateway.kept() == [("accepted", "Encounter", len(content))]


async def test_a_journal_can_lead_a_sip_from_the_need_to_the_end(door: Opened) -> None:
    gateway, session, _ = door
    need = {**start(), "meta": {"lastUpdated": "2026-11-10T08:30:00+01:00"}}
    told = []
    for number, one in enumerate((need, decision(), call(), communication(), close())):
        content = serialised(bundle(one, *people(CENTRE), name=f"b-{number}"))
        async with session.post(ADDRESS, data=content, headers=HEADERS) as response:
            status, outcome = await answer_of(response)
        assert status == 201, outcome
        told.append([coding["code"] for coding in outcome["issue"][0]["details"]["coding"]])
    assert {number for _, number in told} == {"SIP200001"}
    assert len({message_id for message_id, _ in told}) == 5
    assert [state for state, *_ in await gateway.kept()] == ["accepted"] * 5


async def test_what_becomes_no_message_is_accepted_and_kept(door: Opened) -> None:
    gateway, session, _ = door
    content = serialised(patient(meta={"versionId": "2"}))
    async with session.post(ADDRESS, data=content, headers=HEADERS) as response:
        status, outcome = await answer_of(response)
    assert (status, outcome["issue"][0]["severity"]) == (200, "information")
    assert await gateway.kept() == [("accepted", "Patient", len(content))]


async def test_what_is_wrong_is_answered_with_its_places_in_both_languages_and_kept(door: Opened) -> None:
    gateway, session, _ = door
    wrong = bundle(encounter("cancelled", period={"start": "2026-13-45"}), *people())
    wrong["entry"][1]["resource"]["identifier"][0]["value"] = "197811309818"
    async with session.post(ADDRESS, data=json.dumps(wrong), headers=HEADERS) as response:
        status, outcome = await answer_of(response)
    assert status == 422
    told = [(issue["details"]["coding"][0]["code"], issue["expression"]) for issue in outcome["issue"]]
    assert ("json.form", ["Bundle.entry[0].resource.period.start"]) in told
    (translation,) = outcome["issue"][0]["details"]["_text"]["extension"]
    assert translation["extension"][0] == {"url": "lang", "valueCode": "en"}
    text = json.dumps(outcome)
    assert "Vallg" not in text
    assert PERSONNUMMER[:8] not in text
    assert [state for state, *_ in await gateway.kept()] == ["refused"]


async def test_a_rule_of_the_message_is_told_too(door: Opened) -> None:
    _, session, _ = door
    late = encounter(period={"start": "2026-11-12T14:20:00+01:00"})
    async with session.post(ADDRESS, data=serialised(bundle(late, *people())), headers=HEADERS) as response:
        status, outcome = await answer_of(response)
    assert status == 422
    assert outcome["issue"][0]["code"] == "business-rule"
    assert outcome["issue"][0]["expression"] == ["Bundle.entry[0].resource"]


async def test_another_event_under_a_known_id_is_a_conflict(door: Opened) -> None:
    _, session, _ = door
    async with session.post(ADDRESS, data=serialised(bundle(encounter(), *people())), headers=HEADERS) as response:
        assert response.status == 201
    other = encounter(period={"start": "2026-11-09T15:20:00+01:00"})
    async with session.post(ADDRESS, data=serialised(bundle(other, *people())), headers=HEADERS) as response:
        status, outcome = await answer_of(response)
    assert (status, outcome["issue"][0]["code"]) == (409, "conflict")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a":1,"a":2}'])
async def test_what_is_no_document_is_a_bad_request(door: Opened, content: bytes) -> None:
    _, session, _ = door
    async with session.post(ADDRESS, data=content, headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 400


@pytest.mark.parametrize("path", [ADDRESS, CHANGES])
@pytest.mark.parametrize("given", [None, "Bearer fel", SECRET, f"Basic {SECRET}"])
async def test_nobody_comes_in_without_the_secret(door: Opened, journal: Journal, path: str, given: str | None) -> None:
    gateway, session, _ = door
    headers = {"Authorization": given} if given is not None else {}
    async with session.post(path, data=b"{}", headers=headers) as response:
        status, outcome = await answer_of(response)
    assert (status, outcome["issue"][0]["code"]) == (401, "login")
    assert await gateway.kept() == []
    assert journal.requests == []


async def test_another_media_type_is_not_taken(door: Opened) -> None:
    _, session, _ = door
    headers = {**HEADERS, "Content-Type": "application/fhir+xml"}
    async with session.post(ADDRESS, data=b"<Patient/>", headers=headers) as response:
        assert (await answer_of(response))[0] == 415


@pytest.mark.parametrize("failing", [DependencyDownError(UNAVAILABLE.at()), RuntimeError("Henrik Vallgård")])
async def test_what_could_not_be_stored_must_come_again(door: Opened, failing: Exception) -> None:
    gateway, session, _ = door
    gateway.failing = failing
    async with session.post(ADDRESS, data=serialised(bundle(encounter(), *people())), headers=HEADERS) as response:
        status, outcome = await answer_of(response)
        assert response.headers["Retry-After"] == "5"
    assert status == 503
    assert "Vallg" not in json.dumps(outcome)
    assert await gateway.kept() == []


# --- notifications --------------------------------------------------------------------------------------------------


async def test_a_notification_fetches_what_has_changed_with_what_it_refers_to(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 200
    kept = await gateway.kept()
    assert {(state, kind) for state, kind, _ in kept} == {("accepted", "Encounter"), ("accepted", "Patient")}
    again = len(kept)
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert response.status == 200
    assert len(await gateway.kept()) == again


async def test_only_what_has_changed_since_is_fetched_also_after_a_restart(tmp_path: Path, journal: Journal) -> None:
    journal_with_an_admission(journal)
    async with standing(tmp_path, journal) as (_, session, _), session.post(CHANGES, headers=HEADERS):
        pass
    later = encounter("in-progress", id="enc-2", meta={"versionId": "1", "lastUpdated": "2026-11-10T09:30:00+01:00"})
    journal.put(later)
    journal.requests.clear()
    async with standing(tmp_path, journal) as (gateway, session, _):
        async with session.post(CHANGES, headers=HEADERS) as response:
            assert response.status == 200
        assert ("accepted", "Encounter") in {(state, kind) for state, kind, _ in (await gateway.kept())[-1:]}
    searched = next(path for _, path in journal.requests if path.startswith("/fhir/Encounter?"))
    assert "_lastUpdated=ge2026-11-10T07:53:00" in searched.replace("%3A", ":")


async def test_a_change_that_says_nothing_new_is_not_said_again(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    for version, noted in (("1", "08:55"), ("2", "09:10"), ("3", "09:20")):
        meta = {"versionId": version, "lastUpdated": f"2026-11-10T{noted}:00+01:00"}
        journal.put(encounter(meta=meta, text={"status": "generated", "div": f"<div>{version}</div>"}))
        async with session.post(CHANGES, headers=HEADERS) as response:
            assert response.status == 200
    assert [kind for _, kind, _ in await gateway.kept()].count("Encounter") == 1
    ready = extensions(
        step="dischargeReady", ready_at="2026-11-10T08:30:00+01:00", sip_needed=False, open_care="unknown"
    )
    journal.put(encounter("in-progress", ready, meta={"versionId": "4", "lastUpdated": "2026-11-10T09:30:00+01:00"}))
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert response.status == 200
    assert [kind for _, kind, _ in await gateway.kept()].count("Encounter") == 2


async def test_no_log_names_the_person_or_what_was_said(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    journal.put(encounter("cancelled", id="enc-0", meta={"versionId": "1", "lastUpdated": "2026-11-09T08:00:00+01:00"}))
    with structlog.testing.capture_logs() as logs:
        gateway.failing = RuntimeError("Henrik Vallgård")
        async with session.post(CHANGES, headers=HEADERS):
            pass
        gateway.failing = None
        async with session.post(CHANGES, headers=HEADERS):
            pass
    assert {one["event"] for one in logs} == {
        "http.not-kept",
        "fhir.change_left",
        "fhir.event_refused",
        "fhir.changes_taken",
    }
    text = json.dumps(logs, ensure_ascii=False, default=str)
    assert not any(word in text for word in ("Vallgård", "Henrik", PERSONNUMMER, "Fjellander", "Övningsgatan"))


async def test_every_page_is_fetched_and_none_from_elsewhere(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    for number in range(5):
        told = communication(id=f"com-{number}", status="preparation", extension=case())
        journal.put(told)
    journal.page_size = 2
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert response.status == 200
    assert [kind for _, kind, _ in await gateway.kept()].count("Communication") == 5
    journal.next_page_at = "https://elsewhere.example"
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 503


async def test_a_change_that_is_refused_is_kept_and_stops_no_other(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    journal.put(encounter("cancelled", id="enc-0", meta={"versionId": "1", "lastUpdated": "2026-11-09T08:00:00+01:00"}))
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert response.status == 200
    assert sorted(state for state, *_ in await gateway.kept()) == ["accepted", "accepted", "refused"]


async def test_while_the_server_or_the_store_is_down_a_notification_must_come_again(
    door: Opened, journal: Journal
) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    journal.misbehave = web.Response(status=503)
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 503
    journal.misbehave = None
    gateway.failing = DependencyDownError(UNAVAILABLE.at())
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 503
    gateway.failing = None
    async with session.post(CHANGES, headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 200
    assert len(await gateway.kept()) == 2


async def test_two_notifications_at_once_fetch_one_after_the_other(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)

    async def notify() -> int:
        async with session.post(CHANGES, headers=HEADERS) as response:
            return response.status

    assert await asyncio.gather(notify(), notify(), notify()) == [200, 200, 200]
    assert len(await gateway.kept()) == 2
    assert {WARD, CENTRE} <= set(DIRECTORY.units)


# --- what is fetched ------------------------------------------------------------------------------------------------


async def test_changes_are_told_in_the_order_they_were_made_whatever_their_kind(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    for one in people(CENTRE):
        journal.put(changed(one, "08:00"))
    need = changed({**start(), "id": "start"}, "08:30")
    later = [changed({**one, "id": f"r-{hour[3:]}"}, hour) for one, hour in ((call(), "08:50"), (decision(), "08:40"))]
    for one in (*later, need):  # a consent is of a kind that is searched for before that of the start
        journal.put(one)
    await notified(session)
    told = [(state, kind) for state, kind, _ in await gateway.kept() if kind != "Patient"]
    assert told == [("accepted", "Task"), ("accepted", "Consent"), ("accepted", "Appointment")]


async def test_a_change_that_is_seen_after_a_later_one_is_not_missed(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal.put(changed(communication(id="com-1", status="preparation", extension=case()), "09:30"))
    await notified(session)
    journal.put(changed(communication(id="com-2", status="preparation", extension=case()), "09:29"))
    await notified(session)
    await notified(session)
    assert [kind for _, kind, _ in await gateway.kept()] == ["Communication", "Communication"]


async def test_what_changes_while_the_gateway_is_away_the_first_time_is_fetched_too(
    tmp_path: Path, journal: Journal
) -> None:
    async with standing(tmp_path, journal) as (_, session, _):
        await notified(session)
    journal.put(changed(communication(id="com-1", status="preparation", extension=case()), "08:30"))
    async with standing(tmp_path, journal, made=AT_WORK + timedelta(hours=5)) as (gateway, session, _):
        await notified(session)
        assert [kind for _, kind, _ in await gateway.kept()] == ["Communication"]


async def test_a_kind_that_the_journal_does_not_have_stops_no_other(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    journal.absent.add("AppointmentResponse")
    await notified(session)
    assert ("accepted", "Encounter") in [(state, kind) for state, kind, _ in await gateway.kept()]


async def test_a_server_that_tells_of_nothing_is_asked_again_and_again_but_not_in_a_pause(
    tmp_path: Path, journal: Journal
) -> None:
    journal_with_an_admission(journal)
    async with standing(tmp_path, journal, every=timedelta(milliseconds=5)) as (gateway, _, intake):
        async with gateway.store.writing() as tx:
            await adapters.put_on_hold(tx, adapters.Pause("fhir", AT_WORK, "SE2321000131-E000000000001", "test"))
        stop = asyncio.Event()
        asking = asyncio.create_task(intake.listen(stop))
        try:
            assert journal.requests == []
            async with gateway.store.writing() as tx:
                await adapters.resume(tx, "fhir", at=AT_WORK, by="SE2321000131-E000000000001", reason="test")
            await gateway.came.wait()
        finally:
            stop.set()
            await asking
        assert await gateway.kept() != []


async def test_a_notification_may_bring_the_resource_along(door: Opened, journal: Journal) -> None:
    gateway, session, _ = door
    journal_with_an_admission(journal)
    async with session.put(f"{CHANGES}/Encounter/enc-1", data=b"{}", headers=HEADERS) as response:
        assert (await answer_of(response))[0] == 200
    assert len(await gateway.kept()) == 2
