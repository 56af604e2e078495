"""Shapes: a body of a message written down as a table of where each field stands in a system's event.

A vocabulary is then data: ``Shape(SubGoal, id=required("id", plan_item), text=required("beskrivning", prose), …)``. A
shape is checked against its class when it is made, so that a misspelt or forgotten field cannot wait for an event.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from gateway.adapters.kinds import Kind, glance_of
from gateway.adapters.reading import Reader
from gateway.messages.description import builds

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
        left_out = {name: always(field.default) for name, field in declared.items() if name not in fields}
        self._fields = tuple((fields | left_out).items())
        self._build = builds(cls)

    def here(self, reader: Reader) -> T:
        """Read the object that ``reader`` stands at."""
        made: T = self._build({name: read(reader) for name, read in self._fields})
        return made

    def __call__(self, reader: Reader, name: str) -> T:
        """Read the object in member ``name``."""
        return self.here(reader.inside(name))


def required(name: str, kind: Kind[T]) -> Field[T]:
    """Return the field that stands in member ``name``."""
    glance = glance_of(kind)
    if glance is None:
        return lambda reader: kind(reader, name)

    def read(reader: Reader) -> T:
        value = glance(reader.members.get(name), reader)
        if value is None:
            return kind(reader, name)
        reader.read.add(name)
        return value

    return read


def optional(name: str, kind: Kind[T], default: T | None = None) -> Field[T | None]:
    """Return the field that may stand in member ``name``, and is ``default`` otherwise."""
    glance = glance_of(kind)

    def read(reader: Reader) -> T | None:
        if not reader.has(name):
            return default
        value = glance(reader.members[name], reader) if glance is not None else None
        return kind(reader, name) if value is None else value

    return read


def every(name: str, kind: Kind[T], *, least: int = 0) -> Field[tuple[T, ...]]:
    """Return the field that is the list in member ``name``, of ``least`` items or more; none may be left out."""
    glance = glance_of(kind)

    def read(reader: Reader) -> tuple[T, ...]:
        if not least and not reader.has(name):
            return ()
        items = reader.members.get(name)
        if glance is not None and type(items) is list and len(items) >= least:
            values = [value for item in items if (value := glance(item, reader)) is not None]
            if len(values) == len(items):
                reader.read.add(name)
                return tuple(values)
        array, indices = reader.array(name, least=least)
        return tuple([kind(array, index) for index in indices])

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
