"""The machine's own Chromium, and the ways in which somebody may look at a page with it.

Nothing but this machine can be reached from it: every other address is a proxy's business, and there is no proxy.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from gateway.web.language import COOKIE, Language

_NOWHERE = "--proxy-server=http://127.0.0.1:9"  # loopback goes past a proxy; `discard` is served by nobody
_PATIENCE = 10_000.0
"""Milliseconds for a page to do what is waited for: the machine may be busy with other tests."""

_LOCALES = {Language.SWEDISH: "sv-SE", Language.ENGLISH: "en-GB"}


@dataclass(frozen=True, slots=True)
class View:
    """One way to look: whether scripts run, the size of the window in CSS pixels, and what the person prefers."""

    script: bool = True
    width: int = 1280
    height: int = 800
    dark: bool = False
    forced_colors: bool = False
    language: Language = Language.SWEDISH
    """What the person has chosen; the browser asks for it too."""
    still: bool = False
    """Whether the person has asked for less motion."""


PLAIN = View()
WITHOUT_SCRIPT = View(script=False)
NARROW = View(width=320, height=640)  # what 1280 pixels are at 400 %: WCAG 2.2, success criterion 1.4.10
DARK = View(dark=True)
FORCED_COLORS = View(forced_colors=True)
ENGLISH = View(language=Language.ENGLISH)
VIEWS = {
    "plain": PLAIN,
    "without-script": WITHOUT_SCRIPT,
    "narrow": NARROW,
    "dark": DARK,
    "forced-colors": FORCED_COLORS,
}
"""The views that every page has to be right in, by the name that a parametrised test shows."""


@asynccontextmanager
async def launched(program: Path, folder: Path) -> AsyncIterator[Browser]:
    """Start ``program`` and end it; its profile and everything else that it writes lies in ``folder``."""
    options = ["--disable-dev-shm-usage", _NOWHERE]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # the sandbox refuses to be set up by root
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))  # playwright's driver has no other way to be told
        playwright = await async_playwright().start()
    try:
        browser = await playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            await browser.close()
    finally:
        await playwright.stop()


async def opened(browser: Browser, view: View, at: str | None = None) -> BrowserContext:
    """Return a new window of its own: no cookies, nothing cached. Addresses without a host are of the site ``at``."""
    context = await browser.new_context(
        base_url=at,
        java_script_enabled=view.script,
        viewport={"width": view.width, "height": view.height},
        color_scheme="dark" if view.dark else "light",
        forced_colors="active" if view.forced_colors else "none",
        reduced_motion="reduce" if view.still else "no-preference",
        locale=_LOCALES[view.language],
        timezone_id="Europe/Stockholm",
    )
    if at is not None and view.language is not Language.SWEDISH:  # which is what the pages are in by themselves
        await context.add_cookies([{"name": COOKIE, "value": view.language.value, "url": at}])
    context.set_default_timeout(_PATIENCE)
    return context
