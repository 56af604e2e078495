"""What every hop of one gateway shares: who it is, its memory, its clock, and whom it tells."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from gateway.circuit import Pace
from gateway.clock import Clock
from gateway.directory import Directory
from gateway.errors import WrittenMeanwhileError
from gateway.progress import Hop, Observer, Passage
from gateway.store import Store
from gateway.times import USUAL, Times

P = ParamSpec("P")
R = TypeVar("R")

AGAIN = 3
"""How often work begins again because someone else wrote the same at the same time."""


def begins_again(work: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Let ``work``, which does everything in one transaction, begin again when another was quicker to write the same.

    The next try sees what the other wrote. What fails every time is a mistake of ours, and whoever called hears of it.
    """

    @wraps(work)
    async def patient(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(AGAIN):
            try:
                return await work(*args, **kwargs)
            except WrittenMeanwhileError:
                continue
        return await work(*args, **kwargs)

    return patient


def trace_of(error: BaseException) -> dict[str, Any]:
    """Return, for the log, the kind of an error that nobody foresaw and where it came from.

    What the error says is left out: it may repeat content of a message.
    """
    return {"error": type(error).__name__, "trace": "".join(traceback.format_tb(error.__traceback__))}


class Bell:
    """Wakes a worker of this process as soon as there is something to do.

    Other processes ring no bell here, so a worker waits for it only so long and then looks by itself.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Say that there is something to do."""
        self._rung.set()

    async def wait(self, at_most: timedelta) -> None:
        """Return when the bell rings, or after ``at_most``."""
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await self._rung.wait()
        except TimeoutError:
            return
        finally:
            self._rung.clear()


@dataclass(frozen=True, slots=True)
class Context:
    """One gateway's surroundings. ``chance`` draws evenly from 0 to 1 and spreads retries."""

    party: str
    directory: Directory
    store: Store
    clock: Clock
    observe: Observer
    chance: Callable[[], float]
    pace: Pace = field(default_factory=Pace)
    times: Times = USUAL
    """By when what is owed must be done."""
    outgoing: Bell = field(default_factory=Bell)
    """Rung when something waits for the relay."""
    incoming: Bell = field(default_factory=Bell)
    """Rung when something waits for the case system."""
    operating: Bell = field(default_factory=Bell)
    """Rung when an operation over many is to go on."""
    registered: Bell = field(default_factory=Bell)
    """Rung when the case system has committed a message."""

    def passed(
        self,
        hop: Hop,
        *,
        message_id: str | None = None,
        type: str | None = None,  # noqa: A002 -- the word the envelope uses
        unit: str | None = None,
        case_number: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Tell the observer that a message has passed ``hop``."""
        self.observe(Passage(hop, self.party, message_id, type, unit, case_number, detail))
