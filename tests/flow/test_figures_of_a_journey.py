"""A whole journey between two gateways as they are assembled, measured over HTTP: what was done, and not for whom."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from content import found_in, words_of
from figures import Figures, samples_in
from sides import story

from gateway.app import open_gateway, running
from gateway.metrics import METRICS
from gateway.progress import ignore
from gateway.replay.scenario import Scenario
from gateway.replay.stage import CAST, Places, set_up

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|SE\d{10}-|SIP\d{6}")
"""How ids of messages, units and cases begin."""


@pytest.fixture
async def answers(tmp_path: Path) -> dict[str, str]:
    """Return what each gateway answers about itself after the journey, by party."""
    scenario = Scenario.load("journey")
    async with set_up(scenario, tmp_path, ignore, Places()) as stage:
        for step in scenario.steps:
            await stage.play(step)
    found = {}
    for system, party in CAST.items():
        settings = Places().settings(tmp_path, system, party).model_copy(update={"http_listen": "127.0.0.1:0"})
        async with open_gateway(settings, stage.clock, ignore) as gateway:
            while await gateway.observe():
                pass
            (door,) = gateway.doors
            async with running(gateway), aiohttp.ClientSession() as client:
                await door.is_open.wait()  # type: ignore[attr-defined]
                host, port = door.address  # type: ignore[attr-defined]
                ready = await (await client.get(f"http://{host}:{port}/readyz?verbose")).json()
                assert ready["checks"] == {"database": "up", "exchange": "up", "migrations": "up"}
                found[party] = await (await client.get(f"http://{host}:{port}/metrics")).text()
    return found


async def test_what_left_one_side_has_come_to_the_other_and_nobody_is_named(answers: dict[str, str]) -> None:
    sent, came = samples_in(answers["kommun"]), samples_in(answers["region"])
    published = by_type(sent, "gateway_messages_published_total")
    assert published == by_type(came, "gateway_messages_received_total")
    assert sum(published.values()) == 10
    level = "gateway_acknowledgements_total"
    assert sent[level, ("region", "acknowledged", "accepted")] == sum(published.values())
    assert sent["gateway_exchange_connected", ()] == sent["gateway_database_up", ()] == 1
    assert sent["gateway_outbox_messages", ("region",)] == 0
    for text in answers.values():
        assert found_in(text.encode(), words_of(story("journey"))) == []
        assert ID.findall(text) == []
        assert set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) == {one.name for one in METRICS}


def by_type(samples: Figures, metric: str) -> dict[str, float]:
    return {labels[1]: value for (name, labels), value in samples.items() if name == metric}
