"""Staff have a word for every state, in both languages, and can tell the states of one side apart by it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest

from gateway.lifecycle import InState, Level, Outcome, OutState, Owner
from gateway.messages import Duty
from gateway.web import state_words as words

TABLES: list[tuple[type[StrEnum], Mapping[Any, Any]]] = [
    (OutState, words.OUT_WORDS),
    (InState, words.IN_WORDS),
    (Level, words.LEVEL_WORDS),
    (Outcome, words.OUTCOME_WORDS),
    (Duty, words.DUTY_WORDS),
    (Owner, words.OWNER_WORDS),
]
each = pytest.mark.parametrize(("kinds", "table"), TABLES, ids=lambda one: getattr(one, "__name__", ""))


@each
def test_there_is_a_word_for_each(kinds: type[StrEnum], table: Mapping[Any, Any]) -> None:
    assert set(table) == set(kinds)


@each
@pytest.mark.parametrize("language", ["sv", "en"])
def test_no_two_are_called_the_same(kinds: type[StrEnum], table: Mapping[Any, Any], language: str) -> None:
    said = [one[language == "en"] if isinstance(one, tuple) else getattr(one, language) for one in table.values()]
    assert len(set(said)) == len(said)


def test_a_state_that_both_sides_have_is_called_by_the_side() -> None:
    assert words.word_of("registered", came=True) is words.IN_WORDS[InState.REGISTERED]
    assert words.word_of("registered", came=False) is words.OUT_WORDS[OutState.REGISTERED]
    with pytest.raises(ValueError, match="held"):
        words.word_of("held", came=True)
