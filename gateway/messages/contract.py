"""The contract of a message type: who sends it, what is owed for it and by when, and what must be in place first.

It is data beside the type, so that the gate, the clocks and the documentation all read the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.case_number import CaseKind
from gateway.directory import UnitType
from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.deadline import Deadline
from gateway.messages.model import Duty, Message


class SenderKind(StrEnum):
    """Who in a case may send a type."""

    CONVENER = "convener"
    """The party that leads the case: whoever saw the need and called (sammankallande), and once there is a plan the one
    with the overall responsibility. In a discharge process it is the party of the ward."""
    PARTICIPANT = "participant"
    """Any party of the case."""
    RECIPIENT = "recipient"
    """The gateway or unit that was sent the message this one answers."""
    SENDER = "sender"
    """The unit that sent the message this one is about."""


class InformationType(StrEnum):
    """The kinds of information a consent may cover."""

    NEED = "need"
    MEETING = "meeting"
    PLAN = "plan"


class RetryClass(StrEnum):
    """How failed tries are repeated."""

    STANDARD = "standard"
    """After 1, 5, 15 and 60 minutes, then hourly, with jitter, until the deadline or 72 hours."""


DISCHARGE = frozenset({CaseKind.DISCHARGE})
"""The process of types that are sent from the admission of a patient to the discharge."""

WARDS = frozenset({UnitType.WARD})
"""The units that may tell of an inpatient stay."""

STANDARD_RETENTION = "content 30 days after registered, verdicts and hashes 5 years"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What sender and receiver may expect of a type.

    ``process`` is the kind of case it belongs to. ``senders`` says who in the case may send it, ``sender_units`` of
    which types the sending unit must be, any when it is empty. ``deadline`` counts from *registered* to the fulfilment
    of ``duty`` and is ``None`` where nothing is owed; ``deadline_source`` names the law or agreement it comes from. A
    sender may ask for a reply to a type that is ``reply_on_request``; the deadline is then that of the reply.

    ``consent`` is the information type a consent must cover before the message leaves the party; where there is none,
    ``without_consent`` says why it may leave all the same. A message that does not find the consent it needs is held
    until it comes; one of a type that does not ``waits_for_consent`` is refused, so that nobody believes it was told.
    ``carries_person`` says whether the header names the person.

    A type that ``may_stay_home`` may have no recipient at all: it is kept by its own party and never sent, and one that
    ``stays_home`` always is. ``answers`` are the types that may be sent in reply. A type that is ``retractable`` may be
    taken back by its sender.
    """

    process: frozenset[CaseKind] = frozenset({CaseKind.SIP})
    senders: frozenset[SenderKind]
    sender_units: frozenset[UnitType] = frozenset()
    duty: Duty
    deadline: Deadline | None = None
    deadline_source: str
    reply_on_request: bool = False
    consent: InformationType | None
    without_consent: str = ""
    waits_for_consent: bool = True
    carries_person: bool
    may_stay_home: bool = False
    stays_home: bool = False
    answers: tuple[str, ...]
    retractable: bool = False
    retry: RetryClass = RetryClass.STANDARD
    retention: str = STANDARD_RETENTION


@dataclass(frozen=True, slots=True)
class Rule:
    """Something the schema cannot say. ``check`` yields the XPaths, without namespaces, where a message breaks it.

    Paths are relative to the root element: ``body/meeting/end``, ``body/subGoal[2]/lifeArea``.
    """

    fault: Fault
    check: Callable[[Message], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """A message type: its name (the XML root element), its titles, body class, contract and rules.

    ``moves`` is what a message of the type does to its case, or a function that tells it from the body; ``None`` for
    an acknowledgement, which does nothing to one. The schema is ``schemas/<name>.xsd``. A type whose body ``extends``
    that of another obeys the rules of that type too.
    """

    name: str
    title_sv: str
    title_en: str
    body: type[Any]
    contract: Contract
    moves: CaseEvent | Callable[[Any], CaseEvent] | None
    rules: tuple[Rule, ...] = ()
    extends: MessageType | None = None

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules of the type, after those of the type it extends."""
        return (*(self.extends.all_rules if self.extends is not None else ()), *self.rules)

    def event_of(self, body: Any) -> CaseEvent | None:
        """Return what a message of this type with ``body`` does to its case."""
        return self.moves(body) if callable(self.moves) else self.moves

    def duty_of(self, body: Any) -> Duty:
        """Return what a recipient owes for a message of this type with ``body``."""
        asks = self.contract.reply_on_request and body.reply_wanted
        return Duty.REPLY if asks else self.contract.duty
