"""Pages of connections, reports and the log once there is something on them, for everybody."""

from __future__ import annotations

from playwright.async_api import expect
from windows.site import Site

from gateway.access import Role
from pages.accessibility import check_axe, check_reflow
from pages.browser import ENGLISH, NARROW
from pages.visitor import Visitor, enter


async def test_a_system_is_paused_from_the_keyboard(site: Site, visitor: Visitor) -> None:
    page = await visitor.open(site.url, NARROW)
    await enter(page, await site.link(Role.OPERATOR))
    await page.goto("/adapters")
    await page.get_by_label("Skäl att pausa treserva").fill("Uppgradering")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Pausad")
    await expect(page.get_by_role("button", name="Återuppta treserva")).to_be_visible()
    await check_axe(page)
    await check_reflow(page)


async def test_a_report_is_counted_and_fetched(site: Site, visitor: Visitor) -> None:
    page = await visitor.open(site.url, ENGLISH)
    await enter(page, await site.link(Role.READER))
    await page.goto("/reports")
    await page.get_by_label("From").fill("2026-10-01")
    await page.get_by_label("To", exact=True).fill("2027-05-31")
    await page.get_by_role("button", name="Count").click()
    await expect(page.get_by_role("table").first).to_contain_text("Held SIP meetings")
    await check_axe(page)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download as CSV").click()
    assert (await download.value).suggested_filename == "report-2026-10-01-2027-05-31.csv"


async def test_an_extract_is_taken_and_the_number_is_gone(site: Site, visitor: Visitor) -> None:
    page = await visitor.open(site.url)
    await enter(page, await site.link(Role.AUDITOR))
    await page.goto("/audit")
    await page.get_by_role("link", name="Ta ett loggutdrag").click()
    await page.get_by_label("Personens nummer").fill("191212121212")
    await page.get_by_label("Skäl").fill("Dnr 2026-17")
    await page.get_by_role("button", name="Visa utdraget").click()
    await expect(page.get_by_role("status")).to_contain_text("Att det togs är loggat")
    assert "191212121212" not in page.url + await page.content()
    await check_axe(page)
