"""The hours that are shown, and how long answers took in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.hour import LAST_STEP, ONE, Hour, busiest, hours_of, in_full, last_hours, name_of, percentile, step_of
from gateway.lifecycle import Level

NOON = datetime(2026, 11, 28, 12, 20, tzinfo=UTC)


def test_the_last_hours_end_with_the_one_that_is_going_on() -> None:
    hours = last_hours(NOON)
    assert (len(hours), hours[-1], NOON - hours[0] < timedelta(hours=24)) == (24, NOON.replace(minute=0), True)
    assert all(later - sooner == ONE for sooner, later in pairwise(hours))


@pytest.mark.parametrize(
    ("day", "names"),
    [
        (date(2026, 3, 29), ["00", "01", "03", "04"]),
        (date(2026, 10, 25), ["00", "01", "02a", "02b", "03", "04"]),
        (date(2026, 11, 28), ["00", "01", "02", "03", "04"]),
    ],
)
def test_a_day_has_the_hours_of_the_swedish_clock(day: date, names: list[str]) -> None:
    hours = hours_of(day)
    assert [name_of(hour) for hour in hours][: len(names)] == names
    assert (name_of(hours[-1]), name_of(hours[-1] + ONE)) == ("23", "00")
    assert len(hours) == 24 + len(names) - 5
    assert len({in_full(hour) for hour in hours}) == len(hours)
    assert {in_full(hour)[:10] for hour in hours} == {day.isoformat()}


SPANS = st.integers(0, 50 * 86_400_000).map(lambda number: timedelta(milliseconds=number))


@settings(max_examples=40, deadline=None)
@given(st.lists(SPANS, min_size=1, max_size=30), st.sampled_from([0.5, 0.95]))
@example([timedelta(days=400)], 0.5)
@example([timedelta(seconds=1)], 0.95)
def test_a_percentile_is_within_a_step_of_what_it_is(spans: list[timedelta], share: float) -> None:
    steps: dict[int, int] = {}
    for span in spans:
        steps[step_of(span)] = steps.get(step_of(span), 0) + 1
    told = percentile(steps, share)
    exact = sorted(spans)[max(0, -(-len(spans) * round(share * 100) // 100) - 1)]
    assert told is not None
    assert step_of(told) == step_of(exact) or abs(told - exact) < timedelta(milliseconds=1)
    if timedelta(seconds=1) < exact < timedelta(days=48):
        assert told / exact == pytest.approx(1, rel=0.2)


def test_without_answers_there_is_no_percentile_and_without_messages_no_busiest_hour() -> None:
    assert percentile({}, 0.5) is None
    assert Hour(at=NOON).wait(Level.RECEIVED, 0.5) is None
    assert busiest([Hour(at=NOON)], "sent") is None
    assert busiest([], "sent") is None
    assert step_of(timedelta(days=4000)) == LAST_STEP
    assert step_of(timedelta(seconds=-5)) == 0
