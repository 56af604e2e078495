"""The gate: what a draft becomes in its case, and what a decision about consent does to everything that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid5

from gateway import process
from gateway.circle import passes_always
from gateway.context import Context
from gateway.directory_rules import check_responsible_unit, check_right_unit, check_unit_type
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError
from gateway.holding import Holding
from gateway.lifecycle import MAY_HAVE_LEFT, UNDER_WAY, OutEvent, OutState
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
from gateway.open_sip import check_no_other, linked
from gateway.opening import message_in
from gateway.ports import Draft
from gateway.process import CaseEvent, CaseState
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


class Desk(Holding):
    """One case, open for change on a sheet. What is decided about the case stands on the sheet at once."""

    @classmethod
    async def open(cls, context: Context, sheet: Sheet, number: str) -> Desk:
        """Read the case with ``number``, unless it is on the sheet; a case may not exist yet."""
        await sheet.read_cases([number])
        await sheet.read_position()
        return cls(context, sheet, number)

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
        if self.waits(message):
            await self.sheet.read_ledgers([self.number])
            self._preview(message)
            self.keep(message, xml, applied=False)
        else:
            was_frozen = self._is_frozen
            self.sheet.put_case(await linked(self.sheet, process.apply(self.case, message), message))
            if self._is_frozen and not was_frozen:
                await self.hold_back()
            await self._carry_out(message, xml)
        return message

    @property
    def _is_frozen(self) -> bool:
        return self.case is not None and self.case.is_frozen

    async def reviewed(self, *, by: str, reason: str) -> None:
        """Let a frozen case go on, after the review by someone with the right to do so: what waited is released.

        Raises:
            CaseRuleError: there is no such case, or it is not frozen.
        """
        if self.case is None:
            raise CaseRuleError(process.UNKNOWN_CASE.at())
        self.sheet.put_case(process.review(self.case, by=by, at=self.now, reason=reason))
        await self.sheet.read_ledgers([self.number])
        self.apply_held()
        await self.release()

    async def _check_case(self, message: Message) -> None:
        """Refuse what the case would allow, and other rules do not."""
        happens = process.event_of(message)
        await check_no_other(self.sheet, message)
        if self._is_frozen and happens not in process.ENDING:
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
            person=process.as_known(self.case, draft.person),
        )

    def _check_all_may_be_told(self, message: Message) -> None:
        """Refuse what would be held for a recipient, of a type that does not wait for a consent."""
        if self.case is None or self.case.state is CaseState.DRAFT:
            raise CaseRuleError(process.CONSENT_MISSING.at())
        if not all(self.may_leave(message, recipient) for recipient in message.header.recipients):
            raise CaseRuleError(NOT_COVERED.at("header/recipient"))

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
                self.apply_held()
                # A case that is frozen by what it is told now holds all of it: the need has not left before it either.
                self.keep(message, xml, holds=True)
                if not self._is_frozen:
                    await self.release()
                # Last: a party whose units take over from each other must not see its case end in between.
                self.tell_closed(message, parted)
            case CaseEvent.DECLINE | CaseEvent.REFUSE | CaseEvent.CLOSE:
                self.stop(self.unsent(), process.event_of(message).value)
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
        self.stop(self.unsent(), "died")
        self.tell_closed(message, self.circle.told(), ClosureReason.DIED)

    async def _narrow(self, message: Message) -> list[tuple[str, str]]:
        """Stop what a new consent no longer covers; return the units to part with, which it does not cover at all."""
        assert self.case is not None
        lost = [one for one in self.circle.told() if not self.circle.covers(message.body, *one)]
        ends = [row for row in self.rows if (row.party, row.unit) in lost]
        for row in self.rows:
            if row not in ends and row.state in UNDER_WAY | {OutState.LETTER}:
                waiting = message_in(await self.sheet.content(row.message_id))
                if not self.may_leave(waiting, row):
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
