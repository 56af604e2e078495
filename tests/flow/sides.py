"""Two gateways on one exchange, worked one hop at a time, so that a test can stand between any two hops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from blank import blank_store
from sqlalchemy import select

from gateway.adapters.folder import REFUSED
from gateway.adapters.table import ADAPTERS, VOCABULARIES
from gateway.app import running
from gateway.circuit import Pace
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.delivery import CaseSystemDelivery
from gateway.directory import Directory
from gateway.envelope import Channel, Envelope
from gateway.errors import Finding, RefusedError
from gateway.hops import Gateway
from gateway.inbox import Inbox
from gateway.ledger import Dispatch
from gateway.messages import Message
from gateway.notices import Notice
from gateway.outbox import Outbox, Submission
from gateway.ports import Arrival, Delivery, Event, PublishOutcome, Registration, Settlement, Translation
from gateway.progress import Hop, Passage
from gateway.relay import Relay
from gateway.replay.scenario import Scenario
from gateway.replay.stage import CAST, database_url
from gateway.resources import demo_directory
from gateway.store import Store, ledger
from gateway.store.tables import metadata
from gateway.tracker import Tracker
from gateway.transport.embedded import EmbeddedTransport

DIRECTORY = Directory.load(demo_directory())
PRIMARY_CARE = "SE2321000131-E000000000101"
PSYCHIATRY = "SE2321000131-E000000000202"
SOCIAL_OFFICE = "SE2120001355-SOCHISINGEN"


@cache
def story(name: str = "journey") -> tuple[dict[str, Any], ...]:
    """Return the events of a scenario in order."""
    return tuple(json.loads(step.content) for step in Scenario.load(name).steps)


def told(event: dict[str, Any], **changes: Any) -> bytes:
    """Return the bytes in which a case system tells ``event``, with some members changed."""
    return json.dumps({**event, **changes}, ensure_ascii=False).encode()


class Passages(list[Passage]):
    """What has passed which hop, in order; a test can wait for what is to come."""

    def __init__(self) -> None:
        super().__init__()
        self._more = asyncio.Event()

    def observe(self, passage: Passage) -> None:
        """Remember, and wake who waits."""
        self.append(passage)
        self._more.set()

    async def after(self, count: int) -> None:
        """Return when more than ``count`` have passed."""
        async with asyncio.timeout(20):
            while len(self) <= count:
                self._more.clear()
                await self._more.wait()

    async def until(self, hop: Hop, **told: str) -> Passage:
        """Return the first passage of ``hop`` with these words, as soon as it has happened."""
        async with asyncio.timeout(20):
            while True:
                for passage in self:
                    if passage.hop is hop and all(getattr(passage, name) == value for name, value in told.items()):
                        return passage
                self._more.clear()
                await self._more.wait()


@dataclass(eq=False, slots=True)
class ScriptedArrival:
    """An event that waits for its answer; ``answered`` is done when it has it."""

    event: Event
    answered: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def accept(self, answer: dict[str, Any]) -> None:
        """Take yes for an answer."""
        self.answered.set_result(answer)

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Take no for an answer."""
        self.answered.set_result([finding.code for finding in findings])


async def willing(message: Message, unit: str = "") -> None:
    """Say nothing against it."""


class ScriptedSystem:
    """A case system that understands events as the real one does, and takes messages as the test says.

    ``answer`` is awaited before each delivery, and ``answer_note`` before each note; they may raise what the system
    answers with.
    """

    def __init__(self, kind: str) -> None:
        self.name = kind
        self.answer: Callable[[Message, str], Awaitable[None]] = willing
        self.answer_note: Callable[[Message], Awaitable[None]] = willing
        self.says: asyncio.Queue[ScriptedArrival] = asyncio.Queue()
        self.heard = asyncio.Event()
        self.notes: list[str] = []
        self.held: dict[tuple[str, str], Message] = {}
        self._words = VOCABULARIES[kind]
        self._translator = ADAPTERS[kind](Path("nowhere"), DIRECTORY)

    async def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        """Tell what the test puts in ``says``."""
        while True:
            arrival = await self.says.get()
            self.heard.set()
            yield [arrival]

    def translate(self, event: Event) -> Translation:
        """Understand an event in the system's own words."""
        return self._translator.translate(event)

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Take a message once, however often it is handed over, and number it."""
        await self.answer(message, unit)
        key = (message.header.message_id, unit)
        self.held.setdefault(key, message)
        return Registration(record_id=f"{self.name}-{list(self.held).index(key) + 1}")

    async def note(self, message: Message) -> None:
        """Write a step of the case into the log."""
        await self.answer_note(message)
        self.notes.append(message.header.message_id)

    async def notify(self, notice: Notice) -> None:
        """Take no notice, as a system that knows of none."""
        raise RefusedError(REFUSED.at(code="–"))

    async def ping(self) -> None:
        """Answer."""

    def takes_charge(self, message_id: str, unit: str, at: datetime) -> bytes:
        """Return the event in which staff of ``unit`` take charge of a message the system holds."""
        return told(self._words.acknowledgement(self._words.message(self.held[message_id, unit], unit), at))


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A delivery that no exchange has made."""

    envelope: Envelope
    attempt: int = 1


