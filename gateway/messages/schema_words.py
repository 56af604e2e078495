"""What the schemas say about each element of a message, in Swedish and in English.

It is read from the same files that messages are validated by, as they stand, once for each type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from lxml import etree

from gateway.resources import schema_folder

Words = tuple[str, str]
"""A sentence in Swedish, and the same in English."""

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_DEEPEST: Final = 16
"""How many elements a message has inside each other, at most."""


@cache
def version_of(name: str) -> str:
    """Return the version of the schema of message type ``name``, as the schema itself states it."""
    return _root(schema_folder() / f"{name}.xsd").get("version", "")


@cache
def words_of(name: str) -> Mapping[str, Words]:
    """Return what is said of each element of message type ``name``, by its path below the root: ``body/meeting``.

    A path has no positions. Elements of which nothing is said are left out.
    """
    folder = schema_folder()
    types: dict[str, etree._Element] = {}
    root = None
    for schema in _with_included(folder / f"{name}.xsd", set()):
        types |= {str(one.get("name")): one for one in schema.findall(f"{_XS}complexType")}
        root = next((one for one in schema.findall(f"{_XS}element") if one.get("name") == name), root)
    assert root is not None  # the schema of a type declares its root
    return dict(_said(root, types, "", 0))


def _said(
    declared: etree._Element, types: Mapping[str, etree._Element], path: str, depth: int
) -> Iterator[tuple[str, Words]]:
    """Yield what is said of ``declared``, an element at ``path``, and of those in it."""
    if path and (words := _words_in(declared)) is not None:
        yield path, words
    kind = declared.find(f"{_XS}complexType")
    if kind is None:
        kind = types.get(declared.get("type", ""))
    if kind is not None and depth < _DEEPEST:
        for child in _children(kind, types):
            yield from _said(child, types, f"{path}/{child.get('name')}".lstrip("/"), depth + 1)


def _children(kind: etree._Element, types: Mapping[str, etree._Element]) -> Iterator[etree._Element]:
    """Yield the elements that a type declares, those of the type it extends first."""
    for extension in kind.iter(f"{_XS}extension"):
        if (base := types.get(extension.get("base", ""))) is not None:
            yield from _children(base, types)
    for group in kind.iter(f"{_XS}sequence", f"{_XS}choice"):
        # Those of an element that has a type of its own inside are not children of this one.
        if next(group.iterancestors(f"{_XS}complexType")) is kind:
            yield from group.findall(f"{_XS}element")


def _words_in(declared: etree._Element) -> Words | None:
    said = {
        one.get(_LANG): " ".join((one.text or "").split())
        for one in declared.findall(f"{_XS}annotation/{_XS}documentation")
    }
    return (said["sv"], said["en"]) if "sv" in said and "en" in said else None


def _with_included(file: Path, known: set[Path]) -> Iterator[etree._Element]:
    """Yield the schema in a file, and those that it includes, each once."""
    if file in known:
        return
    known.add(file)
    schema = _root(file)
    yield schema
    for included in schema.findall(f"{_XS}include"):
        yield from _with_included(file.parent / str(included.get("schemaLocation")), known)


@cache
def _root(file: Path) -> etree._Element:
    return etree.parse(file, etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
