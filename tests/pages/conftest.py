"""Tests of pages: a real browser, and somebody who visits with it.

    async def test_a_unit_acknowledges_from_its_inbox(site: Site, visitor: Visitor) -> None:
        page = await visitor.open(site.url)          # a person of their own: no cookies, nothing cached
        await enter(page, await site.link(Role.OPERATOR, units=[UNIT]))
        await page.goto("/inbox")
        await tab_to(page, "button", "Kvittera")     # by keyboard; `tab_stops(page)` is all of them in order
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Kvitterat")
        await check_axe(page)

- ``site`` is the municipality's windows after the demo journey (``windows/site.py``); ``site_of`` opens others.
- ``visitor.open(url, view)`` looks in another way: ``NARROW``, ``DARK``, ``FORCED_COLORS``, ``WITHOUT_SCRIPT``,
  ``ENGLISH``, or any ``View(…)`` of ``pages.browser``. Two calls are two people. For what must hold however one looks:
  ``@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)``.
- Everything that goes wrong on a page fails the test when it is over: errors of scripts and on the console, violations
  of the content security policy, requests that fail, and answers from 400 on. What should come is said beforehand or
  afterwards, ``visitor.expect("was answered 403")``, and must come. Nothing but loopback can be reached.
- ``test_every_page.py`` opens every page in the table of ways in, and needs no line for a new one. What only shows
  after something was done, or what the journey does not hold, is for a test of its own:
- ``check_axe(page)`` holds what is shown to WCAG 2.2 AA; ``check_reflow(page)`` a ``NARROW`` page to no scrolling
  sideways. ``playwright.async_api.expect`` waits for what a page will show; a test never sleeps.
  ``get_by_text`` does not look into a ``<noscript>``: a locator does.
- Opening a page costs some 0.2 s, going to the next one less: visit several in one test where that reads well.

One browser serves all the tests of a worker, and is started by the first that asks. What speaks with it belongs to the
event loop that it was started in, so **tests and fixtures here all share the loop of the session**. Tests do that by
themselves; an asynchronous fixture says it, also one that is no older than its test::

    @pytest_asyncio.fixture(loop_scope="session")
    async def region(journey: Path, tmp_path: Path) -> AsyncIterator[Site]: ...

One that does not, as the ``store`` of all tests, is refused by name: open a ``Store`` in a fixture of your own. (A loop
for each test would need a driver for each, half a second; playwright's synchronous face keeps a loop running in the
thread that it is used in, which no other asynchronous test of the worker survives.)

A test names the fixture of its server before ``visitor``: pages are then closed before the server is, which need not
wait for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from services.lifetime import Run
from windows.site import Site, played, site_of

from pages.browser import launched
from pages.visitor import Visitor, visiting

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the asynchronous tests of this folder in the loop of the session."""
    for item in items:
        if item.path.is_relative_to(_HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a test whose fixtures live in a loop of their own: what they give would never answer here."""
    if isinstance(item, pytest.Function) and (strangers := _of_other_loops(item)):
        pytest.fail(f'{strangers} should say loop_scope="session"; see {__name__}', pytrace=False)


def _of_other_loops(item: pytest.Function) -> list[str]:
    """Return the names of the asynchronous fixtures of ``item`` that are not of the loop of the session."""
    definitions = [known[-1] for known in item._fixtureinfo.name2fixturedefs.values()]
    return [
        one.argname
        for one in definitions
        if (iscoroutinefunction(one.func) or isasyncgenfunction(one.func))
        and getattr(one.func, "_loop_scope", None) != "session"
    ]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path, run: Run) -> AsyncIterator[Browser]:
    """Return the browser of this worker."""
    async with launched(chromium, run.own_folder("chromium")) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser) -> AsyncIterator[Visitor]:
    """Return somebody who visits pages, and who lets the test fail for everything that goes wrong on them."""
    async with visiting(browser) as somebody:
        yield somebody


@pytest.fixture(scope="session")
def journey(run: Run) -> Path:
    """Return the folder of a journey that has been played to its end."""
    return played(run.folder)


@pytest_asyncio.fixture(loop_scope="session")
async def site(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Return the windows of the municipality, after the journey."""
    async with site_of(journey, tmp_path) as opened:
        yield opened
