"""What was told about the cases of one person, as a report reads it afterwards: pure, and without a store."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from gateway.clock import local_date
from gateway.messages import Message, ParticipantAdded, ProtectedLevel, Retraction


@dataclass(frozen=True, slots=True)
class Told:
    """A message of a case, and the units (HSA-ids) it has reached.

    The header of the message says in which case, when and by whom it was said. ``units`` are those an own message has
    left for and that have not sent it back, or those of the own party that an incoming one has come to: a message that
    still waits for a consent has none.
    """

    message: Message
    units: frozenset[str] = frozenset()

    @property
    def day(self) -> date:
        """The Swedish calendar day on which it was said, which an outage may have put before the day it was sent."""
        return local_date(self.message.header.happened_at)

    @property
    def parties(self) -> list[str]:
        """The parties whose units it has reached, each once, in the order the header names them."""
        reached = [to.party for to in self.message.header.recipients if to.unit in self.units]
        return list(dict.fromkeys(reached))


@dataclass(frozen=True, slots=True)
class Period:
    """Swedish calendar days, the first and the last included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def months(self) -> Iterator[Period]:
        """Yield the part of each calendar month that lies in the period, in order."""
        first = self.first
        while first <= self.last:
            following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
            yield Period(first, min(self.last, following - timedelta(days=1)))
            first = following


@dataclass(slots=True)
class CaseLog:
    """One case: the unit (HSA-id) that convened it, where that is known, and what still stands of what was told."""

    number: str
    convening_unit: str | None = None
    told: list[Told] = field(default_factory=list)


def is_protected(log: Iterable[Told]) -> bool:
    """Tell whether the identity of the person is protected, or has been, in any message about them."""
    people = (told.message.header.person for told in log)
    return any(person is not None and person.protected_level is not ProtectedLevel.NONE for person in people)


def cases_of(log: Sequence[Told]) -> list[CaseLog]:
    """Return the cases in ``log``, each in the order it was told and without what its sender has taken back."""
    cases: dict[str, CaseLog] = {}
    retracted = {
        (told.message.header.sender.party, told.message.body.target_message_id)
        for told in log
        if isinstance(told.message.body, Retraction)
    }
    for told in sorted(log, key=lambda one: one.message.header.happened_at):
        message, header = told.message, told.message.header
        case = cases.setdefault(header.case_number, CaseLog(header.case_number))
        if case.convening_unit is None:  # even one that was taken back tells who convenes
            case.convening_unit = _convener_in(message)
        if (header.sender.party, header.message_id) not in retracted:
            case.told.append(told)
    return list(cases.values())


def _convener_in(message: Message) -> str | None:
    if isinstance(message.body, ParticipantAdded):
        return message.body.convener.unit
    return message.header.sender.unit if message.type in ("sipStart", "admissionNotice") else None


def is_within(case: CaseLog, units: Container[str] | None) -> bool:
    """Tell whether one of ``units`` convened the case; without any named, every case counts."""
    return units is None or case.convening_unit in units
