"""Message objects to XML text, and from validated XML trees.

For each class a writer and a reader are generated once, from its description, and kept: while messages flow nothing is
looked up but values. A writer makes text and no tree; whoever sends the text has it read and validated first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from lxml import etree

from gateway.messages.description import NAMESPACE, Described, assert_only_holds, fields_of, once_for_each
from gateway.messages.generation import function

T = TypeVar("T")
Write = Callable[[Any], str]
Read = Callable[[Any], Any]


def document_of(name: str, parts: dict[str, Any]) -> str:
    """Return the document with the root element ``name`` and in it an element for each of ``parts``, by name.

    The text is not yet known to be valid, nor even to be XML: it may hold a character that XML does not allow.
    """
    inside = "".join([_enclosed(tag, xml_of(value)) for tag, value in parts.items()])
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<{name} xmlns=\"{NAMESPACE}\">{inside}</{name}>"


def xml_of(value: Any) -> str:
    """Return the fields of the dataclass ``value`` as elements, in order; an absent one leaves no element.

    The elements have no prefix: the namespace is that of the text around them.
    """
    return _writer(type(value))(value)


def escaped(text: str) -> str:
    """Return ``text`` as it stands inside an element (XML 1.0 §2.4).

    ``>`` is written as a reference because of ``]]>``, and a carriage return because a parser would read a line feed
    (§2.11).
    """
    # Most texts hold none of the four, and to look for a sign is cheaper than to replace it.
    if "&" in text:
        text = text.replace("&", "&amp;")  # first, or it would escape the references that follow
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#13;")
    return text


@once_for_each
def _writer(cls: type[Any]) -> Write:
    """Return the function that writes the fields of an object of ``cls``: a line for each, joined at the end."""
    known: dict[str, Any] = {"escaped": escaped, "enclosed": _enclosed}
    lines, texts = [], []
    for number, field in enumerate(fields_of(cls)):
        one = _element(field, number, known)
        if field.repeated:
            lines.append(f"text_{number} = ''.join([{one} for held in whole.{field.attribute}])")
        else:
            lines.append(f"held = whole.{field.attribute}")
            lines.append(f"text_{number} = '' if held is None else {one}")
        texts.append(f"{{text_{number}}}")
    lines.append(f"return f'{''.join(texts)}'")
    return function(f"write_{cls.__name__}", "whole", lines, known)


def _element(field: Described, number: int, known: dict[str, Any]) -> str:
    """Return the expression that writes what is called ``held`` as an element; what it needs is added to ``known``."""
    tag, scalar = field.tag, field.scalar
    if scalar is None:
        assert field.nested is not None  # a field holds a scalar or an object
        known[f"write_{number}"] = _writer(field.nested)
        return f"enclosed({tag!r}, write_{number}(held))"
    if scalar.kind is str:
        inside = "escaped(held)"
    elif issubclass(scalar.kind, str):  # a code word, or what was put in the place of one
        inside = "escaped(str(held))"
    else:  # numbers and times have nothing to escape
        known[f"as_text_{number}"] = scalar.write
        inside = f"as_text_{number}(held)"
    return f"f'<{tag}>{{{inside}}}</{tag}>'"


def _enclosed(tag: str, inside: str) -> str:
    return f"<{tag}>{inside}</{tag}>" if inside else f"<{tag}/>"


def from_xml(cls: type[T], node: etree._Element) -> T:
    """Build ``cls`` from the children of ``node``, which must have passed the schema of its type.

    There must be no comments and no processing instructions in it: the parser has left them out.
    """
    return cast(T, _reader(cls)(node))


@once_for_each
def _reader(cls: type[Any]) -> Read:
    """Return the function that builds ``cls`` from an element: it looks at each child once, and sets field by field."""
    assert_only_holds(cls)
    known: dict[str, Any] = {"cls": cls, "new": object.__new__, "put": object.__setattr__}
    begins: list[str] = []
    branches: list[str] = []
    ends = ["whole = new(cls)"]
    places = {}
    for number, field in enumerate(fields_of(cls)):
        places[f"{{{NAMESPACE}}}{field.tag}"] = number
        value = _read_value(field, number, known)
        known[f"absent_{number}"] = field.default
        begins.append(f"value_{number} = []" if field.repeated else f"value_{number} = absent_{number}")
        branches.append(f"    {'elif' if branches else 'if'} place == {number}:")
        branches.append(
            f"        value_{number}.append({value})" if field.repeated else f"        value_{number} = {value}"
        )
        taken = f"tuple(value_{number})" if field.repeated else f"value_{number}"
        ends.append(f"put(whole, {field.attribute!r}, {taken})")
    known["places"] = places
    lines = [*begins, "for child in node:", "    place = places[child.tag]", *branches, *ends, "return whole"]
    return function(f"read_{cls.__name__}", "node", lines, known)


def _read_value(field: Described, number: int, known: dict[str, Any]) -> str:
    """Return the expression that reads a field from its element ``child``; what it needs is added to ``known``."""
    if field.nested is not None:
        known[f"read_{number}"] = _reader(field.nested)
        return f"read_{number}(child)"
    assert field.scalar is not None  # a field holds a scalar or an object
    if field.scalar.kind is str:
        return "child.text or ''"
    known[f"read_{number}"] = field.scalar.read_valid
    return f"read_{number}(child.text or '')"
