"""Frozen dataclasses to XML and JSON, and back.

A dataclass is its own description: a field ``long_term_goal`` is the element ``longTermGoal`` in XML and the member
``longTermGoal`` in JSON, in the order of the fields. A tuple is a repeated element, named in the singular with
:func:`element`; in JSON it is an array named as the field. Reading XML trusts that the document has passed its schema;
reading JSON trusts nothing and reports every fault at once.

The codec of a class is worked out once and kept: nothing is inspected while messages flow.
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
from typing import Any, TypeVar

from lxml import etree

from gateway.clock import in_zone
from gateway.errors import Fault, Finding

T = TypeVar("T")

NAMESPACE = "urn:sip-gateway:messages:1"

MISSING = Fault("json.missing", "Fältet {name} saknas.", "The member {name} is missing.")
UNKNOWN = Fault("json.unknown", "Fältet är okänt.", "The member is not known.")
WRONG_TYPE = Fault("json.type", "Värdet ska vara {expected}.", "The value must be {expected}.")
NOT_ALLOWED = Fault(
    "json.value", "Värdet är inte tillåtet; tillåtna är {allowed}.", "The value is not allowed; allowed are {allowed}."
)
BAD_FORM = Fault("json.form", "Värdet är inte {expected}.", "The value is not {expected}.")
BAD_CHARACTER = Fault(
    "json.character",
    "Texten innehåller ett styrtecken som inte får finnas i XML.",
    "The text holds a control character that XML does not allow.",
)

# The types Date and Timestamp of the schema: Python alone also reads week dates, and a day as its midnight.
_DATE = re.compile("(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    _DATE.pattern + r"T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+\-][0-9]{2}:[0-9]{2})?"
)
_MEMBER_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,49}")
_FORBIDDEN_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
class _Scalar:
    """How one kind of simple value is written and read. ``expected`` names its JSON form in messages."""

    kinds: tuple[type, ...]
    write: Callable[[Any], str]
    read: Callable[[str], Any]
    expected: str
    plain: bool = False  # JSON holds the value itself, not its text


def _read_date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise ValueError("not the form of a date")
    return date.fromisoformat(text)


def _read_datetime(text: str) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError("not the form of a timestamp")
    return in_zone(datetime.fromisoformat(text))


def _enum_scalar(kind: type[StrEnum]) -> _Scalar:
    members = {member.value: member for member in kind}
    return _Scalar((str,), str, members.__getitem__, ", ".join(members))


_SCALARS: dict[type, _Scalar] = {
    str: _Scalar((str,), str, str, "text", plain=True),
    bool: _Scalar(
        (bool,),
        lambda value: "true" if value else "false",
        lambda text: text in ("true", "1"),
        "true/false",
        plain=True,
    ),
    int: _Scalar((int,), str, int, "heltal/integer", plain=True),
    date: _Scalar((str,), date.isoformat, _read_date, "YYYY-MM-DD"),
    datetime: _Scalar((str,), datetime.isoformat, _read_datetime, "YYYY-MM-DDThh:mm:ss+hh:mm"),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a class: its names, whether it repeats or may be absent, and what it holds."""

    attribute: str
    member: str  # JSON name
    tag: str  # XML name with namespace
    repeated: bool
    required: bool
    scalar: _Scalar | None
    nested: type | None


_DESCRIBED: dict[type, tuple[_Field, ...]] = {}


def _fields(cls: type) -> tuple[_Field, ...]:
    if cls not in _DESCRIBED:
        _DESCRIBED[cls] = tuple(_describe(cls))
    return _DESCRIBED[cls]


def _describe(cls: type) -> Iterator[_Field]:
    hints = typing.get_type_hints(cls)
    for declared in dataclasses.fields(cls):
        kind = hints[declared.name]
        repeated = typing.get_origin(kind) is tuple
        if repeated:
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, types.UnionType):  # X | None
            kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
        scalar = _enum_scalar(kind) if issubclass(kind, StrEnum) else _SCALARS.get(kind)
        yield _Field(
            attribute=declared.name,
            member=camel(declared.name),
            tag=f"{{{NAMESPACE}}}{declared.metadata.get('element', camel(declared.name))}",
            repeated=repeated,
            required=declared.default is dataclasses.MISSING,
            scalar=scalar,
            nested=None if scalar else kind,
        )


def to_xml(parent: etree._Element, value: Any) -> None:
    """Append the fields of ``value`` to ``parent`` as elements, in order; an absent one leaves no element."""
    for field in _fields(type(value)):
        held = getattr(value, field.attribute)
        if held is None:
            continue
        for item in held if field.repeated else (held,):
            child = etree.SubElement(parent, field.tag)
            if field.scalar is not None:
                child.text = field.scalar.write(item)
            else:
                to_xml(child, item)


