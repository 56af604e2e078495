"""Rules that hold for every message, whatever its type: identifiers, addresses and the person in the header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from gateway.case_number import CaseKind
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.identifiers import HsaId, PersonId
from gateway.messages.contract import Contract
from gateway.messages.model import Header, Message, ProtectedLevel

PERSON_REQUIRED = Fault(
    "header.person-missing",
    "Meddelandet måste tala om vem det gäller.",
    "The message must say which person it is about.",
)
PERSON_FORBIDDEN = Fault(
    "header.person-not-allowed",
    "Den här meddelandetypen får inte innehålla personuppgifter om den enskilde.",
    "This message type must not name the person.",
)
RECIPIENT_MISSING = Fault(
    "header.recipient-missing", "Meddelandet måste ha en mottagare.", "The message must have a recipient."
)
RECIPIENT_TWICE = Fault(
    "header.recipient-twice",
    "Samma enhet står två gånger som mottagare.",
    "The same unit is named twice as a recipient.",
)
RECIPIENT_IS_SENDER = Fault(
    "header.recipient-is-sender",
    "Avsändaren kan inte vara sin egen mottagare.",
    "The sender cannot be its own recipient.",
)
OTHER_KIND_OF_CASE = Fault(
    "header.case-kind",
    "Meddelandetypen hör inte till ärenden med det slaget av nummer.",
    "The message type does not belong to cases with that kind of number.",
)
STAYS_HOME = Fault(
    "header.stays-home",
    "Den här meddelandetypen stannar hos den egna parten och har inga mottagare.",
    "This message type stays with the own party and has no recipients.",
)
ORIGINAL_TIME_LATER = Fault(
    "header.original-time-later",
    "Den ursprungliga tidpunkten enligt reservrutinen kan inte ligga efter att meddelandet skapades.",
    "The original time of the reserve routine cannot be after the message was created.",
)
NO_RESERVE_ROUTINE = Fault(
    "header.reserve-routine-not-allowed",
    "En kvittens registreras inte enligt reservrutinen; den anger själv när det skedde.",
    "An acknowledgement is not registered by the reserve routine; it says itself when it was given.",
)


# The units that talk to each other are few, and every message names some. What is refused is not kept.
_checked_unit = lru_cache(maxsize=4096)(HsaId.parse)
# A message is checked when it is written and when it is read, and the messages about a person come one after another.
_checked_person = lru_cache(maxsize=4096)(PersonId.from_oid)


_PREFIX = {CaseKind.SIP: "SIP", CaseKind.DISCHARGE: "M"}


def header_findings(message: Message, contract: Contract) -> Iterator[Finding]:
    """Yield every finding about the header of ``message``, with paths relative to the root element."""
    yield from _person_findings(message.header, contract)
    if not any(message.header.case_number.startswith(_PREFIX[kind]) for kind in contract.process):
        yield OTHER_KIND_OF_CASE.at("header/caseNumber")
    if contract.stays_home and message.header.recipients:
        yield STAYS_HOME.at("header/recipient[1]")
    if not message.header.recipients and not contract.may_stay_home:
        yield RECIPIENT_MISSING.at("header")
    yield from _address_findings(message.header)
    if message.header.reserve_routine is not None:
        if message.type == ACKNOWLEDGEMENT:
            yield NO_RESERVE_ROUTINE.at("header/reserveRoutine")
        if message.header.happened_at > message.header.created_at:
            yield ORIGINAL_TIME_LATER.at("header/reserveRoutine/at")


def _person_findings(header: Header, contract: Contract) -> Iterator[Finding]:
    if header.person is None:
        if contract.carries_person:
            yield PERSON_REQUIRED.at("header")
        return
    if not contract.carries_person:
        yield PERSON_FORBIDDEN.at("header/person")
    for position, identifier in enumerate(header.person.identifiers, 1):
        try:
            _checked_person(identifier.root, identifier.extension)
        except InvalidDocumentError as error:
            yield from _placed(error, f"header/person/identifier[{position}]")


def _address_findings(header: Header) -> Iterator[Finding]:
    units = [header.sender.unit, *[recipient.unit for recipient in header.recipients]]
    for n, unit in enumerate(units):
        try:
            _checked_unit(unit)
        except InvalidDocumentError as error:
            yield from _placed(error, _place(n))
    if len(set(units)) == len(units):  # each once: neither two recipients nor sender and recipient are the same
        return
    seen: set[str] = set()
    for n, unit in enumerate(units[1:], 1):
        if unit == header.sender.unit:
            yield RECIPIENT_IS_SENDER.at(_place(n))
        if unit in seen:
            yield RECIPIENT_TWICE.at(_place(n))
        seen.add(unit)


def _place(n: int) -> str:
    """Return the path of the unit of recipient ``n``, counted from 1, or of the sender when it is 0."""
    return f"header/recipient[{n}]/unit" if n else "header/sender/unit"


def _placed(error: InvalidDocumentError, path: str) -> Iterable[Finding]:
    for finding in error.findings:
        yield Finding(finding.code, finding.sv, finding.en, path)


def is_protected(message: Message) -> bool:
    """Tell whether the person of ``message`` has a protected identity of any grade."""
    person = message.header.person
    return person is not None and person.protected_level is not ProtectedLevel.NONE
