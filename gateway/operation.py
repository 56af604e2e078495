"""What an operation is: one action over many, carried out one by one in the background, and how it may be turned. Pure.

An operation is *waiting* until its turn comes, then *running*, and *done* when each of its items has a result. Whoever
may begin one may pause it, let it continue, and stop it: what has been done then stays done, and the rest is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from gateway.access import Right


class OperationAction(StrEnum):
    """What is done to each item."""

    RESEND = "resend"
    DISCARD = "discard"
    RESTORE = "restore"

    @property
    def right(self) -> Right:
        """Return the right that it asks for."""
        return Right.RESEND if self is OperationAction.RESEND else Right.DISCARD


class OperationState(StrEnum):
    """How far an operation is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in it."""
        return self in (OperationState.DONE, OperationState.STOPPED)


class ItemOutcome(StrEnum):
    """What became of an item of an operation."""

    DONE = "done"
    WOULD_BE_DONE = "would-be-done"
    """In an operation that is a dry run."""
    REFUSED = "refused"
    """It may not be done; a code says why."""
    FAILED = "failed"
    """Something went wrong that nobody foresaw."""


class Turn(StrEnum):
    """What somebody may do to an operation."""

    PAUSE = "pause"
    CONTINUE = "continue"
    STOP = "stop"


TURNS: Final[Mapping[Turn, tuple[frozenset[OperationState], OperationState]]] = {
    Turn.PAUSE: (frozenset({OperationState.WAITING, OperationState.RUNNING}), OperationState.PAUSED),
    Turn.CONTINUE: (frozenset({OperationState.PAUSED}), OperationState.RUNNING),
    Turn.STOP: (
        frozenset({OperationState.WAITING, OperationState.RUNNING, OperationState.PAUSED}),
        OperationState.STOPPED,
    ),
}
"""In which states each may be done, and the state afterwards."""


def turns_in(state: OperationState) -> tuple[Turn, ...]:
    """Return what may be done to an operation in a state."""
    return tuple(turn for turn, (before, _) in TURNS.items() if state in before)
