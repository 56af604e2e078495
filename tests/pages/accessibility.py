"""What a program can tell about WCAG 2.2 AA: axe-core's rules, and that a narrow page needs no scrolling sideways.

axe-core runs in an isolated world of the page: it sees the document and none of the page's scripts, and the page's
content security policy stays in force, for the policy of a page is not a debugger's. It comes with the package
``axe-playwright-python``, under MPL-2.0; nothing of it is in this repository.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from playwright.async_api import CDPSession, Page

_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_OPTIONS = {
    "runOnly": _TAGS,
    "resultTypes": ["violations"],
    "preload": False,  # it would fetch style sheets, which the policy may forbid; no rule of these needs them
}
_WITHOUT_TIMERS = """
globalThis.setTimeout = (run, delay = 0, ...told) => {
    if (delay <= 10) Promise.resolve().then(() => run(...told));
    return 1;
};
"""
"""Lets axe-core run where scripts are off: timers do not run there, promises do. It waits for longer ones only to give
up, and this is the clock of its own world, not of the page."""

_TOO_WIDE = """() => {
    const width = document.documentElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > width + 1);
    return wide.filter(one => !wide.includes(one.parentElement)).map(one => one.outerHTML.slice(0, 120));
}"""


async def check_axe(page: Page) -> None:
    """Hold the document that ``page`` shows to the rules of axe-core for WCAG 2.2 AA and its best practice.

    Raises:
        AssertionError: a rule is broken; names each rule, how it is mended, and each element with its place.
    """
    session = await page.context.new_cdp_session(page)
    try:
        world = await _isolated_world(session)
        await _evaluate(session, world, _WITHOUT_TIMERS + _axe())
        run = f"axe.run(document, {json.dumps(_OPTIONS)}).then(found => found.violations)"
        violations = await _evaluate(session, world, run)
    finally:
        await session.detach()
    assert not violations, f"{page.url}\n" + "\n".join(_described(violation) for violation in violations)


async def check_reflow(page: Page) -> None:
    """Hold ``page`` to what a narrow window asks for: nothing makes it scroll sideways.

    What is wide by nature, a table or a drawing, scrolls in a frame of its own (WCAG 2.2, success criterion 1.4.10).

    Raises:
        AssertionError: it does; names the outermost elements that stick out.
    """
    wide = await page.evaluate(_TOO_WIDE)
    assert not wide, f"{page.url} scrolls sideways for:\n" + "\n".join(wide)


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


async def _isolated_world(session: CDPSession) -> int:
    tree = await session.send("Page.getFrameTree")
    frame = tree["frameTree"]["frame"]["id"]
    created = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})
    return int(created["executionContextId"])


async def _evaluate(session: CDPSession, world: int, script: str) -> Any:
    told = {"expression": script, "contextId": world, "awaitPromise": True, "returnByValue": True}
    answer = await session.send("Runtime.evaluate", told)
    if "exceptionDetails" in answer:
        raise RuntimeError(answer["exceptionDetails"])
    return answer["result"].get("value")


def _described(violation: dict[str, Any]) -> str:
    """Return a violation in words: the rule, where to read about it, and for each element what would mend it."""
    lines = [f"{violation['id']} ({violation['impact']}): {violation['help']}", f"  {violation['helpUrl']}"]
    for node in violation["nodes"]:
        place = " ".join(str(one) for one in node["target"])
        summary = " ".join(node["failureSummary"].split())
        lines += [f"  at {place}: {node['html'][:200]}", f"     {summary}"]
    return "\n".join(lines)
