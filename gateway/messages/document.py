"""Messages as documents: bytes in, typed message out, and back, with every fault explained.

The order is always the same: read hardened, validate against the schema of the type, bind, check the rules. All
findings of a stage are reported together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages import binding, schemas
from gateway.messages.contract import MessageType
from gateway.messages.hardened import read_json, read_own_xml, read_xml
from gateway.messages.header_rules import header_findings
from gateway.messages.model import Header, Message
from gateway.messages.types import TYPES

T = TypeVar("T")

_IN_NAMESPACE = f"{{{binding.NAMESPACE}}}"

UNKNOWN_TYPE = Fault(
    "message.unknown-type",
    "Meddelandetypen är okänd; kända är {known}.",
    "The message type is not known; known are {known}.",
)
NOT_AN_OBJECT = Fault(
    "json.not-an-object",
    "Ett meddelande är ett JSON-objekt med type, header och body.",
    "A message is a JSON object with type, header and body.",
)


def parse_xml(data: bytes) -> Message:
    """Return the message in an XML document.

    Raises:
        InvalidDocumentError: with every finding of the first stage that failed (reading, schema, rules).
    """
    root = read_xml(data)
    tag = str(root.tag)
    kind = TYPES.get(tag.removeprefix(_IN_NAMESPACE)) if tag.startswith(_IN_NAMESPACE) else None
    if kind is None:
        raise InvalidDocumentError(UNKNOWN_TYPE.at("/", root.sourceline, known=", ".join(TYPES)))
    if not schemas.compiled(kind.name).validate(root):
        raise InvalidDocumentError(_explained(kind.name, root))
    header, body = root
    message = Message(kind.name, binding.from_xml(Header, header), binding.from_xml(kind.body, body))
    findings = [
        replace(finding, path=f"/{kind.name}/{finding.path}", line=schemas.line_of(root, finding.path or ""))
        for finding in rule_findings(message)
    ]
    if findings:
        raise InvalidDocumentError(findings)
    return message


def _explained(name: str, root: etree._Element) -> list[Finding]:
    """Return what is wrong with a document of message type ``name`` that its schema refuses."""
    from gateway.messages.explanation import explain  # noqa: PLC0415 -- see there

    return list(explain(name, root))


def render_xml(message: Message) -> bytes:
    """Return ``message`` as an XML document in UTF-8, validated against its schema and rules.

    Raises:
        InvalidDocumentError: the message breaks its schema or a rule; paths are XPaths into the XML.
        ValueError: a text in it holds a character that XML does not allow.
    """
    kind = TYPES[message.type]
    document = binding.document_of(message.type, {"header": message.header, "body": message.body}).encode()
    root = read_own_xml(document)
    if not schemas.compiled(kind.name).validate(root):
        raise InvalidDocumentError([replace(finding, line=None) for finding in _explained(kind.name, root)])
    findings = [replace(finding, path=f"/{kind.name}/{finding.path}") for finding in rule_findings(message)]
    if findings:
        raise InvalidDocumentError(findings)
    return document


def rule_findings(message: Message) -> Iterator[Finding]:
    """Yield what ``message`` breaks beyond its schema; paths are relative to the root element."""
    kind = TYPES[message.type]
    yield from header_findings(message, kind.contract)
    for rule in kind.all_rules:
        for path in rule.check(message):
            yield rule.fault.at(path)


def to_json(message: Message) -> dict[str, Any]:
    """Return ``message`` as a JSON object with ``type``, ``header`` and ``body``."""
    return {"type": message.type, "header": binding.to_json(message.header), "body": binding.to_json(message.body)}


def render_json(message: Message) -> bytes:
    """Return ``message`` as an indented JSON document in UTF-8."""
    return json.dumps(to_json(message), ensure_ascii=False, indent=2).encode()


def parse_json(data: bytes) -> Message:
    """Return the message in a JSON document.

    Raises:
        InvalidDocumentError: with every finding; paths are JSON pointers.
    """
    return from_json(read_json(data))


def from_json(members: Any) -> Message:
    """Return the message in a JSON object that is already read.

    Raises:
        InvalidDocumentError: with every finding; paths are JSON pointers.
    """
    if not isinstance(members, dict):
        raise InvalidDocumentError(NOT_AN_OBJECT.at("/"))
    kind = TYPES.get(members["type"]) if isinstance(members.get("type"), str) else None
    if kind is None:
        raise InvalidDocumentError(UNKNOWN_TYPE.at("/type", known=", ".join(TYPES)))
    known = ("type", "header", "body")
    findings = [binding.UNKNOWN.at(binding.unknown_pointer("", name)) for name in members if name not in known]
    header = _part(Header, members, "header", findings)
    body = _part(kind.body, members, "body", findings)
    if len(findings) > schemas.MOST_FINDINGS:
        findings[schemas.MOST_FINDINGS :] = [schemas.MORE.at("/", limit=schemas.MOST_FINDINGS)]
    if findings:
        raise InvalidDocumentError(findings)
    assert header is not None  # no finding means both were read
    message = Message(kind.name, header, body)
    try:
        render_xml(message)
    except InvalidDocumentError as error:
        raise InvalidDocumentError([_pointed(finding, kind) for finding in error.findings]) from None
    return message


def _part(cls: type[T], members: dict[str, Any], name: str, findings: list[Finding]) -> T | None:
    if members.get(name) is None:
        findings.append(binding.MISSING.at(f"/{name}", name=name))
        return None
    return binding.from_json(cls, members[name], findings, f"/{name}")


def _pointed(finding: Finding, kind: MessageType) -> Finding:
    """Turn the XPath of a finding into a pointer into the JSON it came from."""
    steps = []
    for step in (finding.path or "").split("/")[2:]:
        name, _, position = step.rstrip("]").partition("[")
        steps.append((name, int(position or 1)))
    if not steps:
        return replace(finding, path="/")
    cls = Header if steps[0][0] == "header" else kind.body
    return replace(finding, path=f"/{steps[0][0]}{binding.json_pointer(cls, steps[1:])}")


def read_file(path: Path) -> Message:
    """Return the message in a file, JSON when its name ends in ``.json`` and XML otherwise.

    Raises:
        InvalidDocumentError: with every finding, each naming the file.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    try:
        return parse_json(data) if path.suffix == ".json" else parse_xml(data)
    except InvalidDocumentError as error:
        raise InvalidDocumentError([finding.in_file(str(path)) for finding in error.findings]) from None
