"""The directory file: what it must hold, and what is said about a unit that is not in it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.directory import Directory, Principal, UnitType
from gateway.errors import ConfigurationError, InvalidDocumentError
from gateway.identifiers import HsaId
from gateway.resources import demo_directory
from gateway.working_time import OpeningHours

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
    assert reason in refused(load, GOOD.replace(old, new))


def refused(load: Load, content: str) -> str:
    """Return why a directory is refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(content)
    [finding] = caught.value.findings
    assert finding.code == "directory.invalid"
    assert "directory.toml" in finding.en
    return finding.en


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


# --- what a unit and a party tell ------------------------------------------------------------------------------------

OFFICE, HEALTH = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN"
CENTRE, OTHER_CENTRE, CLOSED_CENTRE = (f"SE2321000131-E0000000001{number:02}" for number in (1, 2, 3))
FUTURE_CENTRE, PRIVATE, LEADERS = (f"SE2321000131-E0000000001{number:02}" for number in (4, 5, 6))

RICH = f"""
[[party]]
name = "kommun"
title = "Göteborgs Stad"
principal = "municipality"
case_series = 10
municipalities = ["1480"]
intake.school = "{HEALTH}"

[[party]]
name = "region"
title = "Västra Götalandsregionen"
principal = "region"
case_series = 20
municipalities = ["1401", "1480"]
manager = "{LEADERS}"
intake.primary-care = "{CENTRE}"
intake.external = "{CENTRE}"

[[unit]]
hsa_id = "{OFFICE}"
title = "Socialkontor Hisingen"
party = "kommun"
type = "social-office"

[[unit]]
hsa_id = "{HEALTH}"
title = "Hemsjukvård Hisingen"
party = "kommun"
type = "municipal-health"
parent = "{OFFICE}"
area = "Göteborgsområdet"
opening_hours = "mon-sun 07:00-21:30"

[[unit]]
hsa_id = "{CENTRE}"
title = "Björkdalens vårdcentral"
party = "region"
type = "primary-care"
serves = ["Hisingen", "1480"]

[[unit]]
hsa_id = "{OTHER_CENTRE}"
title = "Almlidens vårdcentral"
party = "region"
type = "primary-care"
serves = ["Härryda", "1401"]

[[unit]]
hsa_id = "{CLOSED_CENTRE}"
title = "Granmarkens vårdcentral"
party = "region"
type = "primary-care"
serves = ["Partille"]
valid_from = 2010-01-01
valid_to = 2025-12-31
fallback = "{FUTURE_CENTRE}"

[[unit]]
hsa_id = "{FUTURE_CENTRE}"
title = "Lövängens vårdcentral"
party = "region"
type = "primary-care"
valid_from = 2027-01-01
fallback = "{OTHER_CENTRE}"

[[unit]]
hsa_id = "{PRIVATE}"
title = "Fysioterapi vid torget"
party = "region"
type = "external"
has_inbox = false

[[unit]]
hsa_id = "{LEADERS}"
title = "Regionens vårdsamverkan"
party = "region"
type = "ward"
"""
TODAY = date(2026, 11, 2)


def unit_entry(hsa_id: str, line: str) -> tuple[str, str]:
    """Return what to replace in the rich directory, and with what, so that a unit gets one more line."""
    return f'hsa_id = "{hsa_id}"', f'hsa_id = "{hsa_id}"\n{line}'


def test_a_unit_tells_what_the_file_says_of_it(load: Load) -> None:
    units = load(RICH).units
    health, closed = units[HEALTH], units[CLOSED_CENTRE]

    assert (health.parent, health.area, health.has_inbox) == (OFFICE, "Göteborgsområdet", True)
    assert health.opening_hours == OpeningHours.parse("mon-sun 07:00-21:30")
    assert (closed.valid_from, closed.valid_to) == (date(2010, 1, 1), date(2025, 12, 31))
    assert (closed.fallback, closed.serves) == (FUTURE_CENTRE, ("Partille",))
    assert (units[PRIVATE].type, units[PRIVATE].has_inbox) == (UnitType.EXTERNAL, False)


