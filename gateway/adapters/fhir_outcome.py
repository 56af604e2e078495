"""What FHIR systems are answered: an OperationOutcome with a coded issue, and its place, for each thing wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.errors import Finding

FAULT_SYSTEM: Final = "urn:sip-gateway:fault"
"""The system of the gateway's fault codes (``docs/faults.md``)."""
ACCEPTED_SYSTEM: Final = "urn:sip-gateway:accepted"
"""The system of the ids that an event was given: of its case and its messages."""
_TRANSLATION: Final = "http://hl7.org/fhir/StructureDefinition/translation"

_ISSUE_TYPE: Final[Mapping[str, str]] = {
    "json.missing": "required",
    "json.unknown": "structure",
    "json.type": "structure",
    "json.value": "code-invalid",
    "json.form": "value",
    "json.malformed": "structure",
    "document.too-large": "too-long",
    "document.too-deep": "too-costly",
    "document.too-many-parts": "too-costly",
    "event.id-conflict": "conflict",
    "event.empty-list": "required",
    "event.empty-text": "required",
    "fhir.choice": "structure",
    "fhir.extension-unknown": "extension",
    "fhir.extension-twice": "extension",
    "fhir.full-url-twice": "duplicate",
    "fhir.id-twice": "duplicate",
    "fhir.method-not-taken": "not-supported",
    "fhir.modifier-not-understood": "extension",
    "fhir.reference-unresolved": "not-found",
    "fhir.resource-not-used": "not-supported",
    "fhir.status-not-taken": "code-invalid",
    "fhir.label-unclear": "code-invalid",
    "fhir.media-type": "not-supported",
    "http.broken-off": "incomplete",
    "http.idempotency-key-taken": "conflict",
    "http.not-allowed": "forbidden",
    "http.not-authenticated": "login",
    "http.not-kept": "transient",
    "http.nothing-to-fetch": "not-supported",
    "http.too-slow": "timeout",
}
"""FHIR's IssueType of a fault; by its area where its code is not here."""
_ISSUE_TYPE_OF_AREA: Final[Mapping[str, str]] = {
    "document": "structure",
    "json": "invalid",
    "event": "value",
    "fhir": "invalid",
    "http": "processing",
    "person-id": "value",
    "hsa-id": "value",
    "directory": "value",
    "store": "transient",
    "system": "transient",
    "fhir-server": "transient",
}
_EXPRESSION = re.compile(r"(\$this|[A-Z][A-Za-z]*)([.\[].*)?")


def outcome(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return an OperationOutcome that tells ``findings``: code, place, and the sentence in Swedish and English."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(finding) for finding in findings]}


def _issue(finding: Finding) -> dict[str, Any]:
    area = finding.code.partition(".")[0]
    issue: dict[str, Any] = {
        "severity": "error",
        "code": _ISSUE_TYPE.get(finding.code) or _ISSUE_TYPE_OF_AREA.get(area, "business-rule"),
        "details": {
            "coding": [{"system": FAULT_SYSTEM, "code": finding.code}],
            "text": finding.sv,
            "_text": {
                "extension": [
                    {
                        "url": _TRANSLATION,
                        "extension": [
                            {"url": "lang", "valueCode": "en"},
                            {"url": "content", "valueString": finding.en},
                        ],
                    }
                ]
            },
        },
        "diagnostics": finding.en,
    }
    if finding.path is not None:
        # A fault that the rules of a message find has its place in the message, not in what came.
        issue["expression" if _EXPRESSION.fullmatch(finding.path) else "location"] = [finding.path]
    return issue


def accepted(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OperationOutcome of an event that is kept: the ids of its messages, where it became any.

    Whoever notifies of changes is answered without an event of its own: nothing is in the ``answer`` to it.
    """
    ids = answer.get("messageIds") or []
    number = answer.get("caseNumber")
    codes = [{"system": f"{ACCEPTED_SYSTEM}:message-id", "code": one} for one in ids]
    if number is not None:
        codes.append({"system": f"{ACCEPTED_SYSTEM}:case-number", "code": number})
    said = ("Mottaget och sparat.", "Received and kept.")
    if not answer:
        said = ("Hämtat.", "Fetched.")
    elif not ids:
        said = ("Sparat; inget meddelande skickas.", "Kept; no message is sent.")
    details: dict[str, Any] = {"text": said[0]}
    if codes:
        details["coding"] = codes
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "information",
                "code": "informational",
                "details": details,
                "diagnostics": said[1],
            }
        ],
    }
