"""A party named as a recipient: whoever does not know the unit reaches its vårdcentral, or hears why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from case_events import DIRECTORY

from gateway.adapters.journal_coding import organization_or_party
from gateway.adapters.kinds import addressee, addressee_or_party
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import named
from gateway.adapters.shape import required
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError

OFFICE, CENTRE = "SE2120001355-SOCHISINGEN", "SE2321000131-E000000000101"
OTHER_CENTRE, CLOSED_CENTRE = "SE2321000131-E000000000404", "SE2321000131-E000000000505"
HSA, PARTIES = "urn:oid:1.2.752.129.2.1.4.1", "urn:journal:parties"


def coded(system: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": system, "value": value}}


def with_intake(**intake: str) -> Directory:
    """Return the demo's directory with another table of intake units in the region."""
    region = DIRECTORY.parties["region"].model_copy(update={"intake": intake})
    return replace(DIRECTORY, parties={**DIRECTORY.parties, "region": region})


def read(
    recipients: list[Any], directory: Directory = DIRECTORY, kind: Callable[[Reader, str], str] = addressee_or_party
) -> tuple[str, ...]:
    """Return the units that an event of the municipality's office goes to."""
    at = Reader.of({"enhet": OFFICE, "mottagare": recipients}, directory)
    at.happened_on(date(2026, 11, 2))
    units = named("mottagare", kind, own=required("enhet", addressee))(at)
    at.finish()
    return units


def refused(*arguments: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidDocumentError) as caught:
        read(*arguments)
    return [(finding.code, finding.path) for finding in caught.value.findings]


def test_a_region_stands_for_its_vardcentral_beside_units_and_once() -> None:
    assert read(["SE2321000131-E000000000202", "region", CENTRE, "region"]) == ("SE2321000131-E000000000202", CENTRE)


def test_a_vardcentral_that_is_closed_down_is_replaced_by_the_one_that_took_over() -> None:
    assert read(["region"], with_intake(**{"primary-care": CLOSED_CENTRE})) == (OTHER_CENTRE,)


def test_a_region_without_a_vardcentral_for_everybody_is_refused_as_a_recipient() -> None:
    assert refused([CENTRE, "region"], with_intake()) == [("event.recipient-no-primary-care", "/mottagare/1")]


def test_the_own_party_is_no_recipient() -> None:
    assert refused(["kommun"]) == [("event.recipient-at-home", "/mottagare/0")]


@pytest.mark.parametrize("name", ["Region", "skola", ""])
def test_a_name_of_nobody_is_refused_as_a_unit_would_be(name: str) -> None:
    assert refused([name]) == [("unit.unknown" if name else "event.empty-text", "/mottagare/0")]


def test_the_journal_names_a_party_by_a_system_of_its_own() -> None:
    assert read([coded(PARTIES, "region")], DIRECTORY, organization_or_party) == (CENTRE,)
    assert read([coded(HSA, OTHER_CENTRE)], DIRECTORY, organization_or_party) == (OTHER_CENTRE,)


@pytest.mark.parametrize(
    ("recipient", "code", "place"),
    [
        (coded(HSA, "region"), "unit.unknown", "/mottagare/0/identifier/value"),
        (coded(PARTIES, CENTRE), "json.value", "/mottagare/0/identifier/value"),
        (coded("urn:journal:units", CENTRE), "json.value", "/mottagare/0/identifier/system"),
    ],
    ids=["party as unit", "unit as party", "unknown system"],
)
def test_in_the_journal_the_system_tells_what_the_value_is(recipient: dict[str, Any], code: str, place: str) -> None:
    assert refused([recipient], DIRECTORY, organization_or_party) == [(code, place)]
