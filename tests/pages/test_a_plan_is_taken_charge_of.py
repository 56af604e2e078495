"""A plan is for information, and the unit that it is for may take charge of it: its sender sees that somebody has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect

from gateway.lifecycle import OutState
from gateway.replay.scenario import Scenario
from gateway.store import ledger
from pages.live import CLINIC, STAFF, Live, journey_at_work
from pages.visitor import Visitor, enter


@pytest_asyncio.fixture(loop_scope="session")
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    """Return both gateways at work, where a plan has come that nobody in the region has seen to."""
    async with journey_at_work(tmp_path) as opened:
        await opened.tell(3)
        opened.stage.systems["journal"].acknowledges = False
        step = Scenario.load("journey").steps[3]
        opened.stage.clock.move_to(step.at)
        await opened.stage.systems[step.system].say(step.file_name, step.content)
        await opened.until(lambda: _is(opened, OutState.REGISTERED))
        yield opened


async def _is(live: Live, state: OutState) -> bool:
    async with live.gateway("kommun").context.store.reading() as tx:
        return any((row.type, row.unit, row.state) == ("plan", CLINIC, state) for row in await ledger.sent_messages(tx))


async def test_a_unit_takes_charge_of_a_plan_and_the_senders_ledger_turns(live: Live, visitor: Visitor) -> None:
    unit = await visitor.open(live.urls["region"])
    await enter(unit, await live.way_in("region", units=[CLINIC]))
    await unit.get_by_role("link", name="Inkorg").click()
    await unit.get_by_role("rowheader", name="SIP", exact=True).get_by_role("link").click()
    act = unit.get_by_role("group", name="Kvittera")
    await act.get_by_role("button", name="Visa vad som händer").click()
    await expect(unit.get_by_role("heading", level=2)).to_have_text("Det här kommer att hända")
    assert not await _is(live, OutState.ACKNOWLEDGED)
    await unit.get_by_role("button", name="Kvittera").click()
    await live.until(lambda: _is(live, OutState.ACKNOWLEDGED))

    sender = await visitor.open(live.urls["kommun"])
    await enter(sender, await live.way_in("kommun"))
    await sender.get_by_role("link", name="Meddelanden").click()
    await sender.get_by_role("link", name="SIP", exact=True).first.click()
    life = sender.get_by_role("listitem").filter(has_text="Kvitterat: någon har tagit hand om det")
    await expect(life.filter(has_text=STAFF["region"])).to_have_count(1)
