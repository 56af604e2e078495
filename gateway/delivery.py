"""Delivery: received messages are handed to the own case system, and steps of a case are written into its log.

Only the record id that the system gives after it has committed makes a message *registered*; an answer given earlier
would be worse than none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from gateway.answering import answer
from gateway.context import Context, trace_of
from gateway.errors import DependencyDownError, Fault, RefusedError
from gateway.ledger import Inbound
from gateway.lifecycle import InEvent, Level, Outcome, retry_wait
from gateway.messages import parse_xml
from gateway.ports import Adapter, Registration
from gateway.progress import Hop
from gateway.store import history, incoming, notes
from gateway.store.notes import Note

ADAPTER_FAILED = Fault(
    "system.adapter-failed",
    "Överlämningen till verksamhetssystemet gick fel på ett oväntat sätt; den görs om.",
    "Handing over to the case system failed in an unforeseen way; it is tried again.",
)

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
"""How long a worker may hold a message before another may take it; longer than any adapter waits for its system."""

BATCH = 16
"""How many messages are handed to the case system at a time."""


class CaseSystemDelivery:
    """Hands messages to the case system of one gateway."""

    def __init__(self, context: Context, adapter: Adapter) -> None:
        self._context = context
        self._adapter = adapter

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
            due = await incoming.claimable(tx, now, BATCH)
            claimed = [
                _on_time(row, row.after(InEvent.CLAIM, now, lease_until=now + LEASE, attempts=row.attempts + 1))
                for row in due
            ]
            await incoming.save(tx, claimed)
            steps = await notes.claim(tx, now, LEASE, BATCH)
        work = [self._hand_over(row) for row in claimed]
        # Each to its end, whatever happens to the others; then the first failure, as its own error.
        done = await asyncio.gather(*work, self._write_all(steps), return_exceptions=True)
        for failure in done:
            if isinstance(failure, BaseException):
                raise failure
        return len(claimed) + len(steps)

    async def _hand_over(self, row: Inbound) -> None:
        try:
            registration = await self._adapter.deliver(parse_xml(row.xml), row.unit)
        except DependencyDownError as error:
            await self._wait_for_system(row, error.codes[0])
        except RefusedError as error:
            await self._refused(row, error)
        except Exception as error:  # a fault of the adapter; other messages are not its hostages
            log.error("delivery.failed", message_id=row.message_id, **trace_of(error))
            await self._wait_for_system(row, ADAPTER_FAILED.code)
        else:
            self._passed(Hop.HANDED_OVER, row)
            await self._registered(row, registration)

    async def _registered(self, row: Inbound, registration: Registration) -> None:
        now = self._context.clock.now()
        at = registration.at or now  # the system knows best when it committed
        done = row.after(InEvent.REGISTER, now, registered_at=at, record_id=registration.record_id, lease_until=None)
        async with self._context.store.writing() as tx:
            await incoming.save(tx, [done])
            await history.record(tx, [done], InEvent.REGISTER, now)
            await answer(self._context, tx, done, Level.REGISTERED, Outcome.ACCEPTED, now=now, at=at)
        self._passed(Hop.REGISTERED, row)
        self._context.outgoing.ring()
        self._context.registered.ring()
        self._context.incoming.ring()  # the next message of the case may go

    async def _refused(self, row: Inbound, error: RefusedError) -> None:
        now = self._context.clock.now()
        findings = [finding.as_json() for finding in error.findings]
        done = row.after(InEvent.REJECT, now, findings=findings, lease_until=None)
        async with self._context.store.writing() as tx:
            await incoming.save(tx, [done])
            await history.record(tx, [done], InEvent.REJECT, now, error.codes[0])
            await answer(self._context, tx, done, Level.REGISTERED, Outcome.REJECTED, now=now, reasons=error.findings)
        self._context.outgoing.ring()
        self._context.incoming.ring()

    async def _wait_for_system(self, row: Inbound, code: str) -> None:
        now = self._context.clock.now()
        until = now + retry_wait(row.attempts, self._context.chance())
        waiting = _on_time(row, row.after(InEvent.SYSTEM_SILENT, now, next_attempt_at=until, lease_until=None))
        async with self._context.store.writing() as tx:
            await incoming.save(tx, [waiting])
            await history.record(tx, [waiting], InEvent.SYSTEM_SILENT, now, code)

    async def _write_all(self, steps: Sequence[Note]) -> None:
        """Write steps in order; after one that cannot be written, the rest of its case wait, to keep their order.

        A system that is silent is not asked about the other cases either.
        """
        stuck: set[str] = set()
        for position, step in enumerate(steps):
            if step.case_number in stuck:
                await self._postpone([step])
                continue
            try:
                await self._adapter.note(parse_xml(step.xml))
            except DependencyDownError:
                await self._postpone(steps[position:])
                return
            except Exception as error:
                if not isinstance(error, RefusedError):
                    log.error("note.failed", message_id=step.message_id, **trace_of(error))
                await self._postpone([step])
                stuck.add(step.case_number)
                continue
            async with self._context.store.writing() as tx:
                await notes.written(tx, step, self._context.clock.now())
            self._context.passed(Hop.NOTED, message_id=step.message_id)

    async def _postpone(self, steps: Sequence[Note]) -> None:
        until = self._context.clock.now() + retry_wait(steps[0].attempts, self._context.chance())
        async with self._context.store.writing() as tx:
            for step in steps:
                await notes.postponed(tx, step, until)

    def _passed(self, hop: Hop, row: Inbound) -> None:
        self._context.passed(hop, message_id=row.message_id, type=row.type, unit=row.unit, case_number=row.case_number)


def _on_time(row: Inbound, tried: Inbound) -> Inbound:
    """Return ``tried`` with the deadline of ``row``: it runs from when the message came, however often it is tried."""
    return replace(tried, due_at=row.due_at, owner=row.owner)
