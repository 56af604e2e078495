"""Which message an acknowledgement that was not expected most probably is about. A suggestion; it settles nothing.

What a partner wrote wrongly cannot be known from what it wrote. So a message is suggested only when it is the only one
that fits as well, and a person decides. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.ledger import Dispatch
from gateway.lifecycle import OUT, Level, OutEvent, OutState

CLOSE: Final = timedelta(days=1)
"""How long before the acknowledgement a message of another case may have left, to be the one it is about."""
SKEW: Final = timedelta(minutes=5)
"""How far the clock of a partner may be behind."""


class MatchReason(StrEnum):
    """Why a message is suggested, the surest first."""

    NAMED = "named"
    """It is the message that the acknowledgement names, sent to that unit."""
    OTHER_RECIPIENT = "other-recipient"
    """It is the message that the acknowledgement names, but was sent to another unit of the party."""
    SAME_CASE = "same-case"
    """The same type, to the same unit and in the same case; it awaits that level."""
    CLOSE_IN_TIME = "close-in-time"
    """The same type, to the same unit, shortly before; it awaits that level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """What an unexpected acknowledgement says: from whom, about what, and when."""

    party: str
    message_id: str
    type: str
    unit: str
    case_number: str
    level: Level
    at: datetime


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The ledger row that an acknowledgement most probably is about, and why."""

    dispatch: Dispatch
    reason: MatchReason


def suggest(stray: Stray, candidates: Collection[Dispatch]) -> Suggestion | None:
    """Return the row that ``stray`` most probably is about, ``None`` when none fits, or several as well."""
    theirs = [row for row in candidates if row.party == stray.party]
    named = [row for row in theirs if row.message_id == stray.message_id]
    if (there := _only(row for row in named if row.unit == stray.unit)) is not None:
        return Suggestion(there, MatchReason.NAMED)
    elsewhere = _only(named) or _only(row for row in named if row.state in AWAITING[stray.level])
    if elsewhere is not None:
        return Suggestion(elsewhere, MatchReason.OTHER_RECIPIENT)
    alike = [
        row
        for row in theirs
        if (row.type, row.unit) == (stray.type, stray.unit)
        and row.state in AWAITING[stray.level]
        and _left(row) <= stray.at + SKEW
    ]
    if (in_case := _only(row for row in alike if row.case_number == stray.case_number)) is not None:
        return Suggestion(in_case, MatchReason.SAME_CASE)
    close = _only(row for row in alike if stray.at - _left(row) <= CLOSE)
    return Suggestion(close, MatchReason.CLOSE_IN_TIME) if close is not None else None


def _awaiting(level: Level) -> frozenset[OutState]:
    told = OutEvent(level.value)
    return frozenset(state for state, events in OUT.items() if events.get(told, state) is not state)


AWAITING: Final = {level: _awaiting(level) for level in Level}
"""The states of messages that an acknowledgement of a level would move."""


def _left(row: Dispatch) -> datetime:
    """Return when a row left, or was to leave; what never was is as old as it is."""
    return row.sent_at or row.queued_at or row.created_at


def _only(rows: Iterable[Dispatch]) -> Dispatch | None:
    """Return the row, when it is the only one."""
    found = list(rows)
    return found[0] if len(found) == 1 else None
