"""What the flow tests share: a clock that stands still, and a municipality and a region on one exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sides import Passages, Side, open_side

from gateway.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 4, 9, 5, tzinfo=UTC))


@pytest.fixture
def passages() -> Passages:
    return Passages()


@pytest.fixture
async def kommun(tmp_path: Path, clock: ManualClock, passages: Passages) -> AsyncIterator[Side]:
    async with open_side("kommun", tmp_path, clock, passages) as side:
        yield side


@pytest.fixture
async def region(tmp_path: Path, clock: ManualClock, passages: Passages) -> AsyncIterator[Side]:
    async with open_side("region", tmp_path, clock, passages) as side:
        yield side
