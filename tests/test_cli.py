"""The real command, run as a process: what it prints where, and how it exits."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from command import in_folder

from gateway import __version__
from gateway.messages import TYPES

ROOT = Path(__file__).parent.parent
MESSAGES = ROOT / "fixtures" / "messages"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a play that has ended."""
    folder = tmp_path_factory.mktemp("played")
    done = in_folder(ROOT, "demo", "--scenario", "consent-withdrawn", "--data", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_version_is_that_of_the_package() -> None:
    done = in_folder(ROOT, "version")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, __version__, "")


def test_every_message_fixture_gets_the_verdict_its_name_says() -> None:
    files = sorted(file for file in MESSAGES.iterdir() if file.suffix in (".xml", ".json"))
    done = in_folder(ROOT, "schema", "validate", "--json", *files)
    assert done.returncode == 5
    verdicts = {Path(one["file"]).name: one for one in json.loads(done.stdout)["files"]}
    assert set(verdicts) == {file.name for file in files}
    for name, verdict in verdicts.items():
        _, expected, what = name.split("_")[:3]
        assert verdict["valid"] == (expected == "valid"), name
        if expected == "invalid":
            assert what in {finding["code"] for finding in verdict["findings"]}, name


def test_valid_files_alone_exit_with_zero() -> None:
    done = in_folder(ROOT, "schema", "validate", *sorted(MESSAGES.glob("plan_valid_*.xml")))
    assert done.returncode == 0
    assert "ogiltig" not in done.stdout


def test_a_finding_is_told_with_place_code_and_both_languages() -> None:
    done = in_folder(ROOT, "schema", "validate", MESSAGES / "sipStart_invalid_sip-start.other-not-named_missing.xml")
    assert done.returncode == 5
    assert "[sip-start.other-not-named]" in done.stdout
    assert ":/sipStart/body/initiatedBy" in done.stdout
    assert "Ange vem" in done.stdout
    assert "Say who" in done.stdout


def test_a_file_that_is_not_there_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    done = in_folder(ROOT, "schema", "validate", tmp_path / "nothing.xml")
    assert done.returncode == 5
    assert "[file.unreadable]" in done.stdout


def test_a_name_that_looks_like_markup_is_printed_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "[red]x[bold].xml"
    file.write_text("<x")
    assert "[red]x[bold].xml" in in_folder(ROOT, "schema", "validate", file).stdout


def test_schema_list_names_every_type() -> None:
    listed = json.loads(in_folder(ROOT, "schema", "list", "--json").stdout)["types"]
    assert [one["type"] for one in listed] == list(TYPES)
    table = in_folder(ROOT, "schema", "list").stdout
    assert all(name in table for name in TYPES)


def test_an_unknown_scenario_is_a_configuration_error_that_names_the_known_ones() -> None:
    done = in_folder(ROOT, "demo", "--scenario", "nowhere")
    assert (done.returncode, done.stdout) == (3, "")
    assert "[scenario.unknown]" in done.stderr
    assert "journey" in done.stderr


def test_the_demo_lists_its_scenarios() -> None:
    assert "consent-declined:" in in_folder(ROOT, "demo", "--list").stdout


def test_a_withdrawn_consent_ends_with_a_closure_at_its_final_level(played: Path) -> None:
    again = in_folder(ROOT, "demo", "--scenario", "consent-withdrawn", "--data", played, "--json")
    outcome = json.loads(again.stdout)
    assert [one["type"] for one in outcome["messages"]] == ["sipStart", "consent", "meetingBooking", "closure"]
    assert {one["level"] for one in outcome["messages"]} == {"acknowledged"}
    assert outcome["counts"] == {
        "sent": 4,
        "received": 4,
        "registered": 4,
        "acknowledged": 4,
        "rejected": 0,
        "held": 0,
        "stopped": 0,
        "lost": 0,
        "refused": 0,
    }


def test_messages_are_listed_on_both_sides(played: Path) -> None:
    sender = json.loads(in_folder(ROOT, "messages", "list", "--store", played / "kommun.sqlite", "--json").stdout)
    receiver = json.loads(in_folder(ROOT, "messages", "list", "--store", played / "region.sqlite", "--json").stdout)
    assert sender["received"] == receiver["sent"] == sender["setAside"] == receiver["setAside"] == []
    assert [one["id"] for one in sender["sent"]] == [one["message_id"] for one in receiver["received"]]
    assert [one["recordId"] for one in sender["sent"]] == [one["record_id"] for one in receiver["received"]]
    none = in_folder(ROOT, "messages", "list", "--store", played / "kommun.sqlite", "--state", "rejected", "--json")
    assert json.loads(none.stdout)["sent"] == []


