"""A failure group is tried again in a browser: by keyboard, without script too, and for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect
from test_operations import finish
from windows.broken import not_taken
from windows.site import Site, site_of

from gateway.access import Role
from gateway.web.language import Language
from pages.accessibility import check_axe, check_reflow
from pages.browser import PLAIN, View
from pages.keyboard import tab_to
from pages.visitor import Visitor, enter

LOOKS = {
    "swedish": PLAIN,
    "english-narrow-without-script": View(language=Language.ENGLISH, script=False, width=320, height=640, dark=True),
}


@pytest_asyncio.fixture(loop_scope="session")
async def region(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(journey, tmp_path, "region") as opened:
        yield opened


@pytest.mark.parametrize("view", LOOKS.values(), ids=LOOKS)
async def test_one_is_tried_then_all_by_keyboard(region: Site, visitor: Visitor, view: View) -> None:
    await not_taken(region, 3)
    sv = view.language is Language.SWEDISH
    page = await visitor.open(region.url, view)
    await enter(page, await region.link(Role.OPERATOR))
    await page.goto("/failures")
    await page.locator("tbody a").first.click()
    await check_axe(page)
    await check_reflow(page)
    await page.get_by_label("Skäl att försöka igen" if sv else "Reason to try again").fill("Systemet svarar.")
    await tab_to(page, "button", "Försök en" if sv else "Try one")
    await page.keyboard.press("Enter")
    await expect(page.locator("#progress")).to_contain_text("0 av 1" if sv else "0 of 1")
    await check_axe(page)
    await check_reflow(page)
    await finish(region.context)
    if view.script:  # it is fetched by itself
        await expect(page.locator("#progress")).to_contain_text("1 av 1")
    else:
        await page.get_by_role("link", name="Fetch the page again").click()
    await page.get_by_role("button", name="Försök alla" if sv else "Try all").click()
    await expect(page.locator("main")).to_contain_text("3 görs" if sv else "3 are done")
    await check_axe(page)
    await check_reflow(page)
    await page.get_by_role("button", name="Försök igen (3)" if sv else "Try again (3)").click()
    await finish(region.context)
    await page.reload()
    await expect(page.locator("#progress")).to_contain_text("3 av 3" if sv else "3 of 3")
    await check_axe(page)
    await page.goto("/failures")
    await check_axe(page)
