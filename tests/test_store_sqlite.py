"""A SQLite file that cannot be used: one clear error, whatever the reason, and nothing is waited for forever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from build import CASE
from sqlalchemy import text

from gateway.errors import DependencyDownError
from gateway.store import Store, outgoing


def url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'store.sqlite'}"


async def opens(place: str) -> None:
    async with Store(place):
        pass


@pytest.mark.parametrize("content", [b"not a database " * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_file_that_is_no_database_is_a_dependency_that_is_down(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.sqlite").write_bytes(content)
    with pytest.raises(DependencyDownError) as caught:
        await opens(url(tmp_path))
    assert caught.value.codes == ("database.down",)


async def test_a_place_that_does_not_exist_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(DependencyDownError) as caught:
        await opens(url(tmp_path / "nowhere"))
    assert caught.value.codes == ("database.down",)


async def test_a_database_that_is_damaged_later_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    await opens(url(tmp_path))
    place = tmp_path / "store.sqlite"
    place.write_bytes(place.read_bytes()[:4096] + b"\xff" * (place.stat().st_size - 4096))
    with pytest.raises(DependencyDownError) as caught:
        async with Store(url(tmp_path)) as store, store.reading() as tx:
            await outgoing.of_case(tx, CASE)
    assert caught.value.codes == ("database.down",)


async def test_a_database_that_another_keeps_locked_is_down_and_not_waited_for_forever(tmp_path: Path) -> None:
    async with Store(url(tmp_path)) as store:
        await _meets_a_lock(tmp_path, store)


async def _meets_a_lock(tmp_path: Path, store: Store) -> None:
    async with store.writing() as tx:
        await tx.execute(text("PRAGMA busy_timeout = 1"))
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DependencyDownError) as caught:
            async with store.writing():
                pass
        async with store.reading() as tx:  # a writer blocks no reader
            assert await outgoing.of_case(tx, CASE) == []
    finally:
        other.close()
    assert caught.value.codes == ("database.down",)
