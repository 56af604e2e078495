"""``gateway adapters``: what an operator and an integrator see and do."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from command import in_folder
from service_process import DIRECTORY, ROOT

EVENTS = ROOT / "fixtures" / "events" / "treserva"
BY = "SE2120001355-SOCHISINGEN"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a gateway of two adapters; nobody is at the address of the one that takes messages."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "secret").write_text("what both ends know, and no other", encoding="utf-8")
    (tmp_path / "gateway.toml").write_text(
        f"""
        directory = "{DIRECTORY}"
        http_listen = "127.0.0.1:{port}"

        [[adapters]]
        name = "in"
        words = "treserva"
        way = "http"
        direction = "in"
        secret_file = "secret"

        [[adapters]]
        name = "out"
        words = "treserva"
        way = "http"
        direction = "out"
        url = "http://127.0.0.1:{port}/sip"
        secret_file = "secret"

        [[adapters]]
        name = "hl7"
        words = "hl7"
        way = "mllp"
        direction = "in"
        listen = "127.0.0.1:{port}"

        [[adapters]]
        name = "fhir"
        words = "fhir"
        way = "rest"
        url = "http://127.0.0.1:{port}/fhir"
        unit_types = ["school"]
        """,
        encoding="utf-8",
    )
    assert in_folder(tmp_path, "db", "migrate").returncode == 0
    return tmp_path


def test_the_adapters_are_listed_with_their_health(folder: Path) -> None:
    done = in_folder(folder, "adapters", "list", "--json")
    assert done.returncode == 7, done.stderr
    into, out, hl7, fhir = json.loads(done.stdout)["adapters"]
    assert (into["name"], into["isUp"], into["paused"]) == ("in", None, None)
    assert (out["name"], out["isUp"]) == ("out", False)
    assert out["findings"][0]["code"] == "system.unreachable"
    assert [one["findings"][0]["code"] for one in (hl7, fhir)] == ["adapter.nobody-listens", "fhir-server.unreachable"]
    assert "what both ends know" not in done.stdout + done.stderr
    assert in_folder(folder, "config", "check").returncode == 0
    assert "way = http" in in_folder(folder, "config", "show").stdout
    settings = json.loads(in_folder(folder, "config", "show", "--json").stdout)["settings"]
    (adapters,) = (row["value"] for row in settings if row["name"] == "adapters")
    assert [one["name"] for one in adapters] == ["in", "out", "hl7", "fhir"]


def test_a_pause_is_kept_with_who_and_why_until_it_ends(folder: Path) -> None:
    decided = "--by", BY, "--reason", "byte av server"
    assert in_folder(folder, "adapters", "pause", "out", *decided).returncode == 0
    assert "already" in in_folder(folder, "adapters", "pause", "out", *decided).stdout
    paused = json.loads(in_folder(folder, "adapters", "list", "--json").stdout)["adapters"][1]["paused"]
    assert (paused["by"], paused["reason"]) == (BY, "byte av server")
    resumed = in_folder(folder, "adapters", "resume", "out", *decided)
    assert resumed.returncode == 0
    assert "byte av server" not in resumed.stderr, "reasons are people's words"
    assert json.loads(in_folder(folder, "adapters", "list", "--json").stdout)["adapters"][1]["paused"] is None
    unknown = in_folder(folder, "adapters", "pause", "nowhere", *decided)
    assert (unknown.returncode, "config.unknown-adapter" in unknown.stderr) == (3, True)
    for_nothing = in_folder(folder, "adapters", "pause", "out", "--by", BY, "--reason", " ")
    assert (for_nothing.returncode, "by-hand.reason" in for_nothing.stderr) == (5, True)


def test_an_event_is_shown_as_the_message_it_becomes_or_with_every_reason(folder: Path) -> None:
    good = sorted(EVENTS.glob("valid_behov*"))[0]
    bad = sorted(EVENTS.glob("invalid_*.json"))[0]
    shown = in_folder(folder, "adapters", "translate", "in", good)
    assert shown.returncode == 0, shown.stderr
    assert "<sipStart" in shown.stdout
    refused = in_folder(folder, "adapters", "translate", "in", bad)
    assert refused.returncode == 5
    assert f"[{bad.name.split('_')[1]}]" in refused.stderr
    taken = in_folder(folder, "adapters", "translate", "in", sorted(EVENTS.glob("valid_*kvit*"))[0])
    assert taken.returncode == 0, taken.stderr
    assert in_folder(folder, "adapters", "translate", "in", "nowhere.json").returncode == 5


@pytest.mark.parametrize(("name", "message"), [("hl7", "admissionNotice"), ("fhir", "meetingBooking")])
def test_so_are_those_of_journals(folder: Path, name: str, message: str) -> None:
    events = ROOT / "fixtures" / "events" / name
    good, bad = sorted(events.glob("valid_*a*"))[0], sorted(events.glob("invalid_*"))
    shown = in_folder(folder, "adapters", "translate", name, good)
    assert (shown.returncode, f"<{message}" in shown.stdout) == (0, True), shown.stderr
    refused = in_folder(folder, "adapters", "translate", name, bad[0])
    assert (refused.returncode, f"[{bad[0].name.split('_')[1]}]" in refused.stderr) == (5, True), refused.stderr


def test_an_event_of_a_folder_is_shown_whatever_form_it_is_in(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(f'directory = "{DIRECTORY}"', encoding="utf-8")
    shown = in_folder(tmp_path, "adapters", "translate", "treserva", EVENTS / "valid_behov_rad.csv")
    assert "<sipStart" in shown.stdout, shown.stderr


def test_a_system_that_is_not_there_fails_its_test(folder: Path) -> None:
    for name in ("in", "out", "hl7", "fhir"):
        done = in_folder(folder, "adapters", "test", name)
        assert done.returncode == 4, done.stdout + done.stderr
