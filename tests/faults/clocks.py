"""A clock that runs faster than the machine's, so that waits of minutes pass in seconds, and that can be set wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGINS = datetime(2026, 11, 4, 6, 0, tzinfo=UTC)
"""When the story is told: after the consent of the scenario it is made from, and before its meeting."""


@dataclass(frozen=True, slots=True)
class FastClock:
    """Runs ``speed`` times as fast as the machine's clock since ``started``, alike in every process of a run.

    ``wrong_by`` is a file with the seconds it is set wrong by; it is read each time, so that whoever writes it moves
    the clock under a running process.
    """

    started: float
    speed: float
    wrong_by: Path

    def now(self) -> datetime:
        """Return the time it shows, in UTC."""
        return BEGINS + timedelta(seconds=(time.time() - self.started) * self.speed + self._wrong_by())

    def _wrong_by(self) -> float:
        try:
            return float(self.wrong_by.read_text(encoding="ascii") or 0)
        except FileNotFoundError:
            return 0.0


def set_wrong(file: Path, by: timedelta) -> None:
    """Set the clock that reads ``file`` wrong by so much, at once and never by half a number."""
    new = file.with_name(f"{file.name}.new")
    new.write_text(str(by.total_seconds()), encoding="ascii")
    new.replace(file)
