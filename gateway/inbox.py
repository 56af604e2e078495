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
from gateway.arrivals import follow, misdirected, take_back
from gateway.case_number import CaseNumber
from gateway.clock import local_date
from gateway.context import Context, begins_again
from gateway.directory_rules import check_responsible_unit, check_right_unit, check_unit_type
from gateway.envelope import Envelope, content_hash
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.gate import Desk
from gateway.identifiers import HsaId
from gateway.ledger import Inbound
from gateway.lifecycle import InEvent, InState, Level, Outcome
from gateway.messages import TYPES, Duty, Message, MisdirectedReport, ParticipantAdded, Retraction, duty_for
from gateway.open_sip import check_no_other_with, linked
from gateway.opening import Opened, message_in, opened
from gateway.ports import Delivery
from gateway.process import CaseEvent, SipCase
from gateway.progress import Hop
from gateway.store import incoming
from gateway.store.incoming import Stream
from gateway.store.sheet import Sheet

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

    @begins_again
    async def take(self, deliveries: Sequence[Delivery]) -> None:
        """Store a batch of deliveries and queue their answers, in one transaction. Settle them after it, not before.

        Raises:
            DependencyDownError: the database does not answer; nothing is stored.
        """
        for delivery in deliveries:
            self._passed(Hop.TAKEN, delivery.envelope)
        arrivals = [opened(delivery.envelope) for delivery in deliveries]
        async with self._context.store.writing() as tx:
            sheet = Sheet(tx, self._context.clock.now())
            await self._read_ahead(sheet, arrivals)
            for arrival in arrivals:
                await self._store(sheet, arrival)
            await sheet.write()
        for arrival in arrivals:
            self._passed(Hop.RECEIVED, arrival.envelope)
        self._context.outgoing.ring()
        self._context.incoming.ring()

    @staticmethod
    async def _read_ahead(sheet: Sheet, arrivals: Sequence[Opened]) -> None:
        """Read what storing ``arrivals`` asks for. The cases first: whoever has them keeps others from the rest."""
        envelopes = [arrival.envelope for arrival in arrivals]
        numbers = {envelope.case_ref for envelope in envelopes}
        await sheet.read_cases(numbers)
        bodies = [arrival.message.body for arrival in arrivals if arrival.message is not None]
        taken_back = {body.target_message_id for body in bodies if isinstance(body, Retraction)}
        await sheet.read_inbound({envelope.message_id for envelope in envelopes} | taken_back)
        await sheet.read_dispatches({body.target_message_id for body in bodies if isinstance(body, MisdirectedReport)})
        await sheet.read_streams(numbers, {one.sequence for one in envelopes if one.sequence is not None})
        # Only what came before, or what is unreadable and may have, can have been answered already.
        answered = {
            one.envelope.message_id
            for one in arrivals
            if one.message is None or sheet.inbound_about(one.envelope.message_id)
        }
        await sheet.read_answers(answered)
        await sheet.read_position()

    async def _store(self, sheet: Sheet, arrival: Opened) -> None:
        envelope = arrival.envelope
        known = sheet.inbound((envelope.sender, envelope.type, envelope.message_id, envelope.unit))
        if known is not None:
            if known.content_hash == content_hash(envelope.body):
                self._duplicate(sheet, known)
            else:
                await self._set_aside(sheet, envelope, [ID_CONFLICT.at()])
        elif arrival.message is None:
            await self._set_aside(sheet, envelope, arrival.findings)
            await self._follow(sheet, (envelope.sender, envelope.case_ref, envelope.unit), envelope.sequence)
        else:
            await self._first(sheet, envelope, arrival.message)

    @staticmethod
    def _duplicate(sheet: Sheet, known: Inbound) -> None:
        """Answer a duplicate again with the same verdict; it is stored once and shown once."""
        sheet.put_inbound(known._replace(duplicates=known.duplicates + 1), "duplicate")
        answer_again(sheet, known)

    async def _set_aside(self, sheet: Sheet, envelope: Envelope, findings: Sequence[Finding]) -> None:
        """Park what cannot become a message here, as it came, and tell its sender."""
        await incoming.park(sheet.tx, envelope, findings, sheet.now)
        if envelope.sequence is not None:
            stream = sheet.stream((envelope.sender, envelope.case_ref, envelope.unit))
            stream.parked.add(envelope.sequence)
            stream.last = max(stream.last, envelope.sequence)
        self._tell_refused(sheet, self._row(envelope, sheet.now), findings)

    def _tell_refused(self, sheet: Sheet, row: Inbound, findings: Sequence[Finding]) -> None:
        """Answer *rejected*, when the envelope says where to; otherwise it is kept and shown, and nobody is told."""
        try:
            HsaId.parse(row.sender_unit)
            CaseNumber.parse(row.case_number)
            with sheet.attempt():
                answer(self._context, sheet, row, Level.RECEIVED, Outcome.REJECTED, reasons=findings)
        except (InvalidDocumentError, ValueError):
            return

    @staticmethod
    def _row(envelope: Envelope, now: datetime, duty: Duty = Duty.NOTIFY) -> Inbound:
        return Inbound.begin(
            now,
            duty=duty,
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
        )

    async def _first(self, sheet: Sheet, envelope: Envelope, message: Message) -> None:
        """Store what has not been seen before; judge it now, or when what comes before it has come.

        One that is only late, because those after it did not wait any longer, is judged like any other. The end of a
        consent waits for nothing.
        """
        row = self._row(envelope, sheet.now, duty_for(message, envelope.unit))
        name = (envelope.sender, envelope.case_ref, envelope.unit)
        stream, sequence = sheet.stream(name), envelope.sequence
        taken, last = sequence in stream.held, stream.last
        if taken:
            sheet.record([row], "store")
            self._reject(sheet, row, [SEQUENCE_TAKEN.at()])
            return
        sheet.put_inbound(row, "store")
        if sequence is None or sequence <= last + 1 or _ends_consent(message):
            await self._judge(sheet, row, message)
            await self._follow(sheet, name, sequence)

    async def _follow(self, sheet: Sheet, name: Stream, sequence: int | None) -> None:
        """Judge what has waited for number ``sequence`` of a stream, one after the other."""
        stream = sheet.stream(name)
        while sequence is not None:
            sequence += 1
            following = stream.held.get(sequence)
            if following is not None and following.state is InState.STORED:
                await self._judge(sheet, following, message_in(following.xml))
            elif following is not None or sequence not in stream.parked:
                return

    @begins_again
    async def sweep(self) -> int:
        """Judge messages that have waited too long for the one before them, in order; return how many.

        The gap stays visible in their history. What is missing may still come, and is then judged by itself.
        """
        async with self._context.store.writing() as tx:
            sheet = Sheet(tx, self._context.clock.now())
            late = await incoming.overdue(tx, sheet.now, SWEEP_BATCH)
            numbers = {row.case_number for row in late}
            await sheet.read_cases(numbers)
            await sheet.read_inbound({row.message_id for row in late})
            await sheet.read_streams(numbers, ())
            await sheet.read_position()
            for row in late:
                sheet.record([row], "gap")
                await self._judge(sheet, row, message_in(row.xml))
                await self._follow(sheet, (row.party, row.case_number, row.unit), row.sequence)
            await sheet.write()
        if late:
            self._context.outgoing.ring()
            self._context.incoming.ring()
        return len(late)

    async def _judge(self, sheet: Sheet, row: Inbound, message: Message) -> None:
        """Let the case decide: level *received*, accepted or rejected with every reason."""
        try:
            self._check_recipient(sheet, row, message)
            self._check_sender(message)
            with sheet.attempt():
                await self._move_case(sheet, row, message)
        except InvalidDocumentError as error:
            self._reject(sheet, row, [_placed(finding, message) for finding in error.findings])
            return
        taken = row.after(InEvent.VALIDATE, sheet.now)
        sheet.put_inbound(taken, InEvent.VALIDATE)
        sheet.note(message)
        answer(self._context, sheet, taken, Level.RECEIVED, Outcome.ACCEPTED)

    def _check_recipient(self, sheet: Sheet, row: Inbound, message: Message) -> None:
        """Refuse what is for no unit of ours, or for one that was closed when the message was made.

        The finding names the unit to send to instead. An answer, and that something ends, is taken for a unit that has
        closed since, and so is what goes to the unit that leads the case: its sender could not choose another.
        """
        path = f"/{message.type}/header/recipient/unit"
        directory, case = self._context.directory, sheet.case(row.case_number)
        unit = directory.units.get(row.unit)
        if unit is not None and unit.party != self._context.party:
            raise InvalidDocumentError(NOT_OURS.at(path))
        is_owed = message.header.in_reply_to is not None or process.event_of(message) in process.WINDING_UP
        day = None if is_owed or _leads(case, row.unit) else local_date(message.header.created_at)
        directory.unit(row.unit, path, on=day, of=self._context.party)

    def _check_sender(self, message: Message) -> None:
        """Refuse a sender that the directory does not know, and a case number out of another party's series."""
        sender = message.header.sender
        unit = self._context.directory.unit(sender.unit, f"/{message.type}/header/sender/unit")
        if unit.party != sender.party:
            raise InvalidDocumentError(OTHER_PARTY.at(f"/{message.type}/header/sender"))
        check_unit_type(TYPES[message.type].contract, unit, f"/{message.type}/header/sender/unit")
        if message.type in process.OPENING_TYPES:  # the number is from the series of who convened the case
            body = message.body
            opener = body.convener.party if isinstance(body, ParticipantAdded) else sender.party
            party = self._context.directory.parties.get(opener)
            number = message.header.case_number.removeprefix("SIP").removeprefix("M")
            if party is None or not number.startswith(str(party.case_series)):
                raise InvalidDocumentError(OTHER_SERIES.at(f"/{message.type}/header/caseNumber"))

    async def _move_case(self, sheet: Sheet, row: Inbound, message: Message) -> None:
        again = any(
            (other.party, other.type) == (row.party, row.type)
            and other.unit != row.unit
            and other.state not in (InState.STORED, InState.REJECTED)
            for other in sheet.inbound_about(row.message_id)
        )
        before = sheet.case(row.case_number)
        check_right_unit(self._context.directory, message)
        check_responsible_unit(self._context.directory, message)
        case = process.receive(before, message, unit=row.unit, party=self._context.party, again=again)
        if before is None:
            await check_no_other_with(sheet, message)
            case = await linked(sheet, case, message)
        if isinstance(message.body, Retraction):
            take_back(sheet, row, message.body)
        elif isinstance(message.body, MisdirectedReport):
            misdirected(sheet, row, message.body)
        sheet.put_case(case)
        if case.is_frozen and not (before is not None and before.is_frozen):
            await (await Desk.open(self._context, sheet, row.case_number)).hold_back()
        if case.leader.party == self._context.party and not again:
            await follow(await Desk.open(self._context, sheet, row.case_number), message)

    def _reject(self, sheet: Sheet, row: Inbound, findings: Sequence[Finding]) -> None:
        told = [finding.as_json() for finding in findings]
        refused = row.after(InEvent.REJECT, sheet.now, findings=told, failed_code=findings[0].code)
        sheet.put_inbound(refused, InEvent.REJECT, findings[0].code)
        self._tell_refused(sheet, refused, findings)

    def _passed(self, hop: Hop, envelope: Envelope) -> None:
        self._context.passed(
            hop,
            message_id=envelope.message_id,
            type=envelope.type,
            unit=envelope.unit,
            case_number=envelope.case_ref,
        )


def _leads(case: SipCase | None, unit: str) -> bool:
    """Tell whether ``unit`` leads the case, so that whoever takes part speaks to it."""
    return case is not None and case.leader.unit == unit


def _ends_consent(message: Message) -> bool:
    """Tell whether ``message`` says that a consent has ended."""
    return process.event_of(message) is CaseEvent.WITHDRAW


def _placed(finding: Finding, message: Message) -> Finding:
    """Return ``finding`` with its place in the whole document: a case knows only places in the message it is about."""
    path = finding.path
    if path is None or path.startswith("/"):
        return finding
    return replace(finding, path=f"/{message.type}/{path}")
