"""The commands that look after a gateway, run as processes: settings, database, exchange."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command import in_folder
from service_process import DIRECTORY
from services.rabbitmq import RabbitMqNode

from gateway.config import Settings


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder where a gateway with the default settings can run."""
    (tmp_path / "directory.toml").write_bytes(DIRECTORY.read_bytes())
    (tmp_path / "case-system").mkdir()
    return tmp_path


# --- settings -------------------------------------------------------------------------------------------------------


def test_settings_that_can_be_used_are_said_to_be_so_and_nothing_is_opened(place: Path) -> None:
    before = sorted(place.rglob("*"))
    assert in_folder(place, "config", "check").returncode == 0
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({"directory": "nowhere.toml"}, {"directory.unreadable"}),
        ({"party": "nobody"}, {"config.unknown-party"}),
        ({"adapter": "abacus"}, {"config.unknown-adapter"}),
        ({"folder": "nowhere"}, {"config.folder-unusable"}),
        ({"store": "mysql://x"}, {"database.url"}),
        ({"exchange": "http://x"}, {"config.exchange-url"}),
        ({"exchange": "sqlite+aiosqlite:///:memory:"}, {"config.exchange-file"}),
        ({"store_password_file": "nowhere"}, {"config.secret-unreadable"}),
        ({"exchange": "amqps://u@h/v", "exchange_ca_file": "nowhere.pem"}, {"config.file-unreadable"}),
        ({"exchange": "amqps://u@h/v", "exchange_key_file": "directory.toml"}, {"config.key-alone"}),
        ({"exchange": "amqp://u@h/v", "exchange_ca_file": "directory.toml"}, {"config.not-encrypted"}),
        ({"workers": "2"}, {"config.one-writer", "config.one-consumer"}),
        ({"party": "nobody", "adapter": "abacus"}, {"config.unknown-party", "config.unknown-adapter"}),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_every_reason(
    place: Path, settings: dict[str, str], codes: set[str]
) -> None:
    done = in_folder(place, "config", "check", **settings)
    assert done.returncode == 3
    told = {line.partition("]")[0].removeprefix("[") for line in done.stderr.splitlines() if line.startswith("[")}
    assert told == codes


def test_each_setting_is_shown_with_its_source_and_without_passwords(place: Path) -> None:
    (place / "gateway.toml").write_text('party = "region"\n[deadlines]\nplan = "1 working day"\n', encoding="utf-8")
    (place / "secret").write_text("hemligt-1", encoding="utf-8")
    settings = {
        "store": "postgresql+asyncpg://gateway:hemligt-2@db/region",
        "exchange_password_file": "secret",
    }
    arguments = ("config", "show", "--exchange", "amqp://region:hemligt-3@host/sip")
    done = in_folder(place, *arguments, "--json", **settings)
    shown = {row["name"]: row for row in json.loads(done.stdout)["settings"]}
    in_force = {row["name"]: (row["value"], row["from"]) for row in json.loads(done.stdout)["deadlines"]}
    assert in_force["plan"] == ("1 working day", "gateway.toml")
    assert in_force["meetingBooking"] == ("3 working days, reminder after 2", "default")
    assert set(shown) == set(Settings.model_fields)
    assert {name: shown[name]["from"] for name in ("party", "store", "exchange", "adapter")} == {
        "party": "gateway.toml",
        "store": "environment",
        "exchange": "flag",
        "adapter": "default",
    }
    assert shown["store"]["value"] == "postgresql+asyncpg://gateway:***@db/region"
    table = in_folder(place, *arguments, **settings)
    assert table.returncode == 0
    assert "3 working days, reminder after 2" in table.stdout
    assert "hemligt" not in done.stdout + done.stderr + table.stdout + table.stderr


def test_a_misspelt_name_in_the_environment_stops_any_command_that_reads_settings(place: Path) -> None:
    done = in_folder(place, "config", "show", foldr="x")
    assert (done.returncode, done.stdout) == (3, "")
    assert "GATEWAY_FOLDER?" in done.stderr


# --- the database ---------------------------------------------------------------------------------------------------


def test_a_database_is_brought_up_to_date_once_and_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    dry = json.loads(in_folder(tmp_path, "db", "migrate", "--store", store, "--dry-run", "--json").stdout)
    assert dry["from"] is None
    assert not dry["done"]
    assert not store.exists()
    real = json.loads(in_folder(tmp_path, "db", "migrate", "--store", store, "--json").stdout)
    assert real == {**dry, "done": True}
    assert [step["revision"] for step in real["steps"]][-1] == real["to"]
    again = in_folder(tmp_path, "db", "migrate", "--store", store)
    assert again.returncode == 0
    assert "up to date already" in again.stdout


def test_a_database_of_an_unknown_version_is_left_alone(tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    in_folder(tmp_path, "db", "migrate", "--store", store)
    with closing(sqlite3.connect(store)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    done = in_folder(tmp_path, "db", "migrate", "--store", store)
    assert done.returncode == 3
    assert "[database.newer]" in done.stderr


def test_migrating_a_server_that_is_down_is_exit_code_4(tmp_path: Path) -> None:
    done = in_folder(tmp_path, "db", "migrate", "--store", "postgresql+asyncpg://user@127.0.0.1:1/none")
    assert done.returncode == 4
    assert "[database.down]" in done.stderr


# --- the exchange ---------------------------------------------------------------------------------------------------


def test_an_embedded_exchange_is_checked_and_declared(place: Path) -> None:
    missing = in_folder(place, "exchange", "check")
    assert missing.returncode == 7
    assert missing.stderr.count("[exchange.not-declared]") == 2
    assert not (place / "exchange.sqlite").exists()
    assert in_folder(place, "exchange", "declare", "--party", "kommun").returncode == 0
    assert in_folder(place, "exchange", "check", "--party", "kommun").returncode == 0
    assert in_folder(place, "exchange", "check").returncode == 7
    assert in_folder(place, "exchange", "check", "--party", "nobody").returncode == 3


async def test_a_broker_is_checked_and_declared(place: Path, rabbitmq_node: RabbitMqNode) -> None:
    url = await rabbitmq_node.vhost()
    missing = in_folder(place, "exchange", "check", "--exchange", url, "--json")
    assert missing.returncode == 7
    assert {finding["code"] for finding in json.loads(missing.stdout)["findings"]} == {"exchange.missing"}
    declared = in_folder(place, "exchange", "declare", "--exchange", url)
    assert declared.returncode == 0
    assert url not in declared.stdout + declared.stderr
    assert in_folder(place, "exchange", "check", "--exchange", url).returncode == 0
