"""The tracker: acknowledgements of our messages, matched by message id and recipient, never by order of arrival.

The first verdict at a level stands. A different second one, an answer about a message that this recipient was never
sent, and one that cannot be read settle nothing: they are parked with their reason and shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway import process
from gateway.context import Context, begins_again
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import Fault
from gateway.identifiers import is_hsa_id
from gateway.ledger import Dispatch
from gateway.lifecycle import (
    NEVER_LEFT,
    ON_PAPER,
    STOPPABLE,
    IllegalTransitionError,
    Level,
    Outcome,
    OutEvent,
    OutState,
    event_of,
    retry_wait,
)
from gateway.messages import Message
from gateway.messages.acknowledgement import Acknowledgement
from gateway.opening import Opened, opened
from gateway.ports import Delivery
from gateway.progress import Hop
from gateway.store import Transaction, history, outgoing, verdicts
from gateway.store.sheet import Sheet
from gateway.store.verdicts import Verdict

ORPHAN = Fault(
    "acknowledgement.orphan",
    "Kvittensen gäller ett meddelande som inte skickats till den mottagaren.",
    "The acknowledgement is about a message that was not sent to that recipient.",
)
CONTRADICTED = Fault(
    "acknowledgement.contradicted",
    "Kvittensen säger emot ett besked som redan gäller; det första står fast.",
    "The acknowledgement contradicts a verdict that already stands; the first one is kept.",
)
GIVEN_UP = Fault(
    "message.given-up",
    "Gavs upp: mottagaren har inte svarat på tre dygn.",
    "Given up: the recipient has not answered for three days and nights.",
)
CONSENT_RAN_OUT = Fault(
    "message.consent-ran-out",
    "Gavs upp: samtycket som det skulle skickas med har gått ut.",
    "Given up: the consent it was to leave under has run out.",
)

_CLOCKS = {
    Level.RECEIVED: "received_at",
    Level.REGISTERED: "registered_at",
    Level.ACKNOWLEDGED: "acknowledged_at",
}

SWEEP_BATCH = 256
"""How many overdue messages one sweep looks at."""


class Tracker:
    """Follows the outgoing messages of one gateway to their end."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @begins_again
    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Match a batch of acknowledgements, in one transaction. Settle them after it, not before.

        Raises:
            DependencyDownError: the database does not answer; nothing is stored.
        """
        answers = [opened(delivery.envelope) for delivery in deliveries]
        about = {one.message.body.message_id for one in answers if one.message is not None}
        charged = {one.envelope.case_ref for one in answers if one.message is not None and _moves_case(one.message)}
        async with self._context.store.writing() as tx:
            sheet = Sheet(tx, self._context.clock.now())
            await sheet.read_cases(charged)
            await sheet.read_dispatches(about)
            await sheet.read_verdicts(about)
            for one in answers:
                await self._match(sheet, one)
            await sheet.write()
        for one in answers:
            body = one.message.body if one.message is not None else None
            self._context.passed(
                Hop.VERDICT,
                message_id=body.message_id if body is not None else None,
                type=body.message_type if body is not None else None,
                unit=body.unit if body is not None else None,
                case_number=one.envelope.case_ref,
                detail=f"{body.level}/{body.outcome}" if body is not None else one.findings[0].code,
            )

    async def _match(self, sheet: Sheet, one: Opened) -> None:
        if one.message is None:
            await verdicts.park(sheet.tx, one.envelope, one.findings, None, sheet.now)
            return
        body: Acknowledgement = one.message.body
        about = (body.message_id, body.unit)
        row = sheet.dispatch(*about)
        strange = row is None or row.party != one.envelope.sender or row.type != body.message_type
        if row is None or strange or row.state in ON_PAPER:
            await verdicts.park(sheet.tx, one.envelope, [ORPHAN.at()], about, sheet.now)
            return
        standing = sheet.standing(*about, body.level)
        if standing is not None and (standing.outcome, standing.record_id) == (body.outcome, body.record_id):
            self._arrived_again(sheet, row, body)
            return
        try:
            if standing is not None:
                raise IllegalTransitionError  # the first verdict at a level stands
            self._settle(sheet, row, one.message)
        except IllegalTransitionError:
            if await verdicts.park(sheet.tx, one.envelope, [CONTRADICTED.at()], about, sheet.now):
                sheet.record([row], "contradicted", CONTRADICTED.code)

    @staticmethod
    def _arrived_again(sheet: Sheet, row: Dispatch, body: Acknowledgement) -> None:
        """The same answer again changes nothing, but for a message that was sent again: it need not go once more."""
        if row.state is OutState.SENT:
            happens = event_of(body.level, body.outcome)
            sheet.put_dispatches([row.after(happens, sheet.now)], happens, "again")
        else:
            sheet.record([row], "duplicate")

    def _settle(self, sheet: Sheet, row: Dispatch, message: Message) -> None:
        now = sheet.now
        body: Acknowledgement = message.body
        happens = event_of(body.level, body.outcome)
        late = row.state is OutState.EXPIRED or (row.due_at is not None and now > row.due_at)
        changes: dict[str, Any] = {"next_attempt_at": None}
        changes["failed_code"] = body.reasons[0].code if body.reasons else None
        if happens is OutEvent.RETRY:
            changes["next_attempt_at"] = now + retry_wait(max(row.attempts, 1), self._context.chance())
        else:
            # A yes at one level does not hide what was refused at another.
            changes["outcome"] = body.outcome if row.outcome in (None, Outcome.ACCEPTED) else row.outcome
            changes["record_id"] = body.record_id or row.record_id
            if body.outcome is not Outcome.REJECTED:
                changes[_CLOCKS[body.level]] = body.at
        moved = row.after(happens, now, self._context.times, **changes)
        if happens is not OutEvent.RETRY:  # "not now" is no verdict: whatever comes next may differ
            sheet.add_verdict(
                Verdict(
                    message_id=row.message_id,
                    unit=row.unit,
                    level=body.level,
                    outcome=body.outcome,
                    acknowledgement_id=message.header.message_id,
                    at=body.at,
                    arrived_at=now,
                    record_id=body.record_id,
                    reasons=[{"code": reason.code, "sv": reason.sv, "en": reason.en} for reason in body.reasons],
                    late=late,
                )
            )
        sheet.put_dispatches([moved], happens, _why_or_who(body))
        case = sheet.case(row.case_number) if _moves_case(message) else None
        if case is not None:
            case = process.take_charge(case, row.message_id, row.unit)
            sheet.put_case(process.part_from(case, row.unit) if body.not_concerned else case)

    @staticmethod
    async def _untold(tx: Transaction, stopped: Sequence[Dispatch]) -> list[Dispatch]:
        """Return the closures that wait for a unit which knows of no case to close, now that ``stopped`` are."""
        if not stopped:
            return []
        now_stopped = {row.id for row in stopped}
        rows = await outgoing.of_cases(tx, {row.case_number for row in stopped})
        knows = {
            (row.case_number, row.unit)
            for row in rows
            if row.type != "closure" and row.state not in NEVER_LEFT and row.id not in now_stopped
        }
        return [
            row
            for row in rows
            if row.type == "closure"
            and row.state in STOPPABLE
            and not row.attempts
            and (row.case_number, row.unit) not in knows
            and any((row.case_number, row.unit) == (one.case_number, one.unit) for one in stopped)
        ]

    @begins_again
    async def sweep(self) -> int:
        """Act on deadlines that have passed: send again what nobody has received, give up what is spent.

        What still waits when its consent runs out is stopped, or given up where a try may have left already. Returns
        how many messages were acted on. What waits for a person is left to the people who own it.
        """
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            late = await outgoing.overdue(tx, now, SWEEP_BATCH)
            ended = {row.id: row for row in await outgoing.without_consent(tx, now, SWEEP_BATCH)}
            stopped = [row.after(OutEvent.STOP, now) for row in ended.values() if not row.attempts]
            untold = await self._untold(tx, stopped)
            stopped += [row.after(OutEvent.STOP, now) for row in untold]
            # An answer to a partner is never given up: without it the partner would never learn what became of it.
            # Nor is what has never been tried, however long this gateway stood still.
            tried = [row for row in (*late, *ended.values()) if row.attempts and row.type != ACKNOWLEDGEMENT]
            spent = {row.id: row for row in tried if row.is_spent(now) or row.may_not_leave(now)}
            given_up = [
                row.after(
                    OutEvent.EXPIRE,
                    now,
                    next_attempt_at=None,
                    failed_code=(CONSENT_RAN_OUT if row.may_not_leave(now) else GIVEN_UP).code,
                )
                for row in spent.values()
            ]
            silent = [row for row in late if row.state is OutState.SENT and row.id not in spent]
            again = [row.after(OutEvent.RETRY, now, next_attempt_at=None) for row in silent]
            before = {row.id: row for row in (*late, *ended.values(), *untold)}
            await outgoing.save(tx, ((before[row.id], row) for row in (*stopped, *given_up, *again)))
            await history.record(tx, stopped, OutEvent.STOP, now, "consent-ended")
            await history.record(tx, given_up, OutEvent.EXPIRE, now, "overdue")
            await history.record(tx, again, OutEvent.RETRY, now, "overdue")
        if again:
            self._context.outgoing.ring()
        return len(stopped) + len(given_up) + len(again)


def _moves_case(message: Message) -> bool:
    """Tell whether an acknowledgement says something that its case has to know: that someone has taken charge."""
    body: Acknowledgement = message.body
    return body.level is Level.ACKNOWLEDGED and (
        bool(body.not_concerned) or body.message_type in process.MOVED_BY_CHARGE
    )


def _why_or_who(body: Acknowledgement) -> str | None:
    """Return what the history keeps beside an answer: the code of its first reason, or who has taken charge.

    That is the HSA-id; a name, where there is nothing else, is not for the history.
    """
    if body.reasons:
        return body.reasons[0].code
    who = body.acknowledged_by.hsa_id if body.acknowledged_by is not None else None
    return who if who is not None and is_hsa_id(who) else None
