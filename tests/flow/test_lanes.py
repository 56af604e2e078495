"""Several case systems behind one gateway: one that is slow, away or paused keeps no other waiting."""

from __future__ import annotations

import asyncio

from sides import PRIMARY_CARE, PSYCHIATRY, Side, story, told

from gateway.clock import ManualClock
from gateway.delivery import CaseSystemDelivery
from gateway.errors import DependencyDownError, Fault
from gateway.messages import Message
from gateway.ports import Event, Lane
from gateway.store import adapters, circuits
from gateway.store.adapters import Pause

AWAY = Fault("test.lane-away", "Borta.", "Away.")

PSYCHIATRIC = Lane(name="psychiatry", units=frozenset({PSYCHIATRY}))
OTHERS = Lane(name="others", others=frozenset({PSYCHIATRY}))


async def in_flight(kommun: Side, region: Side) -> tuple[CaseSystemDelivery, CaseSystemDelivery]:
    """Let needs and consents come to both units of the region, and return the lanes to their systems."""
    for event in story()[:2]:
        await kommun.hears(told(event))
    await kommun.sends()
    await region.receives()
    lanes = PSYCHIATRIC, OTHERS
    made = [CaseSystemDelivery(region.context, region.system, lane) for lane in lanes]
    return made[0], made[1]


def units_served(side: Side) -> set[str]:
    return {unit for _, unit in side.system.held}


async def until_nothing_is_due(delivery: CaseSystemDelivery) -> None:
    while await delivery.deliver():
        pass


async def test_a_slow_system_keeps_no_other_waiting(kommun: Side, region: Side) -> None:
    slow, quick = await in_flight(kommun, region)
    asked, answers = asyncio.Event(), asyncio.Event()

    async def hesitates(_: Message, unit: str) -> None:
        if unit == PSYCHIATRY:
            asked.set()
            await answers.wait()

    region.system.answer = hesitates
    waiting = asyncio.create_task(slow.deliver())
    await asked.wait()
    await until_nothing_is_due(quick)
    assert units_served(region) == {PRIMARY_CARE}
    answers.set()
    await waiting
    await until_nothing_is_due(slow)
    assert units_served(region) == {PRIMARY_CARE, PSYCHIATRY}


async def test_a_system_that_is_away_opens_its_own_circuit_alone(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    away, there = await in_flight(kommun, region)

    async def fails(_: Message, unit: str) -> None:
        if unit == PSYCHIATRY:
            raise DependencyDownError(AWAY.at())

    region.system.answer = fails
    for _ in range(5):
        await away.deliver()
        clock.advance(region.context.pace.probe_every * 90)
    async with region.context.store.reading() as tx:
        assert [one.party for one in await circuits.unhealthy(tx) if one.opened_at] == ["adapter:psychiatry"]
    await region.sends()  # the relay has nothing to do with it
    async with region.context.store.reading() as tx:
        assert [one.party for one in await circuits.unhealthy(tx) if one.opened_at] == ["adapter:psychiatry"]
    await until_nothing_is_due(there)
    assert units_served(region) == {PRIMARY_CARE}


async def test_a_paused_adapter_hands_over_nothing_and_no_try_is_spent(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    held, there = await in_flight(kommun, region)
    pause = Pause("psychiatry", clock.now(), PSYCHIATRY, "a test")
    async with region.context.store.writing() as tx:
        assert await adapters.put_on_hold(tx, pause)
    async with region.context.store.writing() as tx:
        assert not await adapters.put_on_hold(tx, pause)
        assert await adapters.pauses(tx) == {"psychiatry": pause}
    await until_nothing_is_due(there)
    await until_nothing_is_due(held)
    assert units_served(region) == {PRIMARY_CARE}
    assert {row["attempts"] for row in await region.table("inbound") if row["unit"] == PSYCHIATRY} == {0}
    async with region.context.store.writing() as tx:
        assert await adapters.resume(tx, "psychiatry", at=clock.now(), by=PSYCHIATRY, reason="the test is over")
        assert not await adapters.resume(tx, "psychiatry", at=clock.now(), by=PSYCHIATRY, reason="again")
        assert await adapters.put_on_hold(tx, pause), "it can be paused again"
        assert await adapters.resume(tx, "psychiatry", at=clock.now(), by=PSYCHIATRY, reason="again")
    await until_nothing_is_due(held)
    assert units_served(region) == {PRIMARY_CARE, PSYCHIATRY}
    async with region.context.store.reading() as tx:
        assert await adapters.last_registration(tx, units=[PSYCHIATRY]) is not None
        assert await adapters.last_event(tx, "journal") is None


async def test_the_same_event_from_two_adapters_are_two(kommun: Side) -> None:
    """Each system has its own ids and its own names for cases."""
    need = told(story()[0])
    first, again = [await kommun.outbox.submit(Event(source="treserva", content=need)) for _ in range(2)]
    assert first == again
    answers = await kommun.outbox.submit_all(
        [Event(source="treserva", content=need), Event(source="treserva-2", content=need)]
    )
    assert answers[0] == first
    assert answers[1] != first


async def test_a_key_is_for_one_content_of_one_source(region: Side, clock: ManualClock) -> None:
    async with region.context.store.writing() as tx:
        for source, key, content, is_free in (
            ("a", "k", "1", True),
            ("a", "k", "1", True),
            ("a", "k", "2", False),
            ("b", "k", "2", True),
            ("a", "l", "2", True),
        ):
            assert await adapters.claim_key(tx, source, key, content, clock.now()) is is_free
