"""A convening gateway whose case system says what a test writes, and an exchange whose every envelope can be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from blank import blank_store
from build import CLINIC, KOMMUN, NOON, OFFICE, PERSON, REGION, STAFF

from gateway.clock import ManualClock
from gateway.context import Context
from gateway.directory import Directory
from gateway.envelope import Channel, Envelope
from gateway.ledger import Dispatch
from gateway.messages import TYPES, Message, Person, parse_xml
from gateway.notices import Notice
from gateway.outbox import Outbox, Submission
from gateway.ports import Arrival, Draft, Event, Registration, Settlement, Translation
from gateway.process import SipCase
from gateway.progress import ignore
from gateway.relay import BATCH, LEASE, Relay
from gateway.resources import demo_directory
from gateway.store import Store, cases, ledger, outgoing
from gateway.tracker import Tracker
from gateway.transport.embedded import EmbeddedTransport

DIRECTORY = Directory.load(demo_directory())
NAME_OF = {kind.body: name for name, kind in TYPES.items()}


class ScriptedAdapter:
    """A case system that says drafts: an event stands for what :meth:`saying` has been given."""

    name = "scripted"

    def __init__(self) -> None:
        self._meant: dict[bytes, Translation] = {}
        self.told: list[Notice] = []

    def saying(self, *drafts: Draft, about: str = "A-1") -> Event:
        """Return a new event that means ``drafts``, about the one case of this system unless another is named."""
        event = Event(source=self.name, content=uuid4().bytes)
        self._meant[event.content] = Translation(
            event_id=event.content.hex(), kind="scripted", case_reference=about, drafts=drafts
        )
        return event

    async def arrivals(self) -> AsyncIterator[Arrival]:
        """Tell nothing by itself."""
        return
        yield

    def translate(self, event: Event) -> Translation:
        """Return what the event stands for."""
        return self._meant[event.content]

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Take everything."""
        return Registration(record_id=f"{message.header.message_id}/{unit}")

    async def note(self, message: Message) -> None:
        """Forget the step."""

    async def notify(self, notice: Notice) -> None:
        """Keep what a unit is told."""
        self.told.append(notice)

    async def ping(self) -> None:
        """Answer."""


class Convener:
    """The municipality's gateway up to the exchange, and what lies on the exchange for the region."""

    def __init__(
        self, store: Store, transport: EmbeddedTransport, partner: EmbeddedTransport, clock: ManualClock
    ) -> None:
        self.clock = clock
        self.context = Context(KOMMUN, DIRECTORY, store, clock, ignore, chance=lambda: 0.5)
        self.published: list[Envelope] = []
        self.tracker = Tracker(self.context)
        self.adapter = ScriptedAdapter()
        self._outbox = Outbox(self.context, self.adapter)
        self._relay = Relay(self.context, transport)
        self._partner = partner

    async def says(self, body: Any, *to: str, unit: str = OFFICE, person: Person = PERSON) -> Submission:
        """Submit the event in which the case system says ``body``; without ``to``, for all who take part."""
        kind = TYPES[NAME_OF[type(body)]]
        about = person if kind.contract.carries_person else None
        draft = Draft(type=kind.name, body=body, unit=unit, user=STAFF, recipients=to, person=about)
        return await self._outbox.submit(self.adapter.saying(draft))

    async def publishes(self) -> list[tuple[str, str]]:
        """Publish what is due; return type and unit of everything that lies on the exchange since the last time."""
        while await self._relay.send():
            pass
        before = len(self.published)
        self.published += await self._read_exchange()
        return [(envelope.type, envelope.unit) for envelope in self.published[before:]]

    async def _read_exchange(self) -> list[Envelope]:
        """Take what lies there for the region: everything before an envelope that is put there last."""
        last = Envelope(
            message_id=str(uuid4()),
            type="sipStart",
            sender=REGION,
            recipient=REGION,
            unit=CLINIC,
            sender_unit=CLINIC,
            case_ref="SIP200001",
            created_at=NOON,
            body=b"",
        )
        await self._partner.publish([last])
        found: list[Envelope] = []
        deliveries = self._partner.deliveries(Channel.MESSAGES)
        while last not in found:
            batch = await anext(deliveries)
            await self._partner.settle([(one, Settlement.ACCEPT) for one in batch])
            found += [one.envelope for one in batch]
        await deliveries.aclose()
        found.remove(last)
        return found

    async def dies_while_publishing(self) -> int:
        """Claim what is due and get no further; return how many messages that was."""
        async with self.context.store.writing() as tx:
            return len(await outgoing.claim(tx, self.clock.now(), LEASE, BATCH))

    async def starts_again(self) -> None:
        """Do what a new process does before anything else."""
        await self._relay.recover()

    def waits(self, **time: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**time))

    async def rows(self, type_name: str | None = None, unit: str | None = None) -> list[Dispatch]:
        """Return the ledger in the order it was made, or the part of it about a type and a unit."""
        async with self.context.store.reading() as tx:
            rows = await ledger.sent_messages(tx)
        return [row for row in rows if type_name in (None, row.type) and unit in (None, row.unit)]

    async def states(self, type_name: str) -> dict[str, str]:
        """Return the state of each message of a type, by the unit it is for."""
        return {row.unit: row.state.value for row in await self.rows(type_name)}

    async def content(self, row: Dispatch) -> Message:
        """Return the message behind a row."""
        async with self.context.store.reading() as tx:
            return parse_xml(await outgoing.content(tx, row.message_id))

    async def case(self) -> SipCase:
        """Return the one case as it is stored."""
        async with self.context.store.reading() as tx:
            number = await cases.number_of(tx, ScriptedAdapter.name, "A-1")
            case = (await cases.load(tx, number)).case
        assert case is not None
        return case


@asynccontextmanager
async def open_convener(folder: Path, clock: ManualClock) -> AsyncIterator[Convener]:
    """Open the municipality's gateway in ``folder``, and the region's place on its exchange."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(Store(blank_store(folder / f"{KOMMUN}.sqlite")))
        exchange = f"sqlite+aiosqlite:///{folder / 'exchange'}.sqlite"
        transport = await stack.enter_async_context(EmbeddedTransport(exchange, KOMMUN, clock))
        partner = await stack.enter_async_context(EmbeddedTransport(exchange, REGION, clock))
        yield Convener(store, transport, partner, clock)
