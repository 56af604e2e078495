"""What of a case may leave, and what waits: the ledger rows of its messages, from the gate to the line of the exchange.

Nothing about a person leaves the party before a consent that covers the recipient is in force. Until then a message is
*held*; it is rendered and kept like any other, and released in order when the consent comes. A case that is frozen
holds back what has not left, until someone has reviewed it; what is released then tells of the protection as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway import process
from gateway.circle import Circle
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, InvalidDocumentError
from gateway.ledger import Dispatch
from gateway.lifecycle import STOPPABLE, UNDER_WAY, OutEvent, OutState
from gateway.messages import TYPES, Header, Message, Recipient, render_xml
from gateway.messages.consent import Consent
from gateway.opening import message_in, remember
from gateway.process import SipCase
from gateway.store.sheet import Sheet

PROTECTION_CHANGED = "protection-changed"
"""Code in the history of a message that was held back, or given up, because the case was frozen."""

_GIVEN_UP = {
    fault.code.removeprefix("message."): fault.code
    for fault in (
        Fault(
            "message.protection-changed",
            "Gavs upp: skyddet av den enskildes uppgifter har ändrats.",
            "Given up: the protection of the person's identity has changed.",
        ),
        Fault(
            "message.consent-withdrawn",
            "Gavs upp: samtycket har återkallats.",
            "Given up: the consent has been withdrawn.",
        ),
        Fault(
            "message.consent-narrowed",
            "Gavs upp: samtycket omfattar inte längre mottagaren.",
            "Given up: the consent no longer covers the recipient.",
        ),
        Fault(
            "message.retracted",
            "Gavs upp: meddelandet har återtagits.",
            "Given up: the message has been taken back.",
        ),
    )
}
"""Why a message is given up that may have left, by the code in its history."""
MAY_NOT_LEAVE = Fault(
    "resend.consent",
    "Det får inte skickas igen: inget gällande samtycke omfattar mottagaren.",
    "It may not be sent again: no consent in force covers the recipient.",
)
OTHER_PROTECTION = Fault(
    "resend.protection-changed",
    "Det får inte skickas igen: skyddet av den enskildes uppgifter har ändrats sedan det skrevs. Skriv det på nytt.",
    "It may not be sent again: the protection of the person's identity has changed since it was written. Write anew.",
)


class Holding:
    """The messages of one case on a sheet: those that may leave, and those that wait."""

    def __init__(self, context: Context, sheet: Sheet, number: str) -> None:
        self.context = context
        self.sheet = sheet
        self.circle = Circle(context, sheet, number)
        self.now = sheet.now
        self.number = number

    @property
    def case(self) -> SipCase | None:
        """The case as it now is; ``None`` before it is opened."""
        return self.circle.case

    @property
    def rows(self) -> list[Dispatch]:
        """The case's ledger rows as they now are, in the order they were made; they must have been read."""
        return self.circle.rows

    # --- what may leave ---------------------------------------------------------------------------------------------

    def waits(self, message: Message) -> bool:
        """Tell whether ``message`` cannot move its case yet, because no recipient is covered by a consent."""
        if self.case is None or TYPES[message.type].contract.consent is None or not message.header.recipients:
            return False
        return not any(self.may_leave(message, recipient) for recipient in message.header.recipients)

    def may_leave(self, message: Message, to: Recipient | Dispatch) -> bool:
        """Tell whether the consent in force lets ``message`` reach a recipient today."""
        assert self.case is not None
        return self.case.may_receive(message, party=to.party, unit=to.unit, on=self.sheet.today)

    def _leave_by(self, message: Message) -> datetime | None:
        """Return when the consent that ``message`` leaves under runs out."""
        needs_consent = TYPES[message.type].contract.consent is not None or isinstance(message.body, Consent)
        return self.case.consent_ends_at if self.case is not None and needs_consent else None

    def _way_out(self, message: Message, unit: str) -> tuple[OutState, dict[str, Any]]:
        """Return the state in which ``message`` leaves for ``unit``, and since and until when it may.

        For a unit without an inbox that is a letter, which has no place in the line of the exchange.
        """
        times = {"queued_at": self.now, "leave_by": self._leave_by(message)}
        if self.context.directory.gets_letters(unit):
            return OutState.LETTER, times
        return OutState.QUEUED, {**times, "position": self.sheet.next_position()}

    def due(self, type_name: str, body: Any, units: Iterable[str], *, since: datetime | None = None) -> datetime | None:
        """Return when the duty of a message must be done by all ``units``, as its sender says or else as it is agreed.

        It is counted from now, or from ``since``: when it was said, where that was before.
        """
        duty = TYPES[type_name].duty_of(body)
        due = self.context.times.owed_by_all(type_name, duty, units, since or self.now)
        return due and (getattr(body, "reply_by", None) or due)

    def keep(self, message: Message, xml: bytes, *, applied: bool = True, holds: bool = False) -> None:
        """Store ``message`` with a ledger row per recipient: on its way out where it may leave, else held.

        With ``holds`` it is held for all of them.
        """
        rows = []
        for recipient in message.header.recipients:
            may_leave = not holds and self.may_leave(message, recipient)
            state, leaves = self._way_out(message, recipient.unit) if may_leave else (OutState.HELD, {})
            row = Dispatch.begin(
                self.now,
                message_id=message.header.message_id,
                type=message.type,
                case_number=message.header.case_number,
                party=recipient.party,
                unit=recipient.unit,
                own_unit=message.header.sender.unit,
                duty=recipient.duty,
                state=state,
                **leaves,
            )
            rows.append(row)
        remember(xml, message)
        self.sheet.add_message(message, xml, rows, "submit", applied=applied)
        if applied:
            self.sheet.note(message)

    # --- what waits -------------------------------------------------------------------------------------------------

    def held(self) -> list[Dispatch]:
        """Return what waits for a consent, or for a review."""
        return [row for row in self.rows if row.state is OutState.HELD]

    def unsent(self) -> list[Dispatch]:
        """Return what waits for a consent, or for somebody to send it by letter."""
        return [row for row in self.rows if row.state in (OutState.HELD, OutState.LETTER)]

    def apply_held(self) -> None:
        """Let the messages that waited move the case, in the order they were made."""
        for message_id, xml in self.sheet.unapplied(self.number):
            message = message_in(xml)
            if self.waits(message):
                continue
            try:
                self.sheet.put_case(process.apply(self.case, message))
            except CaseRuleError as error:  # overtaken by what was sent meanwhile
                mine = [row for row in self.rows if row.message_id == message_id]
                self.stop(mine, error.codes[0])
                continue
            self.sheet.mark_applied(message_id)
            self.sheet.note(message)

    async def release(self) -> None:
        """Queue what may leave now, in order: what opened the case, the consent, and then the rest."""
        for wanted in (_opens, _consents, _any):
            await self._release(row for row in self.held() if wanted(row))

    async def _release(self, rows: Iterable[Dispatch]) -> None:
        released: dict[OutEvent, list[Dispatch]] = {OutEvent.RELEASE: [], OutEvent.BY_LETTER: []}
        outdated: list[Dispatch] = []
        for row in list(rows):
            message = message_in(await self.sheet.content(row.message_id))
            if not self.may_leave(message, row):
                continue
            if not self._is_up_to_date(message):
                outdated.append(row)
                continue
            state, leaves = self._way_out(message, row.unit)
            happens = OutEvent.RELEASE if state is OutState.QUEUED else OutEvent.BY_LETTER
            released[happens].append(row.after(happens, self.now, **leaves))
        for happens, rows_released in released.items():
            self.sheet.put_dispatches(rows_released, happens)
        # Whoever sent them is told: they are to be written anew.
        stopped = [row.after(OutEvent.STOP, self.now)._replace(look_at=self.now) for row in outdated]
        self.sheet.put_dispatches(stopped, OutEvent.STOP, PROTECTION_CHANGED)

    def _is_up_to_date(self, message: Message) -> bool:
        """Render a held message as it is to leave: under the consent in force, with the protection as it is now.

        False when it cannot be: it holds what may not be told of a person who is protected, or someone has got it.
        """
        final = replace(message, header=self._header_now(message))
        if final == message:
            return True
        mine = [row for row in self.rows if row.message_id == message.header.message_id]
        if any(row.state is not OutState.HELD for row in mine):  # another recipient has it as it was
            return final.header.person == message.header.person
        try:
            xml = render_xml(final)
        except InvalidDocumentError:
            return False
        self.sheet.rewrite(message.header.message_id, xml)
        return True

    def _header_now(self, message: Message) -> Header:
        assert self.case is not None
        header = message.header
        if header.person is not None:
            header = replace(header, person=replace(header.person, protected_level=self.case.protected_level))
        if TYPES[message.type].contract.consent is not None:
            due = self.due(message.type, message.body, (to.unit for to in header.recipients))
            header = replace(header, consent_ref=self.case.consent_ref, due_at=due)
        return header

    async def hold_back(self) -> None:
        """Hold what has not left of a case that has been frozen; what may have left with a try is not tried again.

        What names nobody may go, and so may what tells of the protection as it is now.
        """
        assert self.case is not None
        await self.sheet.read_ledgers([self.number])
        back, given_up = [], []
        for row in self.rows:
            if row.state not in (OutState.QUEUED, OutState.RETRYING, OutState.LETTER):
                continue
            person = message_in(await self.sheet.content(row.message_id)).header.person
            if person is None or person.protected_level is self.case.protected_level:
                continue
            if row.attempts:
                given_up.append(self._given_up(row, PROTECTION_CHANGED))
            else:
                back.append(row.after(OutEvent.HOLD, self.now, queued_at=None, position=None, leave_by=None))
        self.sheet.put_dispatches(back, OutEvent.HOLD, PROTECTION_CHANGED)
        self.sheet.put_dispatches(given_up, OutEvent.EXPIRE, PROTECTION_CHANGED)

    def stop(self, rows: Iterable[Dispatch], code: str) -> None:
        """Stop what has not left. What a try may have brought to the exchange is given up: no other try is made."""
        stopped, given_up = [], []
        for row in rows:
            if row.state in STOPPABLE and not row.attempts:
                stopped.append(row.after(OutEvent.STOP, self.now))
            elif row.state in UNDER_WAY:
                given_up.append(self._given_up(row, code))
        self.sheet.put_dispatches(stopped, OutEvent.STOP, code)
        self.sheet.put_dispatches(given_up, OutEvent.EXPIRE, code)

    def _given_up(self, row: Dispatch, code: str) -> Dispatch:
        return row.after(OutEvent.EXPIRE, self.now, next_attempt_at=None, failed_code=_GIVEN_UP.get(code, code))

    async def sent_again(self, row: Dispatch) -> Dispatch:
        """Return ``row`` as it is when somebody lets its message, which has left or may have, be sent again.

        It is sent as it was, under the same id; so it must still be what the recipient may be told.

        Raises:
            CaseRuleError: there is no consent for it any longer, or the protection it tells of is another now.
        """
        message = message_in(await self.sheet.content(row.message_id))
        person = message.header.person
        if self.case is None or not self.may_leave(message, row):
            raise CaseRuleError(MAY_NOT_LEAVE.at())
        if person is not None and person.protected_level is not self.case.protected_level:
            raise CaseRuleError(OTHER_PROTECTION.at())
        waits = row.state is OutState.RETRYING  # what is tried already is given up when it would have been
        fresh = row if waits else row._replace(queued_at=self.now, leave_by=self._leave_by(message))
        moved = fresh.after(OutEvent.RESEND, self.now, next_attempt_at=None)
        if moved.may_not_leave(self.now):
            raise CaseRuleError(MAY_NOT_LEAVE.at())
        return moved


def _opens(row: Dispatch) -> bool:
    return row.type in process.OPENING_TYPES


def _consents(row: Dispatch) -> bool:
    return row.type == "consent"


def _any(_: Dispatch) -> bool:
    return True
