"""``gateway adapters test`` over a folder: somebody must be on the other side, and nothing is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.errors import DependencyDownError
from gateway.health import put_to_test
from gateway.resources import demo_directory

TREE = ("archive", "from_gateway", "quarantine", "to_gateway")


def settings_for(folder: Path, direction: str) -> Settings:
    adapter = {"name": "system", "words": "treserva", "way": "folder", "folder": folder, "timeout_seconds": 1}
    return Settings(party="kommun", directory=demo_directory(), adapters=[adapter | {"direction": direction}])


def left_in(folder: Path) -> list[str]:
    return [path.name for path in sorted(folder.rglob("*"))]


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


async def test_a_system_that_is_there_answers_and_makes_no_record_of_it(shared: Path) -> None:
    seen: set[str] = set()
    watching = asyncio.Event()

    async def watch() -> None:
        while not watching.is_set():
            seen.update(path.name for path in (shared / "from_gateway").glob("test-*.json"))
            await asyncio.sleep(0.002)

    async with SimulatedCaseSystem(shared, "treserva", SystemClock(), interval=0.05) as system:
        task = asyncio.create_task(watch())
        done = await put_to_test(settings_for(shared, "both"), "system", SystemClock())
        watching.set()
        await task
        assert done == [f"in: {shared}", f"out: {shared}"]
        assert len(seen) == 1, "asked once, though it is both a way in and a way out"
        assert not any((await system.counts()).values())
    assert list((shared / "from_gateway").iterdir()) == []


async def test_nobody_on_the_other_side_fails_the_test_and_nothing_is_left(shared: Path) -> None:
    with pytest.raises(DependencyDownError) as caught:
        await put_to_test(settings_for(shared, "both"), "system", SystemClock())
    assert (caught.value.codes, caught.value.exit_code) == (("system.no-receipt",), 4)
    assert left_in(shared) == list(TREE)


async def test_a_system_that_takes_no_messages_is_not_asked_for_a_receipt(shared: Path) -> None:
    assert await put_to_test(settings_for(shared, "in"), "system", SystemClock()) == [f"in: {shared}"]
