"""Somebody who visits pages and minds everything that goes wrong on them, also what a person would not notice."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, WebError

from pages.browser import PLAIN, View, opened

_TOLD_BY_THE_NETWORK = "Failed to load resource"
_TOLD_BY_THE_CONSOLE = "csp"
_LEFT_BY_THE_PAGE = "net::ERR_ABORTED"
"""What a request ends with that nobody waits for any longer: a stream of events, when its page is left."""


class Visitor:
    """Opens pages, and keeps in ``faults`` what was wrong on them, in words.

    A fault is an error on the console (a violation of the content security policy is one), an error that no script
    caught, a request that failed, as all do that leave this machine, and an answer with a status from 400 on.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._expected: list[str] = []
        self.faults: list[str] = []

    async def open(self, at: object, view: View = PLAIN) -> Page:
        """Return an empty page of a person of their own, for the site ``at`` (``http://127.0.0.1:…``)."""
        context = await opened(self._browser, view, str(at))
        self._contexts.append(context)
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        context.on("requestfailed", self._miss)
        context.on("response", self._answered)
        return await context.new_page()

    def expect(self, *patterns: str) -> None:
        """Let a fault come that each of ``patterns`` is found in; one that does not come is a fault too."""
        self._expected += patterns

    def unexpected(self) -> list[str]:
        """Return the faults that nobody expected, and what was expected and did not come."""
        faults = [fault for fault in self.faults if not any(re.search(pattern, fault) for pattern in self._expected)]
        absent = [pattern for pattern in self._expected if not any(re.search(pattern, one) for one in self.faults)]
        return faults + [f"expected, and did not come: {pattern}" for pattern in absent]

    async def leave(self) -> None:
        """Close every page."""
        for context in self._contexts:
            await context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_TOLD_BY_THE_NETWORK):
            self.faults.append(f"console: {message.text}")

    def _catch(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error.name}: {error.error.message}")

    def _miss(self, request: Request) -> None:
        if request.failure not in {_LEFT_BY_THE_PAGE, _TOLD_BY_THE_CONSOLE}:
            self.faults.append(f"request: {request.method} {request.url} failed: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"answer: {response.request.method} {response.url} was answered {response.status}")


async def enter(page: Page, link: str) -> None:
    """Log in with a link, as people do: open it, and press the one button there."""
    await page.goto(link)
    async with page.expect_navigation():
        await page.get_by_role("main").get_by_role("button").click()


@asynccontextmanager
async def visiting(browser: Browser) -> AsyncIterator[Visitor]:
    """Let somebody visit pages.

    Raises:
        AssertionError: something was wrong on a page that nobody expected.
    """
    visitor = Visitor(browser)
    try:
        yield visitor
    finally:
        await visitor.leave()
    faults = visitor.unexpected()
    assert not faults, "on the pages:\n" + "\n".join(faults)
