"""Cases: the snapshot of each, what the case system calls it, and the numbers given out."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, bindparam, cast, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.case_number import CaseKind, CaseNumber
from gateway.envelope import content_hash
from gateway.errors import ConflictError, Fault, Finding, WrittenMeanwhileError
from gateway.messages import Identifier, binding
from gateway.process import TERMINAL, SipCase
from gateway.store.bulk import Bulk, insertion, several
from gateway.store.tables import case_reference, case_series, sip_case

CHANGED_MEANWHILE = Fault(
    "case.changed-meanwhile",
    "Ärendet ändrades samtidigt av någon annan; försök igen.",
    "The case was changed by someone else at the same time; try again.",
)
SERIES_FULL = Fault(
    "case.series-full", "Partens serie av ärendenummer är slut.", "The party has given out all its case numbers."
)

_NUMBERS_PER_SERIES = 10_000

_REMEMBERED = 4096
_at_hand: OrderedDict[str, SipCase] = OrderedDict()
"""Cases by their snapshots, the newest last."""

_LOAD = (
    select(sip_case.c.case_number, cast(sip_case.c.snapshot, Text), sip_case.c.revision)
    .where(sip_case.c.case_number.in_(several("numbers")))
    .order_by(sip_case.c.case_number)
    .with_for_update()
)
_CALLED = select(case_reference.c.reference, case_reference.c.case_number).where(
    case_reference.c.source == bindparam("named"), case_reference.c.reference.in_(several("references"))
)
_STATE = (
    "state",
    "snapshot",
    "updated_at",
    "look_at",
    "meeting_start",
    "meeting_end",
    "meeting_chair",
    "revision",
)
_IDENTITY = ("case_number", "convener", "person_root", "person_extension", "opened_at")
_INSERT = insertion(sip_case, [*_STATE, *_IDENTITY], written=["snapshot"])
_UPDATE = Bulk(
    lambda _: (
        update(sip_case)
        .where(
            sip_case.c.case_number == bindparam("number", type_=sip_case.c.case_number.type),
            sip_case.c.revision == bindparam("read_at", type_=sip_case.c.revision.type),
        )
        .values({name: bindparam(name, type_=sip_case.c[name].type) for name in _STATE})
    ),
    [*_STATE, "number", "read_at"],
    written=["snapshot"],
)


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as it was read; ``revision`` is 0 for one that is not stored yet."""

    case: SipCase | None
    revision: int = 0


async def load_all(tx: Transaction, numbers: Collection[str]) -> dict[str, StoredCase]:
    """Return the cases with these numbers, those that are not stored as empty ones; others wait to change them.

    They are locked in the order of their numbers, so that no two transactions wait for each other.
    """
    if not numbers:
        return {}
    found = dict.fromkeys(numbers, StoredCase(None))
    for number, snapshot, revision in (await tx.execute(_LOAD, {"numbers": list(numbers)})).all():
        found[number] = StoredCase(case_in(snapshot), revision)
    return found


def case_in(snapshot: str) -> SipCase:
    """Return the case in a snapshot, which a process that handles several messages of the case reads only once."""
    case = _at_hand.get(snapshot)
    if case is None:
        findings: list[Finding] = []
        case = binding.from_json(SipCase, json.loads(snapshot), findings)
        assert case is not None, findings  # the gateway wrote it
        _remember(snapshot, case)
    return case


def _remember(snapshot: str, case: SipCase) -> None:
    _at_hand[snapshot] = case
    if len(_at_hand) > _REMEMBERED:
        _at_hand.popitem(last=False)


async def load(tx: Transaction, number: str | None) -> StoredCase:
    """Return the case with ``number``, or an empty one."""
    return StoredCase(None) if number is None else (await load_all(tx, [number]))[number]


async def shown(tx: Transaction, number: str) -> SipCase | None:
    """Return a case as it stands, for whoever only looks: nobody waits for it. ``None`` where it is not stored."""
    query = select(cast(sip_case.c.snapshot, Text)).where(sip_case.c.case_number == number)
    snapshot = (await tx.execute(query)).scalar_one_or_none()
    return case_in(snapshot) if snapshot is not None else None


async def save_all(tx: Transaction, changed: Iterable[tuple[SipCase, int]], now: datetime) -> None:
    """Store cases, each with the revision it was read at. One that goes on is looked over soon: its clocks may differ.

    Raises:
        WrittenMeanwhileError: someone else has stored one of them since; worth beginning again.
    """
    new, moved = [], []
    for case, revision in changed:
        snapshot = json.dumps(binding.to_json(case))
        _remember(snapshot, case)  # as the database will give it back
        look_at = None if case.state in TERMINAL else now
        slot = case.slot
        meeting = (slot.start, slot.end, chair_hash(case)) if slot is not None else (None, None, None)
        state = (case.state.value, snapshot, now, look_at, *meeting)
        if revision:
            moved.append((*state, revision + 1, case.number, revision))
        else:
            person = case.person
            new.append((*state, 1, case.number, case.convener, person.root, person.extension, case.opened_at))
    await _INSERT.execute(tx, new)
    done = await _UPDATE.execute(tx, moved)
    if done not in (len(moved), -1):  # -1: the driver does not count; there, reading has locked the rows
        raise WrittenMeanwhileError(CHANGED_MEANWHILE.at())


