"""A message can be read in both languages, and where a person is not to be shown nothing says anything about one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.directory import Directory
from gateway.letter_words import LABELS
from gateway.messages import TYPES, Header, parse_xml
from gateway.messages.description import fields_of
from gateway.messages.schema_words import version_of, words_of
from gateway.readable import OPEN, Part, document_of, xml_of
from gateway.resources import demo_directory

VALID = sorted(path for path in Path("fixtures/messages").glob("*_valid_*.xml"))
DIRECTORY = Directory.load(demo_directory())
MASK = "••••••"
# What may be seen of any message by whoever sees the ledger. A name that is added here has been thought about.
SEEN = {
    *("messageId", "caseNumber", "createdAt", "inReplyTo", "consentRef", "dueAt", "party", "unit", "duty", "at", "by"),
    *("version", "mode", "variant", "planVersion", "bookingVersion", "replyBy", "replyWanted", "state", "openedAt"),
    *("kind", "principal", "answer", "redirectUnit", "fromUnit", "toUnit", "responsibleUnit", "suggestedUnit"),
    *("targetMessageId", "targetType", "readyMessageId", "supersededBy", "messageType", "level", "outcome", "recordId"),
    *("notConcerned", "code", "path", "line", "sv", "en"),
}
PERSONAL = ("name", "extension", "needText", "text", "phone", "place", "lifeArea", "status")

each = pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)


def leaves(root: etree._Element) -> list[tuple[str, str]]:
    """Return the name and the text of each element that has no others in it, in order."""
    return [(etree.QName(one).localname, one.text or "") for one in root.iter("{*}*") if len(one) == 0]


def flat(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from flat(part.parts)


@each
def test_in_full_it_says_what_the_message_says(path: Path) -> None:
    message = parse_xml(path.read_bytes())
    told = etree.fromstring(xml_of(message, document_of(message, DIRECTORY, in_full=True), MASK))
    kept = etree.fromstring(path.read_bytes())
    names = [name for name, _ in leaves(kept)]
    assert [name for name, _ in leaves(told)] == names
    # A time is kept with the offset it has where it was without, and space around a word goes.
    plain = [text for name, text in leaves(kept) if not name.endswith(("At", "at", "start", "end", "By"))]
    assert [text for name, text in leaves(told) if not name.endswith(("At", "at", "start", "end", "By"))] == plain


@each
def test_masked_it_has_every_element_and_says_only_what_is_about_the_sending(path: Path) -> None:
    message = parse_xml(path.read_bytes())
    parts = document_of(message, DIRECTORY, in_full=False)
    told = etree.fromstring(xml_of(message, parts, MASK))
    kept = etree.fromstring(path.read_bytes())
    assert [name for name, _ in leaves(told)] == [name for name, _ in leaves(kept)]
    about_sending = SEEN | {"reason"} if message.type == "retraction" else SEEN
    assert {name for name, text in leaves(told) if text != MASK} <= about_sending
    masked = [one for one in flat(parts) if not one.parts and one.raw is None]
    assert all(one.text is None for one in masked)
    # What is masked in one place stands in no other: no name, number or text of the person.
    people = {
        text for name, text in leaves(kept) if name in ("name", "extension", "needText", "text", "phone", "place")
    }
    seen = {text for _, text in leaves(told)}
    assert seen & people == set()


@each
def test_every_field_has_words_in_both_languages(path: Path) -> None:
    message = parse_xml(path.read_bytes())
    for part in flat(document_of(message, DIRECTORY, in_full=True)):
        assert all(part.label)
        assert part.parts or (part.text is not None and all(part.text)), part.tag


def test_only_fields_there_are_can_be_open() -> None:
    known = set()
    kinds: list[type[Any]] = [Header, *(kind.body for kind in TYPES.values())]
    while kinds:
        kind = kinds.pop()
        for field in fields_of(kind):
            known.add(f"{kind.__name__}.{field.attribute}")
            kinds += [field.nested] if field.nested is not None else []
    assert known >= OPEN


def test_what_the_schema_says_stands_beside_its_field() -> None:
    message = parse_xml(Path("fixtures/messages/sipStart_valid_minimal.xml").read_bytes())
    about = {one.tag: one.about for one in flat(document_of(message, DIRECTORY, in_full=True))}
    assert about["messageId"] == words_of("sipStart")["header/messageId"]
    assert about["caseNumber"] is None


@pytest.mark.parametrize("name", TYPES)
def test_every_schema_says_its_version_and_something_of_its_elements(name: str) -> None:
    assert version_of(name) == "1.0"
    assert all(sv and en for sv, en in words_of(name).values())


def test_what_is_inherited_and_what_stands_inside_is_found_too() -> None:
    words = words_of("revisedPlan")
    assert "body/longTermGoal" in words
    assert "body/meeting/place" in words
    assert words["header/messageId"][1].startswith("Id of the message")
    assert LABELS["long_term_goal"] == "Mitt långsiktiga mål"