def test_a_unit_that_says_nothing_keeps_office_hours_and_a_ward_never_closes(load: Load) -> None:
    units = load(RICH).units

    assert str(units[OFFICE].opening_hours) == "mon-fri 08:00-16:30"
    assert str(units[LEADERS].opening_hours) == "always"
    hours = load(RICH.replace(*unit_entry(LEADERS, 'opening_hours = "mon 08:00-09:00"'))).units[LEADERS].opening_hours
    assert str(hours) == "mon 08:00-09:00"


def test_a_party_tells_what_the_file_says_of_it(load: Load) -> None:
    region = load(RICH).parties["region"]

    assert (region.municipalities, region.manager) == (("1401", "1480"), LEADERS)
    assert region.intake == {UnitType.PRIMARY_CARE: CENTRE, UnitType.EXTERNAL: CENTRE}


UNUSABLE = {
    "a parent is nobody": (*unit_entry(OFFICE, 'parent = "SE2120001355-X"'), f"the parent of unit {OFFICE}"),
    "a parent is of another party": (*unit_entry(OFFICE, f'parent = "{CENTRE}"'), "another party"),
    "parents go in a circle": (*unit_entry(OFFICE, f'parent = "{HEALTH}"'), "the parent of unit"),
    "a fallback is nobody": (*unit_entry(OFFICE, 'fallback = "SE2120001355-X"'), f"the fallback of unit {OFFICE}"),
    "a fallback is of another party": (*unit_entry(OFFICE, f'fallback = "{CENTRE}"'), "another party"),
    "a unit falls back on itself": (*unit_entry(OFFICE, f'fallback = "{OFFICE}"'), "leads back to itself"),
    "fallbacks go in a circle": (*unit_entry(OTHER_CENTRE, f'fallback = "{CLOSED_CENTRE}"'), "leads back to itself"),
    "a unit ends before it begins": ("valid_from = 2010-01-01", "valid_from = 2026-01-01", "after its valid_to"),
    "a day is none": ("valid_to = 2025-12-31", 'valid_to = "nyår"', "valid_to"),
    "opening hours are not understood": ("mon-sun 07:00-21:30", "varje dag", "Opening hours are written like"),
    "opening hours are no text": ('"mon-sun 07:00-21:30"', "7", "opening hours are a text"),
    "an external unit has an inbox": ("has_inbox = false", "has_inbox = true", "is external"),
    "an external unit is silent about its inbox": ("has_inbox = false", "", "is external"),
    "an inbox is neither true nor false": ("has_inbox = false", 'has_inbox = "nej"', "has_inbox"),
    "someone else than primary care serves": (*unit_entry(OFFICE, 'serves = ["1480"]'), "only primary-care"),
    "an area is blank": ('area = "Göteborgsområdet"', 'area = " "', "area"),
    "a municipality has no code": ('["1480"]', '["Göteborg"]', "municipalities"),
    "an intake is for no known type": ("intake.school", "intake.bakery", "bakery"),
    "an intake is nobody": (f'intake.school = "{HEALTH}"', 'intake.school = "SE2120001355-X"', "the intake for school"),
    "an intake is of another party": (f'intake.school = "{HEALTH}"', f'intake.school = "{CENTRE}"', "another party"),
    "an intake has no inbox": (f'external = "{CENTRE}"', f'external = "{PRIVATE}"', "without an inbox"),
    "a manager is nobody": (f'manager = "{LEADERS}"', 'manager = "SE2321000131-X"', "the manager of party region"),
    "a manager is of another party": (f'manager = "{LEADERS}"', f'manager = "{OFFICE}"', "another party"),
    "a manager has no inbox": (f'manager = "{LEADERS}"', f'manager = "{PRIVATE}"', "without an inbox"),
}


@pytest.mark.parametrize(("old", "new", "reason"), UNUSABLE.values(), ids=list(UNUSABLE))
def test_a_directory_cannot_be_used_when(load: Load, old: str, new: str, reason: str) -> None:
    assert old in RICH
    assert reason in refused(load, RICH.replace(old, new))


# --- who can be sent to ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hsa_id", [OFFICE, CLOSED_CENTRE, FUTURE_CENTRE, PRIVATE])
def test_without_a_day_every_unit_in_the_file_is_known(load: Load, hsa_id: str) -> None:
    assert load(RICH).unit(hsa_id).hsa_id == hsa_id


