"""``gateway run`` as a real process: what it does, how it stops, and what it does without its neighbours."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from service_process import events_of, pair, running_service

pytestmark = pytest.mark.long

CASES = 12


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


async def test_an_event_in_the_folder_is_registered_at_the_other_party(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, both.runs("kommun") as kommun, both.runs("region") as region:
        await both.says(cases=1)
        await region.logs("acknowledged", times=2)
        await kommun.logs("verdict", times=6)
        assert [await kommun.stops(), await region.stops()] == [0, 0]
    assert kommun.told("gateway.started")[0]["party"] == "kommun"
    assert kommun.log[-1]["event"] == "gateway.stopped"
    states = rows(tmp_path / "kommun.sqlite", "SELECT state FROM dispatch WHERE type <> 'acknowledgement'")
    assert states == [("acknowledged",)] * 2
    said = json.dumps([*kommun.log, *region.log], ensure_ascii=False)
    person = json.loads(next(iter(events_of(0).values())))["person"]
    number = person["personnummer"]
    assert [word for word in (*person["namn"].split(), number, number.replace("-", "")) if word in said] == []


async def test_a_gateway_stopped_in_the_middle_of_its_work_loses_nothing_and_goes_on(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, both.runs("region") as region:
        await both.says(CASES)
        async with both.runs("kommun") as first:
            await first.logs("event-stored")
            assert await first.stops() == 0
        assert first.told("stop.cut-off") == []
        assert len(first.told("verdict")) < 6 * CASES, "it was stopped before everything had come to its end"
        leased = rows(tmp_path / "kommun.sqlite", "SELECT count(*) FROM dispatch WHERE lease_until IS NOT NULL")
        assert leased == [(0,)]
        async with both.runs("kommun") as second:
            await region.logs("acknowledged", times=2 * CASES)
            await second.logs("verdict", times=6 * CASES - len(first.told("verdict")))
            assert await second.stops() == 0
        assert await region.stops() == 0
    received = rows(tmp_path / "region.sqlite", "SELECT message_id, state FROM inbound")
    sent = rows(tmp_path / "kommun.sqlite", "SELECT message_id FROM dispatch WHERE type <> 'acknowledgement'")
    assert Counter(message_id for message_id, _ in received) == Counter(message_id for (message_id,) in sent)
    assert len(received) == 2 * CASES
    assert {state for _, state in received} == {"acknowledged"}


async def test_a_second_signal_ends_at_once_what_the_first_lets_finish(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, both.runs("kommun"), both.runs("region") as region:
        system = both.systems["region"]
        system.hesitates = True
        await both.says(cases=1)
        await system.asked.wait()  # a message is in hand, and the gateway waits for its receipt
        region.process.send_signal(signal.SIGTERM)
        await region.logs("stop.requested", signal="SIGTERM")
        assert region.process.returncode is None
        assert await region.stops() == -signal.SIGTERM
    assert region.told("gateway.stopped") == []


async def test_what_is_in_hand_is_finished_before_the_end(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, both.runs("kommun") as kommun, both.runs("region") as region:
        system = both.systems["region"]
        system.hesitates = True
        await both.says(cases=1)
        await system.asked.wait()
        region.process.send_signal(signal.SIGTERM)
        await region.logs("stop.requested")
        system.hesitates = False
        assert await region.ends() == 0
        assert [line["event"] for line in region.log[-2:]] == ["sent", "gateway.stopped"]
        assert len(region.told("registered")) >= 1
        assert await kommun.stops() == 0


async def test_what_takes_longer_than_the_drain_time_is_cut_off_and_taken_up_again(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, both.runs("kommun") as kommun:
        system = both.systems["region"]
        system.hesitates = True
        async with both.runs("region", drain_seconds="0.2") as first:
            await both.says(cases=1)
            await system.asked.wait()
            async with asyncio.timeout(8):  # the adapter would wait ten seconds for a receipt
                assert await first.stops() == 0
        assert first.told("stop.cut-off")[0]["workers"] == ["delivery", "relay"]
        system.hesitates = False
        async with both.runs("region") as second:
            await second.logs("acknowledged", times=2)
        assert await kommun.stops() == 0


async def test_an_exchange_that_is_down_at_the_start_is_a_sentence_and_exit_code_4(tmp_path: Path) -> None:
    missing = f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'x.sqlite'}"
    for setting, code in (("exchange", "exchange.down"), ("store", "database.down")):
        async with (
            pair(tmp_path) as both,
            running_service(tmp_path, both.settings["kommun"] | {setting: missing}) as one,
        ):
            assert one.process.stderr is not None
            said = (await one.process.stderr.read()).decode()
            assert await one.process.wait() == 4, said
        assert f"[{code}]" in said
        assert "Traceback" not in said


async def test_several_workers_on_one_file_are_refused_with_the_reason(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, running_service(tmp_path, both.settings["kommun"] | {"workers": "2"}) as one:
        assert one.process.stderr is not None
        said = (await one.process.stderr.read()).decode()
        assert await one.process.wait() == 3
    assert "[config.one-writer]" in said
    assert "[config.one-consumer]" in said


async def test_a_service_without_store_or_events_makes_the_one_and_stops_at_once(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        store = tmp_path / "kommun.sqlite"
        store.unlink()
        async with both.runs("kommun") as kommun, asyncio.timeout(10):
            assert await kommun.stops() == 0
        assert rows(store, "SELECT count(*) FROM dispatch") == [(0,)]
