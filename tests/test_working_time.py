"""Working days and opening hours, held to calendars that were written by hand and to the days the clocks change."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import STOCKHOLM, local_date
from gateway.errors import InvalidDocumentError
from gateway.working_time import (
    NEVER_CLOSES,
    OpeningHours,
    add_calendar_days,
    add_open_hours,
    add_working_days,
    end_of_day,
    is_like_sunday,
    is_working_day,
)

HOLIDAYS = {
    2026: "01-01 01-06 04-03 04-05 04-06 05-01 05-14 05-24 06-06 06-19 06-20 10-31 12-24 12-25 12-26 12-31",
    2027: "01-01 01-06 03-26 03-28 03-29 05-01 05-06 05-16 06-06 06-25 06-26 11-06 12-24 12-25 12-26 12-31",
}
"""Month and day of the public holidays and the three eves, written by hand."""

MOMENTS = st.integers(0, 60 * 366 * 24 * 60).map(
    lambda minutes: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def swedish(text: str) -> datetime:
    """Return a Swedish time of day as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)


def days_of(year: int) -> list[date]:
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return [day for day in days if day.year == year]


# --- working days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", HOLIDAYS)
def test_the_holidays_of_a_year_are_those_written_by_hand(year: int) -> None:
    written = {date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS[year].split()}

    assert {day for day in days_of(year) if is_like_sunday(day)} == written | {
        day for day in days_of(year) if day.weekday() == 6
    }
    assert {day for day in days_of(year) if is_working_day(day)} == {
        day for day in days_of(year) if day.weekday() < 5
    } - written


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-04-02", True),  # skärtorsdagen
        ("2026-04-30", True),  # valborgsmässoafton
        ("2026-05-15", True),  # the day after Kristi himmelsfärdsdag
        ("2026-01-05", True),  # trettondagsafton
        ("2024-06-06", False),  # nationaldagen, a Thursday
        ("2004-06-06", False),  # a Sunday; not yet a public holiday
        ("2003-06-06", True),  # a Friday, before nationaldagen became a public holiday
        ("2028-02-29", True),
        ("2032-02-29", False),  # a Sunday
    ],
)
def test_what_only_feels_like_a_holiday_is_a_working_day(day: str, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("moment", "days", "then"),
    [
        ("2026-11-02T09:12", 1, "2026-11-03T09:12"),
        ("2026-11-02T09:12", 0, "2026-11-02T09:12"),
        ("2026-11-06T16:00", 1, "2026-11-09T16:00"),  # over a weekend
        ("2026-04-01T10:00", 2, "2026-04-07T10:00"),  # over Easter
        ("2026-06-18T10:00", 1, "2026-06-22T10:00"),  # over midsommarafton
        ("2026-12-23T10:00", 3, "2026-12-30T10:00"),  # over jul
        ("2026-12-30T10:00", 1, "2027-01-04T10:00"),  # over nyår
        ("2026-03-27T10:00", 1, "2026-03-30T10:00"),  # summer time begins between
        ("2026-10-23T10:00", 1, "2026-10-26T10:00"),  # summer time ends between
        ("2028-02-28T10:00", 1, "2028-02-29T10:00"),
        ("2028-02-29T10:00", 1, "2028-03-01T10:00"),
        ("2027-02-26T10:00", 1, "2027-03-01T10:00"),
        ("2026-11-07T14:00", 0, "2026-11-09T00:00"),  # a Saturday counts from Monday's first moment
        ("2026-11-07T14:00", 1, "2026-11-10T00:00"),
        ("2026-12-24T23:59", 1, "2026-12-29T00:00"),
    ],
)
def test_working_days_are_added_at_the_same_time_of_day(moment: str, days: int, then: str) -> None:
    found = add_working_days(swedish(moment), days)

    assert (found, found.tzinfo) == (swedish(then), UTC)


def test_the_swedish_day_counts_and_not_the_one_in_utc() -> None:
    # 23:30 in UTC on Sunday is 00:30 on Monday in Sweden.
    assert add_working_days(datetime(2026, 11, 8, 23, 30, tzinfo=UTC), 1) == swedish("2026-11-10T00:30")


