"""The hours of a gateway: how much was sent, came and was acknowledged in each, and how long answers took. Pure.

An hour is one of the Swedish clock. Sweden is whole hours from UTC, so that each is an hour of UTC too, which has one
name only: the day that ends summer time has two hours called 02, and the day that begins it has none.

How long answers took is counted in steps of a logarithmic scale, four for each doubling. A percentile told from them is
at most a tenth from what it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from gateway.clock import STOCKHOLM
from gateway.lifecycle import Level

ONE: Final = timedelta(hours=1)
DAY: Final = 24
"""How many hours are shown, the one that is going on included."""
_PER_DOUBLING: Final = 4
LAST_STEP: Final = 88
"""The step of whatever took longer than some 48 days."""

Steps = Mapping[int, int]
"""How many answers took as long as each step says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What happened in the hour that began ``at`` (UTC).

    ``sent`` messages left for the first time, each recipient by itself, and ``received`` came, each own unit by itself;
    acknowledgements and letters are left out. ``acknowledged`` are those sent that their recipients took charge of,
    and ``taken`` those received that somebody here did. ``waits`` tell of each level how long it took from when a
    message left to when its recipient's answer came, for the answers that came in this hour.
    """

    at: datetime
    sent: int = 0
    received: int = 0
    acknowledged: int = 0
    taken: int = 0
    waits: Mapping[Level, Steps] = field(default_factory=dict)

    def wait(self, level: Level, share: float) -> timedelta | None:
        """Return how long at most the quickest ``share`` (0-1) of the answers at a level took; ``None`` without any."""
        return percentile(self.waits.get(level, {}), share)


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of ``moment`` began, in UTC."""
    return moment.replace(minute=0, second=0, microsecond=0)


def last_hours(now: datetime, number: int = DAY) -> list[datetime]:
    """Return when each of the last ``number`` hours began, the one that is going on last; ``now`` is in UTC."""
    return [hour_of(now) - back * ONE for back in reversed(range(number))]


def hours_of(day: date) -> list[datetime]:
    """Return when each hour of a Swedish day began, in UTC: 24 of them, 23 when summer time begins, 25 when it ends."""
    midnight, next_midnight = (
        datetime.combine(day + timedelta(days=days), time(), STOCKHOLM).timestamp() for days in (0, 1)
    )
    start = datetime.fromtimestamp(midnight, tz=UTC)
    return [start + number * ONE for number in range(round((next_midnight - midnight) / 3600))]


def step_of(waited: timedelta) -> int:
    """Return the step that counts an answer which took so long: 0 below a second, then four for each doubling."""
    seconds = waited.total_seconds()
    return 0 if seconds < 1 else min(1 + int(math.log2(seconds) * _PER_DOUBLING), LAST_STEP)


def percentile(steps: Steps, share: float) -> timedelta | None:
    """Return how long at most the quickest ``share`` (0-1) took, by nearest rank, even within a step; or ``None``."""
    rank = max(1, math.ceil(share * sum(steps.values())))
    before = 0
    for step in sorted(steps):
        if before + steps[step] >= rank:
            within = (rank - before - 0.5) / steps[step]
            seconds = within if step == 0 else 2 ** ((step - 1 + within) / _PER_DOUBLING)
            return timedelta(seconds=seconds)
        before += steps[step]
    return None


def all_waits(hours: Iterable[Hour], level: Level) -> Steps:
    """Return how long answers at a level took in all of ``hours`` together."""
    found: Counter[int] = Counter()
    for hour in hours:
        found.update(hour.waits.get(level, {}))
    return found


def name_of(at: datetime) -> str:
    """Return what an hour is called on the Swedish clock: ``14``; of two with one name, ``02a`` and ``02b``."""
    local = at.astimezone(STOCKHOLM)
    others = [(at + beside).astimezone(STOCKHOLM) for beside in (-ONE, ONE)]
    twin = "b" if others[0].hour == local.hour else "a" if others[1].hour == local.hour else ""
    return f"{local:%H}{twin}"


def in_full(at: datetime) -> str:
    """Return an hour with its day, ``2026-11-22 14``; of two with one name, ``2026-10-25 02a`` and ``02b``."""
    return f"{at.astimezone(STOCKHOLM):%Y-%m-%d} {name_of(at)}"


def busiest(hours: Sequence[Hour], name: str) -> Hour | None:
    """Return the hour, the first of several, in which most of ``name`` happened; ``None`` where nothing did."""
    most = max(hours, key=lambda hour: getattr(hour, name), default=None)
    return most if most is not None and getattr(most, name) else None
