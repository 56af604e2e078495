"""The days of grace before a municipality pays for a patient who is ready for discharge (betalningsansvar).

Lag 2017:612 om samverkan vid utskrivning, 5 kap. 4 §: the responsibility begins three days after the notice of ready
for discharge (utskrivningsklar) was sent, four when it was sent after 12:00. Days and times of day are Swedish. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from gateway.clock import STOCKHOLM, in_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """When payment responsibility begins: ``days`` after the day of the notice, one more when sent after ``cutoff``.

    The law's numbers hold where the parties have agreed on no others. A notice at the very moment of ``cutoff``, a
    Swedish time of day, was not sent after it; one a second later was.
    """

    days: int = 3
    cutoff: time = time(12)

    def begins(self, sent_at: datetime) -> date:
        """Return the first day of responsibility after a notice that was sent at ``sent_at``."""
        local = in_zone(sent_at).astimezone(STOCKHOLM)
        return local.date() + timedelta(days=self.days + (local.time() > self.cutoff))

    def begins_at(self, sent_at: datetime) -> datetime:
        """Return the Swedish midnight, in UTC, with which the first day of responsibility begins."""
        return datetime.combine(self.begins(sent_at), time.min, STOCKHOLM).astimezone(UTC)
