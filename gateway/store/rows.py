"""Ledger rows as the database holds them, and back: the columns, and the fastest plain way between the two forms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Table, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState, Outcome, OutState, Owner
from gateway.messages import Duty
from gateway.store.bulk import Bulk, change, insertion
from gateway.store.tables import dispatch, inbound

_OUT_STATES = {state.value: state for state in OutState}
_DUTIES = {duty.value: duty for duty in Duty}
_IN_STATES = {state.value: state for state in InState}
_OWNERS: dict[str | None, Owner | None] = {None: None, **{owner.value: owner for owner in Owner}}
_OUTCOMES: dict[str | None, Outcome | None] = {None: None, **{outcome.value: outcome for outcome in Outcome}}


async def write_changes(tx: Transaction, table: Table, changed: Iterable[tuple[Any, Any]]) -> None:
    """Write ledger rows back, each given as it was read and as it now is.

    Only what has changed is written, and rows that have changed alike, as those of a batch mostly have, are written by
    one statement.
    """
    names = _CHANGEABLE[table.name]
    read = _READERS[table.name]
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    one_by_one: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for before, after in changed:
        pairs = zip(names, read(before), read(after), strict=True)
        difference = tuple((name, new) for name, old, new in pairs if new != old)
        if any(isinstance(new, list) for _, new in difference):  # reasons are the row's own
            _alone(one_by_one, difference, after.id)
        elif difference:
            alike.setdefault(difference, []).append(after.id)
    for difference, ids in alike.items():
        if len(ids) > 1:
            await tx.execute(update(table).where(table.c.id.in_(ids)).values(dict(difference)))
        else:
            _alone(one_by_one, difference, ids[0])
    for key, rows in one_by_one.items():
        await _change(table.name, key).execute(tx, rows)


def _alone(
    one_by_one: dict[tuple[str, ...], list[tuple[Any, ...]]], difference: Sequence[tuple[str, Any]], row_id: int
) -> None:
    """Let a row be written by itself, beside others that have other values in the same columns."""
    key, values = zip(*difference, strict=True)
    one_by_one.setdefault(key, []).append((*values, row_id))


@lru_cache(maxsize=256)  # few of the sets of columns that could change together ever do
def _change(table: str, names: tuple[str, ...]) -> Bulk:
    return change(_TABLES[table], names)


OUT = [dispatch.c[name] for name in Dispatch._fields]
"""The columns of an outgoing row, to select and read with :func:`as_dispatch`."""
IN = [inbound.c[name] for name in Inbound._fields]
"""The columns of an incoming row, to select and read with :func:`as_inbound`."""

_OUT_STATE, _OUT_OWNER, _OUT_OUTCOME, _OUT_DUTY = (
    Dispatch._fields.index(name) for name in ("state", "owner", "outcome", "duty")
)
_IN_STATE, _IN_OWNER, _IN_DUTY = (Inbound._fields.index(name) for name in ("state", "owner", "duty"))

NEW_DISPATCH = insertion(dispatch, [name for name in Dispatch._fields if name != "id"])
"""What stores outgoing rows; their last value, the id, is the database's to give."""
NEW_INBOUND = insertion(inbound, [name for name in Inbound._fields if name != "id"])
"""What stores incoming rows, likewise."""

_KEPT_OUT = frozenset({"id", "message_id", "type", "case_number", "party", "unit", "own_unit", "duty", "created_at"})
_KEPT_IN = frozenset(
    {
        "id",
        "party",
        "type",
        "message_id",
        "unit",
        "case_number",
        "sequence",
        "sender_unit",
        "content_hash",
        "xml",
        "duty",
    }
)
_TABLES = {table.name: table for table in (dispatch, inbound)}
_CHANGEABLE = {
    dispatch.name: [name for name in Dispatch._fields if name not in _KEPT_OUT],
    inbound.name: [name for name in Inbound._fields if name not in _KEPT_IN],
}
_READERS = {table: attrgetter(*names) for table, names in _CHANGEABLE.items()}


def as_dispatch(row: Any) -> Dispatch:
    """Return a row that begins with the columns of :data:`OUT` as a ledger row."""
    values = list(row[: len(OUT)])
    values[_OUT_STATE] = _OUT_STATES[values[_OUT_STATE]]
    values[_OUT_OWNER] = _OWNERS[values[_OUT_OWNER]]
    values[_OUT_OUTCOME] = _OUTCOMES[values[_OUT_OUTCOME]]
    values[_OUT_DUTY] = _DUTIES[values[_OUT_DUTY]]
    return Dispatch._make(values)


def as_inbound(row: Any) -> Inbound:
    """Return a row with the columns of :data:`IN` as a ledger row."""
    values = list(row)
    values[_IN_STATE] = _IN_STATES[values[_IN_STATE]]
    values[_IN_OWNER] = _OWNERS[values[_IN_OWNER]]
    values[_IN_DUTY] = _DUTIES[values[_IN_DUTY]]
    return Inbound._make(values)
