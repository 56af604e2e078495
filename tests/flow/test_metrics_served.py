"""What is served to whoever measures a gateway: every metric, in two formats, and never more often than needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from figures import samples_in
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sides import Side

from gateway import __version__
from gateway.circuit import Circuit
from gateway.clock import ManualClock
from gateway.errors import DependencyDownError
from gateway.metrics import METRICS
from gateway.replay.stage import database_url
from gateway.scrape import FRESH_SECONDS, Scrape
from gateway.store import Store, adapters, circuits
from gateway.store.adapters import Pause
from gateway.transport import EXCHANGE_DOWN


async def test_every_metric_is_served_in_both_formats_though_nothing_has_happened(kommun: Side) -> None:
    scrape = Scrape(kommun.context, ["treserva"], kommun.transport.ping)
    plain, _ = await scrape("text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    open_, media = await scrape("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert media.startswith("application/openmetrics-text; version=1.0.0")
    names = {one.name.removesuffix("_total") for one in METRICS}
    assert {family.name for family in text_string_to_metric_families(plain.decode())} == names
    assert {family.name for family in openmetrics.text_string_to_metric_families(open_.decode())} == names


async def test_a_storm_of_questions_is_answered_by_one_look(kommun: Side) -> None:
    now, looks = 0.0, 0

    async def ping() -> None:
        nonlocal looks
        looks += 1

    scrape = Scrape(kommun.context, [], ping, tick=lambda: now)
    for _ in range(50):
        await scrape("")
    assert looks == 1
    now = FRESH_SECONDS
    await scrape("")
    assert looks == 2


async def test_an_exchange_that_is_away_is_told(kommun: Side) -> None:
    async def away() -> None:
        raise DependencyDownError(EXCHANGE_DOWN.at())

    body, _ = await Scrape(kommun.context, [], away)("")
    assert b"\ngateway_exchange_connected 0.0\n" in body
    assert b"\ngateway_database_up 1.0\n" in body


async def test_a_database_that_is_away_is_told_and_the_rest_is_left_out(kommun: Side, tmp_path: Path) -> None:
    away = replace(kommun.context, store=Store(database_url(tmp_path / "nowhere" / "store.sqlite")))
    found = samples_in((await Scrape(away, ["treserva"], kommun.transport.ping)(""))[0].decode())
    assert found == {
        ("gateway_build_info", (__version__,)): 1,
        ("gateway_database_up", ()): 0,
        ("gateway_exchange_connected", ()): 1,
    }


async def test_how_case_systems_and_circuits_are_is_told(kommun: Side, clock: ManualClock) -> None:
    now = clock.now()
    async with kommun.context.store.writing() as tx:
        await adapters.keep_beat(tx, "journal", now, [])
        await adapters.keep_beat(tx, "folder", now, ["adapter.too-slow"])
        await adapters.put_on_hold(tx, Pause("folder", now, "SE2120001355-PERSON", "Byte av server"))
        await circuits.save(tx, [Circuit(party="region", failures=5, opened_at=now, probe_at=now)])
    found = samples_in((await Scrape(kommun.context, ["journal", "folder"], kommun.transport.ping)(""))[0].decode())
    assert {name: found["gateway_adapter_up", (name,)] for name in ("journal", "folder")} == {"journal": 1, "folder": 0}
    assert found["gateway_adapter_last_success_timestamp_seconds", ("journal",)] == now.timestamp()
    assert ("gateway_adapter_last_success_timestamp_seconds", ("folder",)) not in found
    assert [found["gateway_adapter_paused", (name,)] for name in ("journal", "folder")] == [0, 1]
    assert found["gateway_circuit_open", ("region",)] == 1