@pytest.mark.parametrize(
    ("hsa_id", "day", "code", "nearest"),
    [
        (CENTRE, "2026-11-02", None, None),
        (CLOSED_CENTRE, "2009-12-31", "unit.not-valid", OTHER_CENTRE),
        (CLOSED_CENTRE, "2010-01-01", None, None),
        (CLOSED_CENTRE, "2025-12-31", None, None),
        (CLOSED_CENTRE, "2026-01-01", "unit.not-valid", OTHER_CENTRE),  # the first fallback is not open yet
        (CLOSED_CENTRE, "2027-01-01", "unit.not-valid", FUTURE_CENTRE),
        (FUTURE_CENTRE, "2026-12-31", "unit.not-valid", OTHER_CENTRE),
        (PRIVATE, "2026-11-02", "unit.no-inbox", None),
        ("SE5560000000-ELSEWHERE", "2026-11-02", "unit.unknown", None),
    ],
)
def test_a_unit_can_be_sent_to_on_its_days(
    load: Load, hsa_id: str, day: str, code: str | None, nearest: str | None
) -> None:
    directory, on = load(RICH), date.fromisoformat(day)
    if code is None:
        assert directory.unit(hsa_id, on=on).hsa_id == hsa_id
        return
    with pytest.raises(InvalidDocumentError) as caught:
        directory.unit(hsa_id, "/mottagare/0", on=on)
    [finding] = caught.value.findings
    assert (finding.code, finding.path) == (code, "/mottagare/0")
    assert nearest is None or (nearest in finding.sv and nearest in finding.en)


def test_a_unit_without_inbox_can_be_written_to_on_its_days(load: Load) -> None:
    directory = load(RICH)
    assert directory.addressee(PRIVATE, on=TODAY).hsa_id == PRIVATE
    assert [directory.gets_letters(one) for one in (PRIVATE, CENTRE, "SE5560000000-ELSEWHERE")] == [True, False, False]
    for hsa_id, code, nearest in (
        (CLOSED_CENTRE, "unit.not-valid", OTHER_CENTRE),
        (PRIVATE + "9", "unit.unknown-near", PRIVATE),
    ):
        with pytest.raises(InvalidDocumentError) as caught:
            directory.addressee(hsa_id, "/mottagare/0", on=TODAY)
        [finding] = caught.value.findings
        assert (finding.code, finding.path, nearest in finding.en) == (code, "/mottagare/0", True)


