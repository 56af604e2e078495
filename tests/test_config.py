"""Settings: which source wins, and that nothing misspelt passes in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway import config
from gateway.config import Configuration, Settings, masked
from gateway.errors import ConfigurationError
from gateway.workers import environment_of


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with an environment and a machine that say nothing."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(config, "MACHINE_FILE", tmp_path / "machine.toml")
    return tmp_path


@pytest.fixture
def file(working_folder: Path) -> Path:
    place = working_folder / "other.toml"
    place.write_text('party = "from-file"\nadapter = "journal"\n', encoding="utf-8")
    return place


def refused(file: Path | None = None, **flags: object) -> ConfigurationError:
    """Return the error that reading the settings ends with."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(file, **flags)
    return caught.value


def test_without_any_source_the_defaults_hold() -> None:
    read = Configuration.read()
    assert read.settings == Settings()
    assert set(read.origins.values()) == {"default"}


def test_each_source_beats_those_beneath_it_and_is_told(
    working_folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = working_folder / "machine.toml"
    machine.write_text('party = "m"\nadapter = "m"\nstore = "m"\nexchange = "m"\n', encoding="utf-8")
    file.write_text('party = "f"\nadapter = "f"\nstore = "f"\n', encoding="utf-8")
    monkeypatch.setenv("GATEWAY_PARTY", "e")
    monkeypatch.setenv("GATEWAY_ADAPTER", "e")
    read = Configuration.read(file, party="flag")
    settings = read.settings
    assert (settings.party, settings.adapter, settings.store, settings.exchange) == ("flag", "e", "f", "m")
    assert {name: read.origins[name] for name in ("party", "adapter", "store", "exchange", "folder")} == {
        "party": "flag",
        "adapter": "environment",
        "store": str(file),
        "exchange": str(machine),
        "folder": "default",
    }


def test_the_file_in_the_working_folder_is_read_when_no_other_is_named(working_folder: Path, file: Path) -> None:
    (working_folder / "gateway.toml").write_text('party = "from-here"\n', encoding="utf-8")
    assert Settings.load().party == "from-here"
    assert Settings.load(file).party == "from-file"


def test_a_flag_that_is_not_given_beats_nothing(file: Path) -> None:
    assert Settings.load(file, party=None).party == "from-file"


def test_an_environment_name_without_a_value_beats_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PARTY", "")
    assert Settings.load(file).party == "from-file"


def test_a_number_in_the_environment_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_WORKERS", "3")
    monkeypatch.setenv("GATEWAY_DRAIN_SECONDS", "2.5")
    settings = Settings.load()
    assert (settings.workers, settings.drain_seconds) == (3, 2.5)


def test_deadlines_are_a_table_in_a_file_and_one_line_in_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = {"meetingBooking": "3 working days, reminder after 2", "meeting": "21 calendar days"}
    file.write_text("[deadlines]\n" + "".join(f'{name} = "{text}"\n' for name, text in written.items()), "utf-8")
    from_file = Configuration.read(file)
    assert (dict(from_file.settings.deadlines), from_file.origins["deadlines"]) == (written, str(file))
    line = "meetingBooking = 3 working days, reminder after 2; meeting = 21 calendar days"
    assert from_file.shown()["deadlines"] == line
    monkeypatch.setenv("GATEWAY_DEADLINES", f" {line} ; ")
    assert Configuration.read().settings.deadlines == written
    monkeypatch.setenv("GATEWAY_DEADLINES", "plan = 1 working day")
    assert Configuration.read(file).settings.deadlines == {"plan": "1 working day"}  # the strongest source, whole


def test_settings_do_not_change_while_the_gateway_runs() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().party = "other"


@pytest.mark.parametrize(
    ("content", "codes", "named"),
    [
        ('partty = "kommun"', ("config.unknown-near",), "other.toml: party?"),
        ('colour = "red"', ("config.unknown",), "other.toml: colour"),
        ("party = 10", ("config.invalid",), "other.toml: party"),
        ('party = ""', ("config.invalid",), "other.toml: party"),
        ("workers = 0", ("config.invalid",), "1 … 64"),
        ('payment_cutoff = "noon"', ("config.invalid",), "12:00"),
        ('payment_mean_from = "noon"', ("config.invalid",), "grace | ready"),
        ('log_format = "xml"', ("config.invalid",), "auto | json | pretty"),
        ('party = 10\nfoldr = "x"', ("config.unknown-near", "config.invalid"), "folder?"),
        ("party = kommun", ("config.unreadable",), "other.toml"),
        ("[party]\nname = 'x'", ("config.invalid",), "party"),
        ('meeting_counted_from = "call"', ("config.invalid",), "consent | need"),
        ("deadlines = 3", ("config.invalid",), "meetingBooking = 3 working days"),
        ("[deadlines]\nmeeting = 21", ("config.invalid",), "other.toml: deadlines"),
        ('[deadlines]\nmeeting = ""', ("config.invalid",), "other.toml: deadlines"),
        ('deadlines = "meeting"', ("config.invalid",), "other.toml: deadlines"),
        ('deadlines = "plan = 1 hour; plan = 2 hours"', ("config.invalid",), "other.toml: deadlines"),
    ],
)
def test_a_file_with_a_mistake_is_refused(file: Path, content: str, codes: tuple[str, ...], named: str) -> None:
    file.write_text(content, encoding="utf-8")
    error = refused(file)
    assert error.codes == codes
    assert named in str(error)
    assert error.exit_code == 3


def test_a_misspelt_name_in_the_environment_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_STORE_PASWORD_FILE", "/run/secrets/store")
    error = refused()
    assert error.codes == ("config.unknown-near",)
    assert "GATEWAY_STORE_PASWORD_FILE" in str(error)
    assert "Did you mean GATEWAY_STORE_PASSWORD_FILE?" in str(error)


def test_mistakes_in_several_sources_are_told_together(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("workers = 0\nfoldr = 'x'", encoding="utf-8")
    monkeypatch.setenv("GATEWAY_DRAIN_SECONDS", "soon")
    error = refused(file, partty="kommun")
    assert error.codes == ("config.unknown-near", "config.unknown-near", "config.invalid", "config.invalid")
    for named in ("--partty", "other.toml: foldr", "other.toml: workers", "GATEWAY_DRAIN_SECONDS"):
        assert named in str(error)


@pytest.mark.parametrize("content", ['store = ["hemligt"]', 'log_format = "hemligt"', 'workers = "hemligt"'])
def test_a_value_that_is_wrong_is_named_and_not_repeated(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    assert "hemligt" not in str(refused(file))


def test_a_file_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes('party = "Göteborg"'.encode("latin-1"))
    assert refused(file).codes == ("config.unreadable",)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_named_file_that_cannot_be_opened_is_refused(working_folder: Path, name: str) -> None:
    assert refused(working_folder / name).codes == ("config.unreadable",)


@pytest.mark.parametrize(
    "name", ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8080_TCP", "PORT_8080_TCP_ADDR"]
)
def test_what_kubernetes_sets_beside_a_service_called_gateway_is_no_setting(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", "10.0.0.1")
    assert Settings.load().party == "kommun"


def test_a_password_is_read_from_its_file_without_the_line_end(working_folder: Path) -> None:
    secret = working_folder / "secret"
    secret.write_text(" with spaces \n", encoding="utf-8")
    settings = Settings.load(store_password_file=secret)
    assert settings.store_password() == " with spaces "
    assert settings.exchange_password() is None


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", None])
def test_a_password_file_that_holds_none_is_refused(working_folder: Path, content: bytes | None) -> None:
    secret = working_folder / "secret"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(exchange_password_file=secret).exchange_password()
    assert caught.value.codes == ("config.secret-unreadable",)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+asyncpg://gateway:hemligt@db/kommun", "postgresql+asyncpg://gateway:***@db/kommun"),
        ("amqp://kommun:a@b:c@host:5672/sip", "amqp://kommun:***@host:5672/sip"),
        ("amqp://:hemligt@host/", "amqp://:***@host/"),
        (
            "postgresql+asyncpg://db/x?user=u&password=hemligt&ssl=on",
            "postgresql+asyncpg://db/x?user=u&password=***&ssl=on",
        ),
        ("amqp://kommun@host/sip", "amqp://kommun@host/sip"),
        ("sqlite+aiosqlite:///file.sqlite", "sqlite+aiosqlite:///file.sqlite"),
    ],
)
def test_a_password_in_an_address_is_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


# --- adapters -------------------------------------------------------------------------------------------------------

TWO = """
[[adapters]]
name = "one"
words = "treserva"
way = "http"
direction = "in"

[[adapters]]
name = "two"
words = "treserva"
way = "folder"
folder = "case-system"
[adapters.codes.enhet]
"4711" = "SE2120001355-SOCHISINGEN"
"""


def test_adapters_are_tables_in_a_file_and_one_line_in_the_environment(
    working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = working_folder / "gateway.toml"
    place.write_text(TWO, encoding="utf-8")
    told = Settings.load()
    assert [one.name for one in told.all_adapters()] == ["one", "two"]
    place.unlink()
    monkeypatch.setenv("GATEWAY_ADAPTERS", told.model_dump(mode="json")["adapters"])
    assert Settings.load() == told
    assert Configuration.read().origins["adapters"] == "environment"


def test_one_adapter_alone_is_told_by_its_kind_and_folder() -> None:
    (alone,) = Settings(adapter="journal", folder=Path("x")).all_adapters()
    assert (alone.name, alone.words, alone.way, alone.folder, alone.direction) == (
        "journal",
        "journal",
        "folder",
        Path("x"),
        "both",
    )


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (("direction", "directon"), "config.unknown-near", "adapters[1].direction?"),
        (('way = "http"', 'wäy = "http"'), "config.unreadable", "other.toml"),
        (('way = "http"', 'way = "http"\ncolour = "red"'), "config.unknown", "adapters[1].colour"),
        (('"in"', '"inn"'), "config.invalid", "adapters[1].direction"),
        (('"two"', '"Två"'), "config.invalid", "adapters[2].name"),
        (('words = "treserva"\nway = "folder"', 'way = "folder"'), "config.invalid", "adapters[2].words"),
        (('way = "http"', 'way = "http"\nurl = "https://user:secret@host/"'), "config.invalid", "adapters[1].url"),
        (("[[adapters]]", 'adapter = "treserva"\n[[adapters]]'), "config.adapters-twice", "adapter"),
    ],
)
def test_a_key_of_an_adapter_that_is_wrong_is_told_by_its_name(
    file: Path, change: tuple[str, str], code: str, named: str
) -> None:
    file.write_text(TWO.replace(*change, 1), encoding="utf-8")
    error = refused(file)
    assert code in error.codes
    assert named in str([finding.en for finding in error.findings])
    assert "secret" not in str(error)


@pytest.mark.parametrize("text", ["[", "{}", "[1]", '"x"', "[" * 2000])
def test_adapters_in_the_environment_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GATEWAY_ADAPTERS", text)
    assert refused().codes == ("config.invalid",)


def test_a_worker_is_told_the_same_adapters(working_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (working_folder / "gateway.toml").write_text(TWO, encoding="utf-8")
    for settings in (Settings.load(), Settings(adapter="journal")):
        environment = environment_of(settings, {})
        with monkeypatch.context() as of_worker:
            of_worker.chdir("/")
            for name, value in environment.items():
                of_worker.setenv(name, value)
            assert Settings.load() == settings
