"""Two parties that talk: each says what a test writes, and then everything goes as far as it can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from blank import blank_store
from build import OFFICE, PARTY_OF, PERSON, STAFF
from scripted import DIRECTORY, NAME_OF, ScriptedAdapter

from gateway.clock import ManualClock
from gateway.context import Context
from gateway.delivery import CaseSystemDelivery
from gateway.directory import Directory
from gateway.envelope import Channel
from gateway.inbox import Inbox
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import Level, Outcome
from gateway.messages import TYPES, Acknowledgement, Message, Person, ReserveRoutine, parse_xml
from gateway.notices import Notice
from gateway.outbox import Outbox
from gateway.ports import Draft, Settlement
from gateway.process import SipCase
from gateway.progress import ignore
from gateway.relay import Relay
from gateway.replay.stage import database_url
from gateway.review import review
from gateway.store import Store, cases, incoming, ledger, outgoing
from gateway.times import USUAL, Times
from gateway.tracker import Tracker
from gateway.transport.embedded import EmbeddedTransport
from gateway.watch import Watch

REVIEWER = "SE2120001355-P000000000117"


class Party:
    """One party's gateway, whose case system says what a test writes and takes everything."""

    def __init__(self, context: Context, transport: EmbeddedTransport) -> None:
        self.context = context
        self.case = "A-1"
        """What its case system calls the case it speaks about."""
        self._transport = transport
        self._adapter = ScriptedAdapter()
        self._outbox = Outbox(context, self._adapter)
        self._relay = Relay(context, transport)
        self._inbox = Inbox(context)
        self._tracker = Tracker(context)
        self._delivery = CaseSystemDelivery(context, self._adapter)
        self._watch = Watch(context)

    async def says(
        self,
        body: Any,
        *to: str,
        unit: str = OFFICE,
        reply: str | None = None,
        person: Person = PERSON,
        reserve_routine: ReserveRoutine | None = None,
    ) -> str | None:
        """Submit the event in which the case system says ``body``; return the id of the message it becomes."""
        kind = TYPES[NAME_OF[type(body)]]
        draft = Draft(
            type=kind.name,
            body=body,
            unit=unit,
            user=STAFF,
            recipients=to,
            person=person if kind.contract.carries_person else None,
            in_reply_to=reply,
            reserve_routine=reserve_routine,
        )
        submission = await self._outbox.submit(self._adapter.saying(draft, about=self.case))
        return submission.message_ids[0] if submission.message_ids else None

    async def takes_charge(self, of: Inbound, *, not_concerned: bool | None = None) -> None:
        """Let staff of a unit take charge of a message that came for it."""
        at = self.context.clock.now()
        body = Acknowledgement(
            message_id=of.message_id,
            message_type=of.type,
            unit=of.unit,
            level=Level.ACKNOWLEDGED,
            outcome=Outcome.ACCEPTED,
            at=at,
            acknowledged_by=STAFF,
            not_concerned=not_concerned,
        )
        await self.says(body, unit=of.unit, reply=of.message_id)

    async def reviews(self, number: str = "SIP100001") -> None:
        """Let somebody with the right to do so review a frozen case."""
        async with self.context.store.writing() as tx:
            await review(self.context, tx, number, by=REVIEWER, reason="Mottagarna är namngivna.")

    @property
    def told(self) -> list[Notice]:
        """What the units of the party have been told, in order."""
        return self._adapter.told

    async def looks_over(self) -> list[Notice]:
        """Look over what is open, as the gateway does by itself; return what units are told now."""
        before = len(self.told)
        while await self._watch.sweep() + await self._delivery.deliver():
            pass
        return self.told[before:]

    async def moves(self) -> bool:
        """Do one round of everything there is to do; tell whether there was something."""
        done = await self._relay.send()
        done += await self._take(Channel.MESSAGES, self._inbox)
        done += await self._delivery.deliver()
        done += await self._take(Channel.ACKNOWLEDGEMENTS, self._tracker)
        return done > 0

    async def sweeps(self) -> int:
        """Act on the deadlines of own messages that have passed; return how many messages were acted on."""
        return await self._tracker.sweep()

    async def _take(self, channel: Channel, taker: Inbox | Tracker) -> int:
        if not await self._transport.depth(channel):
            return 0
        deliveries = self._transport.deliveries(channel)
        batch = await anext(deliveries)
        await taker.take(batch)
        await self._transport.settle([(one, Settlement.ACCEPT) for one in batch])
        await deliveries.aclose()
        return len(batch)

    async def sent(self, type_name: str) -> list[Dispatch]:
        """Return the ledger rows of the own messages of a type."""
        async with self.context.store.reading() as tx:
            return [row for row in await ledger.sent_messages(tx) if row.type == type_name]

    async def sent_at_all(self) -> list[Dispatch]:
        """Return the ledger rows of all own messages, acknowledgements left out."""
        async with self.context.store.reading() as tx:
            return await ledger.sent_messages(tx)

    async def came(self, type_name: str, unit: str | None = None) -> list[Inbound]:
        """Return what has come of a type, for a unit or for any."""
        async with self.context.store.reading() as tx:
            ids = {row.message_id for row in await ledger.received_messages(tx)}
            rows = await incoming.of_messages(tx, ids)
        return [row for row in rows if row.type == type_name and unit in (None, row.unit)]

    async def content(self, message_id: str) -> Message:
        """Return an own message."""
        async with self.context.store.reading() as tx:
            return parse_xml(await outgoing.content(tx, message_id))

    async def standing(self, number: str = "SIP100001") -> SipCase:
        """Return a case as it is stored here."""
        async with self.context.store.reading() as tx:
            case = (await cases.load(tx, number)).case
        assert case is not None
        return case


async def settle(*parties: Party) -> None:
    """Let everything go as far as it can."""
    while any([await party.moves() for party in parties]):
        pass


@asynccontextmanager
async def talking(
    folder: Path, clock: ManualClock, times: Times = USUAL, **directories: Directory
) -> AsyncIterator[dict[str, Party]]:
    """Open the gateways of the municipality and the region in ``folder``, both with ``times``.

    A party may have a directory of its own.
    """
    async with AsyncExitStack() as stack:
        parties = {}
        for name in sorted(set(PARTY_OF.values())):
            store = await stack.enter_async_context(Store(blank_store(folder / f"{name}.sqlite")))
            exchange = EmbeddedTransport(database_url(folder / "exchange.sqlite"), name, clock)
            transport = await stack.enter_async_context(exchange)
            units = directories.get(name, DIRECTORY)
            context = Context(name, units, store, clock, ignore, chance=lambda: 0.5, times=times)
            parties[name] = Party(context, transport)
        yield parties
