"""The days of grace: when payment responsibility begins, in the report and in the clock of the case alike."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from gateway.clock import STOCKHOLM
from gateway.grace import Grace


def sweden(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        ("2026-11-02T00:00", "2026-11-05"),
        ("2026-11-02T11:59", "2026-11-05"),
        ("2026-11-02T12:00", "2026-11-05"),
        ("2026-11-02T12:00:01", "2026-11-06"),
        ("2026-11-02T23:59", "2026-11-06"),
        ("2026-10-22T11:30", "2026-10-25"),  # winter time begins on the 25th
        ("2026-10-23T11:30", "2026-10-26"),
        ("2026-03-27T11:30", "2026-03-30"),  # summer time begins on the 29th
        ("2026-03-27T12:30", "2026-03-31"),
        ("2026-12-30T12:30", "2027-01-03"),
    ],
)
def test_responsibility_begins_three_days_later_or_four_after_noon(sent: str, begins: str) -> None:
    at = sweden(sent).astimezone(UTC)
    assert Grace().begins(at) == date.fromisoformat(begins)
    assert Grace().begins_at(at) == sweden(f"{begins}T00:00")


def test_noon_is_noon_in_sweden_summer_and_winter() -> None:
    half_past_ten = time(10, 30, tzinfo=UTC)
    assert Grace().begins(datetime.combine(date(2026, 7, 1), half_past_ten)) == date(2026, 7, 5)
    assert Grace().begins(datetime.combine(date(2026, 12, 1), half_past_ten)) == date(2026, 12, 4)


def test_a_time_that_names_no_zone_is_swedish() -> None:
    assert Grace().begins(datetime(2026, 7, 1, 11, 59)) == date(2026, 7, 4)  # noqa: DTZ001 -- that is what is tested


def test_days_and_cutoff_are_as_agreed() -> None:
    grace = Grace(days=5, cutoff=time(15))
    assert grace.begins(sweden("2026-11-02T15:00")) == date(2026, 11, 7)
    assert grace.begins(sweden("2026-11-02T15:00:01")) == date(2026, 11, 8)