@pytest.mark.parametrize(("of", "code"), [(None, "unit.unknown-near"), ("region", "unit.unknown")])
def test_only_units_of_the_party_in_question_are_suggested(load: Load, of: str | None, code: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        load(RICH).unit(OFFICE[:-1], on=TODAY, of=of)
    assert caught.value.codes == (code,)


def closed_office(*, intake: bool) -> str:
    """Return the rich directory with the office closed down, and perhaps an intake unit for offices."""
    content = RICH.replace(*unit_entry(OFFICE, "valid_to = 2025-12-31"))
    return content.replace("intake.school", "intake.social-office") if intake else content


@pytest.mark.parametrize(("intake", "nearest"), [(True, HEALTH), (False, "–")])
def test_without_a_fallback_the_intake_unit_of_its_type_is_suggested(load: Load, intake: bool, nearest: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        load(closed_office(intake=intake)).unit(OFFICE, on=TODAY)
    assert caught.value.findings[0].en.endswith(f"Use instead: {nearest}.")


@pytest.mark.parametrize(("day", "is_open"), [(None, False), ("2025-11-02", True), ("2026-11-02", False)])
def test_an_unknown_unit_is_never_answered_with_one_that_cannot_be_sent_to(
    load: Load, day: str | None, is_open: bool
) -> None:
    misspelt = CLOSED_CENTRE + "3"
    with pytest.raises(InvalidDocumentError) as caught:
        load(RICH).unit(misspelt, on=date.fromisoformat(day) if day else None)
    [finding] = caught.value.findings
    assert finding.code == "unit.unknown-near"
    assert (CLOSED_CENTRE in finding.en) is is_open


def test_the_units_that_can_always_be_sent_to_have_an_inbox_and_no_days(load: Load) -> None:
    assert load(RICH).always_reachable == {OFFICE, HEALTH, CENTRE, OTHER_CENTRE, LEADERS}


# --- who stands in --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hsa_id", "steps"),
    [
        (OTHER_CENTRE, (OTHER_CENTRE, CENTRE, LEADERS)),
        (CENTRE, (CENTRE, LEADERS)),
        (LEADERS, (LEADERS, CENTRE)),  # no intake for wards: any
        (OFFICE, (OFFICE, HEALTH)),  # and no manager
    ],
)
def test_a_duty_goes_from_the_unit_to_its_intake_and_its_manager(
    load: Load, hsa_id: str, steps: tuple[str, ...]
) -> None:
    assert load(RICH).escalation(hsa_id) == steps


def test_a_duty_stays_where_a_party_has_neither_intake_nor_manager(load: Load) -> None:
    assert load(GOOD).escalation(OFFICE) == (OFFICE,)


def test_a_duty_passes_to_who_takes_over_and_never_to_one_that_cannot_be_sent_to(load: Load) -> None:
    directory = load(RICH)

    assert directory.escalation(CLOSED_CENTRE) == (CLOSED_CENTRE, CENTRE, LEADERS)
    assert directory.escalation(CLOSED_CENTRE, on=TODAY) == (OTHER_CENTRE, CENTRE, LEADERS)
    assert directory.escalation(PRIVATE, on=TODAY) == (CENTRE, LEADERS)


def test_a_duty_of_an_unknown_unit_goes_nowhere(load: Load) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        load(GOOD).escalation("SE5560000000-ELSEWHERE")
    assert caught.value.codes == ("unit.unknown",)


@pytest.mark.parametrize(
    ("party", "residence", "day", "centre"),
    [
        ("region", "Hisingen", None, CENTRE),
        ("region", "1401", None, OTHER_CENTRE),
        ("region", "HÄRRYDA", None, OTHER_CENTRE),
        ("region", "Partille", None, OTHER_CENTRE),  # a unit with days is not sure, so the one after it is taken
        ("region", "Partille", "2020-01-01", CLOSED_CENTRE),
        ("region", "Partille", "2026-11-02", OTHER_CENTRE),
        ("region", "Partille", "2027-01-01", FUTURE_CENTRE),
        ("region", "Mölndal", None, CENTRE),
        ("region", "", None, CENTRE),
        ("region", None, None, CENTRE),
        ("kommun", "1480", None, None),
        ("kommun", None, None, None),
        ("skola", "1480", None, None),
    ],
)
def test_a_person_nobody_knows_belongs_to_the_vardcentral_of_the_residence(
    load: Load, party: str, residence: str | None, day: str | None, centre: str | None
) -> None:
    found = load(RICH).primary_care_of(party, residence, on=date.fromisoformat(day) if day else None)

    assert (found.hsa_id if found else None) == centre


# --- the directory of the demo --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo() -> Directory:
    return Directory.load(demo_directory())


def test_the_directory_of_the_demo_has_a_unit_of_each_party_and_valid_ids(demo: Directory) -> None:
    assert {unit.party for unit in demo.units.values()} == set(demo.parties)
    assert {party.principal for party in demo.parties.values()} == set(Principal)
    for hsa_id in demo.units:
        HsaId.parse(hsa_id)


def test_the_directory_of_the_demo_shows_every_key(demo: Directory) -> None:
    entries = tomllib.loads(demo_directory().read_text(encoding="utf-8"))

    # valid_from looks like valid_to.
    assert {key for unit in entries["unit"] for key in unit} == set(type(demo.unit(OFFICE)).model_fields) - {
        "valid_from"
    }
    assert {key for party in entries["party"] for key in party} == set(type(demo.parties["region"]).model_fields)


def test_the_demo_has_a_unit_of_every_party_for_a_person_or_duty_nobody_knows(demo: Directory) -> None:
    for hsa_id in demo.always_reachable:
        steps = demo.escalation(hsa_id, on=TODAY)
        assert len(steps) > 1
        assert {demo.unit(step, on=TODAY).party for step in steps} == {demo.unit(hsa_id).party}
    assert demo.primary_care_of("region", None, on=TODAY) is not None


def test_every_unit_of_the_demo_opens_within_the_longest_holidays(demo: Directory) -> None:
    christmas = datetime(2026, 12, 24, 12, tzinfo=UTC)
    for unit in demo.units.values():
        assert unit.opening_hours.next_opening(christmas) - christmas < timedelta(days=5)
