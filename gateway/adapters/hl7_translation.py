"""An HL7 v2 message becomes drafts of messages: by the tables of its type, and the rules of the journal's events."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from gateway.adapters.hl7_batch import refuse_batch
from gateway.adapters.hl7_kinds import Names, person_number
from gateway.adapters.hl7_mapping import RECORDED, Hl7Mapping, Step, Trigger
from gateway.adapters.hl7_message import MAX_BYTES, Hl7Message
from gateway.adapters.hl7_places import said_at, values_at
from gateway.adapters.hl7_rows import Filled
from gateway.adapters.journal import JOURNAL
from gateway.adapters.reading import EMPTY_LIST, Reader
from gateway.clock import local_date
from gateway.directory import Directory
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.messages import Identifier
from gateway.messages.binding import MISSING
from gateway.ports import Draft, Renumbering, Translation

ABSENT: Final = Fault("hl7.missing", "{place} saknas eller är tomt.", "{place} is missing or empty.")
TYPE: Final = Fault(
    "hl7.type-unsupported",
    "Meddelandetypen används inte här; de som används är {known}.",
    "The message type is not used here; those that are: {known}.",
)
VERSION: Final = Fault(
    "hl7.version-unsupported",
    "Versionen stöds inte; meddelandet ska vara HL7 2.x.",
    "The version is not supported; the message must be HL7 2.x.",
)
PROCESSING: Final = Fault(
    "hl7.processing-id",
    "Meddelandet är inte till för drift: MSH-11 ska vara {known}.",
    "The message is not meant for production: MSH-11 must be {known}.",
)
CONTROL_ID: Final = Fault(
    "hl7.control-id-too-long",
    "Meddelandets id är längre än {limit} tecken.",
    "The id of the message is longer than {limit} characters.",
)

LONGEST_ID: Final = 199
"""The longest MSH-10, as of HL7 v2.7."""
_LONGEST_KEY: Final = 200
_VERSION = re.compile(r"2(\.[0-9]){0,3}")


def translate(content: bytes, directory: Directory, mapping: Hl7Mapping, *, limit: int = MAX_BYTES) -> Translation:
    """Understand one message, of ``limit`` bytes at most. Pure: the same bytes give the same drafts.

    A message that tells nothing a unit elsewhere should know becomes no draft, and is accepted all the same.

    Raises:
        InvalidDocumentError: with every fault and its place.
    """
    refuse_batch(content)
    message = Hl7Message.parse(content, limit=limit, words=mapping.codes)
    kind, trigger = _kind(message, mapping)
    absent = [place for place in ("MSH-10", *trigger.needs) if not any(values_at(message, place))]
    findings = [ABSENT.at(place, place=place) for place in absent]
    if len(message.header.value(10) or "") > LONGEST_ID:
        findings.append(CONTROL_ID.at("MSH-10", limit=LONGEST_ID))
    drafts, references = [], []
    for step in steps_of(message, trigger):
        try:
            draft, reference = _understand(step, message, directory, mapping)
        except InvalidDocumentError as error:
            findings += error.findings
            continue
        drafts.append(draft)
        references.append(reference)
    renumberings: tuple[Renumbering, ...] = ()
    if trigger.renumbers is not None and not findings:
        try:
            renumberings = tuple(_renumberings(message, *trigger.renumbers, mapping.names))
        except InvalidDocumentError as error:
            findings += error.findings
    if findings:
        raise InvalidDocumentError(dict.fromkeys(findings))
    return Translation(
        event_id=key_of(message, kind),
        kind=kind,
        case_reference=references[0] if references else None,
        drafts=tuple(drafts),
        renumberings=renumberings,
    )


def told_at(content: bytes, mapping: Hl7Mapping, *, limit: int = MAX_BYTES) -> datetime:
    """Return when what a message tells was recorded (EVN-2, else MSH-7); raises :class:`InvalidDocumentError`."""
    return _recorded(Hl7Message.parse(content, limit=limit), mapping.names)


def _recorded(message: Hl7Message, names: Names) -> datetime:
    filled = Filled(message, names)
    filled.fill({"recorded": RECORDED})
    if filled.findings or not filled.members.get("recorded"):
        raise InvalidDocumentError(filled.findings or [ABSENT.at("MSH-7", place="MSH-7")])
    return datetime.fromisoformat(filled.members["recorded"])


def key_of(message: Hl7Message, kind: str) -> str:
    """Return what a message is known by: its sender (MSH-3, MSH-4), its type and its id.

    A sender may count the messages of each type by themselves.
    """
    header = message.header
    sender = [[header.value(number, component) for component in (1, 2)] for number in (3, 4)]
    key = json.dumps([*sender, kind, header.value(10)], ensure_ascii=False, separators=(",", ":"))
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def steps_of(message: Hl7Message, trigger: Trigger) -> Iterator[Step]:
    """Yield the steps of ``trigger`` that ``message`` takes."""
    for step in trigger.steps:
        is_given = all(any(values_at(message, place)) for place in step.given)
        if not is_given or any(not codes & said_at(message, place) for place, codes in step.said.items()):
            continue
        if step.event is not None:
            yield step
        if step.last:
            return


def _kind(message: Hl7Message, mapping: Hl7Mapping) -> tuple[str, Trigger]:
    """Return the type of ``message``, which version and purpose let it have, and what becomes of it."""
    header = message.header
    if not _VERSION.fullmatch(header.value(12) or ""):
        raise InvalidDocumentError(VERSION.at("MSH-12"))
    if header.value(11) not in mapping.processing_ids:
        raise InvalidDocumentError(PROCESSING.at("MSH-11", known=", ".join(sorted(mapping.processing_ids))))
    kind = f"{header.value(9)}^{header.value(9, 2)}"
    if kind not in mapping.triggers:
        raise InvalidDocumentError(TYPE.at("MSH-9", known=", ".join(mapping.triggers)))
    return kind, mapping.triggers[kind]


def _understand(step: Step, message: Hl7Message, directory: Directory, mapping: Hl7Mapping) -> tuple[Draft, str | None]:
    """Return the draft that ``step`` makes of ``message``, and what the case is called."""
    filled = Filled(message, mapping.names)
    filled.fill(step.rows)
    reader = Reader.of(filled.members, directory)
    assert step.event is not None
    form = JOURNAL.events[step.event]
    reader.happened_on(local_date(JOURNAL.happened_at(reader)))
    try:
        reference = (form.case_reference or JOURNAL.case_reference)(reader)
        draft = JOURNAL.draft(form, reader)
        reader.finish()
    except InvalidDocumentError as error:
        raise InvalidDocumentError(tuple(_placed(error.findings, filled))) from None
    if filled.findings:
        raise InvalidDocumentError(filled.findings)
    return replace(draft, if_news=step.if_news, from_case=step.from_case), reference


def _renumberings(message: Hl7Message, old: str, new: str, names: Names) -> Iterator[Renumbering]:
    """Yield each number of a person at ``old`` with the one in use, the first at ``new``; other numbers are skipped."""
    day = local_date(_recorded(message, names))
    in_use = next(_numbers(message, new, names, day), None)
    if in_use is not None:
        for number in _numbers(message, old, names, day):
            yield Renumbering(old=number, new=in_use)


def _numbers(message: Hl7Message, place: str, names: Names, day: date) -> Iterator[Identifier]:
    for found in values_at(message, place):
        told = person_number(found, names)
        if isinstance(told, dict):  # else it is no number that SIP knows
            try:
                number = PersonId.from_oid(told["system"], told["value"], today=day)
            except InvalidDocumentError as error:
                raise InvalidDocumentError([replace(one, path=found.at(1)) for one in error.findings]) from None
            yield Identifier(root=number.oid, extension=number.value)


def _placed(findings: Iterable[Finding], filled: Filled) -> Iterator[Finding]:
    """Yield what is wrong at places in the message; what could not be read is not missed as well."""
    yield from filled.findings
    unreadable = {(finding.path or "").partition(".")[0] for finding in filled.findings}
    for finding in findings:
        place = filled.place_of(finding.path or "") or "MSH-9"
        if place.partition(".")[0] in unreadable:
            continue
        if finding.code in (MISSING.code, EMPTY_LIST.code):
            yield ABSENT.at(place, place=place)
        else:
            yield replace(finding, path=place)
