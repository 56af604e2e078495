"""Loggutdrag: who has read about a person or acted in their cases, and when (patientdatalagen 8 kap. 5 §).

The way from a person to the rows of the audit log goes over their cases, by every number they are or were known by.
Events that were refused belong to no case; of those that the log tells of, what came is looked through for the numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.access import Actor
from gateway.accountability import Attempt, answering_for
from gateway.audit import Action, Link
from gateway.case_number import CaseNumber
from gateway.clock import Clock
from gateway.errors import CaseRuleError, Fault
from gateway.identifiers import PersonId
from gateway.store import Store, Transaction, audit, cases

NO_SUCH_CASE = Fault("audit.case-unknown", "Det finns inget ärende med det numret.", "There is no case of that number.")

TOLD = ("number", "at", "by", "unit", "action", "target", "case", "outcome", "code")
"""What a person is told of each row: not why, nor by whose assignment."""

_CENTURY, _LAST = 2, 4


@dataclass(frozen=True, slots=True)
class Extract:
    """The rows of the audit log about some cases, and which cases those are."""

    cases: tuple[str, ...]
    rows: Sequence[Link]


async def take(
    store: Store, clock: Clock, *, case: str | None, numbers: Collection[PersonId] = (), by: Actor | str, reason: str
) -> Extract:
    """Return the extract of a ``case``, or else of the person known by all of ``numbers``; keep who took it, and why.

    Raises:
        AccessRefusedError: they may not.
        CaseRuleError: the reason is missing or too long, or holds a person number; or there is no such case.
        InvalidDocumentError: it is no case number.
    """
    attempt = Attempt(action=Action.AUDIT_EXTRACTED, by=by, reason=reason, named=case)
    async with answering_for(store, clock, attempt):
        async with store.reading() as tx:
            found = await of_case(tx, case) if case is not None else await of_person(tx, numbers)
        async with store.writing() as tx:
            for number in found.cases:
                attempt.about(number, case_number=number)
                await audit.append(tx, attempt.entry(clock.now()))
            if not found.cases:  # nobody knows here whom it was about
                await audit.append(tx, attempt.entry(clock.now()))
        return found


async def of_case(tx: Transaction, number: str) -> Extract:
    """Return what has been read and done in one case.

    Raises:
        InvalidDocumentError: it is no case number.
        CaseRuleError: there is no such case.
    """
    number = CaseNumber.parse(number).value
    if not await cases.is_known(tx, number):
        raise CaseRuleError(NO_SUCH_CASE.at())
    return await _extract(tx, [number], ())


async def of_person(tx: Transaction, numbers: Collection[PersonId]) -> Extract:
    """Return what has been read and done about one person, known by all of ``numbers``."""
    found = await cases.all_of(tx, [(number.oid, number.value) for number in numbers])
    return await _extract(tx, found, written_forms(numbers))


async def _extract(tx: Transaction, found: Sequence[str], forms: Collection[bytes]) -> Extract:
    events = [
        number
        async for number, content, case_number in audit.events_named(tx)
        if case_number in found or any(form in content for form in forms)
    ]
    return Extract(tuple(found), await audit.about(tx, found, events))


def written_forms(numbers: Collection[PersonId]) -> list[bytes]:
    """Return every way in which a system may have written some numbers: with and without century and separator."""
    return [
        f"{whole[:-_LAST]}{mark}{whole[-_LAST:]}".encode()
        for number in numbers
        for whole in (number.value, number.value[_CENTURY:])
        for mark in ("", "-", "+", " ")
    ]
