"""Shapes: a body of a message written down as a table of where each field stands in a system's event.

A vocabulary is then data: ``Shape(SubGoal, id=required("id", plan_item), text=required("beskrivning", prose), …)``. A
shape is checked against its class when it is made, so that a misspelt or forgotten field cannot wait for an event.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from gateway.adapters.kinds import Kind
from gateway.adapters.reading import Reader

T = TypeVar("T")
Field = Callable[[Reader], T]
"""Reads one field of a body from the object a reader stands at."""


class Shape(Generic[T]):
    """How objects of a frozen dataclass are read: a field for each attribute that must be, or may be, given.

    :meth:`here` reads it from the object itself; used as a kind, a shape reads it from a member.
    """

    def __init__(self, cls: type[T], **fields: Field[Any]) -> None:
        declared = {field.name: field for field in dataclasses.fields(cast(Any, cls))}
        missing = {name for name, field in declared.items() if field.default is dataclasses.MISSING} - fields.keys()
        if missing or fields.keys() - declared.keys():
            raise TypeError(
                f"{cls.__name__}: missing {sorted(missing)}, unknown {sorted(fields.keys() - declared.keys())}"
            )
        self._cls = cls
        self._fields = fields

    def here(self, reader: Reader) -> T:
        """Read the object that ``reader`` stands at."""
        values = {name: read(reader) for name, read in self._fields.items()}
        return self._cls(**values)

    def __call__(self, reader: Reader, name: str) -> T:
        """Read the object in member ``name``."""
        return self.here(reader.inside(name))


def required(name: str, kind: Kind[T]) -> Field[T]:
    """Return the field that stands in member ``name``."""
    return lambda reader: kind(reader, name)


def optional(name: str, kind: Kind[T], default: T | None = None) -> Field[T | None]:
    """Return the field that may stand in member ``name``, and is ``default`` otherwise."""
    return lambda reader: kind(reader, name) if reader.has(name) else default


def every(name: str, kind: Kind[T], *, least: int = 0) -> Field[tuple[T, ...]]:
    """Return the field that is the list in member ``name``, of ``least`` items or more; none may be left out."""

    def read(reader: Reader) -> tuple[T, ...]:
        if not least and not reader.has(name):
            return ()
        array, indices = reader.array(name, least=least)
        return tuple(kind(array, index) for index in indices)

    return read


def inside(name: str, field: Field[T]) -> Field[T]:
    """Return ``field`` read from the object in member ``name``."""
    return lambda reader: field(reader.inside(name))


def of_event(field: Field[T]) -> Field[T]:
    """Return ``field`` read from the event itself, however deep in it the reader stands."""
    return lambda reader: field(reader.root)


def always(value: T) -> Field[T]:
    """Return the field that is ``value`` whatever the event says."""
    return lambda _: value
