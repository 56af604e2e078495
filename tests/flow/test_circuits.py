"""Partners, an exchange and a case system that are out of reach: who is tried, how often, and how fast all goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from build import CLINIC, KOMMUN, NOON, OFFICE, REGION, message, need
from sides import DIRECTORY
from sqlalchemy import select
from stored import add, received, row

from gateway.circuit import Circuit
from gateway.clock import ManualClock
from gateway.context import Context
from gateway.delivery import CaseSystemDelivery
from gateway.envelope import Envelope, content_hash
from gateway.errors import DependencyDownError, RefusedError
from gateway.ledger import Dispatch
from gateway.lifecycle import OutState
from gateway.messages import Message, render_xml
from gateway.notices import Notice
from gateway.ports import Adapter, PublishOutcome, Registration, Transport
from gateway.progress import ignore
from gateway.relay import LEASE, Relay
from gateway.store import Store, circuits, incoming, outgoing
from gateway.store.tables import inbound
from gateway.transport import EXCHANGE_DOWN

NEIGHBOUR = "grannkommun"
SECOND = timedelta(seconds=1)


class ScriptedExchange:
    """An exchange that returns what is for parties in ``gone``, and answers nothing while it is ``silent``."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.silent = False
        self.published: list[str] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def publish(self, envelopes: Sequence[Envelope]) -> list[PublishOutcome]:
        await self.ping()
        if self.meanwhile is not None:
            await self.meanwhile()
        self.published += [one.message_id for one in envelopes]
        return [
            PublishOutcome.RETURNED if one.recipient in self.gone else PublishOutcome.CONFIRMED for one in envelopes
        ]

    async def ping(self) -> None:
        if self.silent:
            raise DependencyDownError(EXCHANGE_DOWN.at())

    def taken(self) -> int:
        """Return how much was published since the last time."""
        number, self.published = len(self.published), []
        return number


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def context(store: Store, clock: ManualClock) -> Context:
    return Context(KOMMUN, DIRECTORY, store, clock, ignore, chance=lambda: 0.5)


@pytest.fixture
def exchange() -> ScriptedExchange:
    return ScriptedExchange()


@pytest.fixture
def relay(context: Context, exchange: ScriptedExchange) -> Relay:
    return Relay(context, cast(Transport, exchange))


async def queue(store: Store, number: int, party: str = REGION) -> list[Dispatch]:
    """Put messages in line, each about a case of its own, so that none waits for another."""
    rows = [row(party=party, case_number=f"SIP{uuid4().int % 1_000_000:06}") for _ in range(number)]
    async with store.writing() as tx:
        await add(tx, *rows)
    return rows


async def kept(store: Store) -> list[Circuit]:
    async with store.reading() as tx:
        return await circuits.unhealthy(tx)


async def told(relay: Relay) -> None:
    """Let a relay do what there is to do now."""
    while await relay.send():
        pass


async def opened(store: Store, relay: Relay, exchange: ScriptedExchange, behind: int) -> None:
    """Let the way to the region be closed after five failures, with so many more messages behind them."""
    exchange.gone = {REGION}
    await queue(store, 5)
    await told(relay)
    await queue(store, behind)
    await told(relay)
    assert exchange.taken() == 5


# --- a partner ------------------------------------------------------------------------------------------------------


async def test_after_five_returned_in_a_row_nothing_more_goes_to_a_partner_and_others_notice_nothing(
    store: Store, relay: Relay, exchange: ScriptedExchange
) -> None:
    exchange.gone = {REGION}
    for failures in range(1, 6):
        [mine], [theirs] = await queue(store, 1), await queue(store, 1, NEIGHBOUR)
        await told(relay)
        assert exchange.published == [mine.message_id, theirs.message_id]
        exchange.published = []
        [circuit] = await kept(store)
        assert (circuit.party, circuit.failures) == (REGION, failures)
        assert (circuit.opened_at is None) == (failures < 5)
    await queue(store, 3)
    theirs_now = await queue(store, 30, NEIGHBOUR)
    await told(relay)
    assert exchange.published == [one.message_id for one in theirs_now]


