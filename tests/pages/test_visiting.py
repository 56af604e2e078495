"""The tools that pages are tested with, tried on pages that are known to be right or wrong."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from PIL import Image
from playwright.async_api import Browser, expect

from gateway.web.language import Language
from pages import try_out
from pages.accessibility import check_axe, check_reflow
from pages.browser import PLAIN, WITHOUT_SCRIPT, View
from pages.keyboard import tab_stops, tab_to
from pages.screenshots import MOST_BYTES, PICTURE, photograph
from pages.visitor import Visitor, visiting


@pytest_asyncio.fixture(loop_scope="session")
async def tried() -> AsyncIterator[str]:
    """Return the address of the pages to try things on."""
    async with TestServer(try_out.site()) as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize("view", [PLAIN, WITHOUT_SCRIPT], ids=["plain", "without-script"])
async def test_axe_passes_a_right_page_and_says_what_is_wrong_with_another(
    tried: str, visitor: Visitor, view: View
) -> None:
    page = await visitor.open(tried, view)
    await page.goto("/")
    await check_axe(page)
    await page.goto("/hard-to-use")
    with pytest.raises(AssertionError) as told:
        await check_axe(page)
    for said in ("image-alt (critical)", "color-contrast (serious)", "target-size (serious)", "at img:", "at .pale:"):
        assert said in str(told.value)


async def test_everything_that_goes_wrong_on_a_page_is_a_fault_unless_it_was_expected(
    tried: str, visitor: Visitor
) -> None:
    page = await visitor.open(tried)
    for path, fault in {
        "/inline-script": "console: .*inline script violates .*Content Security Policy",
        "/inline-style": "console: .*inline style violates .*Content Security Policy",
        "/failing-script": "script: Error: planted",
        "/missing": "answer: GET .*/no-such.svg was answered 404",
        "/elsewhere": "request: GET http://192.0.2.1/dot.svg failed: net::ERR_PROXY_CONNECTION_FAILED",
    }.items():
        before = list(visitor.faults)
        await page.goto(path)
        assert len(visitor.faults) == len(before) + 1
        assert visitor.unexpected() == visitor.faults[-1:]
        visitor.expect(fault)
        assert visitor.unexpected() == []


async def test_a_visit_ends_in_a_failure_for_what_went_wrong_and_for_what_was_expected_in_vain(
    tried: str, browser: Browser
) -> None:
    async def visit() -> None:
        async with visiting(browser) as visitor:
            visitor.expect("was answered 403")
            page = await visitor.open(tried)
            await page.goto("/inline-script")

    with pytest.raises(AssertionError, match=r"inline script") as told:
        await visit()
    assert "expected, and did not come: was answered 403" in str(told.value)


async def test_a_page_is_gone_through_by_keyboard_in_its_order(tried: str, visitor: Visitor) -> None:
    page = await visitor.open(tried)
    await page.goto("/")
    assert [str(stop) for stop in await tab_stops(page)] == ["link Första", "link Andra", "button Kvittera"]
    await tab_to(page, "link", "Andra")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Andra")).to_be_visible()
    with pytest.raises(AssertionError, match="Tab comes to no link Tredje"):
        await tab_to(page, "link", "Tredje")
    await page.goto("/unmarked")
    with pytest.raises(AssertionError, match="the focus is not seen on: link Dold"):
        await tab_stops(page)


async def test_a_view_is_how_the_page_is_looked_at(tried: str, visitor: Visitor) -> None:
    page = await visitor.open(
        tried, View(script=False, width=320, dark=True, forced_colors=True, language=Language.ENGLISH)
    )
    answer = await page.goto("/")
    assert answer is not None
    assert (await answer.request.all_headers())["accept-language"].startswith("en-GB")
    await expect(page.locator("#said")).to_have_text("–")
    await expect(page.locator("#unscripted")).to_be_visible()
    for query in ("(width: 320px)", "(prefers-color-scheme: dark)", "(forced-colors: active)"):
        assert await page.evaluate(f"matchMedia({query!r}).matches"), query
    await check_reflow(page)
    await page.goto("/wide")
    with pytest.raises(AssertionError, match='scrolls sideways for:\n<p class="wide">'):
        await check_reflow(page)


async def test_the_same_page_gives_the_same_picture(tried: str, visitor: Visitor) -> None:
    page = await visitor.open(tried, PICTURE)
    pictures = [await photograph(page, f"{tried}moving") for _ in range(2)]
    await expect(page.locator("#said")).to_have_text("script")
    await expect(page.locator("#clock")).to_have_text("2026-11-22T13:03:00.000Z")
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) < MOST_BYTES
    assert Image.open(io.BytesIO(pictures[0])).size == (1280, 800)


@pytest.fixture
async def stranger() -> None:
    """Live in a loop of its own."""


def test_a_test_whose_fixture_lives_in_a_loop_of_its_own_is_refused(request: pytest.FixtureRequest) -> None:
    async def asks(stranger: None) -> None:
        raise AssertionError("it was let in")

    asking = pytest.Function.from_parent(request.node.parent, name="asks", callobj=asks)
    with pytest.raises(pytest.fail.Exception, match="'stranger'] should say"):
        asking.ihook.pytest_runtest_setup(item=asking)
