"""The contract of a message type: who sends it, what is owed for it and by when, and what must be in place first.

It is data beside the type, so that the gate, the clocks and the documentation all read the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from gateway.errors import Fault
from gateway.messages.model import Duty, Message


class SenderKind(StrEnum):
    """Who in a case may send a type."""

    CONVENER = "convener"
    """The party that saw the need and leads the case (sammankallande)."""
    PARTICIPANT = "participant"
    """Any party of the case."""
    RECIPIENT = "recipient"
    """The gateway or unit that was sent the message this one answers."""


class InformationType(StrEnum):
    """The kinds of information a consent may cover."""

    NEED = "need"
    MEETING = "meeting"
    PLAN = "plan"


class RetryClass(StrEnum):
    """How failed tries are repeated."""

    STANDARD = "standard"
    """After 1, 5, 15 and 60 minutes, then hourly, with jitter, until the deadline or 72 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What sender and receiver may expect of a type.

    ``deadline`` counts from *registered* to the fulfilment of ``duty`` and is ``None`` where nothing is owed;
    ``deadline_source`` names the law or agreement it comes from. ``consent`` is the information type a consent must
    cover before the message leaves the party, ``None`` where it may leave without one. ``carries_person`` says whether
    the header names the person. A type that ``may_stay_home`` may have no recipient at all: it is kept by its own party
    and never sent. ``answers`` are the types that may be sent in reply.
    """

    senders: frozenset[SenderKind]
    duty: Duty
    deadline: timedelta | None
    deadline_source: str
    consent: InformationType | None
    carries_person: bool
    may_stay_home: bool = False
    answers: tuple[str, ...]
    retry: RetryClass
    retention: str

    @property
    def time_owed(self) -> timedelta | None:
        """How long a recipient has to do what it owes, ``None`` when it owes nothing."""
        return None if self.duty is Duty.NOTIFY else self.deadline


@dataclass(frozen=True, slots=True)
class Rule:
    """Something the schema cannot say. ``check`` yields the XPaths, without namespaces, where a message breaks it.

    Paths are relative to the root element: ``body/meeting/end``, ``body/subGoal[2]/lifeArea``.
    """

    fault: Fault
    check: Callable[[Message], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """A message type: its name (the XML root element), its Swedish title, body class, contract and rules.

    The schema is ``schemas/<name>.xsd``.
    """

    name: str
    title_sv: str
    title_en: str
    body: type[Any]
    contract: Contract
    rules: tuple[Rule, ...] = ()


STANDARD_RETENTION = "content 30 days after registered, verdicts and hashes 5 years"