def from_xml(cls: type[T], node: etree._Element) -> T:
    """Build ``cls`` from the children of ``node``, which must have passed the schema of its type."""
    children: dict[str, list[etree._Element]] = {}
    for child in node.iterchildren(tag=etree.Element):
        children.setdefault(str(child.tag), []).append(child)
    values: dict[str, Any] = {}
    for field in _fields(cls):
        found = children.get(field.tag)
        if found is None:
            if field.repeated:
                values[field.attribute] = ()
            continue
        items = [_read_node(field, child) for child in found]
        values[field.attribute] = tuple(items) if field.repeated else items[0]
    return cls(**values)


def _read_node(field: _Field, node: etree._Element) -> Any:
    if field.scalar is None:
        assert field.nested is not None
        return from_xml(field.nested, node)
    text = node.text or ""
    return field.scalar.read(text if field.scalar.kinds == (str,) and field.scalar.plain else text.strip())


def to_json(value: Any) -> dict[str, Any]:
    """Return the dataclass ``value`` as a JSON object; absent fields leave no member."""
    members: dict[str, Any] = {}
    for field in _fields(type(value)):
        held = getattr(value, field.attribute)
        if held is None or (field.repeated and not held):
            continue
        members[field.member] = (
            [_write_json(field, item) for item in held] if field.repeated else _write_json(field, held)
        )
    return members


def _write_json(field: _Field, item: Any) -> Any:
    if field.scalar is None:
        return to_json(item)
    return item if field.scalar.plain else field.scalar.write(item)


def from_json(cls: type[T], members: Any, findings: list[Finding], pointer: str = "") -> T | None:
    """Build ``cls`` from a JSON object; every fault is appended to ``findings`` with its JSON pointer.

    Returns ``None`` when the object, or anything inside it, could not be read.
    """
    if not isinstance(members, dict):
        findings.append(WRONG_TYPE.at(pointer or "/", expected="objekt/object"))
        return None
    before = len(findings)
    known = {field.member for field in _fields(cls)}
    findings.extend(UNKNOWN.at(unknown_pointer(pointer, name)) for name in members if name not in known)
    values: dict[str, Any] = {}
    for field in _fields(cls):
        place = f"{pointer}/{field.member}"
        if members.get(field.member) is None:
            if field.required:
                findings.append(MISSING.at(place, name=field.member))
        elif not field.repeated:
            values[field.attribute] = _read_json(field, members[field.member], findings, place)
        elif isinstance(members[field.member], list):
            values[field.attribute] = tuple(
                _read_json(field, item, findings, f"{place}/{index}")
                for index, item in enumerate(members[field.member])
            )
        else:
            findings.append(WRONG_TYPE.at(place, expected="lista/array"))
    return cls(**values) if len(findings) == before else None


def _read_json(field: _Field, item: Any, findings: list[Finding], place: str) -> Any:
    if field.scalar is None:
        assert field.nested is not None
        return from_json(field.nested, item, findings, place)
    scalar = field.scalar
    if type(item) not in scalar.kinds:  # exactly: True is an int to isinstance
        findings.append(WRONG_TYPE.at(place, expected=scalar.expected if scalar.plain else "text"))
        return None
    if isinstance(item, str) and _FORBIDDEN_IN_XML.search(item):
        findings.append(BAD_CHARACTER.at(place))
        return None
    if scalar.plain:
        return item
    try:
        return scalar.read(item)
    except KeyError:
        findings.append(NOT_ALLOWED.at(place, allowed=scalar.expected))
    except ValueError:
        findings.append(BAD_FORM.at(place, expected=scalar.expected))
    return None


def unknown_pointer(pointer: str, name: str) -> str:
    """Return the place of an unknown member, or that of its object when ``name`` may be content and not a name."""
    return f"{pointer}/{name}" if _MEMBER_NAME.fullmatch(name) else pointer or "/"


def json_pointer(cls: type, path: list[tuple[str, int]]) -> str:
    """Return the JSON pointer of an XML path below ``cls``: ``[("subGoal", 2), …]`` is ``/subGoals/1/…``."""
    if not path:
        return ""
    (name, position), rest = path[0], path[1:]
    for field in _fields(cls):
        if field.tag == f"{{{NAMESPACE}}}{name}":
            place = f"/{field.member}" + (f"/{position - 1}" if field.repeated else "")
            return place + (json_pointer(field.nested, rest) if field.nested is not None else "")
    return f"/{name}"
