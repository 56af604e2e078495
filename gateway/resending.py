"""Refused events taken up again, from what is kept of them: what they met then may have been put right since.

The system that told an event need not tell it again: a unit that was missing in the directory, or a code in the
mapping, is mended on this side. An event that is wrong in itself must be mended where it was written, and told anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.access import Actor
from gateway.accountability import Attempt, answering_for
from gateway.audit import Action, AuditOutcome
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, Finding, InvalidDocumentError, NotYetError
from gateway.outbox import Answer, Outbox, Submission
from gateway.ports import Adapter, Event
from gateway.store import Transaction, audit, events
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
    dry_run: bool = False,
) -> list[Resent]:
    """Take up refused events again, by their numbers, in the order they came; each by itself.

    ``adapter`` understands those that came by ``sources``; others stay as they are.

    Who did so, an HSA-id or whoever has been let in, when and why is kept, also in the audit log. In a ``dry_run`` each
    is only looked at as its adapter understands it; nothing is kept, and its case is not asked.

    Raises:
        AccessRefusedError: the actor may not.
        CaseRuleError: one is not there or not refused, or no reason is given; nothing has been done.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """
    attempt = Attempt(action=Action.EVENT_RESENT, by=by, reason=reason)
    async with answering_for(context.store, context.clock, attempt) as actor:
        async with context.store.reading() as tx:
            found = {one.number: one for one in await events.refused(tx)}
        if missing := [NO_EVENT.at(number=number) for number in dict.fromkeys(numbers) if number not in found]:
            raise CaseRuleError(missing)
        outbox = Outbox(context, adapter)
        done = []
        for number in sorted(set(numbers)):
            one = found[number]
            attempt.about(str(number))
            if one.source not in sources:
                done.append(await _left(context, attempt, one, dry_run=dry_run))
            elif dry_run:
                done.append(_understood(adapter, one))
            else:
                done.append(await _submitted(context, outbox, attempt, actor, one))
    return done


async def _left(context: Context, attempt: Attempt, one: RefusedEvent, *, dry_run: bool) -> Resent:
    if not dry_run:
        async with context.store.writing() as tx:
            await audit.append(tx, attempt.entry(context.clock.now(), AuditOutcome.FAILED, OTHER_ADAPTER.code))
    return Resent(one, findings=(OTHER_ADAPTER.at(name=one.source),))


def _understood(adapter: Adapter, one: RefusedEvent) -> Resent:
    try:
        adapter.translate(Event(source=one.source, content=one.content))
    except InvalidDocumentError as error:
        return Resent(one, findings=error.findings)
    return Resent(one)


async def _submitted(context: Context, outbox: Outbox, attempt: Attempt, actor: Actor, one: RefusedEvent) -> Resent:
    async def keep(tx: Transaction, answers: Sequence[Answer]) -> None:
        """Keep who has done so with what came of it."""
        (answer,), now, number = answers, context.clock.now(), one.number
        codes = () if isinstance(answer, Submission) else answer.codes
        await events.keep_resending(tx, number, at=now, by=actor.name, reason=attempt.reason, codes=codes)
        attempt.about(str(number), case_number=answer.case_number if isinstance(answer, Submission) else None)
        outcome = AuditOutcome.FAILED if codes else AuditOutcome.DONE
        await audit.append(tx, attempt.entry(now, outcome, next(iter(codes), None)))

    try:
        return Resent(one, await outbox.submit(Event(source=one.source, content=one.content), along=keep))
    except (InvalidDocumentError, NotYetError) as error:
        return Resent(one, findings=error.findings)
