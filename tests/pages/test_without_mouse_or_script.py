"""A unit's work is done without a mouse, and without script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect
from windows.filled import UNIT, arrived, content_of, put
from windows.site import Site, site_of

from gateway.web.inbox import ROWS
from pages.browser import WITHOUT_SCRIPT
from pages.keyboard import tab_to
from pages.visitor import Visitor, enter

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture(loop_scope="session")
async def region(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Return the windows of the region, with one notice to acknowledge, and a page and more of plans to read."""
    async with site_of(journey, tmp_path, "region") as opened:
        now = opened.clock.now()
        plans = [arrived(*content_of("plan"), now - HOUR * number) for number in range(ROWS + 1)]
        await put(opened, arrived(*content_of("admissionNotice"), now, due_in=HOUR), *plans)
        yield opened


async def test_a_unit_logs_in_acknowledges_chooses_language_and_leaves_by_keyboard(
    region: Site, visitor: Visitor
) -> None:
    """Who has no mouse comes in with a link, takes charge of what has come, reads it in English, and leaves."""
    page = await visitor.open(region.url)
    await page.goto(await region.link(units=[UNIT]))
    await _press(page, "button", "Logga in")
    await _press(page, "link", "Inkorg 1 att kvittera eller svara på")
    await _press(page, "link", "Hoppa till innehållet")
    await expect(page.get_by_role("main")).to_be_focused()
    await _press(page, "button", "Kvittera Inskrivningsmeddelande M200001")
    await expect(page.get_by_role("status")).to_contain_text("Kvitterat")
    await _press(page, "button", "English")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Inbox")
    await expect(page.get_by_role("main")).to_contain_text("Nothing to acknowledge or reply to")
    await _press(page, "button", "Sign out")
    await expect(page).to_have_url(f"{region.url}/login")


async def _press(page: Page, role: str, name: str) -> None:
    await tab_to(page, role, name)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def test_a_unit_filters_goes_on_shows_and_acknowledges_without_script(region: Site, visitor: Visitor) -> None:
    """Where no script runs, a unit finds its way through a long inbox, sees whom it is about, and takes charge."""
    page = await visitor.open(region.url, WITHOUT_SCRIPT)
    await enter(page, await region.link(units=[UNIT]))
    await page.get_by_role("link", name="Inkorg").click()
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows).to_have_count(ROWS + 1)
    await page.get_by_role("link", name="Nästa sida").click()
    older = await rows.count() - 1
    assert older >= 2
    await page.get_by_role("link", name="Början").click()
    await expect(rows).to_have_count(ROWS + 1)

    await page.get_by_label("Meddelandetyp").select_option(label="Inskrivningsmeddelande")
    await page.get_by_role("button", name="Visa", exact=True).click()
    await expect(rows).to_have_count(2)
    notice = rows.nth(1)
    name = content_of("admissionNotice")[1].header.person.name
    await expect(notice).not_to_contain_text(name)
    await notice.get_by_role("link", name="Visa").click()
    await page.get_by_label("Skäl").fill("Ringer enheten")
    await page.get_by_role("main").get_by_role("button", name="Visa").click()
    await expect(notice).to_contain_text(name)
    await notice.get_by_role("button", name="Kvittera").click()
    await expect(page.get_by_role("status")).to_contain_text("Kvitterat")
    await page.get_by_role("status").get_by_role("link", name="Visa meddelandet").click()
    level = page.get_by_role("table", name="Nivåer för").get_by_role("row", name="Kvitterat")
    await expect(level).to_contain_text("✓")
