"""Reading bytes that anyone may have written: bounded in size and depth, no DTD, no entities, no network.

Nothing here knows a message type. A document that passes is well-formed and harmless, no more.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Any

from lxml import etree

from gateway.errors import Fault, InvalidDocumentError

MAX_BYTES = 30 * 1024 * 1024
"""Largest message, 30 MB."""

MAX_PARTS = 5_000
"""Most elements and attributes of an XML document, or objects and arrays of a JSON document.

It is half as many again as the largest plan has. Without it, explaining a million wrong elements takes minutes.
"""

MAX_JSON_DEPTH = 64
"""Deepest nesting of a JSON document. XML is bounded to 256 by the parser, and by its schema to far less."""

EMPTY = Fault("document.empty", "Dokumentet är tomt.", "The document is empty.")
TOO_LARGE = Fault(
    "document.too-large",
    "Dokumentet är större än {limit} byte.",
    "The document is larger than {limit} bytes.",
)
ENCODING = Fault("document.encoding", "Dokumentet är inte giltig UTF-8.", "The document is not valid UTF-8.")
MALFORMED = Fault("xml.malformed", "XML-dokumentet är inte välformat.", "The XML document is not well-formed.")
DTD = Fault(
    "xml.dtd-forbidden",
    "Dokumenttypsdeklaration (DTD) och entiteter är inte tillåtna.",
    "A document type declaration (DTD) and entities are not allowed.",
)
TOO_DEEP = Fault("document.too-deep", "Dokumentet är för djupt nästlat.", "The document is nested too deeply.")
TOO_MANY = Fault(
    "document.too-many-parts",
    "Dokumentet har fler än {limit} delar (element, attribut, fält).",
    "The document has more than {limit} parts (elements, attributes, members).",
)
SCHEMA_LOCATION = Fault(
    "xml.schema-location-forbidden",
    "Dokumentet får inte peka ut ett eget schema.",
    "The document must not point to a schema of its own.",
)
JSON_MALFORMED = Fault("json.malformed", "JSON-dokumentet är inte välformat.", "The JSON document is not well-formed.")
JSON_DUPLICATE = Fault(
    "json.duplicate-member",
    "Ett fält står mer än en gång i samma objekt.",
    "A member stands more than once in one object.",
)

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_count_parts = etree.XPath("count(//*) + count(//@*)")
_BOM = b"\xef\xbb\xbf"
# Everything that may stand before the root element or a DOCTYPE (XML 1.0 §2.8, prolog).
_PROLOG = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DECLARED_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]+)["']""")
_ALLOWED_ENCODINGS = {b"utf-8", b"utf8", b"us-ascii", b"ascii"}


class _Parsers(threading.local):
    """The parsers of one thread, kept: a parser costs as much to make as a short document to read.

    They keep an error log, and must not be shared between threads.
    """

    def __init__(self) -> None:
        # The encoding is said, not guessed: in a guessed one a DOCTYPE would pass the test for it unseen.
        self.for_others = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        # What the gateway itself has written may be of any size: its schema is to say so, not the parser.
        self.for_own = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=True)


_parsers = _Parsers()


def read_own_xml(data: bytes) -> etree._Element:
    """Return the root element of an XML document that the gateway itself has just written from a message.

    Raises:
        ValueError: a text of the message holds a character that XML does not allow.
    """
    try:
        return etree.fromstring(data, _parsers.for_own)
    except etree.XMLSyntaxError:
        raise ValueError("a text of the message holds a character that XML does not allow") from None


