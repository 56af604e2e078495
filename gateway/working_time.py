"""Swedish working days, and the hours a unit is open. Pure: no clock is read, the moment always comes in.

Days, midnights and times of day are those of Sweden; every moment that is returned is in UTC. A moment that comes in
without a zone is Swedish time, as everywhere in the gateway (:func:`gateway.clock.in_zone`). A time of day that the
change to summer time skips is the one an hour later; one that the change back repeats is the first of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count, pairwise
from typing import Final

from gateway.clock import STOCKHOLM, in_zone
from gateway.errors import Fault, InvalidDocumentError

HOURS_FORM: Final = Fault(
    "opening-hours.form",
    "Öppettiden ska skrivas som mon-fri 08:00-16:30, med kommatecken mellan flera, eller always.",
    "Opening hours are written like mon-fri 08:00-16:30, with commas between several, or always.",
)
HOURS_BACKWARDS: Final = Fault(
    "opening-hours.backwards",
    "Öppettiden slutar inte efter att den har börjat; det som går över midnatt skrivs som två.",
    "The opening hours do not end after they begin; what passes midnight is written as two.",
)
HOURS_OVERLAP: Final = Fault(
    "opening-hours.overlap",
    "Två öppettider på samma veckodag går in i varandra.",
    "Two opening hours of one weekday overlap.",
)

ALWAYS: Final = "always"
"""How the opening hours of a unit that never closes are written."""

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SATURDAY, _SUNDAY = 5, 6
_PART = re.compile(
    rf"({'|'.join(_WEEKDAYS)})(?:-({'|'.join(_WEEKDAYS)}))? +"
    r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
)
_DAY = timedelta(days=1)


# --- days -----------------------------------------------------------------------------------------------------------


def is_like_sunday(day: date) -> bool:
    """Tell whether ``day`` is a Sunday, or is treated as one.

    That are the public holidays (lag 1989:253 om allmänna helgdagar) and, by lag 1930:173 om beräkning av lagstadgad
    tid 2 §, midsommarafton, julafton and nyårsafton. Holidays are known from 1953.
    """
    return day.weekday() == _SUNDAY or (day.month, day.day) in _holidays_of(day.year)


def is_working_day(day: date) -> bool:
    """Tell whether ``day`` is one from Monday to Friday that is not treated as a Sunday."""
    return day.weekday() < _SATURDAY and not is_like_sunday(day)


@lru_cache(maxsize=64)
def _holidays_of(year: int) -> frozenset[tuple[int, int]]:
    """Return month and day of every public holiday of a year, and of the three eves."""
    # Imported by the first who asks: the library loads every country there is, and most commands need no holiday.
    from holidays import country_holidays  # noqa: PLC0415

    public = {(day.month, day.day) for day in country_holidays("SE", years=year)}
    # Midsommardagen is the Saturday from 20 to 26 June, so its eve is the Friday before it.
    midsummer_eve = next(day for day in range(19, 26) if date(year, 6, day).weekday() == _SATURDAY - 1)
    return frozenset(public | {(6, midsummer_eve), (12, 24), (12, 31)})


def add_working_days(moment: datetime, days: int) -> datetime:
    """Return the same Swedish time of day on the working day that is ``days`` working days after that of ``moment``.

    A moment on a day that is no working day counts as the first moment of the next one, as if it had come in then: a
    Saturday afternoon and one working day make the midnight with which Tuesday begins, so Monday is there in full. With
    no days to add, a moment on a working day is returned as it is.

    Raises:
        ValueError: ``days`` is negative.
    """
    if days < 0:
        raise ValueError("working days are counted forwards")
    local = in_zone(moment).astimezone(STOCKHOLM)
    day, at = local.date(), local.time()
    if not is_working_day(day):
        day, at = _next_working_day(day), time.min
    elif not days:
        return local.astimezone(UTC)
    for _ in range(days):
        day = _next_working_day(day)
    return _instant(day, at)


def add_calendar_days(moment: datetime, days: int) -> datetime:
    """Return the same Swedish time of day ``days`` days later, or earlier when negative.

    A day on which the clocks change has 23 or 25 hours, so this is not the same as adding 24 hours for each day.
    """
    local = in_zone(moment).astimezone(STOCKHOLM)
    if not days:
        return local.astimezone(UTC)
    return _instant(local.date() + days * _DAY, local.time())


def end_of_day(moment: datetime) -> datetime:
    """Return the Swedish midnight that ends the day of ``moment``: the first instant of the next day."""
    return _instant(in_zone(moment).astimezone(STOCKHOLM).date() + _DAY, time.min)


def _next_working_day(day: date) -> date:
    day += _DAY
    while not is_working_day(day):
        day += _DAY
    return day


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at.replace(fold=0), STOCKHOLM).astimezone(UTC)


# --- opening hours --------------------------------------------------------------------------------------------------

_Period = tuple[time, time | None]  # None is the midnight that ends the day


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When a unit is open, week after week. ``text`` is how it was written.

    ``week`` has the hours of each weekday from Monday on, in order, and is ``None`` for a unit that never closes. A day
    that is treated as a Sunday has the hours of Sunday, whatever weekday it is: a unit that is closed on Sundays is
    closed then, and one that says when it is open on Sundays is open at that time. A Saturday has hours of its own.
    """

    text: str = field(compare=False)
    week: tuple[tuple[_Period, ...], ...] | None

    @classmethod
    def parse(cls, text: str) -> OpeningHours:
        """Read opening hours: ``always``, or days and hours such as ``mon-thu 08:00-17:00, fri 08:00-15:00``.

        Days are the first three letters of their English names, one or the first and last of several in a row; hours
        are Swedish time, and ``24:00`` is the end of the day. A day may be named again, for hours after a break.

        Raises:
            InvalidDocumentError: the text has another form, hours that end before they begin, or hours that overlap.
        """
        if text.strip() == ALWAYS:
            return cls(text, None)
        week: list[list[_Period]] = [[] for _ in _WEEKDAYS]
        for part in text.split(","):
            weekdays, period = _part(part.strip())
            for weekday in weekdays:
                week[weekday].append(period)
        for periods in week:
            periods.sort(key=lambda period: period[0])
            for (_, end), (start, _) in pairwise(periods):
                if end is None or start < end:
                    raise InvalidDocumentError(HOURS_OVERLAP.at())
        return cls(text, tuple(map(tuple, week)))

    def is_open(self, at: datetime) -> bool:
        """Tell whether the unit is open at ``at``: from the minute it opens, until the minute it closes."""
        if self.week is None:
            return True
        moment = in_zone(at).astimezone(UTC)
        return any(start <= moment < end for start, end in self._periods(moment.astimezone(STOCKHOLM).date()))

    def next_opening(self, at: datetime) -> datetime:
        """Return when the unit is open next: ``at`` itself when it is open then."""
        moment = in_zone(at).astimezone(UTC)
        if self.is_open(moment):
            return moment
        today = moment.astimezone(STOCKHOLM).date()
        # Some weekday has hours, and no weekday is a holiday every week: this ends.
        days = (today + number * _DAY for number in count())
        return next(start for day in days for start, end in self._periods(day) if moment < start < end)

    def opens_on(self, day: date) -> bool:
        """Tell whether the unit is open at any time of ``day``."""
        return self.week is None or bool(self.week[_weekday(day)])

    def _periods(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield the instants between which the unit is open on ``day``."""
        assert self.week is not None  # who never closes is not asked for periods
        for start, end in self.week[_weekday(day)]:
            yield _instant(day, start), _instant(day, end) if end is not None else _instant(day + _DAY, time.min)

    def __str__(self) -> str:
        return self.text


NEVER_CLOSES: Final = OpeningHours.parse(ALWAYS)
"""The opening hours of a unit that never closes."""


def add_open_hours(moment: datetime, hours: int, opening: OpeningHours) -> datetime:
    """Return when ``hours`` hours have passed since the unit was open next after ``moment``, or at it.

    Once they run they run day and night, but a day on which the unit does not open at all is skipped, from midnight to
    midnight. For a unit that is open on weekdays, 24 hours from Friday 15:00 are over on Monday 15:00. An hour is an
    hour, also on the two days a year that have 23 or 25 of them.
    """
    at, left = opening.next_opening(moment), timedelta(hours=hours)
    if opening.week is None:
        return at + left
    while (midnight := end_of_day(at)) - at < left:
        left -= midnight - at
        day = midnight.astimezone(STOCKHOLM).date()
        while not opening.opens_on(day):
            day += _DAY
        at = _instant(day, time.min)
    return at + left


def _weekday(day: date) -> int:
    """Return whose hours hold on ``day``: those of its weekday, or of Sunday when it is treated as one."""
    return _SUNDAY if is_like_sunday(day) else day.weekday()


def _part(part: str) -> tuple[range, _Period]:
    match = _PART.fullmatch(part)
    if match is None:
        raise InvalidDocumentError(HOURS_FORM.at())
    first, last, start, end = match.groups()
    weekdays = range(_WEEKDAYS.index(first), _WEEKDAYS.index(last or first) + 1)
    if not weekdays:  # from Friday to Monday is not a row of days in a week
        raise InvalidDocumentError(HOURS_FORM.at())
    opens, closes = time.fromisoformat(start), None if end == "24:00" else time.fromisoformat(end)
    if closes is not None and closes <= opens:
        raise InvalidDocumentError(HOURS_BACKWARDS.at())
    return weekdays, (opens, closes)