def test_a_moment_without_a_zone_is_swedish() -> None:
    naive = swedish("2026-07-02T09:12").astimezone(STOCKHOLM).replace(tzinfo=None)

    assert add_working_days(naive, 1) == swedish("2026-07-03T09:12")
    assert add_calendar_days(naive, 1) == swedish("2026-07-03T09:12")
    assert end_of_day(naive) == swedish("2026-07-03T00:00")
    assert OpeningHours.parse("thu 09:00-10:00").is_open(naive)


def test_working_days_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="forwards"):
        add_working_days(swedish("2026-11-02T09:12"), -1)


@given(MOMENTS, st.integers(0, 40))
def test_so_many_working_days_lie_between(moment: datetime, days: int) -> None:
    then = add_working_days(moment, days)
    first, last = local_date(moment), local_date(then)

    assert is_working_day(last)
    assert then >= moment
    between = [day for n in range((last - first).days) if is_working_day(day := first + timedelta(days=n))]
    assert len(between) == days


@given(MOMENTS, st.integers(0, 20), st.integers(0, 20))
def test_working_days_can_be_added_one_after_another(moment: datetime, some: int, more: int) -> None:
    assert add_working_days(add_working_days(moment, some), more) == add_working_days(moment, some + more)


# --- calendar days --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "days", "then"),
    [
        ("2026-11-02T09:12", 21, "2026-11-23T09:12"),
        ("2026-03-28T10:00", 1, "2026-03-29T10:00"),  # a day of 23 hours
        ("2026-10-24T10:00", 1, "2026-10-25T10:00"),  # a day of 25 hours
        ("2026-03-28T02:30", 1, "2026-03-29T03:30"),  # 02:30 is skipped
        ("2026-03-30T02:30", -1, "2026-03-29T03:30"),
        ("2028-02-28T10:00", 1, "2028-02-29T10:00"),
        ("2028-02-29T10:00", 366, "2029-03-01T10:00"),
        ("2026-02-28T10:00", 1, "2026-03-01T10:00"),
        ("2026-11-02T09:12", 0, "2026-11-02T09:12"),
    ],
)
def test_calendar_days_are_added_at_the_same_time_of_day(moment: str, days: int, then: str) -> None:
    found = add_calendar_days(swedish(moment), days)

    assert (found, found.tzinfo) == (swedish(then), UTC)


def test_of_a_repeated_hour_the_first_is_meant_unless_no_day_is_added() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 02:30 in Sweden, for the second time

    assert add_calendar_days(second, 0) == second
    assert add_calendar_days(swedish("2026-10-24T02:30"), 1) == second - timedelta(hours=1)
    assert add_calendar_days(second, 1) == swedish("2026-10-26T02:30")


@given(MOMENTS, st.integers(-400, 400))
def test_a_calendar_day_is_the_next_date_at_the_same_time_or_an_hour_that_was_skipped(
    moment: datetime, days: int
) -> None:
    before, after = moment.astimezone(STOCKHOLM), add_calendar_days(moment, days).astimezone(STOCKHOLM)

    assert (after.date() - before.date()).days == days
    assert after.time() == before.time() or (after - timedelta(hours=1)).time() == before.time()


@pytest.mark.parametrize(
    ("moment", "hours"),
    [("2026-03-29T00:00", 23), ("2026-10-25T00:00", 25), ("2028-02-29T00:00", 24), ("2026-11-02T23:59", 1 / 60)],
)
def test_a_day_ends_at_the_swedish_midnight(moment: str, hours: float) -> None:
    assert end_of_day(swedish(moment)) - swedish(moment) == timedelta(hours=hours)
    assert end_of_day(swedish(moment)).tzinfo is UTC


# --- opening hours --------------------------------------------------------------------------------------------------

OFFICE = "mon-fri 08:00-16:30"