async def test_one_message_that_gets_through_begins_the_count_anew(
    store: Store, relay: Relay, exchange: ScriptedExchange
) -> None:
    for _ in range(3):
        exchange.gone = {REGION}
        await queue(store, 4)
        await told(relay)
        exchange.gone = set()
        await queue(store, 1)
        await told(relay)
    assert exchange.taken() == 15
    assert await kept(store) == []


async def test_one_message_a_minute_tries_the_way_however_long_each_would_wait_by_itself(
    store: Store, relay: Relay, exchange: ScriptedExchange, clock: ManualClock
) -> None:
    await opened(store, relay, exchange, behind=2)
    clock.advance(59 * SECOND)
    await told(relay)
    assert exchange.taken() == 0
    clock.advance(SECOND)
    tried = []
    for _ in range(10):
        await told(relay)
        assert len(exchange.published) == 1
        tried += exchange.published
        assert exchange.taken() == 1
        clock.advance(60 * SECOND)
    # None of them can keep the others from telling that the partner is back.
    assert len(set(tried[:7])) == 7
    [circuit] = await kept(store)
    assert circuit.opened_at == NOON


async def test_while_one_tries_the_way_no_other_relay_does(
    store: Store, context: Context, relay: Relay, exchange: ScriptedExchange, clock: ManualClock
) -> None:
    await opened(store, relay, exchange, behind=2)
    clock.advance(60 * SECOND)
    other = Relay(context, cast(Transport, exchange))
    also: list[int] = []

    async def look() -> None:
        exchange.meanwhile = None
        also.append(await other.send())

    exchange.meanwhile = look
    await told(relay)
    assert (also, exchange.taken()) == ([0], 1)


async def test_when_a_partner_is_back_its_backlog_drains_at_ten_a_second_and_all_is_forgotten(
    store: Store, context: Context, relay: Relay, exchange: ScriptedExchange, clock: ManualClock
) -> None:
    await opened(store, relay, exchange, behind=30)
    exchange.gone = set()
    await told(relay)
    assert exchange.taken() == 0  # it does not know yet
    clock.advance(60 * SECOND)
    await told(relay)
    assert exchange.taken() == 1
    [circuit] = await kept(store)
    assert (circuit.opened_at, circuit.drains_since) == (None, clock.now())
    paces = []
    for _ in range(5):
        clock.advance(SECOND)
        await told(relay)
        paces.append(exchange.taken())
    assert paces == [10, 10, 10, 4, 0]  # those that had failed do not wait for the minutes they would have waited
    assert await kept(store) == []
    await queue(store, 50)
    await told(relay)
    assert exchange.taken() == 50


async def test_what_would_wait_for_long_by_itself_goes_as_soon_as_its_partner_is_back(
    store: Store, relay: Relay, exchange: ScriptedExchange, clock: ManualClock
) -> None:
    await opened(store, relay, exchange, behind=0)
    for _ in range(10):  # each has been tried three times now, and would wait for a quarter of an hour
        clock.advance(60 * SECOND)
        await told(relay)
        assert exchange.taken() == 1
    exchange.gone = set()
    clock.advance(60 * SECOND)
    await told(relay)
    assert exchange.taken() == 1
    clock.advance(SECOND)
    await told(relay)
    assert exchange.taken() == 4


async def test_a_partner_that_fails_again_while_its_backlog_drains_is_left_alone_again(
    store: Store, relay: Relay, exchange: ScriptedExchange, clock: ManualClock
) -> None:
    await opened(store, relay, exchange, behind=30)
    exchange.gone = set()
    clock.advance(60 * SECOND)
    await told(relay)
    exchange.gone = {REGION}
    clock.advance(SECOND)
    await told(relay)
    assert exchange.taken() == 1 + 10
    clock.advance(SECOND)
    await told(relay)
    assert exchange.taken() == 0
    [circuit] = await kept(store)
    assert circuit.opened_at == clock.now() - SECOND


