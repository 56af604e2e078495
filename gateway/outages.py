"""What does not answer, told once when it goes and once when it is back, however often it is tried in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.errors import GatewayError

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Outage:
    since: float
    met_at: set[str] = field(default_factory=set)


class Outages:
    """The outages that one party's workers have met; ``clock`` counts seconds.

    Several workers meet the same outage. It is over when every one of them has got through again, so that one who can
    still read while another cannot write does not report its end over and over.
    """

    def __init__(self, party: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._party = party
        self._clock = clock
        self._outages: dict[tuple[str, ...], _Outage] = {}

    def met(self, worker: str, error: GatewayError) -> None:
        """Remember that ``worker`` got no answer; the first to say so of a dependency is heard."""
        self.over(worker, but=error.codes)
        if error.codes not in self._outages:
            self._outages[error.codes] = _Outage(self._clock())
            log.warning("dependency.down", party=self._party, codes=error.codes)
        self._outages[error.codes].met_at.add(worker)

    def over(self, worker: str, but: tuple[str, ...] | None = None) -> None:
        """Remember that ``worker`` has got through; the last to say so is heard. ``but`` is what it still meets."""
        for codes, outage in list(self._outages.items()):
            if codes == but:
                continue
            outage.met_at.discard(worker)
            if not outage.met_at:
                del self._outages[codes]
                seconds = round(self._clock() - outage.since, 3)
                log.info("dependency.back", party=self._party, codes=codes, seconds=seconds)

    def is_met(self, worker: str) -> bool:
        """Tell whether ``worker`` has not got through since it last met an outage."""
        return any(worker in outage.met_at for outage in self._outages.values())
