"""One party's gateway at work: a loop for every hop, so that a failure in one leaves the others running."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from gateway.context import Bell, Context, trace_of
from gateway.delivery import CaseSystemDelivery
from gateway.envelope import Channel
from gateway.errors import DependencyDownError, InvalidDocumentError, NotYetError
from gateway.inbox import Inbox
from gateway.outbox import Outbox, Submission
from gateway.ports import Adapter, Arrival, Delivery, Event, Settlement, Transport
from gateway.progress import Hop
from gateway.tracker import Tracker

log = structlog.get_logger(__name__)

IDLE = timedelta(seconds=1)
"""How long a worker waits before it looks by itself, when nobody in this process has rung its bell."""

SWEEP_EVERY = timedelta(seconds=15)
"""How often deadlines are looked over."""

Take = Callable[[Sequence[Delivery]], Awaitable[None]]


class Gateway:
    """One party's gateway: its hops over one store, one adapter and one place on the exchange."""

    def __init__(self, context: Context, adapter: Adapter, transport: Transport) -> None:
        self.context = context
        self.outbox = Outbox(context, adapter, transport)
        self.inbox = Inbox(context)
        self.tracker = Tracker(context)
        self.delivery = CaseSystemDelivery(context, adapter)
        self._adapter = adapter
        self._transport = transport

    async def run(self) -> None:
        """Do the work of every hop until cancelled. What a dead process left half-done is taken up first."""
        await self.delivery.recover()
        await self.outbox.recover()
        async with asyncio.TaskGroup() as group:
            for work, bell, every in (
                (self.outbox.relay, self.context.outgoing, IDLE),
                (self.delivery.deliver, self.context.incoming, IDLE),
                (self.tracker.sweep, Bell(), SWEEP_EVERY),
                (self.inbox.sweep, Bell(), SWEEP_EVERY),
            ):
                group.create_task(self._repeat(work, bell, every))
            group.create_task(self._listen(Channel.MESSAGES, self.inbox.take))
            group.create_task(self._listen(Channel.ACKNOWLEDGEMENTS, self.tracker.take))
            group.create_task(self._take_events())

    async def _repeat(self, work: Callable[[], Awaitable[int]], bell: Bell, every: timedelta) -> None:
        """Do ``work`` for as long as there is any, then wait for the bell."""
        while True:
            try:
                done = await work()
            except DependencyDownError as error:
                self._log_down(error)
                done = 0
            except Exception as error:  # nothing we foresaw; the other hops go on, and this one tries again
                log.error("worker.failed", party=self.context.party, **trace_of(error))
                done = 0
            if not done:
                await bell.wait(every)

    async def _listen(self, channel: Channel, take: Take) -> None:
        while True:
            try:
                async for batch in self._transport.deliveries(channel):
                    await self._take_batch(batch, take)
                return  # the exchange has been closed
            except DependencyDownError as error:
                self._log_down(error)
                await asyncio.sleep(IDLE.total_seconds())

    async def _take_batch(self, batch: Sequence[Delivery], take: Take) -> None:
        """Take a batch and settle it; while the database is away the batch is kept, and tried until it is back."""
        while True:
            try:
                await take(batch)
                break
            except DependencyDownError as error:
                self._log_down(error)
                await asyncio.sleep(IDLE.total_seconds())
            except Exception as error:
                if len(batch) == 1:
                    # Nothing we foresaw. It comes again a few times and then lies among the dead letters, seen.
                    log.error("take.failed", message_id=batch[0].envelope.message_id, **trace_of(error))
                    await asyncio.sleep(IDLE.total_seconds())
                    await self._transport.settle([(batch[0], Settlement.REQUEUE)])
                    return
                for one in batch:  # find out which one it is; the others are not its hostages
                    await self._take_batch([one], take)
                return
        await self._transport.settle([(delivery, Settlement.ACCEPT) for delivery in batch])
        for delivery in batch:
            self.context.passed(Hop.SETTLED, message_id=delivery.envelope.message_id, type=delivery.envelope.type)

    async def _take_events(self) -> None:
        while True:
            try:
                async for arrival in self._adapter.arrivals():
                    await self._take_event(arrival)
            except DependencyDownError as error:
                # The events are still with the case system; begin anew, so that they keep their order.
                self._log_down(error)
                await asyncio.sleep(IDLE.total_seconds())

    async def _take_event(self, arrival: Arrival) -> None:
        try:
            submission = await self._submit(arrival.event)
        except InvalidDocumentError as error:
            await arrival.refuse(error.findings)
            self.context.passed(Hop.EVENT_ANSWERED, detail=error.codes[0])
        except NotYetError:
            return  # it stays with the case system and comes again; those behind it may pass
        else:
            await arrival.accept(submission.as_json())
            for message_id in submission.message_ids or (None,):  # taking charge of a message makes none
                self.context.passed(Hop.EVENT_ANSWERED, message_id=message_id, case_number=submission.case_number)

    async def _submit(self, event: Event) -> Submission:
        """Submit an event; staff may take charge of a message in the moment before it is marked as registered."""
        give_up_at = asyncio.get_running_loop().time() + IDLE.total_seconds()
        while True:
            try:
                return await self.outbox.submit(event)
            except NotYetError:
                if asyncio.get_running_loop().time() > give_up_at:
                    raise
                await self.context.registered.wait(IDLE)

    def _log_down(self, error: DependencyDownError) -> None:
        log.warning("dependency.down", party=self.context.party, codes=error.codes)
