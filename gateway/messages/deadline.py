"""Deadlines as laws and agreements count them: in hours, in calendar days, or in working days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.errors import Fault, InvalidDocumentError
from gateway.working_time import NEVER_CLOSES, OpeningHours, add_calendar_days, add_open_hours, add_working_days

FORM: Final = Fault(
    "deadline.form",
    "Tidsgränsen {name} ska skrivas som 24 hours, 3 calendar days eller 3 working days, reminder after 2.",
    "The deadline {name} is written like 24 hours, 3 calendar days or 3 working days, reminder after 2.",
)
REMINDER_TOO_LATE: Final = Fault(
    "deadline.reminder-too-late",
    "Tidsgränsen {name} påminner inte innan den har gått ut.",
    "The deadline {name} does not remind before it is over.",
)

REPLY_SOURCE = "agreed default of three working days with a reminder after two, no statutory number"
"""Where the time to reply to an invitation comes from."""


class TimeUnit(StrEnum):
    """What a deadline is counted in."""

    HOURS = "hours"
    """Hours of the days on which the unit that owes is open at all, from when it is open next."""
    CALENDAR_DAYS = "calendar days"
    """Every day counts, as the law does (2017:612), whether the unit is open or not."""
    WORKING_DAYS = "working days"
    """Weekends and Swedish public holidays do not count; they begin when the unit that owes is open next."""

    def of(self, count: int) -> str:
        """Return ``count`` of the unit in words."""
        return f"{count} {self.removesuffix('s') if count == 1 else self}"


_FORM: Final = re.compile(
    rf"(?P<count>[1-9][0-9]{{0,2}}) (?P<unit>{'|'.join(f'{unit}?' for unit in TimeUnit)})"  # the last letter is an s
    r"(?:, reminder after (?P<remind>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long something may take. Where staff are reminded before it passes, ``remind`` says after how many units."""

    count: int
    unit: TimeUnit
    remind: int | None = None

    @classmethod
    def parse(cls, text: str, name: str = "") -> Deadline:
        """Read a deadline as it is written: ``24 hours``, ``1 working day``, ``3 working days, reminder after 2``.

        From 1 to 999 of a unit; ``name`` is what the deadline is called where something is wrong with it.

        Raises:
            InvalidDocumentError: the text has another form, or its reminder does not come before its end.
        """
        match = _FORM.fullmatch(" ".join(text.split()))
        if match is None:
            raise InvalidDocumentError(FORM.at(name=name))
        count, remind = int(match["count"]), int(match["remind"]) if match["remind"] is not None else None
        if remind is not None and remind >= count:
            raise InvalidDocumentError(REMINDER_TOO_LATE.at(name=name))
        return cls(count, TimeUnit(match["unit"].removesuffix("s") + "s"), remind)

    @property
    def length(self) -> str:
        """How long it is, in words, with no word of the reminder."""
        return self.unit.of(self.count)

    def after(self, moment: datetime, opening: OpeningHours = NEVER_CLOSES) -> datetime:
        """Return when the time that begins at ``moment`` is over for a unit that is open at ``opening``."""
        return self._later(moment, self.count, opening)

    def reminder_after(self, moment: datetime, opening: OpeningHours = NEVER_CLOSES) -> datetime | None:
        """Return when to remind of what began at ``moment``, ``None`` where nobody is reminded."""
        return self._later(moment, self.remind, opening) if self.remind is not None else None

    def _later(self, moment: datetime, count: int, opening: OpeningHours) -> datetime:
        match self.unit:
            case TimeUnit.HOURS:
                return add_open_hours(moment, count, opening)
            case TimeUnit.CALENDAR_DAYS:
                return add_calendar_days(moment, count)
            case TimeUnit.WORKING_DAYS:
                return add_working_days(opening.next_opening(moment), count)

    def __str__(self) -> str:
        return self.length if self.remind is None else f"{self.length}, reminder after {self.remind}"


def hours(count: int, *, remind: int | None = None) -> Deadline:
    """Return a deadline of ``count`` hours."""
    return Deadline(count, TimeUnit.HOURS, remind)


def calendar_days(count: int, *, remind: int | None = None) -> Deadline:
    """Return a deadline of ``count`` calendar days."""
    return Deadline(count, TimeUnit.CALENDAR_DAYS, remind)


def working_days(count: int, *, remind: int | None = None) -> Deadline:
    """Return a deadline of ``count`` working days."""
    return Deadline(count, TimeUnit.WORKING_DAYS, remind)
