"""What has changed in a journal is told once; what cannot be fetched or kept now comes later; nothing else waits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
from aiohttp import web
from fhir_documents import (
    CENTRE,
    DIRECTORY,
    Json,
    bundle,
    case,
    charge,
    communication,
    decision,
    encounter,
    patient,
    people,
    start,
)
from fhir_documents import serialised as written
from fhir_journal import Journal
from fhir_side import (
    ADDRESS,
    AT_WORK,
    CHANGES,
    HEADERS,
    Opened,
    answer_of,
    changed,
    journal_with_an_admission,
    notified,
    standing,
)
from pydantic import ValidationError

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.fhir_turns import Turns
from gateway.adapters.fhir_words import FhirWords
from gateway.errors import DependencyDownError
from gateway.ports import Event


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
async def door(tmp_path: Path, journal: Journal) -> AsyncIterator[Opened]:
    async with standing(tmp_path, journal) as found:
        yield found


async def posted(session: aiohttp.ClientSession, document: Json) -> tuple[int, Json]:
    async with session.post(ADDRESS, data=written(document), headers=HEADERS) as response:
        return await answer_of(response)


async def status_of(session: aiohttp.ClientSession) -> int:
    async with session.post(CHANGES, headers=HEADERS) as response:
        return (await answer_of(response))[0]


async def kinds(opened: Opened) -> Counter[str | None]:
    """Return how many events of each kind have been kept, patients aside."""
    return Counter(kind for _, kind, _ in await opened[0].kept() if kind != "Patient")


def note(name: str, at: str, version: str = "1") -> Json:
    """Return a Communication that becomes no message."""
    return changed(communication(id=name, status="preparation", extension=case()), at, version)


def need() -> Json:
    """Return what starts a case, as it is before the server has dated it."""
    return {name: value for name, value in start().items() if name != "meta"}


# --- what is both posted and fetched --------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [need(), encounter(meta=None)], ids=["start", "admission"])
async def test_what_has_been_posted_is_no_event_when_it_is_found_on_the_server(
    door: Opened, journal: Journal, first: Json
) -> None:
    first = {name: value for name, value in first.items() if value is not None}
    status, _ = await posted(door[1], bundle(first, *people(CENTRE)))
    assert status == 201
    for one in (first, *people(CENTRE)):
        journal.put(changed(one, "08:57"))
    await notified(door[1])
    assert await kinds(door) == {first["resourceType"]: 1}


async def test_what_has_been_fetched_is_no_event_when_it_is_posted_and_gets_the_same_answer(
    door: Opened, journal: Journal
) -> None:
    document = bundle(encounter(), *people())
    journal_with_an_admission(journal)
    journal.put(changed(encounter(), "08:57"))
    await notified(door[1])
    (made,) = await door[0].answers("Encounter")
    status, outcome = await posted(door[1], document)
    assert (status, await kinds(door)) == (201, {"Encounter": 1})
    told = [coding["code"] for coding in outcome["issue"][0]["details"]["coding"]]
    assert told == [*made["messageIds"], made["caseNumber"]]
    assert await posted(door[1], document) == (status, outcome)


async def test_what_is_posted_while_it_is_fetched_is_told_once(door: Opened, journal: Journal) -> None:
    for one in (encounter(), *people()):
        journal.put(changed(one, "08:57"))
    gateway, _, intake = door
    gateway.hold = asyncio.Event()
    fetching = asyncio.create_task(intake.fetch())
    await gateway.asked.wait()
    posting = asyncio.create_task(intake.take(written(bundle(encounter(), *people()))))
    await asyncio.wait([posting], timeout=0.2)  # nothing tells that it waits
    gateway.hold.set()
    await fetching
    assert (await posting)["messageIds"]
    assert await kinds(door) == {"Encounter": 1}


@pytest.mark.parametrize("one", [charge(lastModified=None), start(), encounter()], ids=["charge", "start", "admission"])
def test_what_is_said_is_the_same_whenever_and_however_it_was_recorded(one: Json) -> None:
    told = [
        FhirWords().told(Event(source="fhir", content=written(document)), DIRECTORY)
        for document in (
            bundle(changed(one, "08:50"), *people(CENTRE), name="a"),
            bundle(*people(CENTRE), {name: value for name, value in one.items() if name != "meta"}, name="b"),
        )
    ]
    assert list(told[0].says) == [f"{one['resourceType']}/{one['id']}"]
    assert told[0] == told[1]


async def test_what_says_something_else_is_an_event_however_it_comes(door: Opened, journal: Journal) -> None:
    await posted(door[1], bundle(encounter(), *people()))
    other = encounter(period={"start": "2026-11-09T15:20:00+01:00"})
    for one in (other, *people()):
        journal.put(changed(one, "08:57", "2"))
    await notified(door[1])
    assert await kinds(door) == {"Encounter": 2}


async def test_a_patient_that_is_posted_is_kept_though_it_was_fetched(door: Opened, journal: Journal) -> None:
    journal.put(changed(patient(), "08:30"))
    await notified(door[1])
    status, _ = await posted(door[1], patient(meta={"versionId": "2"}))
    assert (status, len(await door[0].kept())) == (200, 2)


async def test_what_is_never_fetched_by_itself_is_fetched_when_it_is_told_of(tmp_path: Path, journal: Journal) -> None:
    journal.put(note("com-1", "08:30"))
    async with standing(tmp_path, journal, every=None) as opened:
        stop = asyncio.Event()
        listening = asyncio.create_task(opened[2].listen(stop))
        await notified(opened[1])
        asked = len(journal.requests)
        stop.set()
        await listening
        assert await kinds(opened) == {"Communication": 1}
        assert len(journal.requests) == asked
        assert [path for _, path in journal.requests].count("/fhir/metadata?_summary=true") == 1


@pytest.mark.parametrize(("seconds", "is_right"), [(0, True), (1, True), (0.5, False), (-1, False)])
def test_fetching_is_switched_off_or_not_too_often(seconds: float, is_right: bool) -> None:
    members: dict[str, Any] = {"name": "fhir", "words": "fhir", "way": "rest", "fetch_seconds": seconds}
    if is_right:
        assert AdapterSettings(**members).fetch_seconds == seconds
    else:
        with pytest.raises(ValidationError):
            AdapterSettings(**members)


# --- from where on --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "pages"), [(0, 2), (1, 1)], ids=["at one moment", "one after the other"])
async def test_what_changes_while_the_pages_are_read_hides_nothing(
    door: Opened, journal: Journal, seconds: int, pages: int
) -> None:
    journal.page_size = 3
    for number in range(10):
        journal.put(note(f"com-{number}", f"08:30:{number * seconds:02}"))
    read: list[str] = []

    def change_one(kind: str) -> None:
        read.append(kind)
        if read.count("Communication") == pages:
            journal.when_searched = None
            journal.put(note("com-1", "08:45", "2"))

    journal.when_searched = change_one
    await notified(door[1])
    assert await kinds(door) == {"Communication": 10}


async def test_a_server_that_puts_nothing_in_order_is_read_to_the_end(door: Opened, journal: Journal) -> None:
    journal.page_size = 3
    journal.is_sorted = False
    for number in (5, 2, 7, 0, 6, 3, 1, 4):
        journal.put(note(f"com-{number}", f"08:{30 + number}"))
    await notified(door[1])
    assert await kinds(door) == {"Communication": 8}


async def test_a_change_in_the_future_silences_nothing_and_is_told_of_once(door: Opened, journal: Journal) -> None:
    journal.put({**note("com-1", "08:30"), "meta": {"versionId": "1", "lastUpdated": "2099-01-01T00:00:00Z"}})
    with structlog.testing.capture_logs() as logs:
        await notified(door[1])
        journal.put(note("com-2", "08:59"))
        await notified(door[1])
    assert await kinds(door) == {"Communication": 2}
    assert [one["kind"] for one in logs if one["event"] == "fhir.changed_in_the_future"] == ["Communication"]


async def test_what_changes_before_the_server_is_reached_the_first_time_is_fetched_after_a_restart(
    tmp_path: Path, journal: Journal
) -> None:
    journal.misbehave = web.Response(status=503)
    async with standing(tmp_path, journal) as (_, session, _):
        assert await status_of(session) == 503
    journal.misbehave = None
    journal.put(note("com-1", "08:30"))
    async with standing(tmp_path, journal, made=AT_WORK + timedelta(hours=5)) as opened:
        await notified(opened[1])
        assert await kinds(opened) == {"Communication": 1}


# --- what fails -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), [("Appointment", 403), ("Communication", 400), ("Consent", 500)])
async def test_a_kind_that_cannot_be_fetched_stops_no_other_and_is_told_of_once(
    door: Opened, journal: Journal, kind: str, status: int
) -> None:
    journal_with_an_admission(journal)
    journal.statuses[kind] = status
    with structlog.testing.capture_logs() as logs:
        assert [await status_of(door[1]), await status_of(door[1])] == [503, 503]
    assert await kinds(door) == {"Encounter": 1}
    (told,) = [one for one in logs if one["event"] == "fhir.kind_unavailable"]
    assert told["kind"] == kind
    assert f"HTTP {status}" in told["reasons"][0]
    journal.statuses.clear()
    assert await status_of(door[1]) == 200


async def test_a_resource_that_refers_to_what_cannot_be_read_stops_no_other(door: Opened, journal: Journal) -> None:
    journal_with_an_admission(journal)
    journal.put(note("com-1", "08:58"))
    journal.statuses["Practitioner/isak"] = 500
    assert await status_of(door[1]) == 503
    assert await kinds(door) == {}
    journal.put({**note("com-2", "08:59"), "sender": {"display": "Isak Fjellander"}})
    assert await status_of(door[1]) == 503
    assert await kinds(door) == {"Communication": 1}
    journal.statuses.clear()
    assert await status_of(door[1]) == 200
    assert await kinds(door) == {"Communication": 2, "Encounter": 1}


async def test_a_resource_that_cannot_be_dated_is_kept_as_refused_and_stops_no_other(
    door: Opened, journal: Journal
) -> None:
    journal_with_an_admission(journal)
    journal.put({name: value for name, value in encounter(id="enc-0").items() if name != "meta"})
    for _ in range(2):
        await notified(door[1])
    kept = [(state, kind) for state, kind, _ in await door[0].kept() if kind != "Patient"]
    assert sorted(kept) == [("accepted", "Encounter"), ("refused", "Encounter")]


async def test_what_must_wait_holds_up_its_own_case_and_nothing_else_also_over_a_restart(
    tmp_path: Path, journal: Journal
) -> None:
    for one in people(CENTRE):
        journal.put(changed(one, "08:00"))
    for one, at in ((start(), "08:30"), (decision(), "08:40"), (encounter(), "08:50")):
        journal.put(changed(one, at))
    async with standing(tmp_path, journal) as opened:
        opened[0].leaves = b'"Task"'
        assert await status_of(opened[1]) == 503
        assert await kinds(opened) == {"Encounter": 1}
    async with standing(tmp_path, journal) as opened:
        await notified(opened[1])
        states = [(state, kind) for state, kind, _ in await opened[0].kept() if kind != "Patient"]
        assert states == [("accepted", "Encounter"), ("accepted", "Task"), ("accepted", "Consent")]


async def test_a_take_charge_that_waits_holds_up_no_other_task(door: Opened, journal: Journal) -> None:
    for one in people(CENTRE):
        journal.put(changed(one, "08:00"))
    journal.page_size = 1  # both are of one moment, so that the pages are followed, more than once
    for one in (charge(), start()):
        journal.put(changed(one, "08:20"))
    door[0].leaves = b"take-charge"
    for _ in range(2):
        assert await status_of(door[1]) == 503
    assert door[0].left == 2
    assert [state for state, kind, _ in await door[0].kept() if kind == "Task"] == ["accepted"]
    door[0].leaves = None
    await notified(door[1])
    assert await kinds(door) == {"Task": 2}


# --- notifications --------------------------------------------------------------------------------------------------


async def test_those_who_notify_while_one_fetches_share_the_next_fetch(door: Opened, journal: Journal) -> None:
    more: list[asyncio.Task[None]] = []

    def notify_more(_: str) -> None:
        journal.when_searched = None
        more.extend(asyncio.create_task(door[2].fetch()) for _ in range(60))

    journal.when_searched = notify_more
    await asyncio.gather(*(door[2].fetch() for _ in range(5)))
    journal.put(note("com-1", "08:30"))
    await asyncio.gather(*more)
    assert [path for _, path in journal.requests].count("/fhir/metadata?_summary=true") == 2
    assert await kinds(door) == {"Communication": 1}


async def test_whoever_waits_for_a_turn_that_is_ended_is_told() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    turns = Turns(work)
    waiting = [asyncio.create_task(turns.take())]
    await begun.wait()
    waiting.append(asyncio.create_task(turns.take()))
    given_up = asyncio.create_task(turns.take())
    await asyncio.wait([given_up], timeout=0)
    given_up.cancel()
    await turns.end()
    for one in waiting:
        with pytest.raises(DependencyDownError):
            await one


async def test_a_notification_is_not_told_that_nothing_was_sent(door: Opened, journal: Journal) -> None:
    journal_with_an_admission(journal)
    async with door[1].post(CHANGES, headers=HEADERS) as response:
        status, outcome = await answer_of(response)
    assert (status, outcome["issue"][0]["diagnostics"]) == (200, "Fetched.")
