"""Frozen dataclasses to XML and JSON, and back.

A dataclass is its own description (:mod:`gateway.messages.description`). Reading XML
(:mod:`gateway.messages.binding_xml`) trusts that the document has passed its schema; reading JSON
(:mod:`gateway.messages.binding_json`) trusts nothing and reports every fault at once.
"""

from __future__ import annotations

from gateway.messages.binding_json import (
    BAD_CHARACTER,
    BAD_FORM,
    MISSING,
    NOT_ALLOWED,
    UNKNOWN,
    WRONG_TYPE,
    can_be_xml,
    from_json,
    json_pointer,
    to_json,
    unknown_pointer,
)
from gateway.messages.binding_xml import document_of, from_xml, xml_of
from gateway.messages.description import NAMESPACE, camel, element, elements

__all__ = [
    "BAD_CHARACTER",
    "BAD_FORM",
    "MISSING",
    "NAMESPACE",
    "NOT_ALLOWED",
    "UNKNOWN",
    "WRONG_TYPE",
    "camel",
    "can_be_xml",
    "document_of",
    "element",
    "elements",
    "from_json",
    "from_xml",
    "json_pointer",
    "to_json",
    "unknown_pointer",
    "xml_of",
]
