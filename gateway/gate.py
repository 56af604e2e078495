"""The gate: what a draft becomes in its case, and what a decision about consent does to everything that waits.

Nothing about a person leaves the party before a consent that covers the recipient is in force. Until then a message is
*held*; it is rendered and kept like any other, and released in order when the consent comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from gateway import process
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError
from gateway.ledger import Dispatch
from gateway.lifecycle import NEVER_LEFT, STOPPABLE, UNDER_WAY, OutEvent, OutState
from gateway.messages import TYPES, Duty, Header, Message, Recipient, Sender, render_xml
from gateway.messages.closure import Closure, ClosureReason
from gateway.messages.consent import Consent
from gateway.opening import message_in, remember
from gateway.ports import Draft
from gateway.process import CaseEvent, CaseState, SipCase
from gateway.store.sheet import Sheet

OWN_UNIT = Fault(
    "recipient.own-party",
    "Mottagaren är en egen enhet; meddelanden går bara till andra parter.",
    "The recipient is a unit of the own party; messages go to other parties only.",
)
PARTED = Fault(
    "case.unit-parted-with",
    "Samtycket omfattar en enhet som redan fått veta att ärendet är avslutat; starta ett nytt ärende för den.",
    "The consent covers a unit that has been told that the case is closed; start a new case for it.",
)
SENDER_ELSEWHERE = Fault(
    "sender.other-party",
    "Den avsändande enheten hör inte till den här parten.",
    "The sending unit does not belong to this party.",
)


WEIGHED = frozenset({"consent", "closure"})
"""Types that are weighed against everything that was sent in their case before."""


class Desk:
    """One case, open for change on a sheet. What is decided about the case stands on the sheet at once."""

    def __init__(self, context: Context, sheet: Sheet, number: str) -> None:
        self.context = context
        self.sheet = sheet
        self.now = sheet.now
        self.number = number

    @classmethod
    async def open(cls, context: Context, sheet: Sheet, number: str) -> Desk:
        """Read the case with ``number``, unless it is on the sheet; a case may not exist yet."""
        await sheet.read_cases([number])
        await sheet.read_position()
        return cls(context, sheet, number)

    @property
    def case(self) -> SipCase | None:
        """The case as it now is; ``None`` before it is opened."""
        return self.sheet.case(self.number)

    @property
    def rows(self) -> list[Dispatch]:
        """The case's ledger rows as they now are, in the order they were made; they must have been read."""
        return self.sheet.ledger(self.number)

    # --- admitting --------------------------------------------------------------------------------------------------

    async def admit(self, draft: Draft, message_id: str) -> Message:
        """Make ``draft`` a message of the case: queued, held, or kept at home.

        Raises:
            InvalidDocumentError: it breaks its schema, its rules or the case, or names a unit that is not known.
        """
        if draft.type in WEIGHED:
            await self.sheet.read_ledgers([self.number])
        message = Message(draft.type, self._header(draft, message_id), draft.body)
        xml = render_xml(message)  # a document that is wrong in itself is refused before the case is asked
        if self._waits(message):
            await self.sheet.read_ledgers([self.number])
            self._preview(message)
            self._keep(message, xml, applied=False)
        else:
            self.sheet.put_case(process.apply(self.case, message))
            await self._carry_out(message, xml)
        return message

    def _header(self, draft: Draft, message_id: str) -> Header:
        sender = self.context.directory.unit(draft.unit, "header/sender/unit")
        if sender.party != self.context.party:
            raise InvalidDocumentError(SENDER_ELSEWHERE.at("header/sender/unit"))
        kind = TYPES[draft.type]
        contract, duty = kind.contract, kind.duty_of(draft.body)
        consent = self.case.consent_ref if self.case is not None and contract.consent is not None else None
        return Header(
            message_id=message_id,
            case_number=self.number,
            created_at=self.now,
            sender=Sender(party=self.context.party, unit=draft.unit, user=draft.user),
            recipients=tuple(Recipient(party=party, unit=unit, duty=duty) for party, unit in self._recipients(draft)),
            in_reply_to=draft.in_reply_to,
            consent_ref=consent,
            due_at=self._due(draft.type, draft.body),
            person=draft.person,
        )

    def _due(self, type_name: str, body: Any) -> datetime | None:
        """Return when the duty of a message that leaves now must be done: when its sender says, or its contract."""
        kind = TYPES[type_name]
        owed = kind.contract.owed(kind.duty_of(body))
        if owed is None:
            return None
        return getattr(body, "reply_by", None) or owed.after(self.now)

    def _recipients(self, draft: Draft) -> list[tuple[str, str]]:
        """Return party and unit of everyone ``draft`` is for; one that names nobody is for the case's participants.

        Who may know of a decision about consent, or that the case is over, follows from the case alone: naming others
        adds none.
        """
        found = [self.context.directory.unit(unit, "header/recipient/unit") for unit in draft.recipients]
        if any(unit.party == self.context.party for unit in found):
            raise InvalidDocumentError(OWN_UNIT.at("header/recipient/unit"))
        named = [(unit.party, unit.hsa_id) for unit in found]
        if self.case is None:
            return named
        if self.case.convener != self.context.party:  # a participant speaks to the convener
            return [(self.case.convener, self.case.convening_unit)]
        if isinstance(draft.body, Closure):  # after a withdrawal it stays at home; those who know are told by it
            open_to = [] if draft.body.reason is ClosureReason.CONSENT_WITHDRAWN else self._told()
            return [one for one in open_to if self._is_covered(*one)]
        joined = [(participant.party, participant.unit) for participant in self.case.participants]
        if isinstance(draft.body, Consent):
            if any(self._covers(draft.body, *one) for one in self._parted()):
                raise CaseRuleError(PARTED.at("body/scope"))
            waiting = [(row.party, row.unit) for row in self.rows if row.state is OutState.HELD]
            return [one for one in dict.fromkeys((*joined, *waiting)) if self._covers(draft.body, *one)]
        return named or joined

    def _covers(self, consent: Consent, party: str, unit: str) -> bool:
        scope = consent.scope.information_types if consent.scope is not None else ()
        today = self.sheet.today
        return any(consent.covers(party=party, unit=unit, information=kind, on=today) for kind in scope)

    def _waits(self, message: Message) -> bool:
        """Tell whether ``message`` cannot move its case yet, because no recipient is covered by a consent."""
        if self.case is None or process.event_of(message) not in (CaseEvent.BOOK, CaseEvent.PLAN):
            return False
        return not any(self._may_leave(message, recipient) for recipient in message.header.recipients)

    def _may_leave(self, message: Message, to: Recipient | Dispatch) -> bool:
        assert self.case is not None
        return self.case.may_receive(message, party=to.party, unit=to.unit, on=self.sheet.today)

    def _preview(self, message: Message) -> None:
        """Refuse now what the case would refuse once a consent has come."""
        assert self.case is not None
        case = self.case
        if case.state is CaseState.DRAFT:
            case = replace(case, state=CaseState.PREPARING)
        for _, xml in self.sheet.unapplied(case.number):
            case = process.apply(case, message_in(xml))
        process.apply(case, message)

    async def _carry_out(self, message: Message, xml: bytes) -> None:
        """Do what a message that has moved the case brings with it."""
        match process.event_of(message):
            case CaseEvent.CONSENT:
                parted = await self._narrow(message)
                await self._release(row for row in self._held() if row.type == "sipStart")
                self._keep(message, xml)
                self._apply_held()
                await self._release(self._held())
                # Last: a party whose units take over from each other must not see its case end in between.
                self._tell_closed(message, parted)
            case CaseEvent.DECLINE | CaseEvent.CLOSE:
                self._stop(self._held(), process.event_of(message).value)
                self._keep(message, xml)
                # Those whom the consent no longer covers learn that it closed, and nothing else.
                self._tell_closed(message, self._told())
            case CaseEvent.WITHDRAW:
                self._keep(message, xml)
                self.withdrawn(message)
            case _:
                self._keep(message, xml)

    # --- what waits -------------------------------------------------------------------------------------------------

    def _held(self) -> list[Dispatch]:
        return [row for row in self.rows if row.state is OutState.HELD]

    def _apply_held(self) -> None:
        """Let the messages that waited move the case, in the order they were made."""
        for message_id, xml in self.sheet.unapplied(self.number):
            message = message_in(xml)
            if self._waits(message):
                continue
            try:
                self.sheet.put_case(process.apply(self.case, message))
            except CaseRuleError as error:  # overtaken by what was sent meanwhile
                mine = [row for row in self.rows if row.message_id == message_id]
                self._stop(mine, error.codes[0])
                continue
            self.sheet.mark_applied(message_id)
            self.sheet.note(message)

    async def _release(self, rows: Iterable[Dispatch]) -> None:
        """Queue what a consent now covers, in order."""
        released: list[Dispatch] = []
        for row in rows:
            message = message_in(await self.sheet.content(row.message_id))
            if not self._may_leave(message, row):
                continue
            if all(other.state is OutState.HELD for other in self.rows if other.message_id == row.message_id):
                self._refer_to_consent(message)
            leaves = {
                "queued_at": self.now,
                "position": self.sheet.next_position(),
                "leave_by": self._leave_by(message),
            }
            released.append(row.after(OutEvent.RELEASE, self.now, **leaves))
        self.sheet.put_dispatches(released, OutEvent.RELEASE)

    def _refer_to_consent(self, message: Message) -> None:
        """Render a message that was held again, with the consent it leaves under; nobody has seen it yet."""
        assert self.case is not None
        if TYPES[message.type].contract.consent is not None:
            due = self._due(message.type, message.body)
            header = replace(message.header, consent_ref=self.case.consent_ref, due_at=due)
            final = replace(message, header=header)
            self.sheet.rewrite(message.header.message_id, render_xml(final))

    def _stop(self, rows: Iterable[Dispatch], code: str) -> None:
        """Stop what has not left. What a try may have brought to the exchange is given up: no other try is made."""
        stopped, given_up = [], []
        for row in rows:
            if row.state in STOPPABLE and not row.attempts:
                stopped.append(row.after(OutEvent.STOP, self.now))
            elif row.state in UNDER_WAY:
                given_up.append(row.after(OutEvent.EXPIRE, self.now, next_attempt_at=None))
        self.sheet.put_dispatches(stopped, OutEvent.STOP, code)
        self.sheet.put_dispatches(given_up, OutEvent.EXPIRE, code)

    def _told(self) -> list[tuple[str, str]]:
        """Return party and unit of everyone who knows of the case: something left, or is about to, and no closure."""
        left = [row for row in self.rows if row.state not in NEVER_LEFT]
        parted = self._parted()
        return [one for one in dict.fromkeys((row.party, row.unit) for row in left) if one not in parted]

    def _parted(self) -> set[tuple[str, str]]:
        """Return party and unit of everyone who is told that the case has closed."""
        rows = (row for row in self.rows if row.type == "closure" and row.state not in NEVER_LEFT)
        return {(row.party, row.unit) for row in rows}

    def _is_covered(self, party: str, unit: str) -> bool:
        """Tell whether the consent in force covers a unit for anything at all."""
        consent = self.case.consent if self.case is not None else None
        return consent is not None and self._covers(consent, party, unit)

    # --- a consent that shrinks or ends -----------------------------------------------------------------------------

    def withdrawn(self, message: Message) -> None:
        """End the case after a withdrawal: nothing more leaves, and those who know of the case learn that it closed."""
        assert self.case is not None
        mine = [row for row in self.rows if row.message_id != message.header.message_id]
        self._stop(mine, "consent-withdrawn")
        if self.case.convener == self.context.party:
            self._tell_closed(message, self._told())

    async def _narrow(self, message: Message) -> list[tuple[str, str]]:
        """Stop what a new consent no longer covers; return the units to part with, which it does not cover at all."""
        assert self.case is not None
        lost = [one for one in self._told() if not self._covers(message.body, *one)]
        ends = [row for row in self.rows if (row.party, row.unit) in lost]
        for row in self.rows:
            if row not in ends and row.state in UNDER_WAY:
                waiting = message_in(await self.sheet.content(row.message_id))
                if not self._may_leave(waiting, row):
                    ends.append(row)
        self._stop(ends, "consent-narrowed")
        lost = [one for one in lost if one in self._told()]
        if lost:
            left = tuple(one for one in self.case.participants if (one.party, one.unit) not in lost)
            self.sheet.put_case(replace(self.case, participants=left))
        return lost

    def _tell_closed(self, because: Message, units: Sequence[tuple[str, str]]) -> None:
        """Tell ``units`` that the case is closed to them, and nothing else."""
        if not units:
            return
        assert self.case is not None
        header = Header(
            message_id=str(uuid5(UUID(because.header.message_id), "closure")),
            case_number=self.case.number,
            created_at=self.now,
            sender=Sender(party=self.context.party, unit=self.case.convening_unit),
            recipients=tuple(Recipient(party=party, unit=unit, duty=Duty.NOTIFY) for party, unit in units),
        )
        body = Closure(reason=ClosureReason.CONSENT_WITHDRAWN, closed_on=self.sheet.today)
        message = Message("closure", header, body)
        self._keep(message, render_xml(message))

    # --- writing ----------------------------------------------------------------------------------------------------

    def _keep(self, message: Message, xml: bytes, *, applied: bool = True) -> None:
        """Store ``message`` with a ledger row per recipient: queued where it may leave, held where it may not."""
        rows = []
        for recipient in message.header.recipients:
            may_leave = self._may_leave(message, recipient)
            row = Dispatch.begin(
                self.now,
                message_id=message.header.message_id,
                type=message.type,
                case_number=message.header.case_number,
                party=recipient.party,
                unit=recipient.unit,
                duty=recipient.duty,
                state=OutState.QUEUED if may_leave else OutState.HELD,
                queued_at=self.now if may_leave else None,
                position=self.sheet.next_position() if may_leave else None,
                leave_by=self._leave_by(message) if may_leave else None,
            )
            rows.append(row)
        remember(xml, message)
        self.sheet.add_message(message, xml, rows, "submit", applied=applied)
        if applied:
            self.sheet.note(message)

    def _leave_by(self, message: Message) -> datetime | None:
        """Return when the consent that ``message`` leaves under runs out."""
        needs_consent = TYPES[message.type].contract.consent is not None or isinstance(message.body, Consent)
        return self.case.consent_ends_at if self.case is not None and needs_consent else None
