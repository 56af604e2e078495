"""Refused events taken up again, from what is kept of them: what they met then may have been put right since.

The system that told an event need not tell it again: a unit that was missing in the directory, or a code in the
mapping, is mended on this side. An event that is wrong in itself must be mended where it was written, and told anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from gateway.access import Actor
from gateway.accountability import Attempt, answering_for
from gateway.audit import Action, AuditOutcome
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, Finding, InvalidDocumentError, NotYetError
from gateway.outbox import Answer, Outbox, Submission, case_number_in
from gateway.ports import Adapter, Event
from gateway.store import Transaction, audit, cases, events
from gateway.store.events import RefusedEvent

NO_EVENT = Fault(
    "event.not-refused",
    "Det finns ingen avvisad händelse {number}.",
    "There is no refused event {number}.",
)
OTHER_ADAPTER = Fault(
    "event.other-adapter",
    "Händelsen kom genom adaptern {name}, som inte finns i inställningarna.",
    "The event came by the adapter {name}, which is not in the settings.",
)
OVERTAKEN = Fault(
    "event.overtaken",
    "Ärendet har gått vidare sedan händelsen kom: nyare uppgifter har skickats, och de här skulle gälla i stället.",
    "The case has gone on since the event came: newer information has been sent, and this would take its place.",
)


Along = Callable[[Transaction], Awaitable[None]]
"""Keeps something more in the transaction that accepts an event; what it raises lets nothing be done."""


@dataclass(frozen=True, slots=True)
class Resent:
    """What became of a refused event: accepted with its ``submission``, or still wrong, for what ``findings`` say.

    Where neither is there, it would be understood now, or must wait for another event.
    """

    event: RefusedEvent
    submission: Submission | None = None
    findings: tuple[Finding, ...] = ()


async def resend(
    context: Context,
    adapter: Adapter,
    sources: Collection[str],
    numbers: Collection[int],
    *,
    by: Actor | str,
    reason: str,
    overtaken: bool = False,
    dry_run: bool = False,
    along: Along | None = None,
) -> list[Resent]:
    """Take up refused events again, by their numbers, in the order they came; each by itself.

    ``adapter`` understands those that came by ``sources``; others stay as they are. So do those whose case has sent
    something since they came, unless they are meant although ``overtaken``.

    Who did so, an HSA-id or whoever has been let in, when and why is kept, also in the audit log. In a ``dry_run`` each
    is only looked at as its adapter understands it; nothing is kept, and its case is not asked. What is to be kept
    ``along`` with an event that is accepted is kept in the same transaction.

    Raises:
        AccessRefusedError: the actor may not.
        CaseRuleError: one is not there or not refused, or no reason is given; nothing has been done.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """
    attempt = Attempt(action=Action.EVENT_RESENT, by=by, reason=reason)
    async with answering_for(context.store, context.clock, attempt) as actor:
        found = await _refused(context, numbers)
        outbox = Outbox(context, adapter)
        done = []
        for one in found:
            attempt.about(str(one.number))
            if one.source not in sources:
                done.append(await _left(context, attempt, one, OTHER_ADAPTER.at(name=one.source), dry_run=dry_run))
                continue
            async with context.store.reading() as tx:
                event = Event(source=one.source, content=await events.content_of(tx, one.number))
            resent = await _looked_at(context, adapter, one, event, overtaken=overtaken)
            if resent.findings and resent.findings[0].code == OVERTAKEN.code:
                resent = await _left(context, attempt, one, *resent.findings, dry_run=dry_run)
            elif not dry_run:
                resent = await _submitted(context, outbox, attempt, actor, one, event, along)
            done.append(resent)
    return done


async def _left(context: Context, attempt: Attempt, one: RefusedEvent, *why: Finding, dry_run: bool) -> Resent:
    """Leave an event as it is, and keep that somebody has tried."""
    if not dry_run:
        async with context.store.writing() as tx:
            await audit.append(tx, attempt.entry(context.clock.now(), AuditOutcome.FAILED, why[0].code))
    return Resent(one, findings=why)


async def discard(
    context: Context, numbers: Collection[int], *, by: Actor | str, reason: str, restore: bool = False
) -> list[int]:
    """Let refused events be looked at by nobody any more, or again; return the numbers of those that changed.

    They are kept as they are, and may be restored. Who did so, when and why is kept, also in the audit log.

    Raises:
        AccessRefusedError: the actor may not.
        CaseRuleError: one is not there or not refused, or no reason is given; nothing has been done.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """
    attempt = Attempt(action=Action.EVENT_DISCARDED, by=by, reason=reason)
    changed = []
    async with answering_for(context.store, context.clock, attempt) as actor:
        found, at = await _refused(context, numbers), context.clock.now()
        async with context.store.writing() as tx:
            for one in found:
                attempt.about(str(one.number))
                if await events.discard(tx, one.number, None if restore else at):
                    changed.append(one.number)
                    decision = "restored" if restore else "discarded"
                    await events.keep_decision(tx, one.number, decision, at=at, by=actor.name, reason=attempt.reason)
                    await audit.append(tx, attempt.entry(at, AuditOutcome.DONE))
    return changed


async def _refused(context: Context, numbers: Collection[int]) -> list[RefusedEvent]:
    async with context.store.reading() as tx:
        found = await events.refused(tx, numbers)
    there = {one.number for one in found}
    if missing := [NO_EVENT.at(number=number) for number in dict.fromkeys(numbers) if number not in there]:
        raise CaseRuleError(missing)
    return found


async def _looked_at(context: Context, adapter: Adapter, one: RefusedEvent, event: Event, *, overtaken: bool) -> Resent:
    """Return what can be told before an event is taken up: whether it is understood, and whether its case went on."""
    try:
        reference = adapter.translate(event).case_reference
    except InvalidDocumentError as error:
        return Resent(one, findings=error.findings)
    if reference is None or overtaken:
        return Resent(one)
    async with context.store.reading() as tx:
        number = case_number_in(reference) or await cases.number_of(tx, one.source, reference)
        if number is not None and await events.has_sent_since(tx, number, one.received_at):
            return Resent(one, findings=(OVERTAKEN.at(),))
    return Resent(one)


async def _submitted(
    context: Context,
    outbox: Outbox,
    attempt: Attempt,
    actor: Actor,
    one: RefusedEvent,
    event: Event,
    along: Along | None,
) -> Resent:
    async def keep(tx: Transaction, answers: Sequence[Answer]) -> None:
        """Keep who has done so with what came of it."""
        (answer,), now, number = answers, context.clock.now(), one.number
        if along is not None and isinstance(answer, Submission):  # before the audit log, which everybody waits for
            await along(tx)
        codes = () if isinstance(answer, Submission) else answer.codes
        by, reason = actor.name, attempt.reason
        await events.keep_decision(tx, number, "resent", at=now, by=by, reason=reason, codes=codes)
        attempt.about(str(number), case_number=answer.case_number if isinstance(answer, Submission) else None)
        outcome = AuditOutcome.FAILED if codes else AuditOutcome.DONE
        await audit.append(tx, attempt.entry(now, outcome, next(iter(codes), None)))

    try:
        return Resent(one, await outbox.submit(event, along=keep))
    except (InvalidDocumentError, NotYetError) as error:
        return Resent(one, findings=error.findings)
