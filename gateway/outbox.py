"""The outbox: an event becomes messages with the promise to send them, and the relay keeps the promise.

``submit`` does hops 1 to 4 in one transaction: the event is kept with its messages, or refused and kept with its
reasons, and the same event always gets the same answer. ``relay`` does hop 5: claim, publish, mark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from gateway.answering import answer
from gateway.context import Context
from gateway.envelope import ACKNOWLEDGEMENT, Envelope
from gateway.errors import (
    CaseRuleError,
    DependencyDownError,
    Fault,
    Finding,
    InvalidDocumentError,
    NotYetError,
)
from gateway.gate import Desk
from gateway.identifiers import CaseNumber
from gateway.ledger import Dispatch
from gateway.lifecycle import InEvent, InState, Level, Outcome, OutEvent, retry_wait
from gateway.messages.acknowledgement import Acknowledgement
from gateway.ports import Adapter, Draft, Event, PublishOutcome, Translation, Transport
from gateway.process import UNKNOWN_CASE
from gateway.progress import Hop
from gateway.store import Transaction, cases, events, history, incoming, outgoing
from gateway.store.outgoing import Claimed

EVENT_CONFLICT = Fault(
    "event.id-conflict",
    "En händelse med samma id men annat innehåll är redan mottagen.",
    "An event with the same id and other content has been accepted before.",
)
NOTHING_TO_ACKNOWLEDGE = Fault(
    "acknowledgement.unknown-message",
    "Det finns inget mottaget meddelande med det id:t för enheten.",
    "No message with that id has been received for the unit.",
)
WAS_REFUSED = Fault(
    "acknowledgement.refused-message",
    "Meddelandet avvisades och kan inte kvitteras.",
    "The message was refused and cannot be acknowledged.",
)
NOT_YET_REGISTERED = Fault(
    "acknowledgement.not-yet-registered",
    "Meddelandet är ännu inte registrerat i verksamhetssystemet; kvittensen tas emot strax.",
    "The message is not yet registered in the case system; the acknowledgement will be taken in a moment.",
)

LEASE = timedelta(seconds=60)
"""How long a relay may hold what it has claimed before another may take it; far longer than a publish takes."""

BATCH = 64
"""How many messages are claimed, published and marked at a time."""

_MESSAGE_IDS = UUID("5b0b6f3e-7a52-5b8c-9a8d-3f1f0d0f7f51")
"""Namespace of the message ids made from events: the same event gives the same ids."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What an event became: the case it is about and the ids of its messages, in order."""

    case_number: str | None
    message_ids: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the answer that the case system gets."""
        return {"accepted": True, "caseNumber": self.case_number, "messageIds": list(self.message_ids)}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Submission:
        """Rebuild the answer given before."""
        return cls(members["caseNumber"], tuple(members["messageIds"]))


class Outbox:
    """Takes events in and sends messages out, for one gateway."""

    def __init__(self, context: Context, adapter: Adapter, transport: Transport) -> None:
        self._context = context
        self._adapter = adapter
        self._transport = transport

    # --- in: an event -----------------------------------------------------------------------------------------------

    async def submit(self, event: Event) -> Submission:
        """Keep an event and the messages it becomes, in one transaction.

        An event that has been accepted gets the same answer again; one that was refused is looked at anew, since what
        it met then (a directory without the unit, a case without its need) may have been put right.

        Raises:
            InvalidDocumentError: the event is wrong or its case does not allow it; it is kept with its reasons.
            NotYetError: it must wait for something else; nothing is kept, and the caller still holds the event.
            DependencyDownError: the database does not answer; nothing is kept, and the caller still holds the event.
        """
        translation, findings = self._translate(event)
        async with self._context.store.writing() as tx:
            earlier = await events.find_same(tx, event.source, event.content_hash)
            if earlier is not None and earlier["state"] == "accepted":
                return Submission.from_json(earlier["answer"])
            submission: Submission | None = None
            if translation is not None:
                submission, findings = await self._try(tx, event, translation)
            await events.keep(
                tx,
                earlier,
                source=event.source,
                event_id=translation.event_id if translation else None,
                kind=translation.kind if translation else None,
                content_hash=event.content_hash,
                content=event.content,
                received_at=self._context.clock.now(),
                answer=submission.as_json() if submission else None,
                findings=None if submission else [finding.as_json() for finding in findings],
            )
        if submission is None:
            self._context.passed(Hop.EVENT_REFUSED, detail=findings[0].code)
            raise InvalidDocumentError(findings)
        self._tell(submission, translation)
        self._context.outgoing.ring()
        self._context.incoming.ring()
        return submission

    def _tell(self, submission: Submission, translation: Translation | None) -> None:
        number = submission.case_number
        for message_id in submission.message_ids:
            self._context.passed(Hop.EVENT_STORED, message_id=message_id, case_number=number)
        for draft in translation.drafts if translation is not None else ():
            if draft.type == ACKNOWLEDGEMENT:
                taken: Acknowledgement = draft.body
                self._context.passed(
                    Hop.ACKNOWLEDGED,
                    message_id=taken.message_id,
                    type=taken.message_type,
                    unit=draft.unit,
                    case_number=number,
                )

    def _translate(self, event: Event) -> tuple[Translation | None, Sequence[Finding]]:
        try:
            return self._adapter.translate(event), ()
        except InvalidDocumentError as error:
            return None, error.findings

    async def _try(
        self, tx: Transaction, event: Event, translation: Translation
    ) -> tuple[Submission | None, Sequence[Finding]]:
        """Carry the event out; what it has written is taken back if it turns out to be refused."""
        if await events.find_accepted(tx, event.source, translation.event_id) is not None:
            return None, [EVENT_CONFLICT.at()]
        try:
            async with tx.begin_nested():
                return await self._carry_out(tx, event.source, translation), ()
        except InvalidDocumentError as error:
            return None, error.findings

    async def _carry_out(self, tx: Transaction, source: str, translation: Translation) -> Submission:
        message_ids = []
        number: str | None = None
        for index, draft in enumerate(translation.drafts):
            key = json.dumps([self._context.party, source, translation.event_id, index])
            message_id = str(uuid5(_MESSAGE_IDS, key))
            if draft.type == ACKNOWLEDGEMENT:
                number = await self._acknowledge(tx, draft)
                continue
            number = await self._case_number(tx, source, translation, draft)
            desk = await Desk.open(self._context, tx, number, self._context.clock.now())
            await desk.admit(draft, message_id, number)
            await desk.close()
            await self._remember_reference(tx, source, translation.case_reference, number)
            message_ids.append(message_id)
        return Submission(number, tuple(message_ids))

    async def _case_number(self, tx: Transaction, source: str, translation: Translation, draft: Draft) -> str:
        """Return the number of the case an event is about; a need that is new gets the next one."""
        known = await self._known_case(tx, source, translation.case_reference)
        if known is not None:
            return known
        if draft.type != "sipStart":
            raise CaseRuleError(UNKNOWN_CASE.at())
        series = self._context.directory.parties[self._context.party].case_series
        return await cases.next_number(tx, series)

    @staticmethod
    async def _known_case(tx: Transaction, source: str, reference: str | None) -> str | None:
        """Return the case that a system calls ``reference``: by its own name for it, or by the case number."""
        if reference is None:
            return None
        try:
            number = CaseNumber.parse(reference).value
        except InvalidDocumentError:
            return await cases.number_of(tx, source, reference)
        if (await cases.load(tx, number)).case is None:  # numbers are given out here, never brought along
            raise CaseRuleError(UNKNOWN_CASE.at())
        return number

    @staticmethod
    async def _remember_reference(tx: Transaction, source: str, reference: str | None, number: str) -> None:
        if reference is not None and reference != number and await cases.number_of(tx, source, reference) is None:
            await cases.refer(tx, source, reference, number)

    async def _acknowledge(self, tx: Transaction, draft: Draft) -> str:
        """Level 4: a person or unit has taken charge of a message we received. Taking charge twice changes nothing."""
        body: Acknowledgement = draft.body
        row = await incoming.for_unit(tx, body.message_id, draft.unit)
        if row is None or row.type != body.message_type:
            raise CaseRuleError(NOTHING_TO_ACKNOWLEDGE.at())
        if row.state is InState.REJECTED:
            raise CaseRuleError(WAS_REFUSED.at())
        if row.state is InState.ACKNOWLEDGED:
            return row.case_number
        if row.state is not InState.REGISTERED:
            raise NotYetError(NOT_YET_REGISTERED.at())
        now = self._context.clock.now()
        taken = row.after(InEvent.ACKNOWLEDGE, now, acknowledged_at=body.at)
        await incoming.save(tx, [taken])
        await history.record(tx, [taken], InEvent.ACKNOWLEDGE, now)
        await answer(
            self._context,
            tx,
            taken,
            Level.ACKNOWLEDGED,
            Outcome.ACCEPTED,
            now=now,
            at=body.at,
            acknowledged_by=body.acknowledged_by,
        )
        return row.case_number

    async def recover(self) -> None:
        """Give back what an earlier process of this gateway had in its hands; called once, before the first relay."""
        async with self._context.store.writing() as tx:
            await outgoing.release_leases(tx)

    # --- out: the relay ---------------------------------------------------------------------------------------------

    async def relay(self) -> int:
        """Claim what is due, publish it and mark it; return how many were claimed.

        Raises:
            DependencyDownError: the database does not answer. A silent exchange is not an error here: the messages
                stay promised and are tried again.
        """
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            claimed = await outgoing.claim(tx, now, LEASE, BATCH)
        if not claimed:
            return 0
        outcomes = await self._publish(claimed)
        async with self._context.store.writing() as tx:
            await self._mark(tx, claimed, outcomes)
        for one, outcome in zip(claimed, outcomes, strict=True):
            if outcome is PublishOutcome.CONFIRMED:
                self._passed(Hop.SENT, one.dispatch)
        return len(claimed)

    async def _publish(self, claimed: Sequence[Claimed]) -> Sequence[PublishOutcome]:
        try:
            outcomes = await self._transport.publish([self._envelope(one) for one in claimed])
        except DependencyDownError:
            return [PublishOutcome.UNCONFIRMED] * len(claimed)
        for one in claimed:
            self._passed(Hop.PUBLISHED, one.dispatch)
        return outcomes

    def _envelope(self, one: Claimed) -> Envelope:
        row = one.dispatch
        return Envelope(
            message_id=row.message_id,
            type=row.type,
            sender=self._context.party,
            recipient=row.party,
            unit=row.unit,
            case_ref=row.case_number,
            created_at=one.created_at,
            body=one.xml,
            sender_unit=one.sender_unit,
            correlation_id=one.in_reply_to,
            sequence=row.sequence,
        )

    async def _mark(self, tx: Transaction, claimed: Sequence[Claimed], outcomes: Sequence[PublishOutcome]) -> None:
        now = self._context.clock.now()
        # Read again: an acknowledgement may have overtaken us since the claim.
        rows = await outgoing.with_id(tx, [one.dispatch.id for one in claimed])
        sent, failed = [], []
        for one, outcome in zip(claimed, outcomes, strict=True):
            row = replace(rows[one.dispatch.id], lease_until=None)
            if outcome is PublishOutcome.CONFIRMED:
                sent.append(row.after(OutEvent.PUBLISHED, now, sent_at=row.sent_at or now, next_attempt_at=None))
            else:
                failed.append((self._postponed(row), outcome))
        await outgoing.save(tx, [*sent, *(row for row, _ in failed)])
        await history.record(tx, sent, OutEvent.PUBLISHED, now)
        for row, outcome in failed:
            await history.record(tx, [row], OutEvent.PUBLISH_FAILED, now, outcome)

    def _postponed(self, row: Dispatch) -> Dispatch:
        now = self._context.clock.now()
        wait = retry_wait(row.attempts, self._context.chance())
        return row.after(OutEvent.PUBLISH_FAILED, now, next_attempt_at=now + wait)

    def _passed(self, hop: Hop, row: Dispatch) -> None:
        self._context.passed(hop, message_id=row.message_id, type=row.type, unit=row.unit, case_number=row.case_number)
