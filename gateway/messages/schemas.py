"""The XSD schemas, by which lxml validates, and places in a document. What is wrong is told by ``explanation``.

They are compiled once per process from files that ship with the gateway; nothing a message says makes them load more.
"""

from __future__ import annotations

from functools import cache

from lxml import etree

from gateway.errors import Fault
from gateway.messages.binding import NAMESPACE
from gateway.resources import schema_folder

MOST_FINDINGS = 100
"""How many findings one document is answered with; a hundred are enough to see that the whole is wrong."""

MISSING = Fault("schema.missing-element", "Elementet {expected} saknas här.", "The element {expected} is missing here.")
UNEXPECTED = Fault(
    "schema.unexpected-element",
    "Elementet är okänt eller står på fel plats; väntade {expected}.",
    "The element is unknown or out of place; expected {expected}.",
)
ATTRIBUTE = Fault("schema.unexpected-attribute", "Attributet är inte tillåtet.", "The attribute is not allowed.")
TEXT = Fault(
    "schema.unexpected-text", "Här får ingen text stå mellan elementen.", "No text may stand between elements here."
)
ENUMERATION = Fault(
    "schema.value-not-in-list",
    "Värdet finns inte i listan: {allowed}.",
    "The value is not in the list: {allowed}.",
)
TOO_LONG = Fault(
    "schema.too-long", "Texten är längre än {limit} tecken.", "The text is longer than {limit} characters."
)
PATTERN = Fault("schema.form", "Värdet har fel form ({kind}).", "The value has the wrong form ({kind}).")
VALUE = Fault("schema.value", "Värdet är ogiltigt här.", "The value is not valid here.")
MORE = Fault(
    "schema.more", "Fler fel finns; de första {limit} visas.", "There are more faults; the first {limit} are shown."
)


@cache
def compiled(name: str) -> etree.XMLSchema:
    """Return the schema of message type ``name``, compiled by libxml2."""
    return etree.XMLSchema(etree.parse(str(schema_folder() / f"{name}.xsd")))


def local_name(tag: str | None) -> str:
    """Return a name without its namespace or prefix."""
    return (tag or "").rpartition("}")[2].rpartition(":")[2]


_EARLIER = etree.XPath("count(preceding-sibling::*[local-name() = $name])")
_LATER = etree.XPath("boolean(following-sibling::*[local-name() = $name])")


def xpath_of(node: etree._Element) -> str:
    """Return the path of ``node`` without namespaces; an element that repeats has its position: ``measure[2]``."""
    steps = []
    while True:
        parent = node.getparent()
        name = local_name(str(node.tag))
        before = int(_EARLIER(node, name=name))
        if before or _LATER(node, name=name):
            name += f"[{before + 1}]"
        steps.append(name)
        if parent is None:
            return "/" + "/".join(reversed(steps))
        node = parent


def line_of(root: etree._Element, path: str) -> int | None:
    """Return the line where the element at ``path`` (relative to ``root``, without namespaces) begins."""
    prefixed = "/".join(f"m:{step}" for step in path.split("/"))
    found = root.xpath(prefixed, namespaces={"m": NAMESPACE})
    return found[0].sourceline if found else None
