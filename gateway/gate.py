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
from gateway.circle import Circle, passes_always
from gateway.context import Context
from gateway.directory_rules import check_responsible_unit, check_right_unit, check_unit_type
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError
from gateway.ledger import Dispatch
from gateway.lifecycle import MAY_HAVE_LEFT, STOPPABLE, UNDER_WAY, OutEvent, OutState
from gateway.messages import (
    TYPES,
    Duty,
    Header,
    Message,
    Recipient,
    Retraction,
    Sender,
    render_xml,
)
from gateway.messages.closure import Closure, ClosureReason
from gateway.messages.consent import Consent
from gateway.open_sip import check_no_other, linked
from gateway.opening import message_in, remember
from gateway.ports import Draft
from gateway.process import CaseEvent, CaseState, SipCase
from gateway.store.sheet import Sheet

SENDER_ELSEWHERE = Fault(
    "sender.other-party",
    "Den avsändande enheten hör inte till den här parten.",
    "The sending unit does not belong to this party.",
)


FROZEN = Fault(
    "case.frozen",
    "Skyddet av den enskildes uppgifter har ändrats; ärendet väntar på att en behörig har granskat det.",
    "The protection of the person's identity has changed; the case waits until someone with the right has reviewed it.",
)
NOT_COVERED = Fault(
    "consent.does-not-cover",
    "Samtycket omfattar inte alla mottagare. Brådskande information lämnas på annat sätt, utanför SIP.",
    "The consent does not cover all recipients. What is urgent is told in another way, outside the SIP.",
)

WEIGHED = frozenset({"consent", "closure", "retraction"})
"""Types that are weighed against everything that was sent in their case before."""


