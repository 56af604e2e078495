"""The outbox: an event becomes messages with the promise to send them.

``submit_all`` does hops 1 to 4 in one transaction: events are kept with their messages, or refused and kept with their
reasons, and the same event always gets the same answer. The relay keeps the promise.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from gateway import process
from gateway.answering import NOT_YET_REGISTERED, take_charge
from gateway.case_number import CaseNumber
from gateway.context import Context, begins_again
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import (
    CaseRuleError,
    Fault,
    Finding,
    GatewayError,
    InvalidDocumentError,
    NotYetError,
)
from gateway.gate import WEIGHED, Desk
from gateway.lifecycle import InEvent, InState
from gateway.messages import TYPES, Message, MisdirectedReport
from gateway.messages.acknowledgement import Acknowledgement
from gateway.ports import Adapter, Draft, Event, Translation
from gateway.process import UNKNOWN_CASE
from gateway.progress import Hop
from gateway.store import Transaction, cases, events, incoming
from gateway.store.events import KeptEvent
from gateway.store.sheet import Sheet

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


Answer = Submission | InvalidDocumentError | NotYetError
"""What an event is answered."""

Along = Callable[[Transaction, Sequence[Answer]], Awaitable[None]]
"""What keeps something else in the transaction that keeps events."""

Understood = tuple[Event, Translation | None, InvalidDocumentError | None]
"""An event with what it means, or with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What has been said before: events by source and content hash, and source and id of those accepted."""

    same: dict[tuple[str, str], Any] = field(default_factory=dict)
    accepted: set[tuple[str, str]] = field(default_factory=set)

    def keep(self, event: KeptEvent) -> None:
        """Let an event be known to those that follow it."""
        state = "accepted" if event.findings is None else "refused"
        self.same[event.source, event.content_hash] = {"id": event.id, "state": state, "answer": event.answer}
        if event.event_id is not None and event.findings is None:
            self.accepted.add((event.source, event.event_id))


class Outbox:
    """Takes events in for one gateway."""

    def __init__(self, context: Context, adapter: Adapter) -> None:
        self._context = context
        self._adapter = adapter

    async def submit(self, event: Event, *, along: Along | None = None) -> Submission:
        """Keep an event and the messages it becomes; see :meth:`submit_all`."""
        answered = (await self.submit_all([event], along=along))[0]
        if isinstance(answered, GatewayError):
            raise answered
        return answered

    @begins_again
    async def submit_all(self, said: Sequence[Event], *, along: Along | None = None) -> list[Answer]:
        """Keep events and the messages they become, in order and in one transaction; return what each is answered.

        An event that has been accepted gets the same answer again; one that was refused is looked at anew, since what
        it met then (a directory without the unit, a case without its need) may have been put right. An answer that is
        an error is one of these:

        - ``InvalidDocumentError``: the event is wrong or its case does not allow it; it is kept with its reasons.
        - ``NotYetError``: it must wait for something else; nothing is kept, and the caller still holds the event.

        What is to be kept ``along`` is kept last in the same transaction; it is given the answers.

        Raises:
            DependencyDownError: the database does not answer; nothing is kept, and the caller still holds the events.
        """
        understood = [(event, *self._translate(event)) for event in said]
        answers: list[Answer] = []
        async with self._context.store.writing() as tx:
            sheet = Sheet(tx, self._context.clock.now())
            known = await self._read_ahead(sheet, understood)
            for event, translation, wrong in understood:
                answers.append(await self._answer(sheet, known, event, translation, wrong))
            await sheet.write()
            if along is not None:
                await along(tx, answers)
        for (_, translation, _), answered in zip(understood, answers, strict=True):
            self._tell(answered, translation)
        self._context.outgoing.ring()
        self._context.incoming.ring()
        return answers

    async def _read_ahead(self, sheet: Sheet, understood: Sequence[Understood]) -> Known:
        """Read what answering events asks for."""
        known = Known()
        called: dict[tuple[str, str], str | None] = {}
        for source in {event.source for event, _, _ in understood}:
            theirs = [(event, translation) for event, translation, _ in understood if event.source == source]
            same = await events.find_same(sheet.tx, source, {event.content_hash for event, _ in theirs})
            known.same.update({(source, content): row for content, row in same.items()})
            ids = {translation.event_id for _, translation in theirs if translation is not None}
            known.accepted.update((source, one) for one in await events.find_accepted(sheet.tx, source, ids))
            names = {name for _, one in theirs if one is not None and (name := one.case_reference) is not None}
            await sheet.read_references(source, names)
            called |= {(source, name): case_number_in(name) or sheet.case_called(source, name) for name in names}
        translations = [(event.source, translation) for event, translation, _ in understood if translation is not None]
        drafts = [draft for _, one in translations for draft in one.drafts]
        charged = {
            draft.body.message_id
            for draft in drafts
            if draft.type == ACKNOWLEDGEMENT
            and (draft.body.not_concerned or draft.body.message_type in process.MOVED_BY_CHARGE)
        }
        about = await incoming.case_numbers(sheet.tx, charged)
        renumbered = {one.old for _, translation in translations for one in translation.renumberings}
        about |= set(await cases.open_about(sheet.tx, renumbered))
        await sheet.read_cases({number for number in called.values() if number is not None} | about)
        weighed = {
            called[source, one.case_reference]
            for source, one in translations
            if one.case_reference is not None and any(draft.type in WEIGHED for draft in one.drafts)
        }
        await sheet.read_ledgers({number for number in weighed if number is not None})
        taken = {draft.body.message_id for draft in drafts if draft.type == ACKNOWLEDGEMENT}
        taken |= {draft.in_reply_to for draft in drafts if draft.in_reply_to is not None}
        await sheet.read_inbound(taken)
        await sheet.read_answers(taken)
        await sheet.read_position()
        return known

    async def _answer(
        self,
        sheet: Sheet,
        known: Known,
        event: Event,
        translation: Translation | None,
        wrong: InvalidDocumentError | None,
    ) -> Answer:
        earlier = known.same.get((event.source, event.content_hash))
        if earlier is not None and earlier["state"] == "accepted":
            return Submission.from_json(earlier["answer"])
        submission: Submission | None = None
        findings: Sequence[Finding] = wrong.findings if wrong is not None else ()
        if translation is not None:
            try:
                if (event.source, translation.event_id) in known.accepted:
                    raise InvalidDocumentError(EVENT_CONFLICT.at())
                with sheet.attempt():
                    submission = await self._carry_out(sheet, event.source, translation)
            except InvalidDocumentError as error:
                findings = error.findings
            except NotYetError as error:
                return error
        kept = KeptEvent(
            source=event.source,
            event_id=translation.event_id if translation else wrong.event_id if wrong else None,
            kind=translation.kind if translation else wrong.kind if wrong else None,
            content_hash=event.content_hash,
            content=event.content,
            received_at=sheet.now,
            answer=submission.as_json() if submission else None,
            findings=None if submission else [finding.as_json() for finding in findings],
            id=earlier["id"] if earlier is not None else None,
        )
        sheet.keep_event(kept)
        known.keep(kept)
        return submission or InvalidDocumentError(findings)

    def _tell(self, submission: Answer, translation: Translation | None) -> None:
        if isinstance(submission, InvalidDocumentError):
            self._context.passed(Hop.EVENT_REFUSED, detail=submission.codes[0])
        if not isinstance(submission, Submission):
            return
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

    def _translate(self, event: Event) -> tuple[Translation | None, InvalidDocumentError | None]:
        try:
            return self._adapter.translate(event), None
        except InvalidDocumentError as error:
            return None, error

    async def _carry_out(self, sheet: Sheet, source: str, translation: Translation) -> Submission:
        message_ids = []
        number: str | None = None
        for told in translation.renumberings:
            for case in sheet.open_about(told.old):
                sheet.put_case(process.renumber(case, told.new))
        for index, draft in enumerate(translation.drafts):
            try:
                if draft.type == ACKNOWLEDGEMENT:
                    number = self._acknowledge(sheet, draft)
                    continue
                if draft.if_news and not await self._is_news(sheet, source, translation, draft):
                    continue
                number = await self._case_number(sheet, source, translation, draft)
                key = json.dumps([self._context.party, source, translation.event_id, index])
                message_ids.append(message_id := str(uuid5(_MESSAGE_IDS, key)))
                await self._send(sheet, source, translation, draft, number, message_id)
            except InvalidDocumentError as error:
                raise InvalidDocumentError(map(draft.placed, error.findings)) from error
        return Submission(number, tuple(message_ids))

    async def _send(
        self, sheet: Sheet, source: str, translation: Translation, draft: Draft, number: str, message_id: str
    ) -> None:
        """Admit a draft to its case as the message with this id."""
        desk = await Desk.open(self._context, sheet, number)
        message = await desk.admit(draft, message_id)
        self._settle_answered(sheet, draft, message)
        if translation.case_reference is not None and case_number_in(translation.case_reference) is None:
            sheet.refer(source, translation.case_reference, number)

    async def _is_news(self, sheet: Sheet, source: str, translation: Translation, draft: Draft) -> bool:
        """Tell whether ``draft`` says something new in a case that is open; of a case unknown here nothing is said."""
        reference = translation.case_reference
        known = sheet.case_called(source, reference) if reference is not None else None
        number = case_number_in(reference) or known
        return number is not None and (await Desk.open(self._context, sheet, number)).circle.is_news(draft)

    async def _case_number(self, sheet: Sheet, source: str, translation: Translation, draft: Draft) -> str:
        """Return the number of the case an event is about; a need that is new gets the next one."""
        reference = translation.case_reference
        number = case_number_in(reference)
        if number is not None:
            if sheet.case(number) is None:  # numbers are given out here, never brought along
                raise CaseRuleError(UNKNOWN_CASE.at())
            return number
        known = sheet.case_called(source, reference) if reference is not None else None
        if known is not None:
            return known
        if TYPES[draft.type].moves not in process.BEGINNING:
            raise CaseRuleError(UNKNOWN_CASE.at())
        series = self._context.directory.parties[self._context.party].case_series
        (kind,) = TYPES[draft.type].contract.process
        return await sheet.next_case_number(kind, series)

    def _settle_answered(self, sheet: Sheet, draft: Draft, answered: Message) -> None:
        """Let the answer to a message that came for the unit fulfil what it owes for it.

        Whoever says that the message came to the wrong unit takes no charge of it; its content is hidden from then on.
        """
        if draft.in_reply_to is None:
            return
        row = sheet.inbound_for(draft.in_reply_to, draft.unit)
        if row is None:
            raise CaseRuleError(NOTHING_TO_ACKNOWLEDGE.at("header/inReplyTo"))
        if isinstance(draft.body, MisdirectedReport):
            if row.state not in (InState.REGISTERED, InState.ACKNOWLEDGED):
                raise NotYetError(NOT_YET_REGISTERED.at())
            sheet.put_inbound(row.after(InEvent.MISDIRECT, sheet.now), InEvent.MISDIRECT, draft.body.reason.value)
        elif draft.user is not None:
            take_charge(self._context, sheet, row, by=draft.user, at=answered.header.happened_at)

    def _acknowledge(self, sheet: Sheet, draft: Draft) -> str:
        """Level 4: a person or unit has taken charge of a message we received. Taking charge twice changes nothing."""
        body: Acknowledgement = draft.body
        row = sheet.inbound_for(body.message_id, draft.unit)
        if row is None or row.type != body.message_type:
            raise CaseRuleError(NOTHING_TO_ACKNOWLEDGE.at())
        assert body.acknowledged_by is not None  # the rules of the type; an adapter reads one from every event
        take_charge(self._context, sheet, row, by=body.acknowledged_by, at=body.at, not_concerned=body.not_concerned)
        return row.case_number


@lru_cache(maxsize=4096)  # most are names of the system's own, and each is asked about a few times
def case_number_in(reference: str | None) -> str | None:
    """Return the case number a system calls a case by, ``None`` when it has a name of its own for it."""
    try:
        return CaseNumber.parse(reference).value if reference is not None else None
    except InvalidDocumentError:
        return None
