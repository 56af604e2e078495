"""The reference page of FHIR (``docs/fhir.md``): code lists and extensions, rendered from the tables in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.adapters import fhir_codes as codes
from gateway.adapters.fhir_extensions import BASE, OF_RESOURCE, Extension
from gateway.adapters.fhir_identifiers import HSA_SYSTEMS, PERSON_SYSTEMS, PROTECTION
from gateway.adapters.fhir_lists import EXTENSION, KEPT, LABELS, LISTS, SENT
from gateway.messages.description import camel

ELEMENTS: Final[Mapping[str, str]] = {
    "case-reference": "what the case is called, by the journal or by its case number",
    "acting-unit": "header/sender/unit",
    "performer": "header/sender/user",
    "patient": "header/person",
    "recipient": "header/recipient; otherwise all who take part in the case",
    "in-reply-to": "header/inReplyTo",
    "downtime": "header/reserveRoutine",
    "step": "which of the messages of the status it is",
    "change-reason": "reason",
    "open-care": "openCareAvailable",
    "ready-message": "readyMessageId",
    "recall-reason": "reason",
    "recall-text": "text",
    "discharge-follow-up": "followUp",
    "patient-copy": "patientCopyGiven",
    "agenda": "agendaItem",
    "link": "onlineLink",
    "absence-reason": "personAbsentReason",
    "previous-period": "previous",
    "profession": "requestedProfession",
    "invited-because": "reason",
    "guardian-consent": "guardian",
    "document-reference": "documentRef",
    "consent-reason": "reason",
    "variant": "mode",
    "placement-care": "healthCare",
    "patient-present": "personPresent",
    "plan-copy": "personCopy",
    "item-id": "id",
    "item-priority": "priority",
    "item-follow-up": "followUp",
    "performer-kind": "kind",
    "message-type": "messageType",
    "previous-responsible": "previous",
    "next-responsible": "next",
    "closure-reason": "reason",
    "closure-text": "otherText",
    "duty": "header/recipient/duty; written only",
    "meeting-mode": "mode",
    "meeting-outcome": "outcome",
    "forward-to": "toUnit",
    "forward-step": "earlier",
    "follow-up-outcome": "outcome",
    "reached-on": "on",
    "participant": "unit",
    "removal-reason": "reason",
    "retraction-reason": "reason",
    "misdirected-reason": "reason",
    "contact-kind": "kind",
    "contact-unit": "unit",
    "interruption-reason": "reason",
    "interruption-text": "otherText",
    "interrupted-at": "at",
    "planning-item": "item",
}
"""What an extension carries, where it is not the element of the message with the same name."""

_CARRIES: Final = (
    "Each carries the element of the message it is shown with, whose meaning stands in `schemas/`; its codes are those "
    "of the schema."
)


def element_of(name: str) -> str:
    """Return what extension ``name`` carries: an element of the message, or what words say."""
    return ELEMENTS.get(name) or camel(name.replace("-", "_"))


def page() -> str:
    """Return the page in Markdown."""
    parts = [
        "# FHIR\n\nWritten by `make docs`; change the code, not this page.",
        "## Identifiers\n\n" + _table(("What", "`system`"), _identifiers()),
        "## Security labels\n\nOn the Patient or on the resource itself (`meta.security`).\n\n"
        + _table(
            ("`system`", "`code`", "Protected level"),
            ((f"`{system}`", f"`{code}`", f"`{level}`") for (system, code), level in PROTECTION.items()),
        ),
        "## Code lists\n\nA code that does not stand here is refused by name. A dash: kept, and nothing is sent.\n\n"
        + _table(("Element", "Code", "Means"), _codes()),
        f"## Extensions\n\nEach `url` is `{BASE}` and the name; a part of a complex one has the bare name.\n{_CARRIES}",
    ]
    for resource, extensions in OF_RESOURCE.items():
        rows = ((f"`{name}`", _value(kind), element_of(name)) for name, kind in extensions.items())
        parts.append(f"### {resource}\n\n{_table(('Name', 'Value', 'Carries'), rows)}")
    return "\n\n".join(parts) + "\n"


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(headings)
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles), *lines])


def _identifiers() -> Iterator[tuple[str, str]]:
    for system in dict.fromkeys(PERSON_SYSTEMS):
        yield "a person", f"`{system}`"
    for system in HSA_SYSTEMS:
        yield "a unit, a member of staff (HSA-id)", f"`{system}`"


def _value(kind: Extension) -> str:
    many = ", repeats" if kind.repeats else ""
    if not kind.parts:
        return f"`{kind.member}`{many}"
    inner = ", ".join(f"`{name}`: {_value(part)}" for name, part in kind.parts.items())
    return f"complex{many} ({inner})"


def _codes() -> Iterator[tuple[str, str, str]]:
    for name, known in LISTS.items():
        if name in (LABELS, "Task.status") or name.startswith(EXTENSION):
            continue
        systems = {system for system, _ in known.meanings}
        only = next(iter(systems)) if len(systems) == 1 else None
        element = f"`{name}`" if only is None else f"`{name}` in `{only}`"
        for code, meaning in known.meanings.items():
            yield element, f"`{known.shown(code)}`".replace("|", "#"), meaning
    for kind, statuses in codes.TASK_STATUS.items():
        for status, counts in statuses.items():
            meaning = str(codes.MEASURE_TASK_STATUS[status]) if kind == "measureUpdate" and counts else SENT
            yield f"`Task.status` of `{kind}`", f"`{status}`", meaning if counts else KEPT
