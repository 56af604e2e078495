"""An outage is told once when it begins and once when it is over, with how long it lasted."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from gateway.errors import DependencyDownError
from gateway.outages import Outages
from gateway.store.engine import DATABASE_DOWN
from gateway.transport import EXCHANGE_DOWN

DATABASE, EXCHANGE = DependencyDownError(DATABASE_DOWN.at()), DependencyDownError(EXCHANGE_DOWN.at())


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def test_an_outage_that_several_workers_meet_is_told_once_and_is_over_when_the_last_gets_through(
    seconds: Seconds,
) -> None:
    outages = Outages("kommun", seconds)
    with capture_logs() as log:
        for _ in range(3):
            outages.met("relay", DATABASE)
            outages.met("inbox", DATABASE)
            seconds.now += 1
            outages.over("relay")
        outages.over("inbox")
        outages.over("inbox")
    assert [(line["event"], line["codes"]) for line in log] == [
        ("dependency.down", ("database.down",)),
        ("dependency.back", ("database.down",)),
    ]
    assert log[1]["seconds"] == 3


def test_outages_of_two_dependencies_are_told_apart(seconds: Seconds) -> None:
    outages = Outages("kommun", seconds)
    with capture_logs() as log:
        outages.met("messages", EXCHANGE)
        outages.met("relay", DATABASE)
        outages.over("messages")
        assert not outages.is_met("messages")
        assert outages.is_met("relay")
    assert [(line["event"], line["codes"][0]) for line in log] == [
        ("dependency.down", "exchange.down"),
        ("dependency.down", "database.down"),
        ("dependency.back", "exchange.down"),
    ]


def test_a_worker_that_meets_another_outage_has_got_past_the_first(seconds: Seconds) -> None:
    outages = Outages("kommun", seconds)
    with capture_logs() as log:
        outages.met("messages", DATABASE)
        outages.met("messages", EXCHANGE)
    assert [line["event"] for line in log] == ["dependency.down", "dependency.back", "dependency.down"]
