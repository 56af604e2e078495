"""The documentation is held to the code: what there is, is named, and what is rendered is up to date."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from gateway.adapters.hl7_mapping import TRIGGERS
from gateway.adapters.journal import JOURNAL
from gateway.adapters.table import VOCABULARIES
from gateway.cli import app
from gateway.config import Settings
from gateway.directory import Party, Unit, UnitType
from gateway.errors import FAULTS
from gateway.messages import TYPES
from gateway.reference import PAGES
from gateway.replay.scenario import scenario_names
from gateway.web.route import Kind, Route
from gateway.web.routes import ROUTES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(command: Any, name: str) -> dict[str, Any]:
    """Return every command that does something, by how it is called."""
    if not hasattr(command, "commands"):
        return {name: command}
    found: dict[str, Any] = {}
    for sub, inner in command.commands.items():
        found |= commands(inner, f"{name} {sub}")
    return found


COMMANDS = commands(typer.main.get_command(app), "gateway")


def row_of(command: str) -> str:
    """Return the README's row about a command."""
    starts = (f"| `{command}`", f"| `{command} ")
    rows = [line for line in README.splitlines() if line.startswith(starts)]
    assert rows, f"{command} is not in the README's table of commands"
    return rows[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_every_command_with_its_options(command: str) -> None:
    row = row_of(command)
    for parameter in COMMANDS[command].params:
        if parameter.param_type_name == "option" and parameter.name != "help" and not parameter.hidden:
            assert f"`{parameter.opts[0]}`" in row, f"{command} {parameter.opts[0]}"


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_the_readme_names_every_setting_with_its_default(setting: str) -> None:
    default = Settings.model_fields[setting].default
    shown = "–" if default in (None, {}, ()) else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
    assert f"| `{setting}` | {shown} |" in README


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.method == "GET" and one.kind is not Kind.FILE], ids=lambda one: one.path
)
def test_the_readme_names_every_page_and_everything_of_the_api(route: Route) -> None:
    path = route.path if route.kind is Kind.PAGE else route.path.removeprefix("/api/v1")
    assert f"`{path}`" in README or f"`GET {route.path}`" in README


@pytest.mark.parametrize("name", sorted(re.findall(r"]\((docs/pages/[^)]+)\)", README)))
def test_the_pictures_of_the_readme_are_there_and_light(name: str) -> None:
    assert 0 < (ROOT / name).stat().st_size < 120_000


@pytest.mark.parametrize("key", [*Party.model_fields, *Unit.model_fields])
def test_the_readme_explains_every_key_of_the_directory(key: str) -> None:
    assert any(f"`{key}`" in line.split("|")[1] for line in README.splitlines() if line.startswith("| `"))


@pytest.mark.parametrize("kind", UnitType)
def test_the_readme_names_every_type_of_unit(kind: UnitType) -> None:
    assert f"`{kind}`" in README


@pytest.mark.parametrize("type_name", TYPES)
def test_the_readme_names_every_message_type(type_name: str) -> None:
    cells = [line.split(" | ") for line in README.splitlines() if line.startswith("| `")]
    titles = [titles for names, titles, *_ in cells if f"`{type_name}`" in names and len(cells) > 1]
    assert any(TYPES[type_name].title_sv in title.split(", ") for title in titles)


@pytest.mark.parametrize(
    ("event", "type_name"),
    [(event, form.message_type) for words in VOCABULARIES.values() for event, form in words.events.items()],
)
def test_the_readme_names_every_event_beside_its_message(event: str, type_name: str) -> None:
    (row,) = (line for line in README.splitlines() if f"`{event}`" in line and line.startswith("| `"))
    assert row.startswith(f"| `{type_name}` |")


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_the_readme_names_every_hl7_message_beside_what_it_becomes(trigger: str) -> None:
    rows = [row.split(" | ") for row in README.splitlines() if row.startswith("| `") and f"`{trigger}`" in row]
    events = {step.event for step in TRIGGERS[trigger].steps if step.event is not None}
    for event in events:
        assert any(f"`{JOURNAL.events[event].message_type}`" in cells[1] for cells in rows), event
    assert rows


def test_the_readme_names_every_observation_that_an_hl7_message_may_have() -> None:
    tables = (ROOT / "gateway" / "adapters" / "hl7_mapping.py").read_text(encoding="utf-8")
    codes = set(re.findall(r"OBX\(([A-Z-]+)\)", tables))
    assert len(codes) > 20
    assert [code for code in sorted(codes) if f"`{code}`" not in README] == []


@pytest.mark.parametrize("scenario", scenario_names())
def test_the_readme_names_every_scenario(scenario: str) -> None:
    assert f"`{scenario}`" in README


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pages as a process writes them that has loaded nothing but what the command itself does.

    It is the command as it is typed.
    """
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "gateway", "docs", str(folder)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_the_reference_pages_are_up_to_date(page: str, fresh: Path) -> None:
    written = (fresh / page).read_text(encoding="utf-8")
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == written, "run `make docs`"


def test_every_fault_speaks_both_languages_and_names_its_area() -> None:
    for code, fault in FAULTS.items():
        assert fault.sv
        assert fault.en
        assert fault.sv != fault.en
        area, _, what = code.partition(".")
        assert area
        assert what
        assert code == code.lower()


def test_every_link_in_the_readme_leads_somewhere() -> None:
    targets = [part.partition(")")[0] for part in README.split("](")[1:]]
    titles = re.findall(r"^##+ (.+)$", README, re.MULTILINE)
    sections = {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert targets
    for target in targets:
        assert target in sections if target.startswith("#") else (ROOT / target).exists(), target
