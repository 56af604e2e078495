"""One party's gateway at work: a loop for every hop, so that a failure in one leaves the others running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from functools import partial

import structlog

from gateway.context import Bell, Context, trace_of
from gateway.dead_letters import DeadLetters, Take
from gateway.delivery import CaseSystemDelivery
from gateway.envelope import Channel
from gateway.errors import ConfigurationError, DependencyDownError, InvalidDocumentError, NotYetError
from gateway.heartbeat import BEAT_EVERY, Heartbeat
from gateway.inbox import Inbox
from gateway.operations import Operations
from gateway.outages import Outages
from gateway.outbox import Outbox, Submission
from gateway.partners import Partners
from gateway.ports import Adapter, Arrival, DeadLetter, Delivery, Door, Lane, Settlement, Transport
from gateway.progress import Hop
from gateway.relay import Relay
from gateway.stopping import pause, until
from gateway.tally import Tally
from gateway.tracker import Tracker
from gateway.watch import Watch

log = structlog.get_logger(__name__)

IDLE = timedelta(seconds=1)
"""How long a worker waits before it looks by itself, when nobody in this process has rung its bell."""

SWEEP_EVERY = timedelta(seconds=15)
"""How often deadlines are looked over."""

DRAIN = timedelta(seconds=30)
"""How long a gateway that is to stop may take to finish what it has in hand."""

AWAY = (DependencyDownError, ConfigurationError)
"""What says that a dependency is away, or lets us in no more: an operator mends it while the gateway waits."""


class Gateway:
    """One party's gateway: its hops over one store, one adapter and one place on the exchange.

    Several processes may run it over one store. ``alone`` says that this one does not share it; ``leads`` that it is
    the one that takes events, which must keep their order, carries out operations, and looks over deadlines. ``lanes``
    lead to its case systems where there are several, and ``sources`` name those it can take events of; ``doors`` are
    where systems come in by themselves, and ``heartbeat`` asks whether they are there: only whoever leads opens the
    ones and asks the other.
    """

    def __init__(
        self,
        context: Context,
        adapter: Adapter,
        transport: Transport,
        *,
        lanes: Sequence[Lane] = (),
        doors: Sequence[Door] = (),
        heartbeat: Heartbeat | None = None,
        sources: Collection[str] = (),
        alone: bool = True,
        leads: bool = True,
    ) -> None:
        self.context = context
        self.outbox = Outbox(context, adapter)
        self.relay = Relay(context, transport)
        self.inbox = Inbox(context)
        self.tracker = Tracker(context)
        self.delivery, *others = (CaseSystemDelivery(context, adapter, lane) for lane in lanes or (None,))
        self._deliveries = [self.delivery, *others]
        self.watch = Watch(context)
        self.tally = Tally(context)
        self.operations = Operations(context, adapter, sources)
        self.partners = Partners(context, self._exchange_answers)
        self.dead_letters = DeadLetters(
            context, {Channel.MESSAGES: self.inbox.take, Channel.ACKNOWLEDGEMENTS: self.tracker.take}
        )
        self._adapter = adapter
        self.transport = transport
        self.doors = doors
        self._heartbeat = heartbeat
        self._alone = alone
        self._leads = leads
        self._outages = Outages(context.party)

    async def run(self, stop: asyncio.Event | None = None, drain: timedelta = DRAIN) -> None:
        """Do the work of every hop until ``stop`` is set, or until cancelled.

        Once it is set nothing new is taken: no event, no delivery, nothing for the case system. What is in hand is
        finished, and what that has queued is published. What is not done after ``drain`` is cut off, and taken up by
        the next who runs this gateway.
        """
        stop = stop or asyncio.Event()
        quiet = asyncio.Event()  # set when nothing is taken any more, so that the relay may end with the last of it
        bells = [self.context.incoming]
        async with self.recovered() if self._alone else nullcontext(), asyncio.TaskGroup() as group:
            relay = group.create_task(self._relay(quiet), name="relay")
            takers = {
                "messages": self._listen(Channel.MESSAGES, self.inbox.take, stop),
                "acknowledgements": self._listen(Channel.ACKNOWLEDGEMENTS, self.tracker.take, stop),
            }
            for number, delivery in enumerate(self._deliveries):
                name = f"delivery {number}" if number else "delivery"
                takers[name] = self._repeat(name, delivery.deliver, self.context.incoming, IDLE, stop)
            if self._leads:
                bells.append(self.context.operating)
                bells += (tracker := Bell(), inbox := Bell(), letters := Bell(), watch := Bell(), tally := Bell())
                takers |= {
                    "tracker": self._repeat("tracker", self.tracker.sweep, tracker, SWEEP_EVERY, stop),
                    "inbox": self._repeat("inbox", self.inbox.sweep, inbox, SWEEP_EVERY, stop),
                    "watch": self._repeat("watch", self.watch.sweep, watch, SWEEP_EVERY, stop),
                    "tally": self._repeat("tally", self.observe, tally, SWEEP_EVERY, stop),
                    "operations": self._operate(stop),
                    "dead letters": self._keep_on("dead letters", lambda: self._bury(stop), stop),
                    "dead letters again": self._repeat(
                        "dead letters again", self.dead_letters.retry, letters, SWEEP_EVERY, stop
                    ),
                    "events": self._keep_on("events", lambda: self._take_events(stop), stop),
                }
                takers |= {
                    f"door {number}": self._keep_on(f"door {number}", partial(door.listen, stop), stop)
                    for number, door in enumerate(self.doors, start=1)
                }
                if self._heartbeat is not None:
                    bells.append(beats := Bell())
                    takers["heartbeat"] = self._beat(self._heartbeat, beats, stop)
            taking = [group.create_task(taker, name=name) for name, taker in takers.items()]
            await stop.wait()
            for bell in bells:
                bell.ring()
            try:
                async with asyncio.timeout(drain.total_seconds()):
                    await asyncio.wait(taking)
                    quiet.set()
                    self.context.outgoing.ring()
                    await asyncio.wait([relay])
            except TimeoutError:
                late = [task for task in (*taking, relay) if not task.done()]
                log.warning("stop.cut-off", party=self.context.party, workers=[task.get_name() for task in late])
                for task in late:
                    task.cancel()

    @asynccontextmanager
    async def recovered(self) -> AsyncIterator[None]:
        """Take up what dead processes of this gateway left half-done, and let no other process do so in the block.

        Beside a process that is in such a block nothing is taken up: what a dead one held waits for its lease to end.
        """
        async with self.context.store.ownership() as free:
            if free:
                await self.delivery.recover()
                await self.relay.recover()
            else:
                log.warning("recovery.left", party=self.context.party)
            yield

    async def _repeat(
        self, worker: str, work: Callable[[], Awaitable[int]], bell: Bell, every: timedelta, stop: asyncio.Event
    ) -> None:
        """Do ``work`` for as long as there is any, then wait for the bell; whoever sets ``stop`` rings it."""
        while not stop.is_set():
            done = await self._tried(worker, work)
            _end_if_told()
            if not done:
                await bell.wait(every)

    async def observe(self) -> int:
        """Count what has happened, and once all is counted look which partners are silent; return what is left.

        Raises:
            DependencyDownError: the database does not answer.
        """
        left = await self.tally.count()
        if not left:  # before that it is not known who has been heard
            await self.partners.sweep()
        return left

    async def _exchange_answers(self) -> None:
        await self.transport.ping()

    async def _operate(self, stop: asyncio.Event) -> None:
        """Carry out operations no faster than a backlog drains: what is sent again must not flood anybody."""
        pace = timedelta(seconds=1 / self.context.pace.drain_per_second)

        async def step() -> int:
            done = await self.operations.step()
            if done:
                await pause(stop, pace)
            return done

        await self._repeat("operations", step, self.context.operating, SWEEP_EVERY, stop)

    async def _beat(self, heartbeat: Heartbeat, bell: Bell, stop: asyncio.Event) -> None:
        await pause(stop, IDLE)  # what this process itself listens on is open then
        await self._repeat("heartbeat", heartbeat.beat, bell, BEAT_EVERY, stop)

    async def _relay(self, quiet: asyncio.Event) -> None:
        await self._repeat("relay", self.relay.send, self.context.outgoing, IDLE, quiet)
        while await self._tried("relay", self.relay.send):
            pass  # what was queued last goes out too

    async def _tried(self, worker: str, work: Callable[[], Awaitable[int]]) -> int:
        """Return how much ``work`` did; nothing when it failed, which leaves the other hops running."""
        try:
            done = await work()
        except AWAY as error:
            self._outages.met(worker, error)
            return 0
        except Exception as error:  # nothing we foresaw; this hop tries again
            log.error("worker.failed", party=self.context.party, name=worker, **trace_of(error))
            return 0
        self._outages.over(worker)
        return done

    async def _keep_on(self, worker: str, listen: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Listen until that ends by itself, or ``stop`` is set; after a failure, begin anew in a while."""
        while not stop.is_set():
            try:
                await listen()
                return
            except AWAY as error:
                self._outages.met(worker, error)
            except Exception as error:  # nothing we foresaw, and no reason to end the other hops
                log.error("worker.failed", party=self.context.party, name=worker, **trace_of(error))
            _end_if_told()
            await pause(stop, IDLE)

    async def _listen(self, channel: Channel, take: Take, stop: asyncio.Event) -> None:
        worker = f"exchange {channel}"

        async def listen() -> None:
            if self._outages.is_met(worker):
                await self.transport.ping()
                self._outages.over(worker)
            async for batch in until(stop, self.transport.deliveries(channel)):
                await self._take_batch(batch, take, stop)

        await self._keep_on(worker, listen, stop)

    async def _take_batch(self, batch: Sequence[Delivery], take: Take, stop: asyncio.Event) -> None:
        """Take a batch and settle it; while the database is away the batch is kept, and tried until it is back.

        Whoever is to stop does not wait for that: the exchange hands over again what was not settled.
        """
        worker = f"{batch[0].envelope.channel}"
        while True:
            try:
                await take(batch)
                self._outages.over(worker)
                break
            except AWAY as error:
                self._outages.met(worker, error)
                if stop.is_set():
                    return
                await pause(stop, IDLE)
            except Exception as error:
                if len(batch) == 1:
                    # Nothing we foresaw. It comes again a few times and then lies among the dead letters, seen.
                    log.error("take.failed", message_id=batch[0].envelope.message_id, **trace_of(error))
                    await pause(stop, IDLE)
                    await self.transport.settle([(batch[0], Settlement.REQUEUE)])
                    return
                for one in batch:  # find out which one it is; the others are not its hostages
                    await self._take_batch([one], take, stop)
                return
        await self.transport.settle([(delivery, Settlement.ACCEPT) for delivery in batch])
        for delivery in batch:
            self.context.passed(Hop.SETTLED, message_id=delivery.envelope.message_id, type=delivery.envelope.type)

    async def _bury(self, stop: asyncio.Event) -> None:
        """Move dead letters from the exchange to the database, where they are seen and tried again."""
        async for letters in until(stop, self.transport.buried()):
            await self._keep_letters(letters)
            self._outages.over("dead letters")

    async def _keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters and tell the exchange; one that cannot be kept stays with it, and comes again later."""
        try:
            await self.dead_letters.keep(letters)
        except AWAY:
            raise
        except Exception as error:
            if len(letters) == 1:
                log.error("bury.failed", party=self.context.party, **trace_of(error))
                return
            for letter in letters:  # find out which one it is; the others are not its hostages
                await self._keep_letters([letter])
            return
        await self.transport.settle([(letter, Settlement.ACCEPT) for letter in letters])

    async def _take_events(self, stop: asyncio.Event) -> None:
        """Take what the case system tells. After a failure it holds the events still, so they keep their order."""
        while not stop.is_set():
            async for arrivals in until(stop, self._adapter.arrivals()):
                await self._take_arrivals(arrivals)
                self._outages.over("events")
            await pause(stop, IDLE)  # a system that has told everything is asked again

    async def _take_arrivals(self, arrivals: Sequence[Arrival]) -> None:
        """Submit events in one go, and tell the system what became of each."""
        try:
            answers = await self.outbox.submit_all([arrival.event for arrival in arrivals])
        except AWAY:
            raise
        except Exception as error:
            if len(arrivals) == 1:  # nothing we foresaw; the system still holds the event, and it comes again
                log.error("event.failed", party=self.context.party, **trace_of(error))
                return
            for arrival in arrivals:  # find out which one it is; the others are not its hostages
                await self._take_arrivals([arrival])
            return
        early = []
        for arrival, answered in zip(arrivals, answers, strict=True):
            if isinstance(answered, NotYetError):
                early.append(arrival)
            else:
                await self._answer(arrival, answered)
        if early:
            await self._take_early(early)

    async def _take_early(self, arrivals: Sequence[Arrival]) -> None:
        """Try again for a moment: staff may take charge of a message just before it is marked as registered.

        After that the events stay with the case system and come again; those behind them may pass.
        """
        give_up_at = asyncio.get_running_loop().time() + IDLE.total_seconds()
        while arrivals and asyncio.get_running_loop().time() < give_up_at:
            await self.context.registered.wait(IDLE)
            answers = await self.outbox.submit_all([arrival.event for arrival in arrivals])
            said = list(zip(arrivals, answers, strict=True))
            for arrival, answered in said:
                if not isinstance(answered, NotYetError):
                    await self._answer(arrival, answered)
            arrivals = [arrival for arrival, answered in said if isinstance(answered, NotYetError)]

    async def _answer(self, arrival: Arrival, answered: Submission | InvalidDocumentError) -> None:
        if isinstance(answered, InvalidDocumentError):
            await arrival.refuse(answered.findings)
            self.context.passed(Hop.EVENT_ANSWERED, detail=answered.codes[0])
            return
        await arrival.accept(answered.as_json())
        for message_id in answered.message_ids or (None,):  # taking charge of a message makes none
            self.context.passed(Hop.EVENT_ANSWERED, message_id=message_id, case_number=answered.case_number)


def _end_if_told() -> None:
    """End a worker that was cancelled while a library swallowed that, which would leave it at work for ever.

    Raises:
        CancelledError: it was.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
