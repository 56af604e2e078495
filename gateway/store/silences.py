"""Partners that are silent: what has been told about each."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.silence import Cause, Silence
from gateway.store.engine import insert_ignore
from gateway.store.observation_tables import silence


async def load(tx: Transaction) -> dict[str, Silence]:
    """Return what is remembered, by party."""
    found = (await tx.execute(select(silence))).all()
    return {row.party: Silence(row.party, row.since, Cause(row.cause), row.told_at) for row in found}


async def change(tx: Transaction, party: str, before: Silence | None, after: Silence | None) -> bool:
    """Remember ``after`` in the place of ``before``; tell ``False``, and change nothing, when another was quicker."""
    if before is None:
        assert after is not None
        return await insert_ignore(tx, silence, _values(after))
    mine = silence.c.party == party, silence.c.told_at == before.told_at
    statement = delete(silence).where(*mine) if after is None else update(silence).where(*mine).values(_values(after))
    return (await tx.execute(statement)).rowcount == 1


def _values(one: Silence) -> dict[str, object]:
    return {"party": one.party, "since": one.since, "cause": one.cause.value, "told_at": one.told_at}