def read_xml(data: bytes) -> etree._Element:
    """Return the root element of an XML document.

    Raises:
        InvalidDocumentError: it is empty, too large, too deep or of too many parts, not UTF-8, not well-formed, has a
            document type declaration, or points to a schema of its own.
    """
    _bounded(data)
    text = data.removeprefix(_BOM)
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in text[:4]:  # UTF-16 or UTF-32, marked or not
        raise InvalidDocumentError(ENCODING.at(line=1))
    declared = _DECLARED_ENCODING.match(text)
    if declared is not None and declared[1].lower() not in _ALLOWED_ENCODINGS:
        raise InvalidDocumentError(ENCODING.at(line=1))
    if text.count(b"<") > 3 * MAX_PARTS:  # two tags for each element, and comments: refused before a tree is built
        raise InvalidDocumentError(TOO_MANY.at(limit=MAX_PARTS))
    prolog = _PROLOG.match(text)
    end = prolog.end() if prolog else 0
    if text[end : end + 9] == b"<!DOCTYPE":
        raise InvalidDocumentError(DTD.at(line=text.count(b"\n", 0, end) + 1))
    try:
        root = etree.fromstring(text, _parsers.for_others)
    except etree.XMLSyntaxError as error:
        raise InvalidDocumentError(_syntax_fault(error).at(line=error.lineno)) from None
    # No more elements than "<" and no more attributes than "=": only a document of many signs has to be counted.
    if text.count(b"<") + text.count(b"=") > MAX_PARTS and _count_parts(root) > MAX_PARTS:
        raise InvalidDocumentError(TOO_MANY.at(limit=MAX_PARTS))
    if b"schemaLocation" in text or b"SchemaLocation" in text:  # noqa: SIM102 -- the cheap test spares the search
        if located := root.xpath(
            "//*[@xsi:schemaLocation or @xsi:noNamespaceSchemaLocation]", namespaces={"xsi": _XSI}
        ):
            raise InvalidDocumentError(SCHEMA_LOCATION.at(line=located[0].sourceline))
    return root


def _syntax_fault(error: etree.XMLSyntaxError) -> Fault:
    if "depth" in str(error.msg):
        return TOO_DEEP
    return ENCODING if error.code == etree.ErrorTypes.ERR_INVALID_ENCODING else MALFORMED


def read_json(data: bytes) -> Any:
    """Return what a JSON document holds.

    Raises:
        InvalidDocumentError: it is empty, too large, too deep or of too many parts, not UTF-8, not well-formed, or
            names a member twice.
    """
    _bounded(data)
    brackets = data.count(b"{") + data.count(b"[")
    if brackets > MAX_PARTS or data.count(b",") > 20 * MAX_PARTS:
        raise InvalidDocumentError(TOO_MANY.at(limit=MAX_PARTS))
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDocumentError(ENCODING.at(line=data.count(b"\n", 0, error.start) + 1)) from None
    try:
        value = _JSON.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidDocumentError(JSON_MALFORMED.at(line=error.lineno)) from None
    except RecursionError:
        raise InvalidDocumentError(TOO_DEEP.at()) from None
    # No deeper than it has brackets: most documents need no second look.
    if brackets > MAX_JSON_DEPTH and _depth(value) > MAX_JSON_DEPTH:
        raise InvalidDocumentError(TOO_DEEP.at())
    return value


def _bounded(data: bytes) -> None:
    if not data.strip():
        raise InvalidDocumentError(EMPTY.at())
    if len(data) > MAX_BYTES:
        raise InvalidDocumentError(TOO_LARGE.at(limit=MAX_BYTES))


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidDocumentError(JSON_DUPLICATE.at())
    return members


def _no_constant(_: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not have (RFC 8259 §6)."""
    raise InvalidDocumentError(JSON_MALFORMED.at())


def _bounded_int(digits: str) -> int:
    if len(digits) > 18:  # quadratic to parse beyond any number a message holds
        raise InvalidDocumentError(JSON_MALFORMED.at())
    return int(digits)


_JSON = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_constant, parse_int=_bounded_int)


def _depth(value: Any) -> int:
    """Return how deep ``value``, as the decoder made it, nests."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            inner
            for outer in level
            if (kind := type(outer)) is dict or kind is list
            for inner in (outer.values() if kind is dict else outer)
        ]
    return deepest
