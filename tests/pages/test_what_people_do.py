"""What people do on one side is seen on the other: a unit takes charge, an answer is overdue, a failure is retried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
from playwright.async_api import expect
from windows.broken import not_taken

from gateway.lifecycle import OutState
from gateway.store import ledger
from pages.live import CLINIC, STAFF, Live, journey_at_work
from pages.visitor import Visitor, enter


@pytest_asyncio.fixture(loop_scope="session")
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    """Return both gateways at work, with nothing told yet."""
    async with journey_at_work(tmp_path) as opened:
        yield opened


async def test_an_overdue_answer_is_two_clicks_away_and_comes_when_the_unit_acknowledges(
    live: Live, visitor: Visitor
) -> None:
    """The responsibility for a plan is handed over; the municipality finds that nobody has taken it, and then who."""
    await live.hand_over()
    live.stage.clock.move_to(live.stage.clock.now() + timedelta(days=10))
    sender = await visitor.open(live.urls["kommun"])
    await enter(sender, await live.way_in("kommun"))
    await sender.get_by_role("main").get_by_role("link", name="2 svar från mottagare är försenade").click()
    await sender.get_by_role("row", name="Björkdalens").get_by_role("link", name="Ansvarsöverflyttning").click()
    level = sender.get_by_role("table", name="Nivåer för Björkdalens vårdcentral").get_by_role("row", name="Kvitterat")
    await expect(level).to_contain_text("inte än")
    await expect(level).to_contain_text("försenat")

    unit = await visitor.open(live.urls["region"])
    await enter(unit, await live.way_in("region", units=[CLINIC]))
    await unit.get_by_role("link", name="Inkorg").click()
    await unit.get_by_role("button", name="Kvittera Ansvarsöverflyttning").click()
    await expect(unit.get_by_role("status")).to_contain_text("Kvitterat")
    await live.handed_over(OutState.ACKNOWLEDGED)

    await sender.reload()
    await expect(level).to_contain_text("✓")
    await expect(level).not_to_contain_text("inte än")
    life = sender.get_by_role("listitem").filter(has_text="Kvitterat: någon har tagit hand om det")
    await expect(life).to_contain_text(STAFF["region"])
    await sender.get_by_role("link", name="Kvittenser").click()
    awaited = sender.get_by_role("table", name="Väntade svar").get_by_role("row")
    await expect(awaited).to_have_count(2)
    await expect(awaited.nth(1)).to_contain_text("Psykiatrisk öppenvård Hisingen")
    await expect(sender.get_by_role("table", name="De senaste")).to_contain_text("Björkdalens vårdcentral")


async def test_a_group_of_failures_is_tried_with_one_and_then_with_all(live: Live, visitor: Visitor) -> None:
    """The case system has not answered for hours. It is well again: one message gets through, and then the rest."""
    failed = await not_taken(live.gateway("region").context, 3)
    page = await visitor.open(live.urls["region"])
    await enter(page, await live.way_in("region"))
    await page.get_by_role("navigation").get_by_role("link", name="Fel", exact=True).click()
    await page.get_by_role("row").nth(1).get_by_role("link").first.click()
    await expect(page.get_by_role("row")).to_have_count(4)
    await page.get_by_label("Skäl att försöka igen").fill("Leverantören har rättat felet")
    await page.get_by_role("button", name="Försök en").click()
    await _registered(live, failed[:1])
    await expect(page.get_by_role("main")).to_contain_text("1 gjorda")  # it is fetched anew by itself
    await page.get_by_role("button", name="Försök alla").click()
    await expect(page.get_by_role("main")).to_contain_text("2 görs")
    assert await _not_registered(live) == {*failed[1:]}
    await page.get_by_role("button", name="Försök igen (2)").click()
    await _registered(live, failed)
    await expect(page.get_by_role("main")).to_contain_text("2 gjorda")
    await page.get_by_role("link", name="Alla fel").click()
    await expect(page.get_by_role("main")).to_contain_text("Inget har gått fel.")


async def _registered(live: Live, ids: list[str]) -> None:
    """Return when the case system of the region has taken messages."""

    async def are() -> bool:
        return not {*ids} & await _not_registered(live)

    await live.until(are)


async def _not_registered(live: Live) -> set[str]:
    async with live.gateway("region").context.store.reading() as tx:
        return {row.message_id for row in await ledger.received_messages(tx) if row.registered_at is None}
