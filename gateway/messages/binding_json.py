"""Message objects to JSON objects, and from JSON that anyone may have written.

For each class a writer and a reader are made once, from its description, and kept. The reader knows only what is
right, and gives up at the first thing that is not; then the object is gone through again, slowly, for a report of
every fault in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from gateway.errors import Fault, Finding
from gateway.messages.description import (
    FORBIDDEN_IN_XML,
    Described,
    Scalar,
    builds,
    fields_of,
    once_for_each,
)
from gateway.messages.generation import function

T = TypeVar("T")
Convert = Callable[[Any], Any]

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

_MEMBER_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,49}")


def to_json(value: Any) -> dict[str, Any]:
    """Return the dataclass ``value`` as a JSON object; absent fields leave no member."""
    return cast("dict[str, Any]", _writer(type(value))(value))


@once_for_each
def _writer(cls: type[Any]) -> Convert:
    """Return the function that makes a JSON object of an object of ``cls``: two lines for each field."""
    known: dict[str, Any] = {}
    lines = ["members = {}"]
    for number, field in enumerate(fields_of(cls)):
        write = _item_writer(field)
        known[f"write_{number}"] = write
        item = "item" if write is None else f"write_{number}(item)"
        lines.append(f"item = whole.{field.attribute}")
        if field.repeated:
            lines.append(f"if item: members[{field.member!r}] = [{item} for item in item]")
        else:
            lines.append(f"if item is not None: members[{field.member!r}] = {item}")
    lines.append("return members")
    return function(f"to_json_{cls.__name__}", "whole", lines, known)


def _item_writer(field: Described) -> Convert | None:
    """Return what makes JSON of one value of ``field``; ``None`` when it is JSON as it stands."""
    if field.nested is not None:
        return _writer(field.nested)
    assert field.scalar is not None  # a field holds a scalar or an object
    return None if field.scalar.plain else field.scalar.write


def from_json(cls: type[T], members: Any, findings: list[Finding], pointer: str = "") -> T | None:
    """Build ``cls`` from a JSON object; every fault is appended to ``findings`` with its JSON pointer.

    Returns ``None`` when the object, or anything inside it, could not be read.
    """
    try:
        return cast(T, _reader(cls)(members))
    except (KeyError, ValueError):
        found = _faults(cls, members, pointer)
        assert found  # the reader refuses nothing without a reason
        findings.extend(found)
        return None


@once_for_each
def _reader(cls: type[Any]) -> Convert:
    """Return what builds ``cls`` from a JSON object, and raises ``KeyError`` or ``ValueError`` if anything is wrong."""
    fields = fields_of(cls)
    build = builds(cls)
    absent = {field.attribute: field.default for field in fields}
    required = {field.member for field in fields if field.required}
    readers = {field.member: (field.attribute, _field_reader(field)) for field in fields}

    def read(members: Any) -> Any:
        if not isinstance(members, dict) or not required <= members.keys():
            raise ValueError
        values = absent.copy()
        for member, item in members.items():
            name, read = readers[member]
            if item is not None:
                values[name] = read(item)
            elif member in required:
                raise ValueError
        return build(values)

    return read


def _field_reader(field: Described) -> Convert:
    one = _reader(field.nested) if field.nested is not None else _scalar_reader(field.scalar)
    if not field.repeated:
        return one

    def read(items: Any) -> tuple[Any, ...]:
        if not isinstance(items, list):
            raise ValueError
        return tuple([one(item) for item in items])

    return read


def _scalar_reader(scalar: Scalar | None) -> Convert:
    assert scalar is not None  # a field holds a scalar or an object
    kind, from_text = scalar.in_json, None if scalar.plain else scalar.read

    def read(item: Any) -> Any:
        if type(item) is not kind or (kind is str and not can_be_xml(item)):  # exactly: True is an int to isinstance
            raise ValueError
        return item if from_text is None else from_text(item)

    return read


def can_be_xml(text: str) -> bool:
    """Tell whether XML has all characters of ``text``."""
    # All that can be printed can, and to ask that first is cheaper; only a text with line breaks is searched.
    return text.isprintable() or not FORBIDDEN_IN_XML.search(text)


def _faults(cls: type[Any], members: Any, pointer: str) -> list[Finding]:
    """Return everything that is wrong with ``members`` as an object of ``cls``, in the order of the fields."""
    if not isinstance(members, dict):
        return [WRONG_TYPE.at(pointer or "/", expected="objekt/object")]
    known = {field.member for field in fields_of(cls)}
    found = [UNKNOWN.at(unknown_pointer(pointer, name)) for name in members if name not in known]
    for field in fields_of(cls):
        place, held = f"{pointer}/{field.member}", members.get(field.member)
        if held is None:
            if field.required:
                found.append(MISSING.at(place, name=field.member))
        elif not field.repeated:
            found += _item_faults(field, held, place)
        elif isinstance(held, list):
            for index, item in enumerate(held):
                found += _item_faults(field, item, f"{place}/{index}")
        else:
            found.append(WRONG_TYPE.at(place, expected="lista/array"))
    return found


def _item_faults(field: Described, item: Any, place: str) -> list[Finding]:
    scalar = field.scalar
    if scalar is None:
        assert field.nested is not None  # a field holds a scalar or an object
        return _faults(field.nested, item, place)
    if type(item) is not scalar.in_json:
        return [WRONG_TYPE.at(place, expected=scalar.expected if scalar.plain else "text")]
    if isinstance(item, str) and FORBIDDEN_IN_XML.search(item):
        return [BAD_CHARACTER.at(place)]
    try:
        if not scalar.plain:
            scalar.read(item)
    except KeyError:
        return [NOT_ALLOWED.at(place, allowed=scalar.expected)]
    except ValueError:
        return [BAD_FORM.at(place, expected=scalar.expected)]
    return []


def unknown_pointer(pointer: str, name: str) -> str:
    """Return the place of an unknown member, or that of its object when ``name`` may be content and not a name."""
    return f"{pointer}/{name}" if _MEMBER_NAME.fullmatch(name) else pointer or "/"


def json_pointer(cls: type[Any], path: list[tuple[str, int]]) -> str:
    """Return the JSON pointer of an XML path below ``cls``: ``[("subGoal", 2), …]`` is ``/subGoals/1/…``."""
    if not path:
        return ""
    (name, position), rest = path[0], path[1:]
    for field in fields_of(cls):
        if field.tag == name:
            place = f"/{field.member}" + (f"/{position - 1}" if field.repeated else "")
            return place + (json_pointer(field.nested, rest) if field.nested is not None else "")
    return f"/{name}"