class Side:
    """One party's gateway. Every method does the work of one hop and returns when it is durable."""

    def __init__(self, context: Context, system: ScriptedSystem, transport: TappedTransport) -> None:
        self.context = context
        self.system = system
        self.transport = transport
        self.outbox = Outbox(context, system)
        self.relay = Relay(context, transport)
        self.inbox = Inbox(context)
        self.tracker = Tracker(context)
        self.delivery = CaseSystemDelivery(context, system)

    def tries_on(self) -> None:
        """Let no circuit open, so that each message is tried by its own clock."""
        object.__setattr__(self.context, "pace", Pace(failures=1_000_000))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let the whole gateway work by itself while the block runs."""
        async with running(Gateway(self.context, self.system, self.transport)):
            yield

    async def hears(self, event: bytes) -> Submission:
        """Let the case system tell an event."""
        return await self.outbox.submit(Event(source=self.system.name, content=event))

    async def sends(self) -> None:
        """Publish what is due."""
        while await self.relay.send():
            pass

    async def receives(self) -> None:
        """Take the messages that wait on the exchange."""
        await self._takes(Channel.MESSAGES, self.inbox.take)

    async def learns(self) -> None:
        """Take the acknowledgements that wait on the exchange."""
        await self._takes(Channel.ACKNOWLEDGEMENTS, self.tracker.take)

    async def hands_over(self) -> None:
        """Hand the case system what is due."""
        while await self.delivery.deliver():
            pass

    async def gets(self, *envelopes: Envelope) -> None:
        """Take messages as if the exchange had handed them over, in one batch."""
        await self.inbox.take([HandedOver(envelope) for envelope in envelopes])

    async def is_told(self, *envelopes: Envelope) -> None:
        """Take acknowledgements as if the exchange had handed them over, in one batch."""
        await self.tracker.take([HandedOver(envelope) for envelope in envelopes])

    async def _takes(self, channel: Channel, take: Callable[[Sequence[Delivery]], Awaitable[None]]) -> None:
        while await self.transport.depth(channel):
            deliveries = self.transport.deliveries(channel)
            batch = await anext(deliveries)
            await take(batch)
            await self.transport.settle([(one, Settlement.ACCEPT) for one in batch])
            await deliveries.aclose()

    # --- what stands in the store -----------------------------------------------------------------------------------

    async def ledger(self) -> list[Dispatch]:
        """Return the rows of the own messages, in the order they were made."""
        async with self.context.store.reading() as tx:
            return await ledger.sent_messages(tx)

    async def row(self, type_name: str, unit: str = PRIMARY_CARE) -> Dispatch:
        """Return the ledger row of the one own message of a type to ``unit``."""
        [found] = [row for row in await self.ledger() if (row.type, row.unit) == (type_name, unit)]
        return found

    async def table(self, name: str) -> list[dict[str, Any]]:
        """Return all rows of a table, in the order they were made where the table knows it."""
        table = metadata.tables[name]
        query = select(table).order_by(table.c.id) if "id" in table.c else select(table)
        async with self.context.store.reading() as tx:
            return [dict(row) for row in (await tx.execute(query)).mappings()]

    async def everything(self, *, but: str = "") -> dict[str, list[dict[str, Any]]]:
        """Return every table but one."""
        return {name: await self.table(name) for name in metadata.tables if name != but}

    async def life(self, message_id: str, unit: str = PRIMARY_CARE) -> list[tuple[str, str, str | None]]:
        """Return event, state and code of everything that happened to a message for ``unit``."""
        async with self.context.store.reading() as tx:
            return [
                (line["event"], line["state"], line["code"])
                for line in await ledger.life_of(tx, message_id)
                if line["unit"] == unit
            ]


class TappedTransport(EmbeddedTransport):
    """A party's place on the exchange, which remembers what was published, in order.

    ``meanwhile`` happens after the exchange has confirmed and before the gateway knows.
    """

    def __init__(self, url: str, party: str, clock: ManualClock) -> None:
        super().__init__(url, party, clock)
        self.published: list[Envelope] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[PublishOutcome]:
        """Publish, remember, and let happen what happens meanwhile."""
        outcomes = await super().publish(envelopes)
        self.published += envelopes
        if self.meanwhile is not None:
            await self.meanwhile()
        return outcomes


@asynccontextmanager
async def open_side(
    party: str, folder: Path, clock: ManualClock, passages: Passages, store_url: str | None = None
) -> AsyncIterator[Side]:
    """Open a party's gateway with its place on the exchange in ``folder``, and its store there or at ``store_url``."""
    [kind] = [kind for kind, served in CAST.items() if served == party]
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(store_url or blank_store(folder / f"{party}.sqlite")))
        transport = await stack.enter_async_context(
            TappedTransport(database_url(folder / "exchange.sqlite"), party, clock)
        )
        context = Context(party, DIRECTORY, store, clock, passages.observe, chance=lambda: 0.5)
        yield Side(context, ScriptedSystem(kind), transport)