@pytest.mark.parametrize(
    ("hours", "moment", "is_open"),
    [
        (OFFICE, "2026-11-02T08:00", True),
        (OFFICE, "2026-11-02T07:59", False),
        (OFFICE, "2026-11-02T16:29", True),
        (OFFICE, "2026-11-02T16:30", False),
        (OFFICE, "2026-11-07T10:00", False),
        (OFFICE, "2026-12-24T10:00", False),  # a Thursday
        ("mon-thu 08:00-17:00, fri 08:00-15:00", "2026-11-05T16:00", True),
        ("mon-thu 08:00-17:00, fri 08:00-15:00", "2026-11-06T16:00", False),
        ("mon-fri 13:00-16:00,mon-fri 08:00-12:00", "2026-11-02T11:59", True),
        ("mon-fri 13:00-16:00,mon-fri 08:00-12:00", "2026-11-02T12:00", False),
        ("mon-fri 13:00-16:00,mon-fri 08:00-12:00", "2026-11-02T13:00", True),
        ("mon-sat 10:00-14:00", "2026-11-07T10:00", True),
        ("mon-sat 10:00-14:00", "2026-10-31T10:00", False),  # alla helgons dag, a Saturday
        ("mon-fri 08:00-17:00, sun 10:00-12:00", "2026-12-24T09:00", False),  # the hours of Sunday hold
        ("mon-fri 08:00-17:00, sun 10:00-12:00", "2026-12-24T10:00", True),
        ("sat-sun 00:00-24:00", "2026-11-08T23:59", True),
        ("sat-sun 00:00-24:00", "2026-11-09T00:00", False),
        ("always", "2026-12-24T03:00", True),
    ],
)
def test_a_unit_is_open(hours: str, moment: str, is_open: bool) -> None:
    assert OpeningHours.parse(hours).is_open(swedish(moment)) is is_open


@pytest.mark.parametrize(
    ("hours", "moment", "opens"),
    [
        (OFFICE, "2026-11-02T10:00", "2026-11-02T10:00"),
        (OFFICE, "2026-11-02T06:00", "2026-11-02T08:00"),
        (OFFICE, "2026-11-02T16:30", "2026-11-03T08:00"),
        (OFFICE, "2026-11-06T17:00", "2026-11-09T08:00"),
        (OFFICE, "2026-04-02T17:00", "2026-04-07T08:00"),  # over Easter
        (OFFICE, "2026-12-23T17:00", "2026-12-28T08:00"),
        ("fri 08:00-15:00", "2027-12-17T15:00", "2028-01-07T08:00"),  # two Fridays in a row are eves
        ("mon-fri 08:00-12:00, mon-fri 13:00-16:00", "2026-11-02T12:30", "2026-11-02T13:00"),
        ("sun 02:15-02:45", "2026-03-28T12:00", "2026-03-29T03:15"),  # 02:15 is skipped
        ("always", "2026-12-24T03:00", "2026-12-24T03:00"),
    ],
)
def test_a_unit_opens_next(hours: str, moment: str, opens: str) -> None:
    found = OpeningHours.parse(hours).next_opening(swedish(moment))

    assert (found, found.tzinfo) == (swedish(opens), UTC)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "opening-hours.form"),
        ("vardagar", "opening-hours.form"),
        ("mon-fri", "opening-hours.form"),
        ("mon-fri 8:00-16:30", "opening-hours.form"),
        ("mon-fri 08.00-16.30", "opening-hours.form"),
        ("mon-fri 08:00-25:00", "opening-hours.form"),
        ("mon-fri 08:60-16:30", "opening-hours.form"),
        ("mon-fri 24:00-24:00", "opening-hours.form"),
        ("mon-fri 08:00-16:30,", "opening-hours.form"),
        ("fri-mon 08:00-16:30", "opening-hours.form"),
        ("always, mon 08:00-09:00", "opening-hours.form"),
        ("mon-fri 08:00-16:30\n", None),
        ("mon-fri 16:30-08:00", "opening-hours.backwards"),
        ("mon-fri 08:00-08:00", "opening-hours.backwards"),
        ("mon-fri 08:00-16:30, wed 16:00-19:00", "opening-hours.overlap"),
        ("wed 08:00-24:00, wed 20:00-21:00", "opening-hours.overlap"),
        ("mon-fri 08:00-12:00, fri 12:00-15:00", None),
    ],
)
def test_opening_hours_that_mean_nothing_are_refused_with_a_code(text: str, code: str | None) -> None:
    if code is None:
        assert OpeningHours.parse(text).week is not None
        return
    with pytest.raises(InvalidDocumentError) as caught:
        OpeningHours.parse(text)
    assert caught.value.codes == (code,)


def test_opening_hours_are_shown_as_written_and_are_equal_by_meaning() -> None:
    assert str(OpeningHours.parse(OFFICE)) == OFFICE
    assert OpeningHours.parse("mon 08:00-09:00, tue 08:00-09:00") == OpeningHours.parse("mon-tue  08:00-09:00")


