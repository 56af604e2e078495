"""What the page of awaited answers shows, for the API alike: how far each message got, and who owes the next answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gateway.awaited import of_answer
from gateway.context import Context
from gateway.duties import AWAITING, Duty, Urgency
from gateway.ledger import Dispatch
from gateway.store import Transaction, clocks
from gateway.store.clocks import Sought
from gateway.web.cursor import number_of, places_of, time_of, written_of
from gateway.web.forms import Asked
from gateway.web.levels import LevelShown, levels_of


class Awaits(StrEnum):
    """What a message that was sent waits for: the next level, or something else first."""

    SENT = "sent"
    RECEIVED = "received"
    REGISTERED = "registered"
    ACKNOWLEDGED = "acknowledged"
    CONSENT = "consent"
    LETTER = "letter"
    DECISION = "decision"


class AnswersAsked(Asked):
    """Which awaited answers are looked for; what is not given is anything."""

    level: Annotated[Awaits | None, Field(description="The level that is awaited, or what must come before it.")] = None
    party: Annotated[str | None, Field(max_length=31, description="The other party.")] = None
    unit: Annotated[str | None, Field(max_length=31, description="HSA-id of a unit that sent it or was sent it.")] = (
        None
    )
    type: Annotated[str | None, Field(max_length=64, description="The type of the message, such as `plan`.")] = None
    overdue: Annotated[bool, Field(description="Only what should have come already.")] = False
    cursor: Annotated[
        str | None, Field(max_length=100, description="Where the page begins: `next` of the page before.")
    ] = None

    def sought(self, units: frozenset[str] | None, now: datetime) -> Sought:
        """Return what to look for among the messages of ``units``. Raises :class:`~gateway.errors.UsageError`."""
        after: tuple[datetime, int] | None = None
        if self.cursor is not None:
            due, number = places_of(self.cursor, 2)
            after = time_of(due), number
        return Sought(
            states=AWAITING[self.level.value] if self.level is not None else None,
            party=self.party,
            type=self.type,
            unit=self.unit,
            units=units,
            before=now if self.overdue else None,
            after=after,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerShown:
    """A message to one recipient: how far it got, and what is awaited.

    ``duty`` says of whom and by when, ``urgency`` how that stands, and ``told`` which unit is told of it now.
    """

    row: Dispatch
    duty: Duty
    levels: Sequence[LevelShown]
    urgency: Urgency
    told: str


@dataclass(frozen=True, slots=True)
class AnswersPage:
    """Messages, the first deadline first, and the cursor of the next page; ``None`` where there is no more."""

    rows: Sequence[AnswerShown]
    next: str | None


async def answers_of(tx: Transaction, context: Context, sought: Sought, now: datetime, limit: int) -> AnswersPage:
    """Return a page of the messages that wait for an answer."""
    found = await clocks.awaited_answers(tx, sought, limit)
    rows = []
    for row in found.rows:
        duty = of_answer(row, context.party, context.times)
        rows.append(
            AnswerShown(
                row=row,
                duty=duty,
                levels=levels_of(row, now),
                urgency=duty.urgency(now),
                told=duty.told(context.directory, now),
            )
        )
    return AnswersPage(rows, written_of(number_of(found.next[0]), found.next[1]) if found.next is not None else None)
