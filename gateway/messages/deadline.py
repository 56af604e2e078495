"""Deadlines as laws and agreements count them: in hours, in calendar days, or in working days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.working_time import add_calendar_days, add_working_days

REPLY_SOURCE = "agreed default of three working days with a reminder after two, no statutory number"
"""Where the time to reply to an invitation comes from."""


class TimeUnit(StrEnum):
    """What a deadline is counted in."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar days"
    """Every day counts, as the law does (2017:612)."""
    WORKING_DAYS = "working days"
    """Weekends and Swedish public holidays do not count."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long something may take. Where staff are reminded before it passes, ``remind`` says after how many units."""

    count: int
    unit: TimeUnit
    remind: int | None = None

    def after(self, moment: datetime) -> datetime:
        """Return when the time that begins at ``moment`` is over."""
        return self._later(moment, self.count)

    def reminder_after(self, moment: datetime) -> datetime | None:
        """Return when to remind of what began at ``moment``, ``None`` where nobody is reminded."""
        return self._later(moment, self.remind) if self.remind is not None else None

    def _later(self, moment: datetime, count: int) -> datetime:
        match self.unit:
            case TimeUnit.HOURS:
                return moment + timedelta(hours=count)
            case TimeUnit.CALENDAR_DAYS:
                return add_calendar_days(moment, count)
            case TimeUnit.WORKING_DAYS:
                return add_working_days(moment, count)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


def hours(count: int, *, remind: int | None = None) -> Deadline:
    """Return a deadline of ``count`` hours."""
    return Deadline(count, TimeUnit.HOURS, remind)


def calendar_days(count: int, *, remind: int | None = None) -> Deadline:
    """Return a deadline of ``count`` calendar days."""
    return Deadline(count, TimeUnit.CALENDAR_DAYS, remind)


def working_days(count: int, *, remind: int | None = None) -> Deadline:
    """Return a deadline of ``count`` working days."""
    return Deadline(count, TimeUnit.WORKING_DAYS, remind)
