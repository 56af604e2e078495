"""The times one gateway counts with: every deadline of a message type or a case as it is in force here. Pure.

A contract says what is usual, and the parties of an area may have agreed on something else; then it is set, by the name
of the message type or of the clock. Working days and hours begin when the unit that owes is open next, as the directory
says; the calendar days of the law never move.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.errors import ConfigurationError, Fault, Finding, InvalidDocumentError
from gateway.grace import Grace
from gateway.messages import TYPES, Deadline, Duty
from gateway.messages.deadline import calendar_days, working_days
from gateway.working_time import NEVER_CLOSES, OpeningHours

UNKNOWN: Final = Fault(
    "deadline.unknown", "Det finns ingen tidsgräns som heter {name}.", "There is no deadline called {name}."
)
UNKNOWN_NEAR: Final = Fault(
    "deadline.unknown-near",
    "Det finns ingen tidsgräns som heter {name}. Menade du {nearest}?",
    "There is no deadline called {name}. Did you mean {nearest}?",
)
OWES_NOTHING: Final = Fault(
    "deadline.owes-nothing",
    "Meddelandetypen {name} kräver inget av mottagaren och kan inte ges någon tidsgräns.",
    "The message type {name} asks nothing of the recipient and cannot be given a deadline.",
)

CASE_CLOCKS: Final[Mapping[str, Deadline]] = MappingProxyType(
    {
        "consent": working_days(3),
        "meeting": calendar_days(21),
        "plan": working_days(3),
        "closure": working_days(3),
        "sip-call": calendar_days(3),
        "letter": working_days(2),
    }
)
"""The clocks of a case that can be set, and how long each is where nothing else is.

From the need to the person's decision, from there to the meeting (Riktlinje för SIP i Västra Götaland), from the
meeting to the plan, from the decision that a case ends to its closure, and from the notice of ready for discharge to
the call to a SIP; three days for that is the law's number (2017:612, 4 kap. 3 §). A letter is sent within two days once
it may leave: no agreement says so, but the post takes two more of the three weeks.
"""


class CountedFrom(StrEnum):
    """From when the time to the meeting is counted; the guideline does not say."""

    CONSENT = "consent"
    NEED = "need"
    """From when the case was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What is owed by when: deadlines that are ``agreed``, by name; else those of the contracts and the usual clocks.

    ``grace`` says when payment responsibility begins. ``opening_hours`` are those of units by HSA-id; a unit that is
    not among them never closes.
    """

    agreed: Mapping[str, Deadline] = field(default_factory=dict)
    meeting_counted_from: CountedFrom = CountedFrom.CONSENT
    grace: Grace = field(default_factory=Grace)
    opening_hours: Mapping[str, OpeningHours] = field(default_factory=dict)

    def deadline(self, type_name: str) -> Deadline | None:
        """Return how long a recipient of a message type has; ``None`` where nothing is owed, or it is no known type."""
        contract = TYPES[type_name].contract if type_name in TYPES else None
        if contract is None or contract.deadline is None:
            return None
        return self.agreed.get(type_name, contract.deadline)

    def clock(self, name: str) -> Deadline:
        """Return how long one of :data:`CASE_CLOCKS` is."""
        return self.agreed.get(name, CASE_CLOCKS[name])

    def opening(self, unit: str) -> OpeningHours:
        """Return when a unit is open."""
        return self.opening_hours.get(unit, NEVER_CLOSES)

    def in_force(self) -> dict[str, Deadline]:
        """Return every deadline that can be set, as it is in force, by name: message types first."""
        of_types = {name: deadline for name in TYPES if (deadline := self.deadline(name)) is not None}
        return of_types | {name: self.clock(name) for name in CASE_CLOCKS}

    def owed(self, type_name: str, duty: Duty, unit: str, since: datetime) -> datetime | None:
        """Return when ``unit``, whose duty is ``duty``, must have done it for a message; ``None`` when it owes nothing.

        The time begins at ``since``: when the message was registered, or before that when it is sent.
        """
        deadline = self.deadline(type_name)
        return None if duty is Duty.NOTIFY or deadline is None else deadline.after(since, self.opening(unit))

    def remind_at(self, type_name: str, unit: str, since: datetime) -> datetime | None:
        """Return when ``unit`` is reminded of what it owes for a message since ``since``; ``None`` where nobody is."""
        deadline = self.deadline(type_name)
        return deadline.reminder_after(since, self.opening(unit)) if deadline is not None else None

    def owed_by_all(self, type_name: str, duty: Duty, units: Iterable[str], since: datetime) -> datetime | None:
        """Return when the last of ``units`` must have done its ``duty``: a header has one time for all of them."""
        each = [due for unit in units if (due := self.owed(type_name, duty, unit, since)) is not None]
        return max(each, default=None)

    def source(self, name: str, usual_source: str) -> str:
        """Return where a time comes from: ``usual_source``, unless another is set here."""
        return f"set here: {self.agreed[name]}; usually: {usual_source}" if name in self.agreed else usual_source


USUAL: Final = Times()
"""The contracts as they are, and units that never close."""


def agreed(written: Mapping[str, str]) -> dict[str, Deadline]:
    """Read deadlines that are set, by the name of a message type or of a clock of a case.

    Raises:
        ConfigurationError: with every name that is not known, or owes nothing, and every deadline that means nothing.
    """
    read: dict[str, Deadline] = {}
    findings: list[Finding] = []
    known = USUAL.in_force()
    for name, text in written.items():
        if name not in known:
            findings.append(_unusable(name))
            continue
        try:
            read[name] = Deadline.parse(text, name)
        except InvalidDocumentError as error:
            findings += error.findings
    if findings:
        raise ConfigurationError(findings)
    return read


def _unusable(name: str) -> Finding:
    if name in TYPES:
        return OWES_NOTHING.at(name=name)
    near = difflib.get_close_matches(name, USUAL.in_force(), n=1, cutoff=0.6)
    return UNKNOWN_NEAR.at(name=name, nearest=near[0]) if near else UNKNOWN.at(name=name)
