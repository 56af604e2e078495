"""A person who has got another number: whoever sends under it names the old one too."""

from __future__ import annotations

from dataclasses import replace

from build import OTHER_PERSON, PERSON
from cases import case_in

from gateway.process import CaseState, as_known, renumber

NEW = OTHER_PERSON.identifiers[0]


def test_a_person_under_a_number_that_has_been_told_is_sent_with_the_old_one_as_history() -> None:
    case = renumber(case_in(CaseState.PREPARING), NEW)

    assert as_known(case, OTHER_PERSON) == replace(OTHER_PERSON, identifiers=(NEW, case.person))
    assert as_known(case, PERSON) == PERSON
    assert as_known(case, None) is None


def test_a_person_under_a_number_that_nobody_has_told_of_is_left_as_it_is() -> None:
    assert as_known(case_in(CaseState.PREPARING), OTHER_PERSON) == OTHER_PERSON
    assert as_known(None, OTHER_PERSON) == OTHER_PERSON


def test_a_number_is_told_once() -> None:
    case = renumber(case_in(CaseState.PREPARING), NEW)

    assert renumber(case, NEW) == case
    assert renumber(case, case.person) == case
