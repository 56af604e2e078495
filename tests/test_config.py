"""Settings: which source wins, and that nothing misspelt passes in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import Settings
from gateway.errors import ConfigurationError


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with an environment that says nothing."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GATEWAY_{name.upper()}", raising=False)
    return tmp_path


@pytest.fixture
def file(working_folder: Path) -> Path:
    place = working_folder / "other.toml"
    place.write_text('party = "from-file"\nadapter = "journal"\n', encoding="utf-8")
    return place


def test_without_any_source_the_defaults_hold() -> None:
    assert Settings.load().model_dump() == {
        "party": "kommun",
        "store": "sqlite+aiosqlite:///gateway.sqlite",
        "exchange": "sqlite+aiosqlite:///exchange.sqlite",
        "directory": Path("directory.toml"),
        "adapter": "treserva",
        "folder": Path("case-system"),
    }


def test_the_file_in_the_working_folder_is_read_when_no_other_is_named(working_folder: Path, file: Path) -> None:
    (working_folder / "gateway.toml").write_text('party = "from-here"\n', encoding="utf-8")
    assert Settings.load().party == "from-here"
    assert Settings.load(file).party == "from-file"


def test_the_environment_beats_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PARTY", "from-environment")
    settings = Settings.load(file)
    assert (settings.party, settings.adapter) == ("from-environment", "journal")


def test_a_flag_beats_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PARTY", "from-environment")
    monkeypatch.setenv("GATEWAY_ADAPTER", "from-environment")
    settings = Settings.load(file, party="from-flag")
    assert (settings.party, settings.adapter) == ("from-flag", "from-environment")


def test_a_flag_that_is_not_given_beats_nothing(file: Path) -> None:
    assert Settings.load(file, party=None).party == "from-file"


def test_two_files_in_one_process_do_not_mix(working_folder: Path, file: Path) -> None:
    second = working_folder / "second.toml"
    second.write_text('folder = "elsewhere"\n', encoding="utf-8")
    assert Settings.load(file).party == "from-file"
    assert (Settings.load(second).party, Settings.load(second).folder) == ("kommun", Path("elsewhere"))


def test_settings_do_not_change_while_the_gateway_runs() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings.load().party = "other"


@pytest.mark.parametrize(
    ("content", "codes", "named"),
    [
        ('partty = "kommun"', ("config.invalid",), "partty"),
        ("party = 10", ("config.invalid",), "party"),
        ('party = 10\nfoldr = "x"', ("config.invalid", "config.invalid"), "foldr"),
        ("party = kommun", ("config.unreadable",), "other.toml"),
        ("[party]\nname = 'x'", ("config.invalid",), "party"),
    ],
)
def test_a_file_with_a_mistake_is_refused(file: Path, content: str, codes: tuple[str, ...], named: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(file)
    assert caught.value.codes == codes
    assert named in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_value_that_is_wrong_is_named_and_not_repeated(file: Path) -> None:
    file.write_text('store = ["secret"]', encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(file)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes('party = "Göteborg"'.encode("latin-1"))
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(file)
    assert caught.value.codes == ("config.unreadable",)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_named_file_that_cannot_be_opened_is_refused(working_folder: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(working_folder / name)
    assert caught.value.codes == ("config.unreadable",)


def test_a_flag_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(partty="kommun")
    assert caught.value.codes == ("config.invalid",)


def test_other_programs_may_use_the_same_prefix_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SERVICE_HOST", "10.0.0.1")  # set by Kubernetes where a service is called gateway
    assert Settings.load().party == "kommun"
