"""The ledger as it is looked for: which messages, which way, and in what words somebody may ask for them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from gateway.lifecycle import InState, OutState
from gateway.store import Transaction, browse
from gateway.store.browse import Page, Sought
from gateway.web import cursor
from gateway.web.forms import Paged
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.visit import Visit


class Direction(StrEnum):
    """Which way a message goes, seen from this party."""

    SENT = "sent"
    RECEIVED = "received"

    @property
    def in_history(self) -> str:
        """What it is called in the history of a message."""
        return "out" if self is Direction.SENT else "in"


class LedgerAsked(Paged):
    """Which messages are looked for; what is not given is anything."""

    direction: Annotated[Direction, Field(description="What this party sent, or what came to it.")] = Direction.SENT
    state: Annotated[OutState | InState | None, Field(description="Where it stands.")] = None
    type: Annotated[str | None, Field(max_length=64, description="The type of the message, such as `plan`.")] = None
    party: Annotated[str | None, Field(max_length=31, description="The other party.")] = None
    unit: Annotated[str | None, Field(max_length=31, description="HSA-id of a unit that sent or receives it.")] = None
    q: Annotated[str | None, Field(max_length=36, description="A message id or a case number, in full.")] = None

    def sought(self, units: frozenset[str] | None, since: datetime | None, until: datetime | None) -> Sought:
        """Return what to look for among what is of ``units``. Raises :class:`~gateway.errors.UsageError`."""
        named = self.q.strip() if self.q is not None else None
        number = id_in(named) if named is not None else None
        return Sought(
            state=self.state.value if self.state is not None else None,
            type=self.type,
            party=self.party,
            unit=self.unit,
            message_id=number,
            case_number=named.upper() if named is not None and number is None else None,
            since=since,
            until=until,
            units=units,
            before=cursor.place_of(self.cursor),
        )


async def page_of(tx: Transaction, direction: Direction, sought: Sought, limit: int) -> Page:
    """Return a page of what went one way."""
    look = browse.sent if direction is Direction.SENT else browse.received
    return await look(tx, sought, limit)


def message_id_of(visit: Visit) -> str:
    """Return the message id in the address, as it is written in the log. Raises :class:`NotFoundError`."""
    number = id_in(visit.named("id"))
    if number is None:
        raise NotFoundError(NOT_FOUND.at())
    return number


def id_in(text: str) -> str | None:
    """Return a message id (a UUID, RFC 9562) as it is written in the log; ``None`` where the text is none."""
    try:
        number = str(UUID(text))
    except ValueError:
        return None
    return number if number == text.lower() else None
