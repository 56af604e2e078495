"""The audit log: who has read about people and acted by hand, when, why and how it went; a chain of hashes.

Each row has the SHA-256 of the row before it and of what it says itself, so that a row cannot be changed, removed or
moved without every later one having to be written anew. Patientdatalagen (2008:355) 4 kap. 3 § asks for such a log,
and 8 kap. 5 § for what a person may have out of it. No row names a person: only ids, codes, and the reason somebody
gave.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from gateway.access import Right, Role
from gateway.case_number import CaseNumber
from gateway.errors import CaseRuleError, Fault, Finding, InvalidDocumentError

MISSING = Fault(
    "audit.row-missing",
    "Rad {number} i loggen saknas, eller står inte på sin plats.",
    "Row {number} of the log is missing, or is not in its place.",
)
NOT_LINKED = Fault(
    "audit.not-linked",
    "Rad {number} i loggen hänger inte ihop med raden före.",
    "Row {number} of the log does not follow from the row before it.",
)
ALTERED = Fault(
    "audit.altered",
    "Rad {number} i loggen har ändrats efter att den skrevs.",
    "Row {number} of the log was changed after it was written.",
)
NOT_AS_NOTED = Fault(
    "audit.not-as-noted",
    "Rad {number} i loggen är en annan än den som antecknades.",
    "Row {number} of the log is not the one that was noted.",
)
CUT = Fault(
    "audit.cut",
    "Loggen slutar inte där den ska: rad {number} är den sista som borde finnas, med det kontrollvärde som sparats.",
    "The log does not end where it should: row {number} is the last that should be there, with the hash that was kept.",
)

ANCHOR_FORM = Fault(
    "audit.anchor",
    "En antecknad rad skrivs som sitt nummer, ett kolon och 64 hexadecimala siffror.",
    "A row that was noted is written as its number, a colon and 64 hexadecimal digits.",
)

_ANCHOR = re.compile(r"([0-9]{1,10}):([0-9a-f]{64})")

NOBODY = "unknown"
"""Stands for whoever did not say who they are in a way that can be kept: what they wrote may name anybody."""

BEGINNING = "0" * 64
"""What the first row has in place of the hash of a row before it."""


class Action(StrEnum):
    """What somebody does; ``right`` is the right they need for it."""

    right: Right

    LETTER_SHOWN = "letter.shown", Right.SEE_CONTENT
    LETTER_MAILED = "letter.mailed", Right.LETTERS
    LETTER_ANSWERED = "letter.answered", Right.LETTERS
    CASE_REVIEWED = "case.reviewed", Right.REVIEW
    ADAPTER_PAUSED = "adapter.paused", Right.PAUSE
    ADAPTER_RESUMED = "adapter.resumed", Right.PAUSE
    EVENT_READ = "event.read", Right.SEE_CONTENT
    EVENT_RESENT = "event.resent", Right.RESEND
    EVENT_DISCARDED = "event.discarded", Right.DISCARD
    MESSAGE_RESENT = "message.resent", Right.RESEND
    MESSAGE_DISCARDED = "message.discarded", Right.DISCARD
    MESSAGE_RESTORED = "message.restored", Right.DISCARD
    MESSAGE_ACKNOWLEDGED = "message.acknowledged", Right.ACKNOWLEDGE
    MESSAGE_MARKED_READ = "message.marked-read", Right.ACKNOWLEDGE
    FAILURE_NOTED = "failure.noted", Right.DISCARD
    # What is done to each item asks for the right of that action besides.
    OPERATION_BEGUN = "operation.begun", Right.RESEND
    OPERATION_PAUSED = "operation.paused", Right.RESEND
    OPERATION_CONTINUED = "operation.continued", Right.RESEND
    OPERATION_STOPPED = "operation.stopped", Right.RESEND
    TOKEN_CREATED = "token.created", Right.ADMINISTER_TOKENS
    TOKEN_REVOKED = "token.revoked", Right.ADMINISTER_TOKENS
    # Kept when a token that no longer holds is shown: it asks for no more than the least.
    TOKEN_USED = "token.used", Right.SEE_LEDGER
    # Kept when somebody comes to a page, or calls the API, that is not for them.
    WINDOW_REFUSED = "window.refused", Right.SEE_LEDGER
    AUDIT_EXTRACTED = "audit.extracted", Right.READ_AUDIT
    MESSAGE_READ = "message.read", Right.SEE_CONTENT
    MESSAGE_PROVED = "message.proved", Right.SEE_LEDGER
    MESSAGE_PROVED_IN_FULL = "message.proved-in-full", Right.SEE_CONTENT
    CASE_READ = "case.read", Right.SEE_CONTENT
    INBOX_READ = "inbox.read", Right.SEE_CONTENT
    # Whoever is let in at all may log in and out.
    LOGIN_LINK_MADE = "login.link-made", Right.SEE_LEDGER
    LOGIN_REFUSED = "login.refused", Right.SEE_LEDGER
    SESSION_BEGUN = "session.begun", Right.SEE_LEDGER
    SESSION_ENDED = "session.ended", Right.SEE_LEDGER

    def __new__(cls, value: str, right: Right) -> Self:
        """Make the action ``value``."""
        action = str.__new__(cls, value)
        action._value_, action.right = value, right
        return action


class AuditOutcome(StrEnum):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"
    """They may not, or did not say who they are or why; nothing was done."""
    FAILED = "failed"
    """They may, but it could not be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one row says. ``by`` is an HSA-id or the name of a token, ``unit`` the unit (HSA-id) on whose behalf.

    ``target`` is a message id, a case number, the number of an event, the name of an adapter or a token, or the id of a
    session; ``case_number`` the case it belongs to, where that is known; ``code`` that of the fault, where it was not
    done.
    """

    at: datetime
    by: str
    action: Action
    outcome: AuditOutcome
    assignment: str | None = None
    role: Role | None = None
    unit: str | None = None
    target: str | None = None
    case_number: str | None = None
    reason: str | None = None
    code: str | None = None


SAID = (
    "at",
    "by",
    "assignment",
    "role",
    "unit",
    "action",
    "target",
    "case_number",
    "reason",
    "outcome",
    "code",
)
"""What an entry says, in the order it is hashed."""


def plain(entry: Entry) -> tuple[str | None, ...]:
    """Return what an entry says as texts, in the order of :data:`SAID`."""
    values = (getattr(entry, name) for name in SAID)
    return tuple(
        value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for value in values
    )


def digest(number: int, previous: str, said: Sequence[Any]) -> str:
    """Return the SHA-256 of a row, in hexadecimal: over a JSON array of its number, the hash before, and its texts."""
    # What a row was changed to may be of any type; it will not be what was hashed.
    canonical = json.dumps([number, previous, *said], separators=(",", ":"), default=repr)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row by its number and hash; kept elsewhere, it shows later that the log up to there is still the same."""

    number: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Read an anchor as it is printed. Raises :class:`CaseRuleError`."""
        match = _ANCHOR.fullmatch(text.strip())
        if match is None:
            raise CaseRuleError(ANCHOR_FORM.at())
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


START = Anchor(0, BEGINNING)
"""Where an empty log ends."""


@dataclass(frozen=True, slots=True)
class Link:
    """A row as it is kept: its place, counted from 1, what it says, and the hashes that tie it to its neighbours.

    What it says is by the names in :data:`SAID`, as texts, the time in UTC. It is not read further: a row that was
    tampered with must still be seen.
    """

    number: int
    said: Mapping[str, str | None]
    previous: str
    hash: str


def misfit(after: Anchor, row: Link) -> Finding | None:
    """Return why a row does not follow ``after``, if it does not."""
    if row.number != after.number + 1:
        return MISSING.at(number=after.number + 1)
    if row.previous != after.hash:
        return NOT_LINKED.at(number=row.number)
    said = [row.said[name] for name in SAID]
    return ALTERED.at(number=row.number) if row.hash != digest(row.number, row.previous, said) else None


def recognised(text: str | None) -> str | None:
    """Return what somebody named when it has the form of a message id or case number, which can name no person."""
    if text is None:
        return None
    if is_case_number(text):
        return CaseNumber.parse(text).value
    try:
        return text if str(UUID(text)) == text else None
    except ValueError:
        return None


def is_case_number(text: str | None) -> bool:
    """Tell whether somebody named a case, by a number that may or may not have been given out."""
    try:
        return text is not None and bool(CaseNumber.parse(text))
    except InvalidDocumentError:
        return False
