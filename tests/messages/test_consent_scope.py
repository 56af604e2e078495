"""What a consent covers: the question the gate asks before anything leaves a party."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.messages import Consent, ConsentDecision, InformationType, read_file

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
PSYCHIATRY = "SE2321000131-E000000000202"
WARD = "SE2321000131-E000000000303"
DAY = date(2026, 11, 5)


def consent(fixture: str) -> Consent:
    body = read_file(FIXTURES / f"consent_valid_{fixture}.xml").body
    assert isinstance(body, Consent)
    return body


def covers(
    given: Consent,
    *,
    party: str = "region",
    unit: str = PSYCHIATRY,
    information: InformationType = InformationType.MEETING,
    on: date = DAY,
) -> bool:
    return given.covers(party=party, unit=unit, information=information, on=on)


def test_a_consent_without_units_covers_every_unit_of_its_parties_and_no_other_party() -> None:
    given = consent("minimal")
    assert covers(given)
    assert covers(given, unit=WARD)
    assert not covers(given, party="kommun")


def test_a_consent_with_units_covers_those_only() -> None:
    given = consent("partial")
    assert covers(given)
    assert not covers(given, unit=WARD)
    assert not covers(given, party="skola")


def test_a_consent_covers_only_the_kinds_of_information_it_lists() -> None:
    given = consent("partial")
    assert covers(given, information=InformationType.NEED)
    assert not covers(given, information=InformationType.PLAN)


def test_a_consent_covers_its_last_day_and_not_the_next() -> None:
    given = consent("partial")
    assert covers(given, on=date(2027, 4, 12))
    assert not covers(given, on=date(2027, 4, 13))


@pytest.mark.parametrize("decision", [ConsentDecision.DECLINED, ConsentDecision.WITHDRAWN])
def test_a_consent_that_is_no_longer_given_covers_nothing_even_if_a_scope_is_left(decision: ConsentDecision) -> None:
    assert not covers(replace(consent("minimal"), decision=decision))


@pytest.mark.parametrize("fixture", ["declined", "withdrawn"])
def test_a_consent_without_a_scope_covers_nothing(fixture: str) -> None:
    assert not covers(consent(fixture))
