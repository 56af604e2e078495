"""What the flow tests share: a clock that stands still, and a municipality and a region on one exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from services.lending import Lender
from sides import Passages, Side, open_side
from written_log import Log

from gateway.clock import ManualClock

ON_BOTH_DATABASES = {
    "test_acknowledgements",
    "test_by_hand",
    "test_dead_letters",
    "test_measured",
    "test_outbox_and_delivery",
}
"""Modules that stand between the hops and look at what is stored: they run on SQLite and on PostgreSQL.

The others look into SQLite files, or are about processes and logs, where the database makes no difference.
"""

StoreOf = Callable[[str], str | None]
"""Where the store of a party is, by its name; ``None`` is a file in the folder of the test."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store_of" in metafunc.fixturenames:
        both = metafunc.module.__name__ in ON_BOTH_DATABASES
        metafunc.parametrize("store_of", ["sqlite", "postgresql"] if both else ["sqlite"], indirect=True)


@pytest.fixture
def store_of(request: pytest.FixtureRequest) -> Iterator[StoreOf]:
    if request.param == "sqlite":
        yield lambda _: None
        return
    lender: Lender = request.getfixturevalue("lender")
    made: dict[str, str] = {}

    def of(party: str) -> str:
        if party not in made:
            made[party] = lender.lend()
        return made[party]

    yield of
    for url in made.values():
        lender.take_back(url)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 4, 9, 5, tzinfo=UTC))


@pytest.fixture
def passages() -> Passages:
    return Passages()


@pytest.fixture
async def kommun(tmp_path: Path, clock: ManualClock, passages: Passages, store_of: StoreOf) -> AsyncIterator[Side]:
    async with open_side("kommun", tmp_path, clock, passages, store_of("kommun")) as side:
        yield side


@pytest.fixture
async def region(tmp_path: Path, clock: ManualClock, passages: Passages, store_of: StoreOf) -> AsyncIterator[Side]:
    async with open_side("region", tmp_path, clock, passages, store_of("region")) as side:
        yield side


@pytest.fixture
def log() -> Iterator[Log]:
    written = Log()
    structlog.configure(
        processors=[written, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        logger_factory=structlog.WriteLoggerFactory(written),
    )
    yield written
    structlog.reset_defaults()
