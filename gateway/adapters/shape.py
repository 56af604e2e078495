"""Shapes: a body of a message written down as a table of where each field stands in a system's event.

A vocabulary is then data: ``Shape(SubGoal, id=required("id", plan_item), text=required("beskrivning", prose), …)``. A
shape is checked against its class when it is made, so that a misspelt or forgotten field cannot wait for an event.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

from gateway.adapters.kinds import Kind, glance_of
from gateway.adapters.outline import Outline, all_of, outline_of, outlined
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
        self._fields = [(name, field if isinstance(field, Member) else None, field) for name, field in fields.items()]
        self._names = frozenset(field.name for field in fields.values() if isinstance(field, Member))
        self._left_out = {name: field.default for name, field in declared.items() if name not in fields}
        self._build = builds(cls)
        self.cls = cls

    def fields(self) -> Iterator[tuple[str, Field[Any]]]:
        """Yield each attribute, and what reads it."""
        yield from ((name, read) for name, _, read in self._fields)

    def outline(self) -> Outline:
        """Return what stands in the object."""
        return all_of(*(read for _, _, read in self._fields))

    def here(self, reader: Reader) -> T:
        """Read the object that ``reader`` stands at."""
        values = self._left_out.copy()
        members = reader.members
        reader.read |= self._names
        for attribute, member, read in self._fields:
            if member is None:
                values[attribute] = read(reader)
                continue
            item = members.get(member.name)
            if item is None and member.is_optional:
                values[attribute] = member.default
                continue
            value = member.glance(item, reader) if member.glance is not None else None
            values[attribute] = member.kind(reader, member.name) if value is None else value
        made: T = self._build(values)
        return made

    def __call__(self, reader: Reader, name: str) -> T:
        """Read the object in member ``name``."""
        return self.here(reader.inside(name))


class Member(Generic[T]):
    """The field that stands in one member of the object, or may stand there and is ``default`` otherwise.

    A shape reads its members by itself, so that most of them cost no call but the glance at their value.
    """

    __slots__ = ("default", "glance", "is_optional", "kind", "name")

    def __init__(self, name: str, kind: Kind[T], default: T | None, *, is_optional: bool) -> None:
        self.name = name
        self.kind = kind
        self.glance = glance_of(kind)
        self.default = default
        self.is_optional = is_optional

    def outline(self) -> Outline:
        """Return what stands in the object that the member is in."""
        return outline_of(self.kind).inside(self.name)

    def __call__(self, reader: Reader) -> T | None:
        """Read the field."""
        if self.is_optional and not reader.has(self.name):
            return self.default
        value = self.glance(reader.members.get(self.name), reader) if self.glance is not None else None
        if value is None:
            return self.kind(reader, self.name)
        reader.read.add(self.name)
        return value


def required(name: str, kind: Kind[T]) -> Field[T]:
    """Return the field that stands in member ``name``."""
    return cast("Field[T]", Member(name, kind, None, is_optional=False))


def optional(name: str, kind: Kind[T], default: T | None = None) -> Field[T | None]:
    """Return the field that may stand in member ``name``, and is ``default`` otherwise."""
    return Member(name, kind, default, is_optional=True)


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

    return outlined(read, lambda: outline_of(kind).inside(name))


def inside(name: str, field: Field[T]) -> Field[T]:
    """Return ``field`` read from the object in member ``name``."""
    return outlined(lambda reader: field(reader.inside(name)), lambda: outline_of(field).inside(name))


def within(field: Field[T]) -> Kind[T]:
    """Return the kind of an object that ``field`` is read from."""
    return outlined(lambda reader, name: field(reader.inside(name)), lambda: outline_of(field))


def of_event(field: Field[T]) -> Field[T]:
    """Return ``field`` read from the event itself, however deep in it the reader stands."""
    return outlined(lambda reader: field(reader.root), lambda: outline_of(field).at_event())


def always(value: T) -> Field[T]:
    """Return the field that is ``value`` whatever the event says."""
    return lambda _: value
