"""Looking into a folder: cheap while nothing changes, and nobody's file lies there without a word."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gateway.adapters.folder_look import LOOK_ANYWAY, STRANGE_AFTER, Look


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def names(found: list[tuple[str, int]]) -> list[str]:
    return [name for name, _ in found]


def test_a_folder_without_events_is_looked_through_again_when_it_changes_or_after_a_while(
    tmp_path: Path, seconds: Seconds
) -> None:
    (tmp_path / "00.json.ok").write_bytes(b"{}")
    os.utime(tmp_path, ns=(1, 1))
    look = Look(tmp_path, seconds)
    for _ in range(2):
        assert not look.has_nothing_new(), "what came in the same moment as the first look may not show"
        assert look.events() == []
    assert look.has_nothing_new()

    (tmp_path / "01.json").write_bytes(b"{}")
    assert not look.has_nothing_new()
    for _ in range(4):
        assert names(look.events()) == ["01.json"]
        assert not look.has_nothing_new(), "an event waits, and may be written to"

    (tmp_path / "01.json").unlink()
    os.utime(tmp_path, ns=(2, 2))
    for _ in range(2):
        assert not look.has_nothing_new()
        assert look.events() == []
    (tmp_path / "02.json").write_bytes(b"{}")
    os.utime(tmp_path, ns=(2, 2))  # on a share whose times are coarse
    assert look.has_nothing_new()
    seconds.now += LOOK_ANYWAY
    assert not look.has_nothing_new()
    assert names(look.events()) == ["02.json"]


def test_a_file_with_a_name_of_no_event_is_told_once_it_has_stood_still(tmp_path: Path, seconds: Seconds) -> None:
    for name in ("behov.txt", "x.json.upload", "x.json.tmp", "y.part", ".hidden.txt", "z.json.ok", "~backup~"):
        (tmp_path / name).write_bytes(b"Mira Solvind")
    (tmp_path / "folder.txt").mkdir()
    look = Look(tmp_path, seconds)
    assert look.events() == []
    assert look.tell_strange() == 0
    seconds.now += STRANGE_AFTER - 1
    (tmp_path / "x.json.upload").write_bytes(b"more")
    look.events()
    assert look.tell_strange() == 0
    seconds.now += 1
    for told in (1, 0):
        assert look.events() == []
        assert look.tell_strange() == told
    assert [path.name for path in tmp_path.glob("*.err")] == ["behov.txt.err"]
    assert [one["code"] for one in json.loads((tmp_path / "behov.txt.err").read_bytes())] == ["folder.unknown-form"]
    assert "Solvind" not in (tmp_path / "behov.txt.err").read_text()

    again = Look(tmp_path, seconds)
    again.events()
    seconds.now += STRANGE_AFTER
    again.events()
    assert again.tell_strange() == 1, "the other, now; what has its receipt is not told again after a restart"