class Desk:
    """One case, open for change on a sheet. What is decided about the case stands on the sheet at once."""

    def __init__(self, context: Context, sheet: Sheet, number: str) -> None:
        self.context = context
        self.sheet = sheet
        self.circle = Circle(context, sheet, number)
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
        return self.circle.case

    @property
    def rows(self) -> list[Dispatch]:
        """The case's ledger rows as they now are, in the order they were made; they must have been read."""
        return self.circle.rows

    # --- admitting --------------------------------------------------------------------------------------------------

    async def admit(self, draft: Draft, message_id: str) -> Message:
        """Make ``draft`` a message of the case: queued, held, or kept at home.

        Raises:
            InvalidDocumentError: it breaks its schema, its rules or the case, or names a unit that is not known.
        """
        if draft.type in WEIGHED:
            await self.sheet.read_ledgers([self.number])
        message = Message(draft.type, self._header(draft, message_id), self.circle.body_of(draft))
        xml = render_xml(message)  # a document that is wrong in itself is refused before the case is asked
        await self._check_case(message)
        if not TYPES[message.type].contract.waits_for_consent:
            self._check_all_may_be_told(message)
        if self._waits(message):
            await self.sheet.read_ledgers([self.number])
            self._preview(message)
            self.keep(message, xml, applied=False)
        else:
            self.sheet.put_case(await linked(self.sheet, process.apply(self.case, message), message))
            await self._carry_out(message, xml)
        return message

    async def _check_case(self, message: Message) -> None:
        """Refuse what the case would allow, and other rules do not."""
        happens = process.event_of(message)
        await check_no_other(self.sheet, message)
        if self.case is not None and self.case.is_frozen and happens not in process.ENDING:
            raise CaseRuleError(FROZEN.at())
        check_right_unit(self.context.directory, message)
        check_responsible_unit(self.context.directory, message)

    def _header(self, draft: Draft, message_id: str) -> Header:
        day = None if passes_always(draft) else self.sheet.today
        sender = self.context.directory.unit(draft.unit, "header/sender/unit", on=day)
        if sender.party != self.context.party:
            raise InvalidDocumentError(SENDER_ELSEWHERE.at("header/sender/unit"))
        check_unit_type(TYPES[draft.type].contract, sender, "header/sender/unit")
        kind = TYPES[draft.type]
        contract, duty = kind.contract, kind.duty_of(draft.body)
        to = self.circle.recipients(draft)
        consent = self.case.consent_ref if self.case is not None and contract.consent is not None else None
        return Header(
            message_id=message_id,
            case_number=self.number,
            created_at=self.now,
            sender=Sender(party=self.context.party, unit=draft.unit, user=draft.user),
            recipients=tuple(Recipient(party=party, unit=unit, duty=duty) for party, unit in to),
            in_reply_to=draft.in_reply_to,
            consent_ref=consent,
            due_at=self.due(
                draft.type,
                draft.body,
                (unit for _, unit in to),
                since=draft.reserve_routine.at if draft.reserve_routine else None,
            ),
            reserve_routine=draft.reserve_routine,
            person=draft.person,
        )

    def due(self, type_name: str, body: Any, units: Iterable[str], *, since: datetime | None = None) -> datetime | None:
        """Return when the duty of a message must be done by all ``units``, as its sender says or else as it is agreed.

        It is counted from now, or from ``since``: when it was said, where that was before.
        """
        duty = TYPES[type_name].duty_of(body)
        due = self.context.times.owed_by_all(type_name, duty, units, since or self.now)
        return due and (getattr(body, "reply_by", None) or due)

    def _waits(self, message: Message) -> bool:
        """Tell whether ``message`` cannot move its case yet, because no recipient is covered by a consent."""
        if self.case is None or TYPES[message.type].contract.consent is None or not message.header.recipients:
            return False
        return not any(self._may_leave(message, recipient) for recipient in message.header.recipients)

    def _check_all_may_be_told(self, message: Message) -> None:
        """Refuse what would be held for a recipient, of a type that does not wait for a consent."""
        if self.case is None or self.case.state is CaseState.DRAFT:
            raise CaseRuleError(process.CONSENT_MISSING.at())
        if not all(self._may_leave(message, recipient) for recipient in message.header.recipients):
            raise CaseRuleError(NOT_COVERED.at("header/recipient"))

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
                self.keep(message, xml)
                self._apply_held()
                await self._release(self._held())
                # Last: a party whose units take over from each other must not see its case end in between.
                self.tell_closed(message, parted)
            case CaseEvent.DECLINE | CaseEvent.REFUSE | CaseEvent.CLOSE:
                self.stop(self._unsent(), process.event_of(message).value)
                self.keep(message, xml)
                # Those whom the consent no longer covers learn that it closed, and nothing else.
                self.tell_closed(message, self.circle.told())
            case CaseEvent.WITHDRAW:
                self.keep(message, xml)
                self.withdrawn(message)
            case CaseEvent.JOIN:
                self.keep(message, xml)
                self._show_consent(message)
            case CaseEvent.RETRACT:
                self.keep(message, xml)
                self._take_back(message)
            case _:
                self.keep(message, xml)

    def _show_consent(self, joining: Message) -> None:
        """Send the consent in force to the units that join, so that they know what they may be told and may tell."""
        assert self.case is not None
        if self.case.consent is None:
            return
        header = replace(
            joining.header,
            message_id=str(uuid5(UUID(joining.header.message_id), "consent")),
            recipients=tuple(replace(to, duty=Duty.NOTIFY) for to in joining.header.recipients),
            consent_ref=None,
            due_at=None,
            reserve_routine=None,
        )
        message = Message("consent", header, self.case.consent)
        self.keep(message, render_xml(message))

    def _take_back(self, message: Message) -> None:
        """Stop what has not left of the message that is taken back; what has left is owed nothing more for."""
        retraction: Retraction = message.body
        rows = [row for row in self.rows if row.message_id == retraction.target_message_id]
        self.stop([row for row in rows if row.state not in MAY_HAVE_LEFT], "retracted")
        left = [
            row.after(OutEvent.RETRACT, self.now, next_attempt_at=None)
            for row in rows
            if row.state in MAY_HAVE_LEFT and row.state not in (OutState.RETRACTED, OutState.REJECTED)
        ]
        self.sheet.put_dispatches(left, OutEvent.RETRACT, retraction.reason.value)

    # --- what waits -------------------------------------------------------------------------------------------------

    def _held(self) -> list[Dispatch]:
        return [row for row in self.rows if row.state is OutState.HELD]

    def _unsent(self) -> list[Dispatch]:
        """Return what waits for a consent, or for somebody to send it by letter."""
        return [row for row in self.rows if row.state in (OutState.HELD, OutState.LETTER)]

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
                self.stop(mine, error.codes[0])
                continue
            self.sheet.mark_applied(message_id)
            self.sheet.note(message)

    async def _release(self, rows: Iterable[Dispatch]) -> None:
        """Queue what a consent now covers, in order."""
        released: dict[OutEvent, list[Dispatch]] = {OutEvent.RELEASE: [], OutEvent.BY_LETTER: []}
        for row in rows:
            message = message_in(await self.sheet.content(row.message_id))
            if not self._may_leave(message, row):
                continue
            if all(other.state is OutState.HELD for other in self.rows if other.message_id == row.message_id):
                self._refer_to_consent(message)
            state, leaves = self._way_out(message, row.unit)
            happens = OutEvent.RELEASE if state is OutState.QUEUED else OutEvent.BY_LETTER
            released[happens].append(row.after(happens, self.now, **leaves))
        for happens, rows_released in released.items():
            self.sheet.put_dispatches(rows_released, happens)

    def _way_out(self, message: Message, unit: str) -> tuple[OutState, dict[str, Any]]:
        """Return the state in which ``message`` leaves for ``unit``, and since and until when it may.

        For a unit without an inbox that is a letter, which has no place in the line of the exchange.
        """
        times = {"queued_at": self.now, "leave_by": self._leave_by(message)}
        if self.context.directory.gets_letters(unit):
            return OutState.LETTER, times
        return OutState.QUEUED, {**times, "position": self.sheet.next_position()}

    def _refer_to_consent(self, message: Message) -> None:
        """Render a message that was held again, with the consent it leaves under; nobody has seen it yet."""
        assert self.case is not None
        if TYPES[message.type].contract.consent is not None:
            due = self.due(message.type, message.body, (to.unit for to in message.header.recipients))
            header = replace(message.header, consent_ref=self.case.consent_ref, due_at=due)
            final = replace(message, header=header)
            self.sheet.rewrite(message.header.message_id, render_xml(final))

    def stop(self, rows: Iterable[Dispatch], code: str) -> None:
        """Stop what has not left. What a try may have brought to the exchange is given up: no other try is made."""
        stopped, given_up = [], []
        for row in rows:
            if row.state in STOPPABLE and not row.attempts:
                stopped.append(row.after(OutEvent.STOP, self.now))
            elif row.state in UNDER_WAY:
                given_up.append(row.after(OutEvent.EXPIRE, self.now, next_attempt_at=None))
        self.sheet.put_dispatches(stopped, OutEvent.STOP, code)
        self.sheet.put_dispatches(given_up, OutEvent.EXPIRE, code)

    # --- a consent that shrinks or ends -----------------------------------------------------------------------------

    def withdrawn(self, message: Message) -> None:
        """End the case after a withdrawal: nothing more leaves, and those who know of the case learn that it closed."""
        assert self.case is not None
        mine = [row for row in self.rows if row.message_id != message.header.message_id]
        self.stop(mine, "consent-withdrawn")
        if self.circle.leads:
            self.tell_closed(message, self.circle.told())

    def died(self, message: Message) -> None:
        """Tell the others that the case has ended, after a participant has told that the person has died."""
        self.stop(self._unsent(), "died")
        self.tell_closed(message, self.circle.told(), ClosureReason.DIED)

    async def _narrow(self, message: Message) -> list[tuple[str, str]]:
        """Stop what a new consent no longer covers; return the units to part with, which it does not cover at all."""
        assert self.case is not None
        lost = [one for one in self.circle.told() if not self.circle.covers(message.body, *one)]
        ends = [row for row in self.rows if (row.party, row.unit) in lost]
        for row in self.rows:
            if row not in ends and row.state in UNDER_WAY | {OutState.LETTER}:
                waiting = message_in(await self.sheet.content(row.message_id))
                if not self._may_leave(waiting, row):
                    ends.append(row)
        self.stop(ends, "consent-narrowed")
        lost = [one for one in lost if one in self.circle.told()]
        if lost:
            left = tuple(one for one in self.case.participants if (one.party, one.unit) not in lost)
            self.sheet.put_case(replace(self.case, participants=left))
        return lost

    def tell_closed(
        self,
        because: Message,
        units: Sequence[tuple[str, str]],
        reason: ClosureReason = ClosureReason.CONSENT_WITHDRAWN,
    ) -> None:
        """Tell ``units`` that the case is closed to them, and nothing else."""
        if not units:
            return
        assert self.case is not None
        header = Header(
            message_id=str(uuid5(UUID(because.header.message_id), "closure")),
            case_number=self.case.number,
            created_at=self.now,
            sender=Sender(party=self.context.party, unit=self.case.leader.unit),
            recipients=tuple(Recipient(party=party, unit=unit, duty=Duty.NOTIFY) for party, unit in units),
        )
        body = Closure(reason=reason, closed_on=self.sheet.today)
        message = Message("closure", header, body)
        self.keep(message, render_xml(message))

    # --- writing ----------------------------------------------------------------------------------------------------

    def keep(self, message: Message, xml: bytes, *, applied: bool = True) -> None:
        """Store ``message`` with a ledger row per recipient: on its way out where it may leave, else held."""
        rows = []
        for recipient in message.header.recipients:
            may_leave = self._may_leave(message, recipient)
            state, leaves = self._way_out(message, recipient.unit) if may_leave else (OutState.HELD, {})
            row = Dispatch.begin(
                self.now,
                message_id=message.header.message_id,
                type=message.type,
                case_number=message.header.case_number,
                party=recipient.party,
                unit=recipient.unit,
                duty=recipient.duty,
                state=state,
                **leaves,
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