async def test_a_relay_that_begins_anew_knows_what_its_predecessor_learnt(
    store: Store, context: Context, relay: Relay, exchange: ScriptedExchange, clock: ManualClock
) -> None:
    def successor() -> Relay:
        return Relay(context, cast(Transport, exchange))

    await opened(store, relay, exchange, behind=30)
    exchange.gone = set()
    clock.advance(59 * SECOND)
    await told(successor())
    assert exchange.taken() == 0
    clock.advance(SECOND)
    await told(successor())
    assert exchange.taken() == 1
    await told(successor())
    assert exchange.taken() == 0
    clock.advance(SECOND)
    await told(successor())
    assert exchange.taken() == 10


# --- the exchange ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("silences", "at_once"), [(4, True), (5, False)], ids=["a moment", "long"])
async def test_after_a_long_silence_of_the_exchange_the_backlog_drains_at_a_pace_and_after_a_moment_at_once(
    store: Store, relay: Relay, exchange: ScriptedExchange, clock: ManualClock, silences: int, *, at_once: bool
) -> None:
    await queue(store, 15)
    await queue(store, 15, NEIGHBOUR)
    exchange.silent = True
    for _ in range(silences):
        assert await relay.send() == 0
        clock.advance(SECOND)
    exchange.silent = False
    await told(relay)
    if at_once:
        assert exchange.taken() == 30
        return
    assert exchange.taken() == 0
    paces = []
    for _ in range(3):
        clock.advance(SECOND)
        await told(relay)
        paces.append(exchange.taken())
    assert paces == [20, 10, 0]  # ten to each
    assert await kept(store) == []


# --- leases ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["returned", "confirmed", "silent"])
async def test_a_relay_that_took_too_long_leaves_alone_the_lease_that_another_has_taken_since(
    store: Store, relay: Relay, exchange: ScriptedExchange, clock: ManualClock, ends: str
) -> None:
    [mine] = await queue(store, 1)
    exchange.gone = {REGION} if ends == "returned" else set()

    async def dawdle() -> None:
        clock.advance(LEASE)
        async with store.writing() as tx:
            assert len(await outgoing.claim(tx, clock.now(), LEASE, 1)) == 1
        if ends == "silent":
            raise DependencyDownError(EXCHANGE_DOWN.at())

    exchange.meanwhile = dawdle
    await relay.send()
    async with store.writing() as tx:
        [after] = await outgoing.of_messages(tx, [mine.message_id])
        assert after.lease_until == clock.now() + LEASE
        assert after.state is (OutState.SENT if ends == "confirmed" else OutState.RETRYING)
        assert await outgoing.claim(tx, clock.now() + LEASE - SECOND, LEASE, 1, early=True) == []


# --- the own case system --------------------------------------------------------------------------------------------


class ScriptedSystem:
    """A case system that is away, stumbles or refuses as the test says."""

    name = "scripted"

    def __init__(self) -> None:
        self.says: Exception | None = None
        self.asked = 0

    async def deliver(self, message: Message, unit: str) -> Registration:
        self.asked += 1
        if self.says is not None:
            raise self.says
        return Registration(record_id=f"R-{message.header.message_id}")

    async def note(self, message: Message) -> None:
        """Forget the step."""

    async def notify(self, notice: Notice) -> None:
        """Forget the notice."""

    def taken(self) -> int:
        """Return how often it was asked since the last time."""
        number, self.asked = self.asked, 0
        return number


@pytest.fixture
def system() -> ScriptedSystem:
    return ScriptedSystem()


@pytest.fixture
def delivery(context: Context, system: ScriptedSystem) -> CaseSystemDelivery:
    return CaseSystemDelivery(context, cast(Adapter, system))