CLOCK_TIMES = st.integers(0, 24 * 4).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
WRITTEN = st.builds(
    lambda day, times: f"{day} {min(times)}-{max(times)}",
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
    st.lists(CLOCK_TIMES, min_size=2, max_size=2, unique=True),
)
PARTS = st.lists(WRITTEN, min_size=1, max_size=4, unique_by=lambda part: part[:3])


@given(PARTS, MOMENTS)
def test_a_unit_is_open_at_its_next_opening_and_not_before(parts: list[str], moment: datetime) -> None:
    hours = OpeningHours.parse(", ".join(parts))
    opens = hours.next_opening(moment)

    assert opens >= moment
    assert hours.is_open(opens)
    assert (opens == moment) is hours.is_open(moment)
    assert hours.next_opening(opens) == opens
    if opens > moment:
        assert not hours.is_open(opens - timedelta(microseconds=1))
        assert not hours.is_open(moment + (opens - moment) / 2)


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused(text: str) -> None:
    with suppress(InvalidDocumentError):
        OpeningHours.parse(text)


def test_the_holidays_are_loaded_by_the_first_who_asks() -> None:
    script = "import sys, gateway.working_time; print('holidays' in sys.modules)"
    fresh = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert fresh.stdout == "False\n"


# --- hours of a unit that opens and closes --------------------------------------------------------------------------

AT_WORK = "mon-fri 08:00-16:30"
EVERY_DAY = "mon-sun 07:00-21:30"


@pytest.mark.parametrize(
    ("hours", "moment", "count", "over"),
    [
        (AT_WORK, "2026-11-06T15:00", 24, "2026-11-09T15:00"),  # a Friday: Saturday and Sunday are skipped whole
        (AT_WORK, "2026-11-09T20:00", 24, "2026-11-11T08:00"),  # a Monday evening: it begins on Tuesday at eight
        (AT_WORK, "2026-11-09T05:00", 24, "2026-11-10T08:00"),  # before they open
        (AT_WORK, "2026-11-07T10:00", 24, "2026-11-10T08:00"),  # a Saturday
        (AT_WORK, "2026-11-06T15:00", 9, "2026-11-07T00:00"),  # over with the last day that counts
        (AT_WORK, "2026-11-06T15:00", 48, "2026-11-10T15:00"),
        (AT_WORK, "2026-03-27T15:00", 24, "2026-03-30T15:00"),  # summer time begins on a Sunday that does not count
        (AT_WORK, "2026-06-18T15:00", 24, "2026-06-22T15:00"),  # over midsummer, whose eve is a Friday
        (AT_WORK, "2026-12-23T15:00", 24, "2026-12-28T15:00"),  # over Christmas and a weekend
        (EVERY_DAY, "2026-11-06T22:00", 24, "2026-11-08T07:00"),  # an evening: it begins on Saturday at seven
        (EVERY_DAY, "2026-03-28T20:00", 24, "2026-03-29T21:00"),  # an hour is an hour when summer time begins
        (EVERY_DAY, "2026-10-24T20:00", 24, "2026-10-25T19:00"),  # and when it ends
        ("always", "2026-11-07T22:00", 24, "2026-11-08T22:00"),
        ("always", "2026-12-24T22:00", 24, "2026-12-25T22:00"),
    ],
)
def test_hours_begin_at_the_next_opening_and_skip_days_without_one(
    hours: str, moment: str, count: int, over: str
) -> None:
    assert add_open_hours(swedish(moment), count, OpeningHours.parse(hours)) == swedish(over)


@given(MOMENTS, st.integers(1, 200))
def test_hours_of_a_unit_that_never_closes_are_hours(moment: datetime, count: int) -> None:
    assert add_open_hours(moment, count, NEVER_CLOSES) == moment + timedelta(hours=count)


@given(MOMENTS, st.integers(1, 200), st.sampled_from([AT_WORK, EVERY_DAY, "tue 10:00-12:00", "sun 00:00-24:00"]))
def test_hours_are_never_over_early_nor_on_a_day_that_does_not_count(moment: datetime, count: int, hours: str) -> None:
    opening = OpeningHours.parse(hours)
    over = add_open_hours(moment, count, opening)
    assert over >= moment + timedelta(hours=count)
    assert add_open_hours(moment, count + 1, opening) > over
    assert opening.opens_on(local_date(over - timedelta(microseconds=1)))
