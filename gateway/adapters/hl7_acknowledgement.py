"""Answers to HL7 v2 messages: accept and application acknowledgements (v2.5 chapter 2 §2.9, §2.15.8 MSA, §2.15.5 ERR).

A message is answered after it is stored, with what it was found to be. Without MSH-15 and MSH-16 the sender wants the
original mode, one application acknowledgement: AA accepted, AE refused for what it says, AR not meant for us. With one
of them it wants the enhanced mode: an accept acknowledgement, which says that the message is kept (CA) or rejected
(CR), and an application acknowledgement, each as MSH-15 and MSH-16 ask. A refused message is kept too, so it is CA and
then AE. Nothing of the message comes back but its own header: ids, names of systems, type.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.adapters.hl7_text import CHARSETS, UNSTATED, Delimiters, beginning
from gateway.clock import STOCKHOLM
from gateway.errors import Fault, Finding, InvalidDocumentError

NOTHING_TO_SEND: Final = Fault(
    "hl7.nothing-to-send",
    "Händelsen är mottagen och sparad. Inget meddelande skickas med anledning av den.",
    "The event is accepted and kept. No message is sent because of it.",
)

REJECTING: Final = frozenset(
    {
        "hl7.header-missing",
        "hl7.delimiters",
        "hl7.frame",
        "hl7.too-large",
        "hl7.type-unsupported",
        "hl7.version-unsupported",
        "hl7.processing-id",
    }
)
"""Faults of a message that is not meant for us, or that is none: AR and CR. All others are AE."""

CONDITIONS: Final[dict[str, tuple[str, str]]] = {
    "hl7.header-missing": ("100", "Segment sequence error"),
    "hl7.segment-name": ("100", "Segment sequence error"),
    "hl7.several-messages": ("100", "Segment sequence error"),
    "hl7.missing": ("101", "Required field missing"),
    "hl7.time": ("102", "Data type error"),
    "hl7.day": ("102", "Data type error"),
    "hl7.escape": ("102", "Data type error"),
    "hl7.unescaped-delimiter": ("102", "Data type error"),
    "hl7.encoding-contradicted": ("102", "Data type error"),
    "json.form": ("102", "Data type error"),
    "json.value": ("103", "Table value not found"),
    "hl7.unit-unknown": ("103", "Table value not found"),
    "unit.unknown": ("103", "Table value not found"),
    "hl7.type-unsupported": ("200", "Unsupported message type"),
    "hl7.processing-id": ("202", "Unsupported processing id"),
    "hl7.version-unsupported": ("203", "Unsupported version id"),
    "case.unknown": ("204", "Unknown key identifier"),
    "event.id-conflict": ("205", "Duplicate key identifier"),
}
"""Our codes as HL7 table 0357 has them; what is not here is 207, an error of the application."""
_OTHER_CONDITION: Final = ("207", "Application internal error")

_WANTED: Final[dict[str, tuple[bool, bool]]] = {
    "AL": (True, True),
    "NE": (False, False),
    "SU": (True, False),
    "ER": (False, True),
}
"""HL7 table 0155: whether it is wanted after success, and after an error."""

READ_FROM: Final[dict[str, str]] = {
    "header/sender/unit": "PV1-3",
    "header/recipient/unit": "OBX(RECIPIENT)-5",
    "header/person": "PID-3",
    "header/person/identifier": "PID-3",
    "body/admittedAt": "PV1-44",
    "body/registeredAddress": "PID-11",
    "body/expectedDischarge": "PV2-9",
    "body/expectedNeed": "OBX(CARE-NEED)-5",
    "body/readyAt": "EVN-6",
    "body/recalledAt": "EVN-6",
    "body/at": "EVN-6",
    "body/plannedAt": "PV1-45",
    "body/destination": "PV1-36",
    "body/dischargedAt": "PV1-45",
    "body/plannedSip": "OBX(PLANNED-SIP)-5",
    "body/meeting": "AIL-3",
    "body/meeting/start": "SCH-11.4",
    "body/meeting/end": "SCH-11.5",
    "body/slot": "SCH-11",
    "body/invitee": "AIG-3",
    "body/personAttends": "OBX(PATIENT-ATTENDS)-5",
    "body/replyBy": "OBX(REPLY-BY)-5",
}
"""What the rules of messages and cases find fault with (XPath), and the place it was read from in an HL7 message."""
_IN_SCHEDULING: Final = {"header/sender/unit": "SCH-19", "header/recipient/unit": "AIG-3", "body/reason": "SCH-6"}
_POSITION = re.compile(r"^/[A-Za-z]+/|\[[0-9]+\]")  # the element of the type, and which of several

_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[([0-9]+)\]|\([^)]*\))?(?:-([0-9]+)(?:\[([0-9]+)\])?)?((?:\.[0-9]+)*)")
_NOT_FOR_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Asked:
    """The header of a message as far as it can be read, to answer it; fields are as they stand, escapes and all."""

    delimiters: Delimiters
    fields: tuple[str, ...]

    @classmethod
    def of(cls, content: bytes) -> Asked:
        """Return the header of ``content``, whatever it is."""
        header = beginning(content)
        try:
            if header[:3] not in ("MSH", "BHS", "FHS"):
                return cls(Delimiters(), ())
            delimiters = Delimiters.of_header(header)
        except InvalidDocumentError:
            return cls(Delimiters(), ())
        return cls(delimiters, tuple(header.split(delimiters.field)) if header.startswith("MSH") else ())

    def field(self, number: int, *, longest: int = 250) -> str:
        """Return MSH-``number`` as it stands, empty where there is none, or it cannot be answered with."""
        found = self.fields[number - 1] if number <= len(self.fields) else ""
        return found if len(found) <= longest and not _NOT_FOR_HEADER.search(found) else ""

    @property
    def is_enhanced(self) -> bool:
        """Whether the sender wants the enhanced mode."""
        return bool(self.field(15) or self.field(16))

    def wants(self, number: int, *, failed: bool) -> bool:
        """Tell whether MSH-``number`` asks for an answer; what it says that is in no table is taken as always."""
        stated = self.field(number)
        return _WANTED.get(stated, (bool(stated), bool(stated)))[failed]


def answers(
    content: bytes, findings: Sequence[Finding], *, now: datetime, nothing_to_send: bool = False
) -> Iterator[bytes]:
    """Yield the acknowledgements of a message, in order, without frames: none, one or two.

    ``findings`` are why it was refused, none when it was accepted; ``nothing_to_send`` says that it became no message.
    The same message and verdict give the same acknowledgements but for their time.
    """
    asked = Asked.of(content)
    findings = [_in_message(finding, asked) for finding in findings]
    rejected = any(finding.code in REJECTING for finding in findings)
    told = list(findings) or ([NOTHING_TO_SEND.at()] if nothing_to_send else [])
    verdict = "R" if rejected else "E" if findings else "A"
    if not asked.is_enhanced:
        yield _answer(asked, content, f"A{verdict}", told, bool(findings), now)
        return
    if asked.wants(15, failed=rejected):
        yield _answer(asked, content, "CR" if rejected else "CA", told if rejected else [], rejected, now)
        if rejected:
            return  # what was not accepted has no application to answer it (§2.9.3)
    if asked.wants(16, failed=bool(findings)):
        yield _answer(asked, content, f"A{verdict}", told, bool(findings), now)


def _in_message(finding: Finding, asked: Asked) -> Finding:
    """Return what a rule has found with its place in the HL7 message, as far as one field is what it is about."""
    path = _POSITION.sub("", finding.path or "")
    places = READ_FROM | _IN_SCHEDULING if asked.field(9).startswith("SIU") else READ_FROM
    return replace(finding, path=places[path]) if path in places else finding


def _answer(asked: Asked, content: bytes, code: str, told: Sequence[Finding], failed: bool, now: datetime) -> bytes:
    signs = asked.delimiters
    stated = asked.field(18).split(signs.repetition)[0] if signs.repetition else asked.field(18)
    # Reasons are in Swedish, which ASCII cannot say.
    charset = stated if stated in CHARSETS and stated != UNSTATED else "UNICODE UTF-8"
    codec = CHARSETS[charset]
    own_id = hashlib.sha256(content + code.encode()).hexdigest()[:20].upper()
    trigger = asked.field(9).split(signs.component)[1:2]
    header = [
        f"MSH{signs.field}{signs.encoding}",
        *(_recoded(asked.field(number), codec) for number in (5, 6, 3, 4)),
        signs.escaped(now.astimezone(STOCKHOLM).strftime("%Y%m%d%H%M%S%z")),
        "",
        signs.component.join(["ACK", *trigger, "ACK"] if trigger else ["ACK"]),
        own_id,
        asked.field(11) or "P",
        asked.field(12) or signs.escaped("2.5"),
        "",
        "",
        "NE" if asked.is_enhanced else "",
        "NE" if asked.is_enhanced else "",
        "",
        signs.escaped(charset),
    ]
    control_id = _recoded(asked.field(10), codec)
    # MSA-3 is for senders older than ERR, and says no more than the codes.
    text = signs.escaped(", ".join(dict.fromkeys(finding.code for finding in told)))
    lines = [header, ["MSA", code, control_id, text], *(_error(signs, finding, failed) for finding in told)]
    return "".join(signs.field.join(line) + "\r" for line in lines).encode(codec, "replace")


def _recoded(field: str, codec: str) -> str:
    """Return a field of a header, which was read byte by byte, as text."""
    try:
        return field.encode("latin-1").decode(codec)
    except UnicodeError:
        return ""


def _error(signs: Delimiters, finding: Finding, failed: bool) -> list[str]:
    """Return the ERR segment of a finding: its place, HL7's code and ours, for programmers and for staff."""
    number, title = CONDITIONS.get(finding.code, _OTHER_CONDITION) if failed else ("0", "Message accepted")
    return [
        "ERR",
        "",
        signs.component.join(_location(finding)),
        signs.component.join([number, signs.escaped(title), "HL70357"]),
        "E" if failed else "I",
        signs.component.join([signs.escaped(finding.code), "", "99SIP"]),
        "",
        signs.escaped(f"{finding.path}: {finding.en}" if finding.path else finding.en),
        signs.escaped(finding.sv),
    ]


def _location(finding: Finding) -> list[str]:
    """Return a place as ERL has it: segment, which of its name, field, repetition, component, subcomponent."""
    found = _PLACE.fullmatch(finding.path or "")
    if found is None:
        return []
    segment, number, field, repetition, parts = found.groups()
    return [segment, number or "1", *([field, repetition or "1"] if field else []), *parts.split(".")[1:]]
