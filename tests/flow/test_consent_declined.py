"""A person says no: nothing about the person leaves the party, not even a trace in a file nobody reads."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from content import found_in_files, names_of, numbers_of, words_of
from demo_process import outcome_of, rows, run, table, table_names
from sides import story

SCENARIO = "consent-declined"
EVENTS = story(SCENARIO)
OWN_SIDE = ("kommun", "treserva")
OTHER_SIDE = ("region", "journal", "exchange")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what is on disk the moment the no has been answered: the power fails, and nobody can tidy up."""
    folder = tmp_path_factory.mktemp("declined")
    killed = run(folder, "--scenario", SCENARIO, "--kill-at", "event-answered", "--nth", str(len(EVENTS)))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (folder / "screen.txt").write_text(killed.stdout + killed.stderr, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def outcome(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return outcome_of(run(tmp_path_factory.mktemp("declined-to-the-end"), "--scenario", SCENARIO))


def files_of(folder: Path, sides: tuple[str, ...]) -> list[Path]:
    """Return every file of some sides: databases and their journals, folders and all that is in them."""
    return [
        path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0].startswith(sides)
    ]


def test_what_is_looked_for_is_what_the_own_side_keeps(folder: Path) -> None:
    found = set().union(*found_in_files(files_of(folder, OWN_SIDE), words_of(EVENTS)).values())
    for event in EVENTS:
        assert event["person"]["personnummer"] in found & numbers_of(event)
        assert event["person"]["namn"] in found & names_of(event)
    assert EVENTS[0]["behov"] in found


def test_nothing_of_the_person_is_on_the_other_side_or_on_the_exchange(folder: Path) -> None:
    files = files_of(folder, OTHER_SIDE)
    assert {f"{name}.sqlite{kind}" for name in ("region", "exchange") for kind in ("", "-wal")} <= {
        path.name for path in files
    }
    assert found_in_files(files, words_of(EVENTS)) == {}


def test_nothing_at_all_has_reached_the_other_side(folder: Path) -> None:
    for name in ("region", "exchange"):
        database = folder / f"{name}.sqlite"
        filled = {name for name in table_names(database) if table(database, name)}
        # Whether its own system answers, a gateway notes after a second whoever sends what.
        assert filled <= {"alembic_version", "party", "heartbeat"}
    assert table(folder / "journal" / "system.sqlite", "record") == []
    assert [path for path in files_of(folder, ("journal",)) if path.suffix == ".json"] == []


def test_nothing_of_the_person_is_in_the_log_or_on_the_screen(folder: Path) -> None:
    files = [folder / "gateway.log", folder / "screen.txt"]
    assert (folder / "screen.txt").read_text(encoding="utf-8")
    assert found_in_files(files, words_of(EVENTS)) == {}


def test_what_waited_for_the_consent_is_stopped_and_nothing_is_sent(outcome: dict[str, Any]) -> None:
    assert [(row["type"], row["state"], row["level"]) for row in outcome["messages"]] == [
        ("sipStart", "stopped", None),
        ("meetingBooking", "stopped", None),
    ]
    assert outcome["counts"] == dict.fromkeys(outcome["counts"], 0) | {"stopped": 2}


def test_the_no_stands_in_the_own_case_and_in_the_own_systems_log(folder: Path) -> None:
    assert rows(folder / "kommun.sqlite", "SELECT state FROM sip_case") == [("consent-declined",)]
    assert rows(folder / "kommun.sqlite", "SELECT DISTINCT state, due_at, owner FROM dispatch") == [
        ("stopped", None, None)
    ]
    assert len(rows(folder / "kommun.sqlite", "SELECT * FROM note WHERE type = 'consent'")) == 1
