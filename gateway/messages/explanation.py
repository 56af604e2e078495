"""What is wrong with a document that libxml2 has found invalid: xmlschema says which rule failed and where.

It is loaded with the first such document: most processes never meet one, and loading it takes a sixth of their start.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import xmlschema
from lxml import etree
from xmlschema.validators import XMLSchemaChildrenValidationError, XMLSchemaValidationError, XsdElement, XsdGroup
from xmlschema.validators.facets import (
    XsdEnumerationFacets,
    XsdMaxLengthFacet,
    XsdPatternFacets,
)

from gateway.errors import Fault, Finding
from gateway.messages.schemas import (
    ATTRIBUTE,
    ENUMERATION,
    MISSING,
    MORE,
    MOST_FINDINGS,
    PATTERN,
    TEXT,
    TOO_LONG,
    UNEXPECTED,
    VALUE,
    compiled,
    local_name,
    xpath_of,
)
from gateway.resources import schema_folder


@cache
def explaining(name: str) -> xmlschema.XMLSchema10:
    """Return the schema of message type ``name``, compiled by xmlschema."""
    return xmlschema.XMLSchema10(str(schema_folder() / f"{name}.xsd"), allow="local", use_location_hints=False)


def explain(name: str, root: etree._Element) -> Iterator[Finding]:
    """Yield every fault of a document that libxml2 found invalid, in document order, at most :data:`MOST_FINDINGS`."""
    found = 0
    for error in explaining(name).iter_errors(cast(Any, root)):  # it takes lxml trees; its stubs do not say so
        if found == MOST_FINDINGS:
            yield MORE.at(limit=MOST_FINDINGS)
            return
        found += 1
        yield _finding(name, error, root)
    if not found:  # the two validators disagree: say no all the same, at the place libxml2 gave
        last = compiled(name).error_log.last_error
        yield VALUE.at(line=last.line if last is not None else None)


def _finding(name: str, error: XMLSchemaValidationError, root: etree._Element) -> Finding:
    place = error.elem if isinstance(error.elem, etree._Element) else root
    if not isinstance(error, XMLSchemaChildrenValidationError):
        fault, names = _value_fault(error)
        return fault.at(xpath_of(place), place.sourceline, **names)
    tags = _expected_tags(error)
    expected = ", ".join(local_name(tag) for tag in tags) or "slut/end"
    child = cast("etree._Element | None", error.invalid_child)
    if child is None:
        return MISSING.at(xpath_of(place), place.sourceline, expected=expected)
    known = {element.name for element in cast(XsdGroup, error.validator).iter_elements()}
    needed = next((str(item.name) for item in error.expected or () if item.occurs[0] > 0), None)
    if needed and child.tag in known and place.find(needed) is None:  # not wrong itself: the one before was left out
        return MISSING.at(xpath_of(place), child.sourceline, expected=expected)
    # A name that no schema has may be anything, a person's even, and is not repeated.
    named = child if child.tag in _element_names(name) else place
    return UNEXPECTED.at(xpath_of(named), child.sourceline, expected=expected)


@cache
def _element_names(name: str) -> frozenset[str]:
    """Return the names of all elements that the schema of message type ``name`` knows, wherever they may stand."""
    kinds = explaining(name).maps.types.values()
    return frozenset(str(element.name) for kind in kinds for element in kind.iter_components(XsdElement))


def _value_fault(error: XMLSchemaValidationError) -> tuple[Fault, dict[str, object]]:
    facet = error.validator
    if isinstance(facet, XsdEnumerationFacets):
        return ENUMERATION, {"allowed": ", ".join(str(value) for value in facet.enumeration)}
    if isinstance(facet, XsdMaxLengthFacet):
        return TOO_LONG, {"limit": facet.value}
    if isinstance(facet, XsdPatternFacets):
        owner = facet.parent  # a pattern on an unnamed type of one element has no name to tell
        return PATTERN, {"kind": owner.local_name if owner is not None and owner.name else "pattern"}
    reason = str(error.reason)
    if "attribute" in reason:
        return ATTRIBUTE, {}
    if "character data" in reason:
        return TEXT, {}
    return VALUE, {}


def _expected_tags(error: XMLSchemaChildrenValidationError) -> list[str]:
    """Return the names of what may stand here, up to and including the first element that must."""
    tags = []
    for item in error.expected or ():
        tags.append(str(item.name))
        if item.occurs[0] > 0:
            break
    return tags
