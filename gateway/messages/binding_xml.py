"""Message objects to XML text, and from validated XML trees.

For each class a writer and a reader are put together once, from its description, and kept: while messages flow nothing
is looked up but values. A writer makes text and no tree; whoever sends the text has it read and validated first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from lxml import etree

from gateway.messages.description import NAMESPACE, Described, Scalar, builds, fields_of, once_for_each, reads_all

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
    values_of = reads_all(cls)
    writers = tuple(_field_writer(field) for field in fields_of(cls))

    def write(value: Any) -> str:
        return "".join([write(held) for write, held in zip(writers, values_of(value), strict=True) if held is not None])

    return write


def _field_writer(field: Described) -> Write:
    one = _nested_writer(field.tag, field.nested) if field.scalar is None else _scalar_writer(field.tag, field.scalar)
    return (lambda held: "".join([one(item) for item in held])) if field.repeated else one


def _nested_writer(tag: str, cls: type[Any] | None) -> Write:
    assert cls is not None  # a field holds a scalar or an object
    inner = _writer(cls)
    return lambda held: _enclosed(tag, inner(held))


def _scalar_writer(tag: str, scalar: Scalar) -> Write:
    opened, closed = f"<{tag}>", f"</{tag}>"
    if scalar.kind is str:
        return lambda held: f"{opened}{escaped(held)}{closed}"
    as_text = scalar.write
    if issubclass(scalar.kind, str):  # a code word, or what was put in the place of one
        return lambda held: f"{opened}{escaped(as_text(held))}{closed}"
    # Numbers and times have nothing to escape.
    return lambda held: f"{opened}{as_text(held)}{closed}"


def _enclosed(tag: str, inside: str) -> str:
    return f"<{tag}>{inside}</{tag}>" if inside else f"<{tag}/>"


def from_xml(cls: type[T], node: etree._Element) -> T:
    """Build ``cls`` from the children of ``node``, which must have passed the schema of its type.

    There must be no comments and no processing instructions in it: the parser has left them out.
    """
    return cast(T, _reader(cls)(node))


@once_for_each
def _reader(cls: type[Any]) -> Read:
    fields = fields_of(cls)
    build = builds(cls)
    absent = {field.attribute: () if field.repeated else field.default for field in fields}
    places: dict[Any, tuple[str, Read, bool, bool]] = {
        f"{{{NAMESPACE}}}{field.tag}": (field.attribute, _field_reader(field), field.nested is None, field.repeated)
        for field in fields
    }

    def read(node: etree._Element) -> Any:
        values = absent.copy()
        lists: dict[str, list[Any]] = {}
        for child in node:
            name, read, from_text, repeated = places[child.tag]
            value = read((child.text or "") if from_text else child)
            if not repeated:
                values[name] = value
            elif name in lists:
                lists[name].append(value)
            else:
                lists[name] = [value]
        for name, items in lists.items():
            values[name] = tuple(items)
        return build(values)

    return read


def _field_reader(field: Described) -> Read:
    """Return what reads ``field`` from the text of its element, or from the element itself when it holds an object."""
    if field.nested is not None:
        return _reader(field.nested)
    assert field.scalar is not None  # a field holds a scalar or an object
    return field.scalar.read_valid
