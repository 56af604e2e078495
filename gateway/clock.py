"""Time comes in from outside, so that tests and replay can move it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol
from zoneinfo import ZoneInfo

STOCKHOLM = ZoneInfo("Europe/Stockholm")
"""The zone of every time a person reads, and of a time that names no zone (RIVTA timestamps carry none)."""


class Clock(Protocol):
    """Tells what time it is."""

    def now(self) -> datetime:
        """Return the current time in UTC, with its zone."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; a test plays three weeks in a second."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time the clock was last set to, in UTC."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by ``by``."""
        self._now += by


def local_date(moment: datetime) -> date:
    """Return the calendar day of ``moment`` in Sweden, where deadlines and birthdays are counted."""
    return moment.astimezone(STOCKHOLM).date()


def in_zone(moment: datetime) -> datetime:
    """Return ``moment`` with an offset: one that names no zone is Swedish local time.

    The offset is fixed, not a zone: two times in the hour that autumn repeats compare as the instants they are.
    """
    if moment.tzinfo is not None:
        return moment
    offset = moment.replace(tzinfo=STOCKHOLM).utcoffset()
    assert offset is not None  # a zone always knows its offset
    return moment.replace(tzinfo=timezone(offset))
