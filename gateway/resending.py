"""Refused events taken up again, from what is kept of them: what they met then may have been put right since.

The system that told an event need not tell it again: a unit that was missing in the directory, or a code in the
mapping, is mended on this side. An event that is wrong in itself must be mended where it was written, and told anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gateway.by_hand import check_actor
from gateway.context import Context
from gateway.errors import CaseRuleError, Fault, Finding, InvalidDocumentError, NotYetError
from gateway.outbox import Outbox, Submission, case_number_in
from gateway.ports import Adapter, Event
from gateway.store import cases, events
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
    by: str,
    reason: str,
    overtaken: bool = False,
    dry_run: bool = False,
) -> list[Resent]:
    """Take up refused events again, by their numbers, in the order they came; each by itself.

    ``adapter`` understands those that came by ``sources``; others stay as they are. So do those whose case has sent
    something since they came, unless they are meant although ``overtaken``.

    Who did so (HSA-id), when and why is kept. In a ``dry_run`` each is only looked at as its adapter understands it;
    nothing is kept, and its case is not asked.

    Raises:
        CaseRuleError: one is not there or not refused, or no reason is given; nothing has been done.
        InvalidDocumentError: ``by`` is no HSA-id.
        DependencyDownError: the database does not answer.
    """
    check_actor(by, reason)
    async with context.store.reading() as tx:
        found = {one.number: one for one in await events.refused(tx)}
    if missing := [NO_EVENT.at(number=number) for number in dict.fromkeys(numbers) if number not in found]:
        raise CaseRuleError(missing)
    outbox = Outbox(context, adapter)
    done = []
    for number in sorted(set(numbers)):
        one = found[number]
        if one.source not in sources:
            done.append(Resent(one, findings=(OTHER_ADAPTER.at(name=one.source),)))
            continue
        if (resent := _understood(adapter, one)).findings == () and not overtaken:
            resent = await _unless_overtaken(context, adapter, one)
        if resent.findings == () and not dry_run:
            resent = await _submitted(outbox, one)
        done.append(resent)
        if not dry_run:
            codes = [finding.code for finding in resent.findings]
            async with context.store.writing() as tx:
                await events.keep_resending(tx, number, at=context.clock.now(), by=by, reason=reason, codes=codes)
    return done


def _understood(adapter: Adapter, one: RefusedEvent) -> Resent:
    try:
        adapter.translate(Event(source=one.source, content=one.content))
    except InvalidDocumentError as error:
        return Resent(one, findings=error.findings)
    return Resent(one)


async def _unless_overtaken(context: Context, adapter: Adapter, one: RefusedEvent) -> Resent:
    reference = adapter.translate(Event(source=one.source, content=one.content)).case_reference
    if reference is not None:
        async with context.store.reading() as tx:
            number = case_number_in(reference) or await cases.number_of(tx, one.source, reference)
            if number is not None and await events.has_sent_since(tx, number, one.received_at):
                return Resent(one, findings=(OVERTAKEN.at(),))
    return Resent(one)


async def _submitted(outbox: Outbox, one: RefusedEvent) -> Resent:
    try:
        return Resent(one, await outbox.submit(Event(source=one.source, content=one.content)))
    except (InvalidDocumentError, NotYetError) as error:
        return Resent(one, findings=error.findings)
