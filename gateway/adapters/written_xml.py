"""An event written in XML: an element for each member, a repeated one for a list, and text in the innermost.

The name of the root is the system's own. Nothing is read from attributes, and nothing that stands there is passed over:
an attribute, text between elements, or an element of another namespace is refused. An element without text is a member
that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from gateway.adapters.written import Written, steps_of, without_a_name
from gateway.adapters.written_text import text_of
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages.hardened import MAX_JSON_DEPTH, TOO_DEEP, read_xml

ATTRIBUTE: Final = Fault(
    "xml.attribute",
    "Attribut läses inte. Skriv värdet som ett element.",
    "Attributes are not read. Write the value as an element.",
)
MIXED: Final = Fault("xml.mixed-content", "Text står mellan elementen.", "There is text between the elements.")
OTHER_NAMESPACE: Final = Fault(
    "xml.other-namespace",
    "Elementet hör till en annan namnrymd än rotelementet.",
    "The element belongs to another namespace than the root element.",
)
DECLARED: Final = Fault(
    "xml.encoding-contradicted",
    "Dokumentet säger att det är skrivet i {declared} men är skrivet i UTF-8.",
    "The document says that it is written in {declared} but is written in UTF-8.",
)

_DECLARATION = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._\-]+)["'][^>]*?\?>""")
_SINGLE_BYTE: Final = {"iso-8859-1": "iso-8859-1", "latin1": "iso-8859-1", "windows-1252": "windows-1252"}
"""The encodings that a document may declare beside UTF-8, and their codecs."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")

Element = Any
"""An element of lxml, which only the messages know by name."""
Inside = dict[Element, dict[str, list[Element]]]
"""What is in the elements that have been looked into, by name."""


def as_xml(content: bytes) -> Written:
    """Read an event that is XML: in UTF-8, or in the encoding that it declares.

    Raises:
        InvalidDocumentError: it is none, or harmful, or says what cannot be read.
    """
    root = read_xml(_in_utf_8(content))
    findings = list(_unreadable(root, _namespace(root), f"/{_told(root)}", 1))
    if findings:
        raise InvalidDocumentError(findings)
    value = _value_of(root)
    inside: Inside = {}

    def placed(finding: Finding) -> Finding:
        if finding.path is None:
            return finding
        path, line = _place(root, finding.path, inside)
        return without_a_name(replace(finding, path=path, line=line))

    return Written({} if value is None else value, is_text=True, placed=placed)


def _in_utf_8(content: bytes) -> bytes:
    """Return the document in UTF-8, with as many lines as it had, and without a declaration that says otherwise."""
    declaration = _DECLARATION.match(content)
    codec = _SINGLE_BYTE.get(declaration[1].decode().lower()) if declaration is not None else None
    if declaration is None or codec is None:
        return content
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:  # å, ä and ö would become two characters each, and nobody would see it here
            raise InvalidDocumentError(DECLARED.at(line=1, declared=codec))
    rest = content[declaration.end() :]
    return b"\n" * declaration[0].count(b"\n") + text_of(rest, codec).encode()


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _namespace(element: Element) -> str:
    return str(element.tag).rpartition("}")[0]


def _told(element: Element) -> str:
    """Return the name of an element, which may be anything, a person's too: it is told where it has the form of one."""
    name = _name(element)
    return name if _NAME.fullmatch(name) else "*"


def _is_blank(text: str | None) -> bool:
    return not text or text.isspace()


def _unreadable(element: Element, namespace: str, path: str, depth: int) -> Iterator[Finding]:
    """Yield what stands in an element that is neither its own text nor its elements."""
    if depth > MAX_JSON_DEPTH:
        yield TOO_DEEP.at(line=element.sourceline)
        return
    if _namespace(element) != namespace:
        yield OTHER_NAMESPACE.at(path, line=element.sourceline)
    if element.attrib:
        yield ATTRIBUTE.at(path, line=element.sourceline)
    if len(element) and not all(_is_blank(text) for text in (element.text, *(inner.tail for inner in element))):
        yield MIXED.at(path, line=element.sourceline)
    for alike in _by_name(element).values():
        for number, inner in enumerate(alike, start=1):
            place = f"{path}/{_told(inner)}{f'[{number}]' if len(alike) > 1 else ''}"
            yield from _unreadable(inner, namespace, place, depth + 1)


def _value_of(element: Element) -> Any:
    """Return the members of an element, or else its text; ``None`` where there is neither."""
    if not len(element):
        return None if _is_blank(element.text) else element.text
    members: dict[str, Any] = {}
    for name, alike in _by_name(element).items():
        values = [_value_of(inner) for inner in alike]
        members[name] = values if len(values) > 1 else values[0]
    return members


def _by_name(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for inner in element:
        found.setdefault(_name(inner), []).append(inner)
    return found


def _place(root: Element, pointer: str, inside: Inside) -> tuple[str, int]:
    """Return the XPath and the line of what a JSON pointer into the value of ``root`` is about.

    The line of an element that is not there is that of the innermost around it.
    """
    path, here, alike = f"/{_told(root)}", root, [root]
    at: Element | None = root
    for step in steps_of(pointer):
        if step.isdigit():
            if at is None or int(step) >= len(alike):
                continue
            at = here = alike[int(step)]
            if len(alike) > 1:
                path += f"[{int(step) + 1}]"
            continue
        if at is not None and at not in inside:  # many findings may be about what is in one element
            inside[at] = _by_name(at)
        alike = inside[at].get(step, []) if at is not None else []
        path += f"/{step}"
        at = alike[0] if alike else None
        here = here if at is None else at
    return path, here.sourceline
