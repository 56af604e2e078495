"""What is served to whoever measures a gateway: every metric, in two formats, and never more often than needed."""

from __future__ import annotations

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sides import Side

from gateway.errors import DependencyDownError
from gateway.metrics import METRICS
from gateway.scrape import FRESH_SECONDS, Scrape
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
