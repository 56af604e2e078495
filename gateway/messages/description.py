"""A message class is its own description: what a frozen dataclass says about its form in XML and in JSON.

A field ``long_term_goal`` is the element ``longTermGoal`` in XML and the member ``longTermGoal`` in JSON, in the order
of the fields. A tuple is a repeated element, named in the singular with :func:`element`; in JSON it is an array named
as the field.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

from gateway.clock import in_zone

T = TypeVar("T")

NAMESPACE = "urn:sip-gateway:messages:1"

FORBIDDEN_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that no XML document can hold."""

# The types Date and Timestamp of the schema: Python alone also reads week dates, and a day as its midnight.
_DATE = re.compile("(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    _DATE.pattern + r"T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+\-][0-9]{2}:[0-9]{2})?"
)


def element(name: str) -> Any:
    """Declare a repeated field whose XML element is called ``name`` (the field itself is named in the plural)."""
    return dataclasses.field(metadata={"element": name})


def elements(name: str) -> Any:
    """Declare a repeated field that may be empty, whose XML element is called ``name``."""
    return dataclasses.field(default=(), metadata={"element": name})


def camel(name: str) -> str:
    """Return ``snake_case`` as ``lowerCamelCase``, the style of RIVTA element names."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


@dataclass(frozen=True, slots=True)
class Scalar:
    """How one kind of simple value is written and read.

    ``read`` reads the text of a JSON member and raises ``ValueError`` or ``KeyError``; ``read_valid`` reads text that
    has passed the schema. ``expected`` names the JSON form in messages. Where ``plain``, JSON holds the value itself
    and not its text.
    """

    kind: type[Any]
    write: Callable[[Any], str]
    read: Callable[[str], Any]
    read_valid: Callable[[str], Any]
    expected: str
    plain: bool = False

    @property
    def in_json(self) -> type[Any]:
        """The type, exactly, of the value in JSON."""
        return self.kind if self.plain else str


def _read_date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError("not the form of a date")
    return date.fromisoformat(text)


def _read_datetime(text: str) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError("not the form of a timestamp")
    return in_zone(datetime.fromisoformat(text))


def _enum_scalar(kind: type[StrEnum]) -> Scalar:
    members = {member.value: member for member in kind}
    return Scalar(kind, str, members.__getitem__, lambda text: members[text.strip()], ", ".join(members))


_SCALARS: dict[type, Scalar] = {
    str: Scalar(str, str, str, str, "text", plain=True),
    bool: Scalar(
        bool,
        lambda value: "true" if value else "false",
        lambda text: text in ("true", "1"),
        lambda text: text.strip() in ("true", "1"),
        "true/false",
        plain=True,
    ),
    int: Scalar(int, str, int, int, "heltal/integer", plain=True),
    date: Scalar(date, date.isoformat, _read_date, lambda text: date.fromisoformat(text.strip()), "YYYY-MM-DD"),
    datetime: Scalar(
        datetime,
        datetime.isoformat,
        _read_datetime,
        lambda text: in_zone(datetime.fromisoformat(text.strip())),
        "YYYY-MM-DDThh:mm:ss+hh:mm",
    ),
}


@dataclass(frozen=True, slots=True)
class Described:
    """One field of a class: its names, whether it repeats or may be absent, and what it holds.

    ``default`` is what an object has that was told nothing, ``None`` for a required field.
    """

    attribute: str
    member: str  # JSON name
    tag: str  # XML name without namespace
    repeated: bool
    required: bool
    default: Any
    scalar: Scalar | None
    nested: type[Any] | None


def once_for_each(work: Callable[[type[Any]], T]) -> Callable[[type[Any]], T]:
    """Return ``work``, which is about a class, done once for each and its result kept."""
    return cast("Callable[[type[Any]], T]", cache(work))


@once_for_each
def fields_of(cls: type[Any]) -> tuple[Described, ...]:
    """Return the description of each field of the frozen dataclass ``cls``, in order; worked out once and kept."""
    return tuple(_describe(cls))


def _describe(cls: type[Any]) -> Iterator[Described]:
    hints = typing.get_type_hints(cls)
    for declared in dataclasses.fields(cls):
        kind = hints[declared.name]
        repeated = typing.get_origin(kind) is tuple
        if repeated:
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, types.UnionType):  # X | None
            kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
        scalar = _enum_scalar(kind) if issubclass(kind, StrEnum) else _SCALARS.get(kind)
        required = declared.default is dataclasses.MISSING
        yield Described(
            attribute=declared.name,
            member=camel(declared.name),
            tag=declared.metadata.get("element", camel(declared.name)),
            repeated=repeated,
            required=required,
            default=None if required else declared.default,
            scalar=scalar,
            nested=None if scalar else kind,
        )


def assert_only_holds(cls: type[Any]) -> None:
    """See that objects of ``cls`` may be made without its ``__init__``.

    Raises:
        TypeError: the class has a ``__post_init__``, which would be left out.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} does more than hold its fields")


def builds(cls: type[Any]) -> Callable[[dict[str, Any]], Any]:
    """Return the function that makes an object of ``cls`` from the values of all its fields, by name.

    The ``__init__`` of a frozen dataclass takes twice the time, and an object is made for every few elements of every
    message. It does nothing but what stands here, as long as the class adds nothing to it.
    """
    assert_only_holds(cls)
    new, put = object.__new__, object.__setattr__

    def build(values: dict[str, Any]) -> Any:
        made = new(cls)
        for name, value in values.items():
            put(made, name, value)
        return made

    return build
