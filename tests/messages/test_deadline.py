"""Deadlines as they are written and read back, and how the hours of a unit move their beginning."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import STOCKHOLM
from gateway.errors import InvalidDocumentError
from gateway.messages import TYPES
from gateway.messages.deadline import Deadline, TimeUnit, calendar_days, hours, working_days
from gateway.working_time import OpeningHours

OFFICE = OpeningHours.parse("mon-fri 08:00-16:30")


def sweden(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)


# --- as text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        ("24 hours", hours(24)),
        ("1 hour", hours(1)),
        ("21 calendar days", calendar_days(21)),
        ("1 working day", working_days(1)),
        ("3 working days, reminder after 2", working_days(3, remind=2)),
        ("  3  working days,  reminder after 2 ", working_days(3, remind=2)),
        ("1 working days", working_days(1)),
    ],
)
def test_a_deadline_is_read_as_it_is_written(text: str, deadline: Deadline) -> None:
    assert Deadline.parse(text) == deadline


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "deadline.form"),
        ("soon", "deadline.form"),
        ("3", "deadline.form"),
        ("3 days", "deadline.form"),
        ("0 hours", "deadline.form"),
        ("-1 hours", "deadline.form"),
        ("1000 hours", "deadline.form"),
        ("1.5 hours", "deadline.form"),
        ("three working days", "deadline.form"),
        ("3 working days, reminder after 0", "deadline.form"),
        ("3 working days reminder after 2", "deadline.form"),
        ("3 working days, reminder after 3", "deadline.reminder-too-late"),
        ("24 hours, reminder after 25", "deadline.reminder-too-late"),
    ],
)
def test_a_deadline_that_means_nothing_is_refused_by_its_name(text: str, code: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        Deadline.parse(text, "meetingBooking")
    assert caught.value.codes == (code,)
    assert "meetingBooking" in caught.value.findings[0].sv
    assert "meetingBooking" in caught.value.findings[0].en


@given(st.integers(1, 999), st.sampled_from(TimeUnit), st.none() | st.integers(1, 998))
def test_what_is_written_is_read_back(count: int, unit: TimeUnit, remind: int | None) -> None:
    deadline = Deadline(count, unit, remind if remind is not None and remind < count else None)
    assert Deadline.parse(str(deadline)) == deadline


def test_every_deadline_of_a_contract_can_be_written_in_the_settings() -> None:
    for kind in TYPES.values():
        if (deadline := kind.contract.deadline) is not None:
            assert Deadline.parse(str(deadline)) == deadline


# --- opening hours --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline", "moment", "over"),
    [
        (working_days(3), "2026-11-09T10:00", "2026-11-12T10:00"),
        (working_days(3), "2026-11-09T20:00", "2026-11-13T08:00"),  # a Monday evening begins on Tuesday
        (working_days(3), "2026-11-07T10:00", "2026-11-12T08:00"),  # a Saturday begins on Monday at eight
        (working_days(1), "2026-06-18T17:00", "2026-06-23T08:00"),  # the evening before midsommarafton
        (working_days(1), "2026-03-27T17:00", "2026-03-31T08:00"),  # over the beginning of summer time
        (hours(24), "2026-11-06T15:00", "2026-11-09T15:00"),
        (calendar_days(3), "2026-11-06T20:00", "2026-11-09T20:00"),  # the law's days never move
        (calendar_days(3), "2026-12-23T20:00", "2026-12-26T20:00"),
    ],
)
def test_working_days_and_hours_begin_when_the_unit_opens_and_calendar_days_at_once(
    deadline: Deadline, moment: str, over: str
) -> None:
    assert deadline.after(sweden(moment), OFFICE) == sweden(over)


def test_a_reminder_is_counted_from_the_same_opening() -> None:
    reply = working_days(3, remind=2)
    assert reply.reminder_after(sweden("2026-11-09T20:00"), OFFICE) == sweden("2026-11-12T08:00")
    assert reply.reminder_after(sweden("2026-11-09T20:00")) == sweden("2026-11-11T20:00")
    assert working_days(3).reminder_after(sweden("2026-11-09T20:00"), OFFICE) is None
