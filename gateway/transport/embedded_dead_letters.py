"""The dead letters of the embedded exchange: looked at, handed over, and taken away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.envelope import Envelope
from gateway.transport.embedded_tables import ENVELOPE, dead_letter


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedDeadLetter:
    """An envelope that is not delivered any more, why, and since when."""

    id: int
    envelope: Envelope
    reason: str
    at: datetime

    @property
    def body(self) -> bytes:
        """The bytes that came."""
        return self.envelope.body


async def of_party(
    connection: AsyncConnection, party: str, *, after: int = 0, limit: int | None = None
) -> list[EmbeddedDeadLetter]:
    """Return the dead letters of ``party`` behind the one with the id ``after``, the oldest first."""
    query = sa.select(dead_letter).where(dead_letter.c.recipient == party, dead_letter.c.id > after)
    rows = await connection.execute(query.order_by(dead_letter.c.id).limit(limit))
    return [
        EmbeddedDeadLetter(
            id=row["id"],
            envelope=Envelope(**{name: row[name] for name in ENVELOPE}),
            reason=row["reason"],
            at=row["at"],
        )
        for row in rows.mappings()
    ]


async def take_away(connection: AsyncConnection, letters: Iterable[EmbeddedDeadLetter]) -> None:
    """Forget dead letters, which are kept elsewhere from now on."""
    ids = [letter.id for letter in letters]
    if ids:
        await connection.execute(sa.delete(dead_letter).where(dead_letter.c.id.in_(ids)))
