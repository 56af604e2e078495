"""The charts: they are drawings with a name, small, in both languages, and say what their tables say."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from drawn import check, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hour import Hour, hours_of, last_hours, name_of, step_of
from gateway.lifecycle import Level
from gateway.web import chart
from gateway.web.language import Language
from gateway.web.spans import about

NOW = datetime(2026, 11, 28, 18, 40, tzinfo=UTC)
BOTH = pytest.mark.parametrize("language", Language)
DAY = last_hours(NOW)


def full(number: int = 3000) -> list[Hour]:
    """Return a day in which much happened in every hour."""
    waits = {level: {4 * place + 20: 7, 60: 2} for place, level in enumerate(Level)}
    return [Hour(at=at, sent=number, received=number, acknowledged=7, taken=3, waits=waits) for at in DAY]


def heights(svg: str, series: str) -> list[float]:
    """Return how tall the bars of a series are."""
    (path,) = re.findall(rf'<path d="([^"]*)" class="drawn-bar {series}"', svg) or [""]
    return [float(tall) for tall in re.findall(r"v(-[\d.]+)", path)]


@BOTH
@pytest.mark.parametrize("draw", [chart.traffic, chart.waits])
def test_a_chart_is_a_small_picture_with_a_name(draw: chart.Draw, language: Language) -> None:
    for hours in (full(), [Hour(at=at) for at in DAY], []):
        drawn = draw(hours, language)
        check(drawn.svg, language)
        assert len(drawn.svg.encode()) < 12_000
        assert len(drawn.table.rows) == len(hours) + (draw is chart.waits)
        assert {len(row) for row in drawn.table.rows} | {len(drawn.table.columns)} == {len(drawn.table.columns)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 20_000), min_size=24, max_size=24))
def test_bars_are_as_tall_as_the_numbers_in_the_table(numbers: list[int]) -> None:
    hours = [Hour(at=at, received=number) for at, number in zip(DAY, numbers, strict=True)]
    drawn = chart.traffic(hours, Language.ENGLISH)
    told = [int(row[3].replace(",", "")) for row in drawn.table.rows]
    assert told == numbers
    bars, shown = heights(drawn.svg, "received"), [number for number in numbers if number]
    assert len(bars) == len(shown)
    for tall, number in zip(bars, shown, strict=True):
        assert -tall == pytest.approx(max(1.5, 36 * number / max(shown)), abs=0.06)
    assert f"Received: {sum(numbers):,}" in texts(drawn.svg)


def test_each_mark_of_a_wait_stands_for_a_cell_of_the_table_and_longer_is_higher() -> None:
    quick, slow = {step_of(timedelta(seconds=20)): 9}, {step_of(timedelta(days=3)): 4}
    hours = [Hour(at=at) for at in DAY]
    hours[3] = Hour(at=DAY[3], waits={Level.RECEIVED: quick, Level.ACKNOWLEDGED: slow})
    hours[9] = Hour(at=DAY[9], waits={Level.RECEIVED: slow})
    drawn = chart.waits(hours, Language.SWEDISH)
    filled = [cell for row in drawn.table.rows[:-1] for cell in row[1:] if cell not in ("0", "–")]
    paths = re.findall(r'<path d="([^"]*)" class="drawn-(half|most)"', drawn.svg)[2:]  # but for the legend
    assert sum(path.count("M") for path, _ in paths) == len(filled) * 2 // 3  # of three cells one is a number
    (first, second) = (float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)a", paths[0][0]))
    assert first > second
    assert drawn.table.rows[3][:4] == (drawn.table.rows[3][0], "9", "21 s", "22 s")
    assert drawn.table.rows[-1][0] == "Alla timmar"
    assert "Registrerat: inga svar" in texts(drawn.svg)


def test_a_wait_longer_than_the_scale_stands_at_its_end() -> None:
    hours = [Hour(at=DAY[0], waits={Level.RECEIVED: {step_of(timedelta(days=30)): 1}})]
    drawn = chart.waits(hours, Language.ENGLISH)
    at = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)a", drawn.svg)]
    assert min(at[1:]) == 48.0


@BOTH
@pytest.mark.parametrize(("day", "number"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_of_23_or_25_hours_has_as_many_bars_and_rows(day: date, number: int, language: Language) -> None:
    drawn = chart.traffic([Hour(at=at, sent=1) for at in hours_of(day)], language)
    assert len(heights(drawn.svg, "sent")) == len(drawn.table.rows) == number
    assert len({row[0] for row in drawn.table.rows}) == number


def test_the_axis_names_hours_and_the_languages_differ() -> None:
    swedish, english = (chart.traffic(full(), language) for language in Language)
    assert {name_of(at) for at in DAY[::3]} <= set(texts(swedish.svg))
    assert ("Skickade: 72\N{NO-BREAK SPACE}000" in texts(swedish.svg), "Sent: 72,000" in texts(english.svg)) == (1, 1)
    assert swedish.table.columns != english.table.columns
    for draw in (chart.traffic, chart.waits):
        sv, en = (set(texts(draw(full(), language).svg)) for language in Language)
        assert not any(re.search("[åäö]", text) for text in en)
        assert any(re.search("[åäö]", text) for text in sv)


def test_answers_are_hatched_and_the_two_marks_have_shapes_of_their_own() -> None:
    svg = chart.traffic(full(), Language.ENGLISH, name="mine").svg
    assert re.findall(r'class="drawn-bar (\w+)" fill="url\(#mine-hatch\)"', svg) == ["acknowledged", "taken"]
    marks = dict(
        re.findall(
            r'<path d="M[\d. ]+([a-z])[^"]*" class="(drawn-half|drawn-most)"', chart.waits([], Language.ENGLISH).svg
        )
    )
    assert marks == {"a": "drawn-half", "h": "drawn-most"}


@pytest.mark.parametrize(
    ("span", "sv", "en"),
    [
        (timedelta(milliseconds=300), "< 1 s", "< 1 s"),
        (timedelta(seconds=8), "8 s", "8 s"),
        (timedelta(seconds=59.7), "1 min", "1 min"),
        (timedelta(minutes=12), "12 min", "12 min"),
        (timedelta(minutes=90), "1,5 h", "1.5 h"),
        (timedelta(days=1), "1 dygn", "1 day"),
        (timedelta(days=3, hours=5), "3,2 dygn", "3.2 days"),
        (timedelta(days=30), "30 dygn", "30 days"),
        (None, "–", "–"),
    ],
)
def test_a_span_is_told_to_two_figures(span: timedelta | None, sv: str, en: str) -> None:
    assert (about(span, Language.SWEDISH), about(span, Language.ENGLISH)) == (sv, en)


def test_spans_on_the_scale_grow_upwards() -> None:
    spans = [timedelta(seconds=seconds) for seconds in (1, 60, 3600, 86_400)]
    hours = [Hour(at=at, waits={Level.RECEIVED: {step_of(span): 1}}) for at, span in zip(DAY, spans, strict=False)]
    svg = chart.waits(hours, Language.ENGLISH).svg
    at = [float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)a", svg.partition('class="drawn-stem"')[2])]
    assert at == sorted(at, reverse=True)
    assert all(lower - higher > 10 for lower, higher in pairwise(at))
