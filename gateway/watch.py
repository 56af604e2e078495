"""The watch: looks over what is open, and tells units what they are to know before a person is left without care.

What is told is handed to the case system like a step of a case, and tried until it is taken. Each unit is told once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from gateway.context import Context, begins_again
from gateway.duties import of_case, of_letter, of_received, of_sent
from gateway.lifecycle import OutState
from gateway.notices import Notice, NoticeKind, of_clock, of_duty, of_message, overlap, readmitted, review_needed
from gateway.process import CALL_TYPES, SipCase, deadlines
from gateway.store import Transaction, incoming, notes, outgoing, watched
from gateway.store.watched import WatchedDispatch

log = structlog.get_logger(__name__)

SWEEP_BATCH = 256
"""How many of each kind one sweep looks at."""

TRAVEL = timedelta(minutes=30)
"""Time it takes from one meeting to another: closer together, they overlap."""


class Watch:
    """Tells the units of one gateway's party what they wait for, owe and must decide."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @begins_again
    async def sweep(self) -> int:
        """Look over what has changed and what time has come for; return how many cases and messages that was."""
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            told: list[Notice] = []
            looked = await self._cases(tx, now, told)
            looked += await self._sent(tx, now, told)
            looked += await self._received(tx, now, told)
            new = await notes.tell(tx, told, now)
        for notice in new:
            log.info(
                "notice.made",
                party=self._context.party,
                kind=notice.kind,
                unit=notice.unit,
                case_number=notice.case_number,
                awaited=notice.awaited,
                message_id=notice.message_id,
            )
        if new:
            self._context.incoming.ring()
        return looked

    async def _cases(self, tx: Transaction, now: datetime, told: list[Notice]) -> int:
        found = await watched.cases_to_look_over(tx, now, SWEEP_BATCH)
        party = self._context.party
        looked = []
        for stored in found:
            case = stored.case
            assert case is not None
            later = self._tell_of_clocks(case, now, told)
            told += review_needed(case, party=party, at=now)
            for other in await watched.meetings_beside(tx, case, TRAVEL):
                told += overlap(case, other, party=party, travel=TRAVEL, at=now)
            if case.stay is not None and case.stay.open_sip is not None:
                sip = await watched.open_case(tx, case.stay.open_sip)
                if sip is not None:
                    told += readmitted(sip, case, party=party, at=now)
            looked.append((case, stored.revision, later))
        await watched.cases_looked_over(tx, looked)
        return len(looked)

    def _tell_of_clocks(self, case: SipCase, now: datetime, told: list[Notice]) -> datetime | None:
        """Add to ``told`` what is due by the clocks of ``case``; return when to look next, ``None`` for never."""
        party, directory = self._context.party, self._context.directory
        if not case.concerns(party):
            return None
        later: list[datetime] = []
        for clock in deadlines(case, self._context.times):
            duty = of_case(clock, directory)
            if duty.quiet_until > now:  # most are; whom they will go to is worked out when it is time
                later.append(duty.quiet_until)
            elif (next_at := _tell_due(of_clock(case, duty, directory, party=party), now, told)) is not None:
                later.append(next_at)
        return min(later, default=None)

    async def _sent(self, tx: Transaction, now: datetime, told: list[Notice]) -> int:
        found = await watched.dispatches_to_look_over(tx, now, SWEEP_BATCH)
        looked = []
        for one in found:
            later = _tell_due(self._about_sent(one, now), now, told)
            looked.append((one.row, one.row._replace(look_at=later)))
        await outgoing.save(tx, looked)
        return len(looked)

    def _about_sent(self, one: WatchedDispatch, now: datetime) -> Iterable[Notice]:
        row, writer, times = one.row, one.sender_unit, self._context.times
        party, directory = self._context.party, self._context.directory
        match row.state:
            case OutState.LETTER:
                yield of_message(NoticeKind.LETTER, row, unit=writer, code=None, at=row.look_at or now)
                yield from of_duty(of_letter(row, party, writer), directory, party=party, awaiting=None)
            case OutState.REGISTERED | OutState.HELD:
                if row.due_at is not None and row.type not in CALL_TYPES:  # the reply to a call is a clock of the case
                    yield from of_duty(of_sent(row, times), directory, party=party, awaiting=writer)
            case _:
                yield of_message(NoticeKind.NOT_TAKEN, row, unit=writer, code=one.code, at=now)

    async def _received(self, tx: Transaction, now: datetime, told: list[Notice]) -> int:
        found = await watched.inbound_to_look_over(tx, now, SWEEP_BATCH)
        party, directory = self._context.party, self._context.directory
        looked = []
        for row in found:
            duties = [] if row.type in CALL_TYPES else [of_received(row, party, self._context.times)]
            notices = [one for duty in duties for one in of_duty(duty, directory, party=party, awaiting=None)]
            looked.append((row, row._replace(look_at=_tell_due(notices, now, told))))
        await incoming.save(tx, looked)
        return len(looked)


def _tell_due(notices: Iterable[Notice], now: datetime, told: list[Notice]) -> datetime | None:
    """Add to ``told`` what is due, and return when the next of ``notices`` is; ``None`` when there is none."""
    later = []
    for notice in notices:
        if notice.at <= now:
            told.append(notice)
        else:
            later.append(notice.at)
    return min(later, default=None)
