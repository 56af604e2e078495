"""The inbox: deliveries from the exchange become stored messages, each with its answer queued in the same transaction.

Only when that transaction is committed is the delivery settled; so an answer is never given about something that could
still be lost, and a crash between the two makes the exchange deliver again, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gateway import process
from gateway.answering import answer, answer_again
from gateway.context import Context
from gateway.envelope import Envelope, content_hash
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.gate import Desk
from gateway.identifiers import CaseNumber, HsaId
from gateway.ledger import Inbound
from gateway.lifecycle import InEvent, InState, Level, Outcome
from gateway.messages import Message, parse_xml
from gateway.opening import Opened, opened
from gateway.ports import Delivery
from gateway.process import CaseEvent
from gateway.progress import Hop
from gateway.store import Transaction, cases, history, incoming, notes

ID_CONFLICT = Fault(
    "message.id-conflict",
    "Ett annat meddelande har redan tagits emot med samma id.",
    "Another message has already been received under the same id.",
)
NOT_OURS = Fault(
    "recipient.not-here",
    "Enheten finns inte hos den här parten.",
    "The unit does not belong to this party.",
)
OTHER_PARTY = Fault(
    "sender.not-of-party",
    "Den avsändande enheten hör inte till den avsändande parten.",
    "The sending unit does not belong to the sending party.",
)
OTHER_SERIES = Fault(
    "case.other-series",
    "Ärendenumret hör inte till den avsändande partens serie.",
    "The case number is not from the series of the sending party.",
)
SEQUENCE_TAKEN = Fault(
    "message.sequence-taken",
    "Ett annat meddelande i ärendet har redan samma löpnummer.",
    "Another message of the case already has the same sequence number.",
)


class Inbox:
    """Takes messages in for one gateway."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Store a batch of deliveries and queue their answers, in one transaction. Settle them after it, not before.

        Raises:
            DependencyDownError: the database does not answer; nothing is stored.
        """
        for delivery in deliveries:
            self._passed(Hop.TAKEN, delivery.envelope)
        arrivals = [opened(delivery.envelope) for delivery in deliveries]
        async with self._context.store.writing() as tx:
            for arrival in arrivals:
                await self._store(tx, arrival)
        for arrival in arrivals:
            self._passed(Hop.RECEIVED, arrival.envelope)
        self._context.outgoing.ring()
        self._context.incoming.ring()

    async def _store(self, tx: Transaction, arrival: Opened) -> None:
        now = self._context.clock.now()
        envelope = arrival.envelope
        known = await incoming.find(tx, envelope)
        if known is not None:
            if known.content_hash == content_hash(envelope.body):
                await self._duplicate(tx, known, now)
            else:
                await self._refuse_unstored(tx, envelope, [ID_CONFLICT.at()], now)
        elif arrival.message is None:
            await self._refuse_unstored(tx, envelope, arrival.findings, now)
        else:
            await self._first(tx, envelope, arrival.message, now)

    async def _duplicate(self, tx: Transaction, known: Inbound, now: datetime) -> None:
        """Answer a duplicate again with the same verdict; it is stored once and shown once."""
        await incoming.save(tx, [replace(known, duplicates=known.duplicates + 1)])
        await history.record(tx, [known], "duplicate", now)
        await answer_again(tx, known, now)

    async def _refuse_unstored(
        self, tx: Transaction, envelope: Envelope, findings: Sequence[Finding], now: datetime
    ) -> None:
        """Park what cannot become a message here, and tell its sender when the envelope says where to."""
        await incoming.park(tx, envelope, findings, now)
        try:
            HsaId.parse(envelope.sender_unit)
            CaseNumber.parse(envelope.case_ref)
            await answer(
                self._context, tx, self._row(envelope, now), Level.RECEIVED, Outcome.REJECTED, now=now, reasons=findings
            )
        except (InvalidDocumentError, ValueError):
            return  # no one to tell; it is parked and shown

    def _row(self, envelope: Envelope, now: datetime) -> Inbound:
        return Inbound(
            party=envelope.sender,
            type=envelope.type,
            message_id=envelope.message_id,
            unit=envelope.unit,
            case_number=envelope.case_ref,
            sequence=envelope.sequence,
            sender_unit=envelope.sender_unit,
            content_hash=content_hash(envelope.body),
            xml=envelope.body,
            state=InState.STORED,
            received_at=now,
        )

    async def _first(self, tx: Transaction, envelope: Envelope, message: Message, now: datetime) -> None:
        """Store a message that has not been seen before; judge it now, or when what comes before it has come."""
        row = self._row(envelope, now).timed(now)
        stream = (envelope.sender, envelope.case_ref, envelope.unit)
        last = await incoming.last_sequence(tx, *stream)
        row = replace(row, id=await incoming.add(tx, row))
        await history.record(tx, [row], "store", now)
        if envelope.sequence is not None and envelope.sequence > last + 1:
            return  # a gap: it waits for the message before it
        if envelope.sequence is not None and envelope.sequence <= last:
            await self._reject(tx, row, [SEQUENCE_TAKEN.at()], now)
            return
        await self._judge(tx, row, message, now)
        following = last + 1
        while True:
            following += 1
            waiting = await incoming.waiting_at(tx, *stream, following)
            if waiting is None:
                return
            await self._judge(tx, waiting, parse_xml(waiting.xml), now)

    async def _judge(self, tx: Transaction, row: Inbound, message: Message, now: datetime) -> None:
        """Let the case decide: level *received*, accepted or rejected with every reason."""
        unit = self._context.directory.units.get(row.unit)
        if unit is None or unit.party != self._context.party:
            await self._reject(tx, row, [NOT_OURS.at(f"/{message.type}/header/recipient/unit")], now)
            return
        try:
            self._check_sender(message)
            async with tx.begin_nested():
                await self._move_case(tx, row, message, now)
        except InvalidDocumentError as error:
            await self._reject(tx, row, error.findings, now)
            return
        taken = row.after(InEvent.VALIDATE, now)
        await incoming.save(tx, [taken])
        await history.record(tx, [taken], InEvent.VALIDATE, now)
        await notes.add(tx, message, row.xml, now)
        await answer(self._context, tx, taken, Level.RECEIVED, Outcome.ACCEPTED, now=now)

    def _check_sender(self, message: Message) -> None:
        """Refuse a sender that the directory does not know, and a case number out of another party's series."""
        sender = message.header.sender
        unit = self._context.directory.unit(sender.unit, f"/{message.type}/header/sender/unit")
        if unit.party != sender.party:
            raise InvalidDocumentError(OTHER_PARTY.at(f"/{message.type}/header/sender"))
        series = str(self._context.directory.parties[sender.party].case_series)
        number = message.header.case_number
        if process.event_of(message) is CaseEvent.START and not number.startswith(f"SIP{series}"):
            raise InvalidDocumentError(OTHER_SERIES.at(f"/{message.type}/header/caseNumber"))

    async def _move_case(self, tx: Transaction, row: Inbound, message: Message, now: datetime) -> None:
        again = await incoming.seen_for_other_unit(tx, row)
        stored = await cases.load(tx, row.case_number)
        case = process.receive(stored.case, message, unit=row.unit, party=self._context.party, again=again)
        await cases.save(tx, case, stored.revision, now)
        if case.convener == self._context.party and process.event_of(message) is CaseEvent.WITHDRAW and not again:
            desk = await Desk.open(self._context, tx, row.case_number, now)
            await desk.withdrawn(message)

    async def _reject(self, tx: Transaction, row: Inbound, findings: Sequence[Finding], now: datetime) -> None:
        refused = row.after(InEvent.REJECT, now, findings=[finding.as_json() for finding in findings])
        await incoming.save(tx, [refused])
        await history.record(tx, [refused], InEvent.REJECT, now, findings[0].code)
        await answer(self._context, tx, refused, Level.RECEIVED, Outcome.REJECTED, now=now, reasons=findings)

    def _passed(self, hop: Hop, envelope: Envelope) -> None:
        self._context.passed(
            hop,
            message_id=envelope.message_id,
            type=envelope.type,
            unit=envelope.unit,
            case_number=envelope.case_ref,
        )
