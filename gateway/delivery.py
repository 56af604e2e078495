"""Delivery: received messages are handed to the own case system, and steps of a case are written into its log.

Only the record id that the system gives after it has committed makes a message *registered*; an answer given earlier
would be worse than none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway.answering import answer
from gateway.circuit import TO_SYSTEM, Circuit
from gateway.context import Context, begins_again, trace_of
from gateway.errors import DependencyDownError, Fault, RefusedError
from gateway.ledger import Inbound
from gateway.lifecycle import InEvent, InState, Level, Outcome, retry_wait
from gateway.opening import message_in
from gateway.ports import Adapter, Lane, Registration
from gateway.progress import Hop
from gateway.store import Transaction, circuits, incoming, notes
from gateway.store.adapters import is_paused
from gateway.store.notes import Note
from gateway.store.sheet import Sheet

ADAPTER_FAILED = Fault(
    "system.adapter-failed",
    "Överlämningen till verksamhetssystemet gick fel på ett oväntat sätt; den görs om.",
    "Handing over to the case system failed in an unforeseen way; it is tried again.",
)

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""How long a worker may hold a message before another may take it; longer than any adapter waits for its system."""

BATCH = 64
"""How many messages are handed to the case system at a time."""

PATIENCE = timedelta(milliseconds=5)
"""How long an answer of the system may wait for others, to be written down with them."""

Answer = Registration | RefusedError | DependencyDownError
"""What the case system answers when it is handed a message."""


