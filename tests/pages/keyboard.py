"""A page by its keyboard alone: where Tab goes, what an assistive technology calls it, and whether one sees it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import CDPSession, Page

_MOST_STOPS = 200
_SEEN = """function () {
    const style = getComputedStyle(this);
    const marked = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
    const box = this.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return this.matches(':focus-visible') && marked && top !== null && (this.contains(top) || top.contains(this));
}"""


@dataclass(frozen=True, slots=True)
class Stop:
    """Something that has the focus of the keyboard, by the role and the name that assistive technology is told.

    ``seen`` tells whether a person sees where the focus is: it is marked, in view, and not covered (WCAG 2.2, success
    criteria 2.4.7 and 2.4.11).
    """

    role: str
    name: str
    seen: bool

    def __str__(self) -> str:
        return f"{self.role} {self.name}"


async def tab_stops(page: Page) -> list[Stop]:
    """Return what Tab goes to, from the top of a page that was just opened until it has been everywhere.

    Raises:
        AssertionError: somewhere nobody sees where the focus is; or it never comes to an end.
    """
    stops: list[Stop] = []
    session = await page.context.new_cdp_session(page)
    try:
        for _ in range(_MOST_STOPS):
            await page.keyboard.press("Tab")
            stop = await _focused(session)
            if stop is None:
                break
            stops.append(stop)
        else:
            raise AssertionError(f"after {_MOST_STOPS} stops the focus is still on the page; the last is {stops[-1]}")
    finally:
        await session.detach()
    hidden = [str(stop) for stop in stops if not stop.seen]
    assert not hidden, "the focus is not seen on: " + ", ".join(hidden)
    return stops


async def tab_to(page: Page, role: str, name: str) -> None:
    """Press Tab until what is called ``name`` and is a ``role`` has the focus.

    Raises:
        AssertionError: Tab does not come to it, or nobody sees that it has the focus.
    """
    passed: list[str] = []
    session = await page.context.new_cdp_session(page)
    try:
        for _ in range(_MOST_STOPS):
            await page.keyboard.press("Tab")
            stop = await _focused(session)
            if stop is None:
                break
            passed.append(str(stop))
            if (stop.role, stop.name) == (role, name):
                assert stop.seen, f"nobody sees that {stop} has the focus"
                return
    finally:
        await session.detach()
    raise AssertionError(f"Tab comes to no {role} {name}, only to: {', '.join(passed)}")


async def _focused(session: CDPSession) -> Stop | None:
    """Return what has the focus; ``None`` when nothing on the page has."""
    told = await session.send("Runtime.evaluate", {"expression": "document.activeElement"})
    if told["result"].get("className") in {None, "HTMLBodyElement", "HTMLHtmlElement"}:
        return None
    element = {"objectId": told["result"]["objectId"]}
    tree = await session.send("Accessibility.getPartialAXTree", {**element, "fetchRelatives": False})
    seen = await session.send(
        "Runtime.callFunctionOn", {**element, "functionDeclaration": _SEEN, "returnByValue": True}
    )
    [node] = tree["nodes"]
    return Stop(node["role"]["value"], node.get("name", {}).get("value", ""), seen["result"]["value"])