def chair_hash(case: SipCase) -> str | None:
    """Return what the chair of the booked meeting is found by; a name stands in no column."""
    return content_hash(case.chair_name.encode()) if case.chair_name is not None else None


async def numbers_of(tx: Transaction, source: str, references: Collection[str]) -> dict[str, str]:
    """Return the numbers of the cases that the system behind ``source`` calls by these references."""
    if not references:
        return {}
    found = await tx.execute(_CALLED, {"named": source, "references": list(references)})
    return {reference: number for reference, number in found.all()}  # noqa: C416 -- rows are not pairs to the checker


async def number_of(tx: Transaction, source: str, reference: str) -> str | None:
    """Return the number of the case that the system behind ``source`` calls ``reference``."""
    return (await numbers_of(tx, source, [reference])).get(reference)


async def refer(tx: Transaction, references: Iterable[tuple[str, str, str]]) -> None:
    """Remember what systems call cases: source, the system's own reference, and case number."""
    rows = [{"source": source, "reference": name, "case_number": number} for source, name, number in references]
    if rows:
        await tx.execute(insert(case_reference), rows)


async def last_number(tx: Transaction, kind: CaseKind, series: int) -> int:
    """Return how many numbers of ``series`` (two digits) are given out to cases of a kind; others wait to give more."""
    query = select(case_series.c.last).where(*_series(kind, series)).with_for_update()
    return (await tx.execute(query)).scalar() or 0


async def keep_last_number(tx: Transaction, kind: CaseKind, series: int, before: int, last: int) -> None:
    """Remember that the numbers of ``series`` up to ``last`` are given out; ``before`` is what was remembered."""
    if before:
        await tx.execute(update(case_series).where(*_series(kind, series)).values(last=last))
    else:
        await tx.execute(insert(case_series).values(kind=kind.value, series=series, last=last))


def _series(kind: CaseKind, series: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return case_series.c.kind == kind.value, case_series.c.series == series


def case_number(kind: CaseKind, series: int, count: int) -> str:
    """Return number ``count`` of a series: sequential, and never given out again.

    Raises:
        ConflictError: all ten thousand are given out.
    """
    if count >= _NUMBERS_PER_SERIES:
        raise ConflictError(SERIES_FULL.at())
    return CaseNumber(kind, series * _NUMBERS_PER_SERIES + count).value


_OF_PEOPLE = tuple_(sip_case.c.person_root, sip_case.c.person_extension).in_(several("people"))
_IS_OPEN = sip_case.c.state.not_in([state.value for state in TERMINAL])
_EVERY = select(sip_case.c.case_number).where(_OF_PEOPLE).order_by(sip_case.c.case_number)
_OPEN = (
    select(sip_case.c.person_root, sip_case.c.person_extension, sip_case.c.case_number)
    .where(_OF_PEOPLE, _IS_OPEN, sip_case.c.case_number.startswith("SIP"))
    .order_by(sip_case.c.case_number)
)


async def open_of(tx: Transaction, people: Collection[Identifier]) -> list[tuple[Identifier, str]]:
    """Return the SIP cases that are open for people, each known by an identifier."""
    if not people:
        return []
    found = await tx.execute(_OPEN, {"people": [(person.root, person.extension) for person in people]})
    return [(Identifier(root=root, extension=extension), number) for root, extension, number in found.all()]


async def is_known(tx: Transaction, number: str) -> bool:
    """Tell whether there is or was a case with ``number``."""
    return (
        await tx.execute(select(sip_case.c.case_number).where(sip_case.c.case_number == number))
    ).first() is not None


async def all_of(tx: Transaction, people: Collection[tuple[str, str]]) -> list[str]:
    """Return the numbers of all cases there are or were for people, each known by an OID and a number."""
    return list((await tx.execute(_EVERY, {"people": list(people)})).scalars()) if people else []


_ABOUT = select(sip_case.c.case_number).where(_OF_PEOPLE, _IS_OPEN)


async def open_about(tx: Transaction, people: Collection[Identifier]) -> list[str]:
    """Return the numbers of the cases of every kind that are open and began with these numbers of people."""
    if not people:
        return []
    found = await tx.execute(_ABOUT, {"people": [(person.root, person.extension) for person in people]})
    return list(found.scalars())
