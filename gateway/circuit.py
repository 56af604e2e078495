"""Circuits: whether, and how fast, something that has failed may be tried again. Pure; what is kept is the store's.

After some technical failures in a row a circuit opens: nothing goes that way but one probe a minute, until one gets
through. What has piled up meanwhile then drains at a pace, so that whoever comes back is not flooded at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

TO_SYSTEM = "adapter:"
"""What the name of a circuit begins with that leads to one of several case systems, and not to a partner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When a circuit opens, how often it is probed, and how much a second drains through it afterwards."""

    failures: int = 5
    probe_every: timedelta = timedelta(seconds=60)
    drain_per_second: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The way to one party, or to the own case system, after something went wrong there. A healthy one is not kept.

    ``opened_at`` and ``probe_at`` are set while it is open, ``drains_since`` while the backlog drains: the time up to
    which the pace has been used.
    """

    party: str
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    drains_since: datetime | None = None

    @property
    def is_healthy(self) -> bool:
        """Tell whether there is nothing to remember."""
        return not self.failures and self.opened_at is None and self.drains_since is None

    def room(self, now: datetime, pace: Pace) -> int | None:
        """Return how many may be tried now: ``None`` for as many as there are, one when it is time for a probe."""
        if self.probe_at is not None:
            # A probe further away than one waits at most: the clock has been set back since.
            return 1 if now >= self.probe_at or self.probe_at - now > pace.probe_every else 0
        if self.drains_since is not None:
            passed = abs((now - self.drains_since).total_seconds())  # the clock may have been set back since
            return int(min(1.0, passed) * pace.drain_per_second)
        return None

    def failed(self, now: datetime, pace: Pace) -> Circuit:
        """Return the circuit after a technical failure."""
        failures = self.failures + 1
        if failures < pace.failures:
            return replace(self, failures=failures)
        opened_at = self.opened_at or now
        return replace(self, failures=failures, opened_at=opened_at, probe_at=now + pace.probe_every, drains_since=None)

    def succeeded(self, now: datetime) -> Circuit:
        """Return the circuit after something got through; what waited behind an open one begins to drain."""
        if self.opened_at is not None:
            return Circuit(party=self.party, drains_since=now)
        return replace(self, failures=0)

    def probed(self, now: datetime, pace: Pace) -> Circuit:
        """Return the circuit after a probe has left: the next is due in a while, whatever becomes of this one."""
        return replace(self, probe_at=now + pace.probe_every)

    def drained(self, room: int, taken: int, now: datetime) -> Circuit:
        """Return the circuit after ``taken`` of ``room`` have gone: fewer means that nothing is left behind it."""
        return replace(self, drains_since=None if taken < room else now)