class CaseSystemDelivery:
    """Hands messages to the case system of one gateway, or to the one that ``lane`` leads to where there are several.

    Each lane has a circuit of its own: a system that is slow or away keeps no other waiting.
    """

    def __init__(self, context: Context, adapter: Adapter, lane: Lane | None = None) -> None:
        self._context = context
        self._adapter = adapter
        self._is_alone = lane is None
        self._lane = lane or Lane(name=adapter.name)
        # The one case system of a gateway goes by the name of the party, as partners do.
        self._circuit_name = context.party if lane is None else f"{TO_SYSTEM}{lane.name}"

    async def recover(self) -> None:
        """Give back what an earlier process had in its hands; called once, before the first delivery."""
        async with self._context.store.writing() as tx:
            await incoming.release_leases(tx)
            await notes.release_leases(tx)

    async def deliver(self) -> int:
        """Hand over what is due, and return how many messages and steps that was.

        Raises:
            DependencyDownError: the database does not answer. A silent case system is not an error here: what it did
                not take waits and is tried again.
        """
        now = self._context.clock.now()
        async with self._context.store.writing() as tx:
            if await is_paused(tx, self._lane.name):
                return 0
            circuit = await self._circuit(tx)
            room = circuit.room(now, self._context.pace)
            probes = circuit.probe_at is not None
            most = BATCH if room is None else min(room, BATCH)
            due = await incoming.claimable(tx, now, most, early=probes, **self._theirs)
            claimed = [
                _on_time(row, row.after(InEvent.CLAIM, now, lease_until=now + LEASE, attempts=row.attempts + 1))
                for row in due
            ]
            await incoming.save(tx, zip(due, claimed, strict=True))
            if room and not probes:
                await circuits.save(tx, [circuit.drained(room, len(claimed), now)])
            elif probes and claimed:
                await circuits.save(tx, [circuit.probed(now, self._context.pace)])
            writes = circuit.opened_at is None and self._lane.units is None
            steps = await notes.claim(tx, now, LEASE, BATCH) if writes else []
        work = {asyncio.create_task(self._hand_over(row)) for row in claimed}
        writing = asyncio.create_task(self._write_all(steps))
        try:
            while work:
                await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
                done, work = await asyncio.wait(work, timeout=PATIENCE.total_seconds())
                await self._settle([task.result() for task in done])
        except asyncio.CancelledError:  # what has been handed over lies there, and its receipt is found by the next try
            for task in (*work, writing):
                task.cancel()
            raise
        finally:  # each to its end, whatever happens to the others
            await asyncio.wait({*work, writing})
        writing.result()
        return len(claimed) + len(steps)

    async def _circuit(self, tx: Transaction) -> Circuit:
        """Return the circuit of the case system."""
        name = self._circuit_name
        return (await circuits.load(tx)).get(name) or Circuit(party=name)

    @property
    def _theirs(self) -> dict[str, Any]:
        """Which messages are for the system, as the store asks it."""
        return {"units": self._lane.units, "but": self._lane.others}

    async def _hand_over(self, row: Inbound) -> tuple[Inbound, Answer]:
        try:
            registration = await self._adapter.deliver(message_in(row.xml), row.unit)
        except (DependencyDownError, RefusedError) as error:
            return row, error
        except Exception as error:  # a fault of the adapter; other messages are not its hostages
            log.error("delivery.failed", message_id=row.message_id, **trace_of(error))
            return row, DependencyDownError(ADAPTER_FAILED.at())
        self._passed(Hop.HANDED_OVER, row)
        return row, registration

    @begins_again
    async def _settle(self, answers: Sequence[tuple[Inbound, Answer]]) -> None:
        """Write down what the system answered about messages, with the acknowledgements that this earns."""
        async with self._context.store.writing() as tx:
            sheet = Sheet(tx, self._context.clock.now())
            about = {row.message_id for row, _ in answers}
            await sheet.read_inbound(about)
            await sheet.read_answers({row.message_id for row, _ in answers if row.attempts > 1})
            await sheet.read_position()
            before = after = await self._circuit(tx)
            for claimed, answered in answers:
                row = _unless_retracted(sheet, claimed)
                match answered:
                    case Registration():
                        self._registered(sheet, row, answered)
                    case RefusedError():
                        self._refused(sheet, row, answered)
                    case DependencyDownError():
                        self._wait_for_system(sheet, row, answered)
                after = self._judged(after, answered, sheet.now)
            await sheet.write()
            if after != before:
                await circuits.save(tx, [after])
            if before.opened_at is not None and after.opened_at is None:
                await incoming.hurry(tx, **self._theirs)  # what waits for its next try waits for the pace instead
        if (after.opened_at is None) != (before.opened_at is None):
            log.warning("circuit.opened" if after.opened_at else "circuit.closed", party=self._circuit_name)
        for row, answered in answers:
            if isinstance(answered, Registration):
                self._passed(Hop.REGISTERED, row)
        self._context.outgoing.ring()
        self._context.registered.ring()
        self._context.incoming.ring()  # the next message of the case may go

    def _judged(self, circuit: Circuit, answered: Answer, now: datetime) -> Circuit:
        if not isinstance(answered, DependencyDownError):
            return circuit.succeeded(now)
        if ADAPTER_FAILED.code in answered.codes:  # says nothing about the system
            return circuit
        return circuit.failed(now, self._context.pace)

    def _registered(self, sheet: Sheet, row: Inbound, registration: Registration) -> None:
        at = registration.at or sheet.now  # the system knows best when it committed
        given = {"registered_at": at, "record_id": registration.record_id, "lease_until": None}
        done = row.after(InEvent.REGISTER, sheet.now, self._context.times, **given)
        sheet.put_inbound(done, InEvent.REGISTER)
        answer(self._context, sheet, done, Level.REGISTERED, Outcome.ACCEPTED, at=at)

    def _refused(self, sheet: Sheet, row: Inbound, error: RefusedError) -> None:
        findings = [finding.as_json() for finding in error.findings]
        done = row.after(InEvent.REJECT, sheet.now, findings=findings, failed_code=error.codes[0], lease_until=None)
        sheet.put_inbound(done, InEvent.REJECT, error.codes[0])
        answer(self._context, sheet, done, Level.REGISTERED, Outcome.REJECTED, reasons=error.findings)

    def _wait_for_system(self, sheet: Sheet, row: Inbound, error: DependencyDownError) -> None:
        wait = retry_wait(row.attempts, self._context.chance())
        until = sheet.now + max(wait, error.retry_after or wait)
        given = {"next_attempt_at": until, "failed_code": error.codes[0], "lease_until": None}
        waiting = _on_time(row, row.after(InEvent.SYSTEM_SILENT, sheet.now, **given))
        since = row.failed_at or waiting.failed_at  # it has waited since the first try that nobody took
        sheet.put_inbound(waiting._replace(failed_at=since), InEvent.SYSTEM_SILENT, error.codes[0])

    async def _write_all(self, steps: Sequence[Note]) -> None:
        """Write steps and notices; after a step that cannot be written, those of its case wait, to keep their order.

        A system that is silent is not asked about the other cases either, unless those may be another system's.
        """
        stuck: set[str] = set()
        written: list[Note] = []
        loop = asyncio.get_running_loop()
        kept_at = loop.time()
        for position, step in enumerate(steps):
            if step.notice is None and step.case_number in stuck:
                await self._postpone([step])
                continue
            try:
                await self._write(step)
            except DependencyDownError:
                if not self._is_alone:
                    await self._postpone([step])
                    stuck.add(step.case_number)
                    continue
                await self._written(written)
                await self._postpone(steps[position:])
                return
            except Exception as error:
                if not isinstance(error, RefusedError):
                    log.error("note.failed", message_id=step.message_id, **trace_of(error))
                await self._postpone([step])
                if step.notice is None:
                    stuck.add(step.case_number)
                continue
            written.append(step)
            if loop.time() - kept_at > PATIENCE.total_seconds():
                await self._written(written)
                written, kept_at = [], loop.time()
        await self._written(written)

    async def _write(self, step: Note) -> None:
        if step.notice is not None:
            await self._adapter.notify(step.notice)
        elif step.xml is not None:
            await self._adapter.note(message_in(step.xml))

    async def _written(self, steps: Sequence[Note]) -> None:
        if steps:
            async with self._context.store.writing() as tx:
                await notes.written(tx, steps, self._context.clock.now())
        for step in steps:
            self._context.passed(Hop.NOTED, message_id=step.message_id)

    async def _postpone(self, steps: Sequence[Note]) -> None:
        until = self._context.clock.now() + retry_wait(steps[0].attempts, self._context.chance())
        async with self._context.store.writing() as tx:
            await notes.postponed(tx, steps, until)

    def _passed(self, hop: Hop, row: Inbound) -> None:
        self._context.passed(hop, message_id=row.message_id, type=row.type, unit=row.unit, case_number=row.case_number)


def _on_time(row: Inbound, tried: Inbound) -> Inbound:
    """Return ``tried`` with the deadline of ``row``: it runs from when the message came, however often it is tried.

    While it is tried once more it goes on being a failure, if it was one.
    """
    tried = tried._replace(due_at=row.due_at, owner=row.owner)
    if tried.state is InState.DELIVERING:
        return tried._replace(failed_at=row.failed_at, failed_code=row.failed_code)
    return tried


def _unless_retracted(sheet: Sheet, claimed: Inbound) -> Inbound:
    """Return ``claimed``, or what it is now when its sender took it back while it was handed over."""
    now = sheet.inbound((claimed.party, claimed.type, claimed.message_id, claimed.unit))
    return now if now is not None and now.state is InState.RETRACTED else claimed
