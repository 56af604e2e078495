"""Letters: every field and code has its Swedish word, and one about a protected identity tells nobody's whereabouts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, PERSON, message, plan
from scripted import DIRECTORY

from gateway.letter_text import BY_SKATTEVERKET, letter_text
from gateway.letter_words import CODES, LABELS, PERSONAL
from gateway.messages import TYPES, ProtectedLevel, parse_xml
from gateway.messages.description import fields_of

FIXTURES = Path(__file__).parent.parent / "fixtures" / "messages"
WHOLE = sorted(path for path in FIXTURES.glob("*_valid_*.xml") if not path.name.startswith("acknowledgement"))


def classes(of: type[Any], seen: set[type[Any]]) -> Iterator[type[Any]]:
    """Yield a class and those its fields hold, each once."""
    if of not in seen:
        seen.add(of)
        yield of
        for field in fields_of(of):
            if field.nested is not None:
                yield from classes(field.nested, seen)


SEEN: set[type[Any]] = set()
FIELDS = [
    field
    for name, kind in TYPES.items()
    if name != "acknowledgement"  # which is the answer of a gateway, and never a letter
    for one in classes(kind.body, SEEN)
    for field in fields_of(one)
]


def test_every_field_has_a_label_and_no_label_is_left_over() -> None:
    assert set(LABELS) == {field.attribute for field in FIELDS}


def test_what_is_left_out_for_a_protected_identity_are_fields_there_are() -> None:
    assert {f"{one.__name__}.{field.attribute}" for one in SEEN for field in fields_of(one)} >= PERSONAL


def test_every_code_has_a_word_and_no_word_is_left_over() -> None:
    kinds = {
        field.scalar.kind for field in FIELDS if field.scalar is not None and issubclass(field.scalar.kind, StrEnum)
    }
    assert {kind.__name__: {code.value for code in kind} for kind in kinds} == {
        name: set(words) for name, words in CODES.items()
    }


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_every_message_can_be_a_letter(path: Path) -> None:
    said = parse_xml(path.read_bytes())
    text = letter_text(said, CLINIC, DIRECTORY)
    assert TYPES[said.type].title_sv.upper() in text
    assert "Till: Björkdalens vårdcentral\n" in text
    assert [sign for sign in ("None", "True", "False", "('", "StrEnum") if sign in text] == []


def test_there_are_messages_of_every_type_to_look_at() -> None:
    assert len({path.name.split("_")[0] for path in WHOLE}) == len(TYPES) - 1


def test_a_letter_about_a_protected_identity_says_which_way_it_goes_and_no_address() -> None:
    hidden = replace(PERSON, protected_level=ProtectedLevel.FICTITIOUS_IDENTITY)
    told = replace(plan(), address="Påhittade gatan 1", phone="031-390 06 99", works_well="Maten.\nSömnen.")
    open_letter = letter_text(replace(message(told, CLINIC)), CLINIC, DIRECTORY)
    assert "Adress: Påhittade gatan 1" in open_letter
    assert "\nDet fungerar: Maten.\n  Sömnen.\n" in open_letter
    assert BY_SKATTEVERKET not in open_letter
    made = message(told, CLINIC)
    letter = letter_text(replace(made, header=replace(made.header, person=hidden)), CLINIC, DIRECTORY)
    assert letter.startswith(BY_SKATTEVERKET)
    assert "gatan" not in letter
    assert "390 06 99" not in letter
