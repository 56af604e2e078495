"""Several processes that run one gateway: one may be killed, all stop together, and none steals from its siblings."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from service_process import Pair, pair
from services.postgresql import PostgreSqlServer
from services.rabbitmq import RabbitMqNode

from gateway.config import Settings
from gateway.workers import environment_of

pytestmark = pytest.mark.long

CASES = 12


@pytest.fixture
async def both(tmp_path: Path, postgresql_url: str, rabbitmq_node: RabbitMqNode) -> AsyncIterator[Pair]:
    """Return two parties on RabbitMQ; the region runs as two processes on PostgreSQL."""
    exchange = await rabbitmq_node.vhost()
    async with pair(tmp_path, exchange=exchange) as both:
        both.settings["region"] |= {"store": postgresql_url, "workers": "2"}
        yield both


async def test_a_worker_that_is_killed_loses_nothing_and_is_started_again(
    both: Pair, postgresql: PostgreSqlServer
) -> None:
    database = both.settings["region"]["store"].rpartition("/")[2]
    async with both.runs("kommun") as kommun, both.runs("region") as region:
        pids = {line["worker"]: line["pid"] for line in await region.has_logged("worker.started", times=2)}
        await region.has_logged("gateway.started", worker=1)
        await both.says(CASES)
        await region.logs("received")
        busy = next(line["worker"] for line in region.told("received"))
        os.kill(pids[busy], signal.SIGKILL)
        died = await region.logs("worker.died", worker=busy)
        assert died["exit_code"] == -signal.SIGKILL
        await region.logs("worker.started", worker=busy)
        await kommun.logs("verdict", times=6 * CASES - len(kommun.told("verdict")))
        assert [await kommun.stops(), await region.stops()] == [0, 0]
    received = postgresql.query("SELECT message_id, state FROM inbound", database)
    assert Counter(state for _, state in received) == {"acknowledged": 2 * CASES}
    assert len({message_id for message_id, _ in received}) == 2 * CASES


async def test_workers_end_when_the_process_that_started_them_is_killed(both: Pair) -> None:
    async with both.runs("region") as region:
        children = [psutil.Process(line["pid"]) for line in await region.has_logged("worker.started", times=2)]
        await region.has_logged("gateway.started", times=2)
        region.process.kill()
        await region.ends()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=30)
        assert alive == []
    assert len(region.told("stop.starter-gone")) == 2


async def test_only_the_first_worker_takes_events(both: Pair) -> None:
    both.settings["kommun"], both.settings["region"] = both.settings["region"], both.settings["kommun"]
    both.settings["region"]["party"], both.settings["kommun"]["party"] = "region", "kommun"
    for party, system in (("kommun", "treserva"), ("region", "journal")):
        both.settings[party] |= {"adapter": system, "folder": str(both.folder / system)}
    both.settings["region"]["store"] = f"sqlite+aiosqlite:///{both.folder / 'region.sqlite'}"
    async with both.runs("region"), both.runs("kommun") as kommun:
        await both.says(cases=3)
        await kommun.logs("verdict", times=18)
        assert await kommun.stops() == 0
    assert {line["worker"] for line in kommun.told("event-stored")} == {0}
    assert kommun.log[-1]["event"] == "gateway.stopped"
    assert "worker" not in kommun.log[-1]


def test_a_worker_gets_exactly_the_settings_of_its_starter() -> None:
    settings = Settings(
        party="region",
        workers=3,
        store_password_file=Path("/run/secrets/store"),
        deadlines={"plan": "5 working days, reminder after 3", "meeting": "14 calendar days"},
    )
    environment = environment_of(settings, {"PATH": "/bin", "GATEWAY_FOLDER": "elsewhere"})
    assert environment["PATH"] == "/bin"
    assert environment["GATEWAY_FOLDER"] == "case-system"
    assert environment["GATEWAY_STORE_PASSWORD_FILE"] == str(settings.store_password_file)
    assert "GATEWAY_EXCHANGE_PASSWORD_FILE" not in environment
    assert environment["GATEWAY_DEADLINES"] == "plan = 5 working days, reminder after 3; meeting = 14 calendar days"