async def receive(store: Store, number: int) -> None:
    """Store messages from the region, each about a case of its own."""
    rows = []
    for _ in range(number):
        made = message(need(), OFFICE, sender=CLINIC)
        case = f"SIP2{uuid4().int % 100_000:05}"
        made = replace(made, header=replace(made.header, case_number=case))
        xml = render_xml(made)
        told: dict[str, Any] = {"message_id": made.header.message_id, "case_number": case}
        rows.append(received(**told, xml=xml, content_hash=content_hash(xml)))
    async with store.writing() as tx:
        await incoming.add(tx, rows)


async def hands_over(delivery: CaseSystemDelivery) -> None:
    while await delivery.deliver():
        pass


DOWN = DependencyDownError(EXCHANGE_DOWN.at())


async def test_a_silent_case_system_is_asked_once_a_minute_and_then_gets_ten_messages_a_second(
    store: Store, context: Context, system: ScriptedSystem, delivery: CaseSystemDelivery, clock: ManualClock
) -> None:
    system.says = DOWN
    await receive(store, 5)
    await hands_over(delivery)
    assert system.taken() == 5
    await receive(store, 25)
    await hands_over(delivery)
    assert system.taken() == 0
    for _ in range(8):
        clock.advance(59 * SECOND)
        await hands_over(delivery)
        assert system.taken() == 0
        clock.advance(SECOND)
        await hands_over(CaseSystemDelivery(context, cast(Adapter, system)))  # a new process knows as much
        assert system.taken() == 1
    [circuit] = await kept(store)
    assert (circuit.party, circuit.opened_at) == (KOMMUN, NOON)
    system.says = None
    clock.advance(60 * SECOND)
    await hands_over(delivery)
    assert system.taken() == 1
    paces = []
    for _ in range(4):
        clock.advance(SECOND)
        await Relay(context, cast(Transport, ScriptedExchange())).send()  # it has no say over the own case system
        await hands_over(delivery)
        paces.append(system.taken())
    assert paces == [10, 10, 9, 0]
    assert await kept(store) == []
    async with store.reading() as tx:
        assert set((await tx.execute(select(inbound.c.state))).scalars()) == {"registered"}


async def test_what_would_wait_for_long_by_itself_goes_as_soon_as_the_case_system_is_back(
    store: Store, system: ScriptedSystem, delivery: CaseSystemDelivery, clock: ManualClock
) -> None:
    system.says = DOWN
    await receive(store, 5)
    await hands_over(delivery)
    system.taken()
    for _ in range(10):
        clock.advance(60 * SECOND)
        await hands_over(delivery)
        assert system.taken() == 1
    system.says = None
    clock.advance(60 * SECOND)
    await hands_over(delivery)
    assert system.taken() == 1
    clock.advance(SECOND)
    await hands_over(delivery)
    assert system.taken() == 4


@pytest.mark.parametrize(
    "says", [RefusedError(EXCHANGE_DOWN.at()), RuntimeError("x")], ids=["a refusal", "a fault of the adapter"]
)
async def test_what_says_nothing_about_the_reach_of_a_case_system_does_not_stop_its_messages(
    store: Store, system: ScriptedSystem, delivery: CaseSystemDelivery, says: Exception
) -> None:
    system.says = says
    await receive(store, 8)
    await hands_over(delivery)
    await receive(store, 1)
    await hands_over(delivery)
    assert system.taken() == 9
    assert await kept(store) == []


async def test_a_case_system_is_asked_by_one_at_a_time_while_it_is_out_of_reach(
    store: Store, context: Context, system: ScriptedSystem, delivery: CaseSystemDelivery, clock: ManualClock
) -> None:
    system.says = DOWN
    await receive(store, 8)
    await hands_over(delivery)
    system.taken()
    clock.advance(60 * SECOND)
    others = [CaseSystemDelivery(context, cast(Adapter, system)) for _ in range(3)]
    await asyncio.gather(*(one.deliver() for one in (delivery, *others)))
    assert system.taken() == 1
