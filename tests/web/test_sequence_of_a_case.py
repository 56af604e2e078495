"""A conversation, drawn and told: what is drawn is well-formed and small, and the sentences leave nothing out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from drawn import check, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.web.language import Language
from gateway.web.sequence import MOST_STEPS, Mark, Step, diagram

START = datetime(2026, 11, 22, 13, 3, tzinfo=UTC)
TITLES = {"office": "Socialkontoret Ale", "clinic": "Psykiatriska mottagningen", "care": "Vårdcentralen Björken"}
BOTH = pytest.mark.parametrize("language", Language)


def step(number: int = 0, **changes: Any) -> Step:
    values: dict[str, Any] = {
        "at": START + number * timedelta(minutes=1),
        "from_lane": "office",
        "to_lane": "clinic",
        "label": ("Mötesbokning", "Meeting booking"),
        "message_id": f"{number:08}-1b2c-4d5e-8f90-000000000000",
    }
    return Step(**{**values, **changes})


HOSTILE = st.text("<>&\"'/å \n\0\x1b]-=script{}%\N{LINE SEPARATOR}\N{RIGHT-TO-LEFT OVERRIDE}", max_size=20)
STEPS = st.lists(
    st.builds(
        step,
        st.integers(0, 10_000),
        from_lane=HOSTILE,
        to_lane=st.sampled_from(["office", "care", "clinic"]),
        label=st.tuples(HOSTILE, HOSTILE),
        message_id=HOSTILE,
        is_receipt=st.booleans(),
        mark=st.none() | st.sampled_from(Mark),
    ),
    max_size=5,
)


@settings(max_examples=20, deadline=None)
@given(STEPS, HOSTILE, st.sampled_from(Language))
def test_whatever_is_said_is_drawn_as_text(steps: list[Step], title: str, language: Language) -> None:
    found = diagram(steps, {**TITLES, "care": title}, language)
    check(found.svg, language)
    assert found == diagram(steps, {**TITLES, "care": title}, language)
    assert len(found.sentences) == len(steps)


@BOTH
def test_script_stays_words(language: Language) -> None:
    hostile = "<script>alert(1)</script>"
    found = diagram([step(label=(hostile, hostile), from_lane=hostile)], {}, language)
    assert "<script" not in found.svg
    assert hostile in found.sentences[0]
    assert any(text.startswith("<script>") for text in texts(found.svg))


@BOTH
def test_what_is_drawn_and_what_is_told_are_the_same(language: Language) -> None:
    steps = [step(number, mark=mark, to_lane="care") for number, mark in enumerate(Mark)]
    steps.append(step(20, from_lane="care", to_lane="office", is_receipt=True, label=("Registrerat", "Registered")))
    found = diagram(steps, TITLES, language)
    drawn = texts(found.svg)
    for one, sentence in zip(steps, found.sentences, strict=True):
        assert f"{language.say(*one.label)} · {one.message_id[:8]}" in drawn
        for word in (language.say(*one.label), one.message_id[:8], TITLES[one.from_lane], TITLES[one.to_lane]):
            assert word in sentence
        assert one.message_id not in sentence
    words = [sentence.rpartition(": ")[2].rstrip(".") for sentence in found.sentences[:-1]]
    assert len(set(words)) == len(Mark)
    assert set(words) <= set(drawn)
    assert found.svg.count('class="drawn-icon"') == len(Mark)
    assert found.sentences[0].startswith("2026-11-22 14:03: Socialkontoret Ale")


def test_receipts_are_dashed_and_messages_are_not() -> None:
    def dashes(one: Step) -> int:
        return diagram([one], TITLES, Language.SWEDISH).svg.count("stroke-dasharray")

    assert (dashes(step()), dashes(step(is_receipt=True))) == (0, 1)


def test_arrows_point_at_whoever_is_sent_to() -> None:
    there = diagram([step()], TITLES, Language.SWEDISH)
    back = diagram([step(), step(1, from_lane="clinic", to_lane="office")], TITLES, Language.SWEDISH)
    tip = re.compile(r'L([\d.]+) [\d.]+L[\d. ]+z" class="drawn-head"')
    assert [float(x) for x in tip.findall(there.svg)] == [401.0]
    assert [float(x) for x in tip.findall(back.svg)] == [401.0, 211.0]


@pytest.mark.parametrize(("more", "sv"), [(1, "1 tidigare meddelande är"), (25, "25 tidigare meddelanden är")])
def test_a_long_conversation_is_drawn_from_its_end_and_told_in_full(more: int, sv: str) -> None:
    steps = [step(number) for number in range(MOST_STEPS + more)]
    found = diagram(reversed(steps), TITLES, Language.SWEDISH)
    drawn = texts(found.svg)
    assert (found.left_out, len(found.sentences)) == (more, MOST_STEPS + more)
    assert drawn[0].startswith(sv)
    assert sum("Mötesbokning" in text for text in drawn) == MOST_STEPS
    assert f"Mötesbokning · {MOST_STEPS + more - 1:08}" in drawn
    assert f"Mötesbokning · {0:08}" not in drawn
    assert found.left_out == diagram(steps, TITLES, Language.ENGLISH).left_out
    assert len(found.svg.encode()) < 40_000


@BOTH
def test_nothing_said_is_a_drawing_too_and_everything_fits_into_it(language: Language) -> None:
    empty = diagram([], {}, language)
    check(empty.svg, language)
    assert empty.sentences == ()
    root = ET.fromstring(diagram([step(), step(1, to_lane="care")], TITLES, language).svg)  # noqa: S314 -- our own
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(text.attrib["x"]) <= width
        assert 0 <= float(text.attrib["y"]) <= height
    assert width == 116 + 3 * 190
