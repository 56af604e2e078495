"""The report of a period, as it is looked at: what may be asked, and how much is counted while somebody waits."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Annotated, Final
from weakref import WeakKeyDictionary

from pydantic import Field

from gateway.case_log import Period
from gateway.clock import local_date
from gateway.errors import Fault, UsageError
from gateway.figures import Disclosure, Figure
from gateway.report import lines_of, period_of
from gateway.web.forms import Asked
from gateway.web.visit import Visit

MOST_PERSONS: Final = 1_000
"""How many persons are read for a report that somebody waits for."""
AT_A_TIME: Final = 4
"""How many of them are read at a time: what else the gateway does goes on between."""
LONGEST: Final = timedelta(days=366)
"""How long a period may be that somebody waits for."""

TOO_LONG = Fault(
    "report.too-long",
    "Perioden är längre än {days} dagar. Välj en kortare, eller kör gateway report.",
    "The period is longer than {days} days. Choose a shorter one, or run gateway report.",
)

Day = Annotated[date | None, Field(ge=date(2000, 1, 1), le=date(2100, 1, 1))]

_one_counts: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class ReportAsked(Asked):
    """Which period a report is of, and for which area; without days, the whole month that has passed."""

    first: Annotated[Day, Field(alias="from", description="The first Swedish day.")] = None
    last: Annotated[Day, Field(alias="to", description="The last Swedish day; it is included.")] = None
    area: Annotated[str | None, Field(max_length=100, description="Only cases that a unit in this area convened.")] = (
        None
    )

    def period(self, today: date) -> Period:
        """Return which days are counted. Raises :class:`UsageError`."""
        before = today.replace(day=1) - timedelta(days=1)
        last = self.last or (before if self.first is None else today)
        found = period_of(self.first or last.replace(day=1), last)
        if found.last - found.first >= LONGEST:
            raise UsageError(TOO_LONG.at(days=LONGEST.days))
        return found


def today_of(visit: Visit) -> date:
    """Return the Swedish day of whoever asks."""
    return local_date(visit.now)


def disclosure_of(visit: Visit) -> Disclosure:
    """Return which numbers are too small to be shown."""
    return Disclosure(visit.window.settings.smallest_count_shown)


async def counted(visit: Visit, asked: ReportAsked) -> list[Figure]:
    """Return the lines of a report. They are counted for one at a time, so that the gateway's work goes on beside.

    Raises:
        UsageError: the period cannot be used or is too much to count while somebody waits, or no unit has that area.
    """
    context, today = visit.window.context, today_of(visit)
    period = asked.period(today)
    async with _one_counts.setdefault(asyncio.get_running_loop(), asyncio.Lock()), context.store.reading() as tx:
        return await lines_of(
            tx,
            period,
            settings=visit.window.settings,
            directory=context.directory,
            grace=context.times.grace,
            today=today,
            area=asked.area,
            most=MOST_PERSONS,
            at_a_time=AT_A_TIME,
        )
