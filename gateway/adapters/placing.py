"""Where in an event stands what a rule has found wrong in the message it became: a path of the message, and the member.

The rules of a message and of its case know the message only. Whoever sent the event knows its members.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from gateway.adapters.outline import Outline, outline_of
from gateway.adapters.shape import Shape
from gateway.messages.description import camel

_STEP = re.compile(r"([A-Za-z]+)(?:\[([0-9]+)\])?")
_HEADER: Final = "header"
_BODY: Final = "body"


def member_at(path: str | None, header: Mapping[str, Any], body: Any) -> str | None:
    """Return the JSON pointer of the member that ``path``, of a message, was read from; ``None`` where none was.

    ``header`` are the fields that read parts of the header, by their path in it; ``body`` is what reads the body.
    """
    if path is None:
        return None
    where, *steps = path.split("/")
    if where == _HEADER:
        for length in range(len(steps), 0, -1):
            name = "/".join(step.partition("[")[0] for step in steps[:length])
            if (field := header.get(name)) is not None:
                return _first(outline_of(field))
    elif where == _BODY and (shape := getattr(body, "__self__", None)) is not None and isinstance(shape, Shape):
        return _in_shape(shape, steps)
    return None


def _in_shape(shape: Shape[Any], steps: list[str]) -> str | None:
    found = _STEP.fullmatch(steps[0]) if steps else None
    if found is None:
        return None
    name, number = found.groups()
    for attribute, field in shape.fields():
        if name in (camel(attribute), _element_of(shape, attribute)):
            pointer = _first(outline_of(field))
            return f"{pointer}/{int(number) - 1}" if pointer is not None and number is not None else pointer
    return None


def _element_of(shape: Shape[Any], attribute: str) -> str | None:
    """Return what a repeated field is called in XML."""
    (field,) = (one for one in dataclasses.fields(cast(Any, shape.cls)) if one.name == attribute)
    element: str | None = field.metadata.get("element")
    return element


def _first(outline: Outline) -> str | None:
    """Return the pointer of the member that an outline is about: the first, and inside it while there is only one."""
    pointer = ""
    members = outline.whole().members
    while members and (not pointer or len(members) == 1):
        name, inner = next(iter(members.items()))
        pointer += f"/{name}"
        members = inner.members
    return pointer or None
