"""The loops of a gateway: what nobody foresaw in one of them ends neither it nor the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sides import PRIMARY_CARE, Passages, ScriptedArrival, Side, story, told
from test_outbox_and_delivery import OTHER_CONSENT, OTHER_NEED, WORDS
from written_log import Log

from gateway import hops
from gateway.clock import ManualClock
from gateway.context import AGAIN, Bell, begins_again
from gateway.envelope import Channel
from gateway.errors import ConfigurationError, Fault, GatewayError, WrittenMeanwhileError
from gateway.hops import Gateway
from gateway.ports import Delivery, Event, Settlement
from gateway.progress import Hop
from gateway.store.failures import NOT_LET_IN, WRITTEN_MEANWHILE

NEED, CONSENT, *_ = story()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hops, "IDLE", timedelta(milliseconds=20))


def fails_first(times: int, error: Exception, then: Callable[..., Any]) -> Callable[..., Any]:
    """Return what fails so many times, and then does what it should."""
    left = [error] * times

    def attempt(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return then(*arguments)

    return attempt


def first_ends_badly(then: Callable[..., Any]) -> Callable[..., AsyncIterator[Any]]:
    """Return an iteration that fails when it is first asked for something."""
    begun: list[None] = []

    async def iteration(*arguments: Any) -> AsyncIterator[Any]:
        begun.append(None)
        if len(begun) == 1:
            raise RuntimeError(WORDS)
        async for item in then(*arguments):
            yield item

    return iteration


# --- a loop that meets what nobody foresaw ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deliveries", "buried", "settle", "arrivals", "accept"])
async def test_a_gateway_lives_through_what_nobody_foresaw_and_logs_where_it_was_without_its_words(
    kommun: Side, region: Side, passages: Passages, log: Log, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    transport, system = region.transport, region.system
    match name:
        case "deliveries" | "buried":
            monkeypatch.setattr(transport, name, first_ends_badly(getattr(transport, name)))
        case "settle":
            monkeypatch.setattr(transport, name, fails_first(1, RuntimeError(WORDS), transport.settle))
        case "arrivals":
            monkeypatch.setattr(system, name, first_ends_badly(system.arrivals))
        case "accept":
            monkeypatch.setattr(ScriptedArrival, "accept", fails_first(1, RuntimeError(WORDS), ScriptedArrival.accept))
    async with region.at_work(), asyncio.timeout(20):
        if name in ("settle", "accept"):
            await kommun.sends()
        if name == "accept":
            taken = await passages.until(Hop.REGISTERED, party="region", type="sipStart", unit=PRIMARY_CARE)
            assert taken.message_id is not None
            charge = system.takes_charge(taken.message_id, PRIMARY_CARE, region.context.clock.now())
            system.says.put_nowait(ScriptedArrival(Event(source="journal", content=charge)))
        await log.event("worker.failed").wait()
        await kommun.sends()
        await passages.until(Hop.REGISTERED, party="region", type="consent", unit=PRIMARY_CARE)
        if name in ("arrivals", "accept"):
            again = ScriptedArrival(Event(source="journal", content=b"no event"))
            system.says.put_nowait(again)
            assert await again.answered
    assert WORDS not in log.getvalue()
    assert "RuntimeError" in log.getvalue()


async def test_a_dead_letter_that_cannot_be_kept_holds_up_no_other_and_stays_with_the_exchange(
    kommun: Side, region: Side, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    deliveries = region.transport.deliveries(Channel.MESSAGES)
    await region.transport.settle([(one, Settlement.REJECT) for one in await anext(deliveries)])
    await deliveries.aclose()
    gateway = Gateway(region.context, region.system, region.transport)
    poison, *others = [letter.envelope for letter in await region.transport.dead_letters()]
    keep, kept = gateway.dead_letters.keep, asyncio.Event()

    async def stumble(letters: Sequence[Any]) -> None:
        if any(letter.envelope == poison for letter in letters):
            raise RuntimeError(WORDS)
        await keep(letters)
        if len(await region.table("dead_letter")) == len(others):
            kept.set()

    monkeypatch.setattr(gateway.dead_letters, "keep", stumble)
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    async with asyncio.timeout(20):
        await kept.wait()
        stop.set()
        await running
    assert [letter.envelope for letter in await region.transport.dead_letters()] == [poison]
    assert "bury.failed" in log.getvalue()
    assert WORDS not in log.getvalue()


async def test_a_database_that_lets_us_in_no_more_is_an_outage_and_makes_nothing_a_dead_letter(
    kommun: Side, region: Side, passages: Passages, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    for event in (NEED, CONSENT):
        await kommun.hears(told(event))
    await kommun.sends()
    take = region.inbox.take

    async def refused(deliveries: Sequence[Delivery], left: list[None] = [None] * 8) -> None:
        if left:
            left.pop()
            raise ConfigurationError(NOT_LET_IN.at())
        await take(deliveries)

    gateway = Gateway(region.context, region.system, region.transport)
    monkeypatch.setattr(gateway.inbox, "take", refused)
    stop = asyncio.Event()
    running = asyncio.create_task(gateway.run(stop))
    async with asyncio.timeout(20):
        await passages.until(Hop.REGISTERED, party="region", type="consent", unit=PRIMARY_CARE)
        stop.set()
        await running
    assert log.getvalue().count("dependency.down") == log.getvalue().count("dependency.back") == 1
    assert "take.failed" not in log.getvalue()
    assert await region.table("dead_letter") == []


# --- work that begins again -------------------------------------------------------------------------------------------


async def test_work_begins_again_three_times_when_another_writes_the_same() -> None:
    tries: list[int] = []

    @begins_again
    async def work(succeeds_at: int) -> str:
        tries.append(succeeds_at)
        if len(tries) < succeeds_at:
            raise WrittenMeanwhileError(WRITTEN_MEANWHILE.at())
        return "done"

    assert await work(1 + AGAIN) == "done"
    assert len(tries) == 1 + AGAIN == 4
    tries.clear()
    with pytest.raises(WrittenMeanwhileError):
        await work(2 + AGAIN)
    assert len(tries) == 4


async def test_no_other_error_begins_work_again() -> None:
    tries: list[None] = []

    @begins_again
    async def work() -> None:
        tries.append(None)
        raise GatewayError(Fault("database.written-meanwhile", WRITTEN_MEANWHILE.sv, WRITTEN_MEANWHILE.en).at())

    with pytest.raises(GatewayError):
        await work()
    assert len(tries) == 1


# --- the end ----------------------------------------------------------------------------------------------------------


class ToldBell(Bell):
    """A bell that a test hears too."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = asyncio.Event()

    def ring(self) -> None:
        """Ring, and let the test know."""
        super().ring()
        self.heard.set()


async def test_what_is_queued_while_the_last_batch_is_published_goes_out_before_the_end(
    kommun: Side, region: Side, clock: ManualClock
) -> None:
    """Once nothing is taken any more the relay is told so; what was put in line behind its back goes out first."""
    bell = ToldBell()
    object.__setattr__(kommun.context, "outgoing", bell)
    publishing, go_on = asyncio.Event(), asyncio.Event()

    async def dawdle() -> None:
        publishing.set()
        await go_on.wait()

    kommun.transport.meanwhile = dawdle
    for event in (told(NEED), told(CONSENT)):
        await kommun.hears(event)
    stop = asyncio.Event()
    running = asyncio.create_task(Gateway(kommun.context, kommun.system, kommun.transport).run(stop))
    async with asyncio.timeout(20):
        await publishing.wait()
        for event in (OTHER_NEED, OTHER_CONSENT):
            await kommun.hears(event)
        bell.heard.clear()
        stop.set()
        await bell.heard.wait()  # every taker has ended, and only the relay has something in hand
        go_on.set()
        await running
    assert {row.state.value for row in await kommun.ledger()} == {"sent"}
    assert len({one.case_ref for one in kommun.transport.published}) == 2
