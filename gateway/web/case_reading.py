"""A case as it is looked at: where it stands, who takes part, what it waits for, and what has been said, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.case_number import CaseKind, CaseNumber
from gateway.context import Context
from gateway.errors import InvalidDocumentError
from gateway.messages import Person, parse_xml
from gateway.notices import NoticeKind
from gateway.process import SipCase, deadlines
from gateway.process.clocks import CaseDeadline
from gateway.store import Transaction, cases, conversations, notes, outgoing, subjects
from gateway.store.conversations import Answered, Exchanged
from gateway.store.notes import ToldNotice
from gateway.store.subjects import WITHDRAWN
from gateway.web.case_words import NOTICE_WORDS
from gateway.web.conversation import title_of
from gateway.web.masking import PersonShown, in_full, in_list
from gateway.web.state_words import StateWord, word_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShown:
    """A unit (HSA-id) that takes part, what it is in the case, and how it stands with the meeting it is called to."""

    party: str
    unit: str
    leads: bool
    is_responsible: bool
    reply: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that has happened in a case, in Swedish and in English: a message, or what a unit was told.

    ``message_id`` is that of a message, with whether it ``came``, whom it was ``between``, and where it ``stands`` with
    each recipient.
    """

    at: datetime
    sv: str
    en: str
    message_id: str | None = None
    came: bool = False
    between: tuple[str, tuple[str, ...]] | None = None
    stands: Sequence[tuple[str, StateWord]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """A case, as far as it is of the units that somebody sees.

    ``case`` is ``None`` where there are messages of it and no more: they were refused. ``person`` is who it is about.
    """

    number: str
    kind: CaseKind
    case: SipCase | None
    units: Sequence[UnitShown]
    awaited: Sequence[CaseDeadline]
    person: PersonShown
    exchanged: Sequence[Exchanged]
    receipts: Sequence[Answered]
    notices: Sequence[ToldNotice]
    happened: Sequence[Happening]
    is_cut: bool
    """Whether there are earlier messages that are not shown."""


async def case_of(
    context: Context, tx: Transaction, number: CaseNumber, units: frozenset[str] | None, *, is_shown: bool
) -> CaseShown | None:
    """Return a case that one of ``units`` takes part in or has messages of, with those messages alone.

    ``is_shown`` tells that whoever asks may see whom it is about. ``None`` where there is no such case, or none of
    theirs.
    """
    known = await subjects.units_of_case(tx, number.value, context.party)
    if known is None or (units is not None and not known & units):
        return None
    case = await cases.shown(tx, number.value)
    exchanged = await conversations.of_case(tx, number.value, units, with_content=is_shown)
    receipts = await conversations.answers_of(tx, {one.message_id for one in exchanged})
    told = [one for one in await notes.notices_of(tx, number.value) if units is None or one.notice.unit in units]
    protected = bool(await subjects.protected(tx, [number.value]))
    person = await _person(tx, exchanged) if is_shown else None
    return CaseShown(
        number=number.value,
        kind=number.kind,
        case=case,
        units=_units(case) if case is not None else (),
        awaited=deadlines(case, context.times) if case is not None else (),
        # Where a message alone says that they are protected, nobody was asked to confirm: the message asks.
        person=(in_full if protected else in_list)(person, is_shown=True, is_protected=protected)
        if person is not None
        else PersonShown(is_protected=protected, is_known=case is not None),
        exchanged=exchanged,
        receipts=receipts,
        notices=told,
        happened=_happened(case, exchanged, told),
        is_cut=max(Counter(one.came for one in exchanged).values(), default=0) >= conversations.MOST,
    )


async def _person(tx: Transaction, exchanged: Sequence[Exchanged]) -> Person | None:
    """Return whom a case is about, as the latest message says that names them and may be read."""
    for one in reversed(exchanged):
        if one.state in WITHDRAWN and one.came:
            continue
        xml = one.xml if one.xml is not None else await outgoing.content(tx, one.message_id)
        try:
            person = parse_xml(xml).header.person
        except InvalidDocumentError:  # kept by an earlier version; another may name them
            continue
        if person is not None:
            return person
    return None


def _units(case: SipCase) -> list[UnitShown]:
    """Return who takes part, whoever leads the case first, each unit once."""
    parties = {case.leader.unit: case.leader.party, case.convening_unit: case.convener}
    parties |= {one.unit: one.party for one in case.participants} | {one.unit: one.party for one in case.called}
    replies = {one.unit: one.state.value for one in case.called}
    return [
        UnitShown(
            party=party,
            unit=unit,
            leads=unit == case.leader.unit,
            is_responsible=unit == case.responsible_unit,
            reply=replies.get(unit),
        )
        for unit, party in parties.items()
    ]


def _happened(case: SipCase | None, exchanged: Sequence[Exchanged], told: Sequence[ToldNotice]) -> list[Happening]:
    """Return what has happened in a case, in order; a message to several units is one thing."""
    found = []
    if case is not None:
        found.append(Happening(at=case.opened_at, sv="Ärendet öppnades", en="The case was opened"))
        found += [Happening(at=one.at, sv="Ärendet granskades", en="The case was reviewed") for one in case.reviews]
    together: dict[tuple[bool, str], list[Exchanged]] = {}
    for one in exchanged:
        together.setdefault((one.came, one.message_id), []).append(one)
    for (came, message_id), rows in together.items():
        sv, en = title_of(rows[0].type)
        found.append(
            Happening(
                at=rows[0].at,
                sv=sv,
                en=en,
                message_id=message_id,
                came=came,
                between=(rows[0].from_unit, tuple(row.to_unit for row in rows)),
                stands=[(row.to_unit, word_of(row.state, came=came)) for row in rows],
            )
        )
    for notice in told:
        sv, en = NOTICE_WORDS[NoticeKind(notice.notice.kind)]
        found.append(Happening(at=notice.made_at, sv=sv, en=en, between=("", (notice.notice.unit,))))
    return sorted(found, key=lambda one: one.at)
