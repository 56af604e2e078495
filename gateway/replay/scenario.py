"""A scenario: a story told by case systems, step by step, from a folder of files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from gateway.errors import ConfigurationError, Fault
from gateway.lifecycle import OutState
from gateway.process import CaseState
from gateway.resources import scenario_folder

UNKNOWN = Fault(
    "scenario.unknown",
    "Scenariot {name} finns inte; det finns {known}.",
    "There is no scenario {name}; there are {known}.",
)
INVALID = Fault("scenario.invalid", "Scenariot {file} är felaktigt: {reason}", "The scenario {file} is wrong: {reason}")

FILE = "scenario.toml"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Step(_Entry):
    system: str
    event: str
    at: AwareDatetime


class ExpectedMessage(_Entry):
    """Where a message to one unit is when the story has ended: who sent it, its type, and its unit and state."""

    party: str
    type: str
    unit: str
    state: OutState


class ExpectedCase(_Entry):
    """Where a case stands at one party when the story has ended."""

    party: str
    case: str
    state: CaseState


class _File(_Entry):
    title_sv: str
    title_en: str
    step: tuple[_Step, ...]
    expect: tuple[ExpectedMessage, ...] = ()
    expect_case: tuple[ExpectedCase, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One event: which system tells it, under which file name, its bytes, and when in the story."""

    system: str
    file_name: str
    content: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Scenario:
    """A title in both languages, the steps in order, and what the story ends in.

    ``messages`` are in the order they were made, acknowledgements left out; ``cases`` are by party and number.
    """

    name: str
    title_sv: str
    title_en: str
    steps: tuple[Step, ...]
    messages: tuple[ExpectedMessage, ...] = ()
    cases: tuple[ExpectedCase, ...] = ()

    @classmethod
    def load(cls, name: str) -> Scenario:
        """Return the scenario called ``name`` among those that ship with the gateway.

        Raises:
            ConfigurationError: there is none, or its files are wrong.
        """
        if name not in scenario_names():
            raise ConfigurationError(UNKNOWN.at(name=name, known=", ".join(scenario_names())))
        folder = scenario_folder() / name
        try:
            entries = _File.model_validate(tomllib.loads((folder / FILE).read_text(encoding="utf-8")))
            steps = tuple(_load_step(folder, step) for step in entries.step)
        except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise ConfigurationError(INVALID.at(file=folder / FILE, reason=error)) from None
        return cls(name, entries.title_sv, entries.title_en, steps, entries.expect, entries.expect_case)


def _load_step(folder: Path, step: _Step) -> Step:
    return Step(step.system, step.event, (folder / step.event).read_bytes(), step.at)


def scenario_names() -> list[str]:
    """Return the names of the scenarios that ship with the gateway."""
    return sorted(path.parent.name for path in scenario_folder().glob(f"*/{FILE}"))
