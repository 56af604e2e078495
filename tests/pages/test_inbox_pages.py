"""An inbox with something in it, and answers that are awaited: by keyboard, read aloud, small, and without script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from windows.filled import UNIT, arrived, content_of, put
from windows.site import Site, site_of

from gateway.access import Role
from gateway.messages import Duty
from gateway.web.language import Language
from pages.accessibility import check_axe, check_reflow
from pages.browser import PLAIN, View
from pages.keyboard import tab_to
from pages.visitor import Visitor, enter

HOUR = timedelta(hours=1)
SMALL = View(language=Language.ENGLISH, script=False, width=320, height=640, dark=True)


@pytest_asyncio.fixture(loop_scope="session")
async def region(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Return the windows of the region, with messages of every duty in the inbox of a unit."""
    async with site_of(journey, tmp_path, "region") as opened:
        now = opened.clock.now()
        await put(
            opened,
            arrived(*content_of("admissionNotice"), now, due_in=-HOUR),
            arrived(*content_of("meetingBooking"), now, due_in=HOUR, duty=Duty.REPLY),
            arrived(*content_of("plan"), now),
            arrived(*content_of("admissionNotice", protected=True), now, due_in=HOUR),
        )
        yield opened


@pytest.mark.parametrize("view", [PLAIN, SMALL], ids=["swedish", "english-narrow-dark-without-script"])
async def test_the_inbox_and_what_is_asked_before_somebody_is_shown_are_for_everybody(
    region: Site, visitor: Visitor, view: View
) -> None:
    page = await visitor.open(region.url, view)
    await enter(page, await region.link(Role.OPERATOR, units=[UNIT]))
    await page.goto("/inbox")
    case_number = await page.get_by_role("row").nth(1).get_by_role("link").first.inner_text()
    await check_axe(page)
    await check_reflow(page)
    await page.get_by_role("row").nth(1).get_by_role("link", name="Show" if view is SMALL else "Visa").click()
    await check_axe(page)
    await check_reflow(page)
    await page.get_by_role("textbox").fill("Ringer enheten")
    await page.get_by_role("main").get_by_role("button").click()
    await expect(page.get_by_role("row").nth(1)).to_contain_text("shown until" if view is SMALL else "visas till")
    await page.goto(f"/cases/{case_number}/reveal")
    await check_axe(page)


async def test_a_unit_acknowledges_by_keyboard(region: Site, visitor: Visitor) -> None:
    page = await visitor.open(region.url)
    await enter(page, await region.link(Role.OPERATOR, units=[UNIT]))
    await page.goto("/inbox")
    await tab_to(page, "button", "Kvittera Inskrivningsmeddelande M200001")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("Kvitterat")
