"""The heartbeat of adapters: every system that can be asked is asked every minute whether it is there.

What it answered last, and since when it has answered so, stands in the database; a change is told in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Protocol

import structlog

from gateway.clock import Clock
from gateway.errors import DependencyDownError, Fault, Finding, GatewayError
from gateway.store import Store, adapters

BEAT_EVERY: Final = timedelta(minutes=1)
"""How often each system is asked."""
ANSWER_SECONDS: Final = 20.0
"""How long one may take to answer."""

TOO_SLOW = Fault(
    "adapter.too-slow",
    "Systemet har inte svarat inom {seconds} sekunder.",
    "The system has not answered within {seconds} seconds.",
)

log = structlog.get_logger(__name__)


class Pinged(Protocol):
    """One end of the way to a system."""

    async def ping(self) -> None:
        """Return when the system can be reached. Raises :class:`DependencyDownError`."""
        ...


class Heartbeat:
    """Asks ``systems``, each by the name of its adapter and at all its ends, and keeps what they answer.

    ``patience`` is how many seconds each may take to answer.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        systems: Mapping[str, Sequence[Pinged]],
        *,
        patience: float = ANSWER_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._systems = systems
        self._patience = patience

    async def beat(self) -> int:
        """Ask all once, beside each other, and return 0: there is nothing more to do for now.

        Raises:
            DependencyDownError: the database does not answer.
        """
        answers = await asyncio.gather(*(answer_of(ends, self._patience) for ends in self._systems.values()))
        now = self._clock.now()
        for name, findings in zip(self._systems, answers, strict=True):
            codes = [finding.code for finding in findings]
            async with self._store.writing() as tx:
                turned = await adapters.keep_beat(tx, name, now, codes)
            if turned:
                log.warning("adapter.down" if codes else "adapter.up", adapter=name, codes=codes)
        return 0


async def answer_of(ends: Sequence[Pinged], patience: float = ANSWER_SECONDS) -> tuple[Finding, ...]:
    """Return why a system cannot be reached at all its ends within ``patience`` seconds; nothing where it can."""
    try:
        async with asyncio.timeout(patience):
            for end in ends:
                await end.ping()
    except GatewayError as error:
        return error.findings
    except TimeoutError:
        return DependencyDownError(TOO_SLOW.at(seconds=f"{patience:g}")).findings
    return ()
