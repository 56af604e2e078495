"""The directory file: what it must hold, and what is said about a unit that is not in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.directory import Directory, Principal, UnitType
from gateway.errors import ConfigurationError, InvalidDocumentError
from gateway.identifiers import HsaId
from gateway.resources import demo_directory

GOOD = """
[[party]]
name = "kommun"
title = "Göteborgs Stad"
principal = "municipality"
case_series = 10

[[party]]
name = "region"
title = "Västra Götalandsregionen"
principal = "region"
case_series = 20

[[unit]]
hsa_id = "SE2120001355-SOCHISINGEN"
title = "Socialkontor Hisingen"
party = "kommun"
type = "social-office"

[[unit]]
hsa_id = "SE2321000131-E000000000101"
title = "Björkdalens vårdcentral"
party = "region"
type = "primary-care"
"""

Load = Callable[[str], Directory]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def written(content: str) -> Directory:
        place = tmp_path / "directory.toml"
        place.write_text(content, encoding="utf-8")
        return Directory.load(place)

    return written


def test_parties_are_known_by_name_and_units_by_hsa_id(load: Load) -> None:
    directory = load(GOOD)
    assert list(directory.parties) == ["kommun", "region"]
    assert directory.parties["region"].principal is Principal.REGION
    unit = directory.unit("SE2120001355-SOCHISINGEN")
    assert (unit.title, unit.party, unit.type) == ("Socialkontor Hisingen", "kommun", UnitType.SOCIAL_OFFICE)


BAD = {
    "a party stands twice": ('name = "region"', 'name = "kommun"', "twice"),
    "a unit stands twice": ("SE2321000131-E000000000101", "SE2120001355-SOCHISINGEN", "twice"),
    "two parties share a case series": ("case_series = 20", "case_series = 10", "collide"),
    "a case series has three digits": ("case_series = 20", "case_series = 120", "case_series"),
    "a case series has one digit": ("case_series = 20", "case_series = 9", "case_series"),
    "a unit belongs to nobody": ('party = "region"', 'party = "skola"', "not in the file"),
    "a unit has no HSA-id": ("SE2321000131-E000000000101", "vardcentralen", "vardcentralen"),
    "a unit is of no known type": ('type = "primary-care"', 'type = "bakery"', "type"),
    "a party is of no known principal": ('principal = "region"', 'principal = "state"', "principal"),
    "a name would not fit a routing key": ('name = "region"', 'name = "Region Väst"', "name"),
    "a member is misspelt": ('title = "Göteborgs Stad"', 'titel = "Göteborgs Stad"', "titel"),
    "it is no TOML": ('name = "region"', "name = region", "Invalid value"),
}


@pytest.mark.parametrize(("old", "new", "reason"), BAD.values(), ids=list(BAD))
def test_a_directory_is_refused_when(load: Load, old: str, new: str, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        load(GOOD.replace(old, new))
    [finding] = caught.value.findings
    assert finding.code == "directory.invalid"
    assert "directory.toml" in finding.en
    assert reason in finding.en


def test_a_directory_without_parties_is_refused(load: Load) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load("")
    assert caught.value.codes == ("directory.invalid",)


def test_a_directory_that_is_not_text_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "directory.toml"
    place.write_bytes(GOOD.encode("latin-1"))
    with pytest.raises(ConfigurationError) as caught:
        Directory.load(place)
    assert caught.value.codes == ("directory.invalid",)


@pytest.mark.parametrize("name", ["missing.toml", ""])
def test_a_directory_that_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Directory.load(tmp_path / name)
    assert caught.value.codes == ("directory.unreadable",)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("hsa_id", "code", "nearest"),
    [
        ("SE2321000131-E000000000102", "unit.unknown-near", "SE2321000131-E000000000101"),
        ("SE2120001355-SOCHISINGE", "unit.unknown-near", "SE2120001355-SOCHISINGEN"),
        ("SE5560000000-ELSEWHERE", "unit.unknown", None),
        ("", "unit.unknown", None),
    ],
)
def test_an_unknown_unit_is_refused_with_the_nearest_one_there_is(
    load: Load, hsa_id: str, code: str, nearest: str | None
) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        load(GOOD).unit(hsa_id, "header/recipient/unit")
    [finding] = caught.value.findings
    assert (finding.code, finding.path) == (code, "header/recipient/unit")
    assert nearest is None or (nearest in finding.sv and nearest in finding.en)


def test_the_directory_of_the_demo_has_a_unit_of_each_party_and_valid_ids() -> None:
    directory = Directory.load(demo_directory())
    assert {unit.party for unit in directory.units.values()} == set(directory.parties)
    assert {party.principal for party in directory.parties.values()} == set(Principal)
    for hsa_id in directory.units:
        HsaId.parse(hsa_id)
