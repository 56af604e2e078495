"""Statements that write many rows alike: most of what the store writes, and the fastest plain way to do it.

For every row SQLAlchemy makes a dictionary, copies it, and looks each value up by name, which takes longer than the
database takes to write the row. Here a statement is compiled once for each kind of database; after that rows are
tuples, and only the values of types that the driver does not know are converted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Table, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import UpdateBase

Row = Sequence[Any]


def several(name: str) -> BindParameter[Any]:
    """Return the place in a query for a collection of values, ``column.in_(several("numbers"))``.

    A query that is put together once and kept costs half as much as one put together for each call.
    """
    return bindparam(name, expanding=True)


class Bulk:
    """A statement for many rows, each of which gives the values of ``names`` in their order.

    ``written`` are names whose values are given as the driver takes them, and are not converted.
    """

    def __init__(
        self, statement: Callable[[Dialect], UpdateBase], names: Sequence[str], *, written: Collection[str] = ()
    ) -> None:
        self._statement = statement
        self._names = list(names)
        self._written = written
        self._compiled: dict[str, tuple[str, Callable[[Row], Row]]] = {}

    async def execute(self, connection: AsyncConnection, rows: Sequence[Row]) -> int:
        """Execute the statement once for each row; return how many rows it changed, -1 when the driver cannot tell."""
        if not rows:
            return 0
        dialect = connection.dialect
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = self._compile(dialect)
        sql, converted = known
        return (await connection.exec_driver_sql(sql, [tuple(converted(row)) for row in rows])).rowcount

    def _compile(self, dialect: Dialect) -> tuple[str, Callable[[Row], Row]]:
        compiled: Any = self._statement(dialect).compile(dialect=dialect, column_keys=self._names, for_executemany=True)
        order = [self._names.index(name) for name in compiled.positiontup]
        conversions = []
        for place, name in enumerate(compiled.positiontup):
            convert = compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None and name not in self._written:
                conversions.append((place, convert))

        def converted(row: Row) -> Row:
            values = [row[index] for index in order]
            for place, convert in conversions:
                values[place] = convert(values[place])
            return values

        return compiled.string, converted


def insertion(table: Table, names: Sequence[str], *, written: Collection[str] = ()) -> Bulk:
    """Return what inserts rows into a table; a row that breaks a constraint breaks the transaction."""
    return Bulk(lambda _: table.insert().inline(), names, written=written)


def insertion_once(table: Table, names: Sequence[str]) -> Bulk:
    """Return what inserts rows into a table, each unless a constraint already holds one like it."""
    return Bulk(lambda dialect: insert_ignoring(table, dialect), names)


def change(table: Table, names: Sequence[str]) -> Bulk:
    """Return what writes the columns ``names`` of rows, each found by its ``row_id``, which a row gives last."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    statement = update(table).where(table.c.id == bindparam("row_id", type_=table.c.id.type)).values(values)
    return Bulk(lambda _: statement, [*names, "row_id"])


def insert_ignoring(table: Table, dialect: Dialect) -> Any:
    """Return an INSERT that passes over a row when a constraint already holds one like it."""
    product = postgresql if dialect.name == "postgresql" else sqlite
    return product.insert(table).on_conflict_do_nothing()
