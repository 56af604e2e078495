"""Ledger rows as the database holds them, and back: the columns, and the fastest plain way between the two forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction
from sqlalchemy.sql.dml import Update

from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState, Outcome, OutState, Owner
from gateway.store.tables import dispatch, inbound

Values = dict[str, Any]

_OUT_STATES = {state.value: state for state in OutState}
_IN_STATES = {state.value: state for state in InState}
_OWNERS: dict[str | None, Owner | None] = {None: None, **{owner.value: owner for owner in Owner}}
_OUTCOMES: dict[str | None, Outcome | None] = {None: None, **{outcome.value: outcome for outcome in Outcome}}


def _writer(names: Sequence[str]) -> Callable[[Any], Values]:
    """Return a function that takes the attributes ``names`` of an object as a dictionary."""
    read = attrgetter(*names)
    return lambda row: dict(zip(names, read(row), strict=True))


def _change(table: Table, kept: frozenset[str]) -> tuple[Update, Callable[[Any], Values]]:
    """Return the statement that writes a row back, found by its ``row_id``, and what it takes from the row."""
    changed = [column.name for column in table.columns if column.name not in kept]
    values = _writer([*changed, "id"])

    def taken(row: Any) -> Values:
        found = values(row)
        found["row_id"] = found.pop("id")
        return found

    statement = update(table).where(table.c.id == bindparam("row_id"))
    return statement.values({name: bindparam(name) for name in changed}), taken


async def write_changes(tx: Transaction, table: Table, changed: Iterable[tuple[Any, Any]]) -> None:
    """Write ledger rows back, each given as it was read and as it now is.

    Only what has changed is written, and rows that have changed alike, as those of a batch mostly have, are written by
    one statement.
    """
    names = _CHANGEABLE[table.name]
    read = _READERS[table.name]
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    for before, after in changed:
        pairs = zip(names, read(before), read(after), strict=True)
        difference = tuple((name, new) for name, old, new in pairs if new != old)
        if difference:
            alike.setdefault(difference, []).append(after.id)
    one_by_one: dict[tuple[str, ...], list[Values]] = {}
    for difference, ids in alike.items():
        if len(ids) > 1:
            await tx.execute(update(table).where(table.c.id.in_(ids)).values(dict(difference)))
        else:
            key = tuple(name for name, _ in difference)
            one_by_one.setdefault(key, []).append({**dict(difference), "row_id": ids[0]})
    for key, rows in one_by_one.items():
        statement = update(table).where(table.c.id == bindparam("row_id"))
        await tx.execute(statement.values({name: bindparam(name) for name in key}), rows)


OUT_COLUMNS = [column.name for column in dispatch.columns]
IN_COLUMNS = [column.name for column in inbound.columns]

new_dispatch = _writer([name for name in OUT_COLUMNS if name != "id"])
"""Return what an INSERT of an outgoing row takes."""
new_inbound = _writer([name for name in IN_COLUMNS if name != "id"])
"""Return what an INSERT of an incoming row takes."""

_KEPT_OUT = frozenset({"id", "message_id", "type", "case_number", "party", "unit", "duty", "created_at"})
_KEPT_IN = frozenset(
    {"id", "party", "type", "message_id", "unit", "case_number", "sequence", "sender_unit", "content_hash", "xml"}
)
CHANGE_DISPATCH, changed_dispatch = _change(dispatch, _KEPT_OUT)
CHANGE_INBOUND, changed_inbound = _change(inbound, _KEPT_IN)


_CHANGEABLE = {
    dispatch.name: [name for name in OUT_COLUMNS if name not in _KEPT_OUT],
    inbound.name: [name for name in IN_COLUMNS if name not in _KEPT_IN],
}
_READERS = {table: attrgetter(*names) for table, names in _CHANGEABLE.items()}


def as_dispatch(row: Any) -> Dispatch:
    """Return a row that begins with the columns of ``dispatch`` as a ledger row."""
    values = dict(zip(OUT_COLUMNS, row, strict=False))
    values["state"] = _OUT_STATES[values["state"]]
    values["owner"] = _OWNERS[values["owner"]]
    values["outcome"] = _OUTCOMES[values["outcome"]]
    return Dispatch(**values)


def as_inbound(row: Any) -> Inbound:
    """Return a row of the table of incoming messages as a ledger row."""
    values = dict(zip(IN_COLUMNS, row, strict=True))
    values["state"] = _IN_STATES[values["state"]]
    values["owner"] = _OWNERS[values["owner"]]
    return Inbound(**values)
