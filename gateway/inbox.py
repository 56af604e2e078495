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


SWEEP_BATCH = 256
"""How many messages that wait too long one sweep looks at."""


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
                await self._set_aside(tx, envelope, [ID_CONFLICT.at()], now)
        elif arrival.message is None:
            await self._set_aside(tx, envelope, arrival.findings, now)
            await self._follow(tx, (envelope.sender, envelope.case_ref, envelope.unit), envelope.sequence, now)
        else:
            await self._first(tx, envelope, arrival.message, now)

    async def _duplicate(self, tx: Transaction, known: Inbound, now: datetime) -> None:
        """Answer a duplicate again with the same verdict; it is stored once and shown once."""
        await incoming.save(tx, [replace(known, duplicates=known.duplicates + 1)])
        await history.record(tx, [known], "duplicate", now)
        await answer_again(tx, known, now)

    async def _set_aside(self, tx: Transaction, envelope: Envelope, findings: Sequence[Finding], now: datetime) -> None:
        """Park what cannot become a message here, as it came, and tell its sender."""
        await incoming.park(tx, envelope, findings, now)
        await self._tell_refused(tx, self._row(envelope, now), findings, now)

    async def _tell_refused(self, tx: Transaction, row: Inbound, findings: Sequence[Finding], now: datetime) -> None:
        """Answer *rejected*, when the envelope says where to; otherwise it is kept and shown, and nobody is told."""
        try:
            HsaId.parse(row.sender_unit)
            CaseNumber.parse(row.case_number)
            await answer(self._context, tx, row, Level.RECEIVED, Outcome.REJECTED, now=now, reasons=findings)
        except (InvalidDocumentError, ValueError):
            return

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
        """Store what has not been seen before; judge it now, or when what comes before it has come.

        One that is only late, because those after it did not wait any longer, is judged like any other. The end of a
        consent waits for nothing.
        """
        row = self._row(envelope, now).timed(now)
        stream = (envelope.sender, envelope.case_ref, envelope.unit)
        taken = envelope.sequence is not None and await incoming.at_sequence(tx, *stream, envelope.sequence) is not None
        last = await incoming.last_sequence(tx, *stream)
        row = replace(row, id=await incoming.add(tx, row))
        await history.record(tx, [row], "store", now)
        if taken:
            await self._reject(tx, row, [SEQUENCE_TAKEN.at()], now)
        elif envelope.sequence is None or envelope.sequence <= last + 1 or _ends_consent(message):
            await self._judge(tx, row, message, now)
            await self._follow(tx, stream, envelope.sequence, now)

    async def _follow(self, tx: Transaction, stream: tuple[str, str, str], sequence: int | None, now: datetime) -> None:
        """Judge what has waited for number ``sequence`` of ``stream`` (party, case, unit), one after the other."""
        while sequence is not None:
            sequence += 1
            following = await incoming.at_sequence(tx, *stream, sequence)
            if following is not None and following.state is InState.STORED:
                await self._judge(tx, following, parse_xml(following.xml), now)
            elif following is not None or not await incoming.is_parked_at(tx, *stream, sequence):
                return

    async def sweep(self) -> int:
        """Judge messages that have waited too long for the one before them, in order; return how many.

        The gap stays visible in their history. What is missing may still come, and is then judged by itself.
        """
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            late = await incoming.overdue(tx, now, SWEEP_BATCH)
            for row in late:
                await history.record(tx, [row], "gap", now)
                await self._judge(tx, row, parse_xml(row.xml), now)
                await self._follow(tx, (row.party, row.case_number, row.unit), row.sequence, now)
        if late:
            self._context.outgoing.ring()
            self._context.incoming.ring()
        return len(late)

    async def _judge(self, tx: Transaction, row: Inbound, message: Message, now: datetime) -> None:
        """Let the case decide: level *received*, accepted or rejected with every reason."""
        try:
            self._check_recipient(row, message)
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

    def _check_recipient(self, row: Inbound, message: Message) -> None:
        unit = self._context.directory.units.get(row.unit)
        if unit is None or unit.party != self._context.party:
            raise InvalidDocumentError(NOT_OURS.at(f"/{message.type}/header/recipient/unit"))

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
        await self._tell_refused(tx, refused, findings, now)

    def _passed(self, hop: Hop, envelope: Envelope) -> None:
        self._context.passed(
            hop,
            message_id=envelope.message_id,
            type=envelope.type,
            unit=envelope.unit,
            case_number=envelope.case_ref,
        )


def _ends_consent(message: Message) -> bool:
    """Tell whether ``message`` says that a consent has ended."""
    return process.event_of(message) is CaseEvent.WITHDRAW
