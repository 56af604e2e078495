"""Windows to look through: the demo journey is played once for the whole run, and each test gets a copy of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from services.lifetime import Run
from windows.site import Site, played, site_of


@pytest.fixture(scope="session")
def journey(run: Run) -> Path:
    """Return the folder of a journey that has been played to its end."""
    return played(run.folder)


@pytest.fixture
async def site(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Return the windows of the municipality, after the journey."""
    async with site_of(journey, tmp_path) as opened:
        yield opened


@pytest.fixture
async def region(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Return the windows of the region, whose units have got everything that the journey's municipality sent."""
    async with site_of(journey, tmp_path, "region") as opened:
        yield opened