def test_a_message_shows_its_life_from_promise_to_acknowledgement(played: Path) -> None:
    store = played / "kommun.sqlite"
    first = json.loads(in_folder(ROOT, "messages", "list", "--store", store, "--json").stdout)["sent"][0]["id"]
    life = json.loads(in_folder(ROOT, "messages", "show", first, "--store", store, "--json").stdout)["events"]
    assert [one["state"] for one in life] == ["held", "queued", "sent", "received", "registered", "acknowledged"]
    assert first not in in_folder(ROOT, "messages", "show", first, "--store", store).stdout.splitlines()[0]


def test_an_unknown_message_is_a_coded_error(played: Path) -> None:
    done = in_folder(ROOT, "messages", "show", "nothing", "--store", played / "kommun.sqlite")
    assert (done.returncode, done.stdout) == (5, "")
    assert "[message.not-found]" in done.stderr


def test_looking_at_a_store_that_is_not_there_makes_none(tmp_path: Path) -> None:
    done = in_folder(tmp_path, "messages", "list")
    assert done.returncode == 3
    assert "[store.missing]" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_a_dependency_that_is_down(tmp_path: Path) -> None:
    file = tmp_path / "gateway.sqlite"
    file.write_bytes(b"this is no database, and long enough to be told from an empty one" * 20)
    done = in_folder(ROOT, "messages", "list", "--store", file)
    assert done.returncode == 4
    assert "[database.down]" in done.stderr


def test_the_beginning_of_an_id_is_enough(played: Path) -> None:
    store = played / "kommun.sqlite"
    first = json.loads(in_folder(ROOT, "messages", "list", "--store", store, "--json").stdout)["sent"][0]["id"]
    assert in_folder(ROOT, "messages", "show", first[:8], "--store", store, "--json").returncode == 0
    assert in_folder(ROOT, "messages", "show", "", "--store", store).returncode == 5


@pytest.mark.parametrize("url", ["foo://bar", "sqlite:///x", "postgresql+nothing://x", "://"])
def test_an_address_that_is_no_database_is_a_configuration_error(url: str, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert in_folder(tmp_path, "messages", "list", "--store", url).returncode == 3


def test_looking_at_a_foreign_database_changes_nothing_in_it(tmp_path: Path) -> None:
    file = tmp_path / "foreign.sqlite"
    with closing(sqlite3.connect(file)) as foreign:
        foreign.execute("CREATE TABLE theirs (x)")
    done = in_folder(ROOT, "messages", "list", "--store", file)
    assert done.returncode == 3
    assert "[database.other-tables]" in done.stderr
    with closing(sqlite3.connect(file)) as foreign:
        assert foreign.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_data_folder_that_cannot_be_used_is_a_configuration_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, Path("/proc/nowhere")):
        done = in_folder(ROOT, "demo", "--data", place)
        assert done.returncode == 3
        assert "[demo.folder]" in done.stderr


def test_another_scenario_is_not_played_over_one_that_is_there(played: Path) -> None:
    done = in_folder(ROOT, "demo", "--scenario", "journey", "--data", played)
    assert done.returncode == 3
    assert "[demo.other-scenario]" in done.stderr


def test_a_wrong_option_is_a_usage_error() -> None:
    assert in_folder(ROOT, "demo", "--nonsense").returncode == 2


def test_an_unknown_setting_in_the_file_is_a_configuration_error(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('stroe = "sqlite+aiosqlite:///x.sqlite"\n')
    done = in_folder(ROOT, "messages", "list", "--config", file)
    assert done.returncode == 3
    assert "[config.unknown-near]" in done.stderr
    assert "Did you mean" in done.stderr
    assert "settings.toml: store?" in " ".join(done.stderr.split())


def test_a_command_begins_without_the_libraries_of_what_it_may_never_meet() -> None:
    late = {"aiohttp", "fhir", "hl7", "holidays", "jinja2", "prometheus_client", "xmlschema"}
    script = f"import sys, gateway.cli, gateway.app; print({late} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
