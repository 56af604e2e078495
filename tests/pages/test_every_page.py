"""Every page is for everybody: whoever reads it aloud, sees it small or in their own colours, or has no script.

The pages are those of the table of ways in, so a new one is held to this by itself. One whose address names a message,
a case or the like is found by a link on another page; one that no link leads to is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Error, Page
from windows.site import Site

from gateway.access import RIGHTS, Role
from gateway.web.language import Language
from gateway.web.route import Kind, Route
from gateway.web.routes import ROUTES
from pages.accessibility import check_axe, check_reflow
from pages.browser import PLAIN, View
from pages.visitor import Visitor, enter

NOT_IN_THE_JOURNEY: frozenset[str] = frozenset(
    {
        "failures.failure",
        "operations.operation",
        "login.begin",
        "login.come_back",
        "revealing.ask_about_message",
        "revealing.ask_about_case",
    }
)
"""Pages, by the name of the route, that nothing in the journey leads to; a test of their own visits them."""

LOOKS = {
    "swedish": PLAIN,
    "english-dark": View(language=Language.ENGLISH, dark=True),
    "narrow-without-script-in-forced-colors": View(script=False, width=320, height=640, forced_colors=True),
}
"""Everything that a view can be, each at least once: a look at every page takes its time."""

_DOWNLOAD = "Download is starting"
_LINKS = "() => [...document.links].map(link => new URL(link.href).pathname)"


@dataclass(slots=True)
class Walk:
    """A walk through the pages that one role may see: each is opened once, and held to what all are held to."""

    page: Page
    role: Role
    left: dict[str, Route]
    """The pages that nobody has come to yet, by the name of the route."""
    known: list[str]
    """Paths that lead somewhere."""
    faults: list[str] = field(default_factory=list)

    async def walk(self) -> None:
        """Go to every page that is left and that the role may see, as far as links lead."""
        self.known += [
            route.path for name, route in self.left.items() if "{" not in route.path and name not in NOT_IN_THE_JOURNEY
        ]
        while (found := next(self._ahead(), None)) is not None:
            name, path = found
            del self.left[name]
            try:
                await self.page.goto(path)
            except Error as error:
                if _DOWNLOAD not in error.message:
                    raise
                continue
            await self._check()
            self.known += await self.page.evaluate(_LINKS)

    async def _check(self) -> None:
        for check in (check_axe, check_reflow):
            try:
                await check(self.page)
            except AssertionError as fault:
                self.faults.append(str(fault))

    def _ahead(self) -> Iterator[tuple[str, str]]:
        """Return the pages that a known path leads to, and the path."""
        for name, route in self.left.items():
            if _may_see(self.role, route):
                yield from ((name, path) for path in self.known if _matches(route, path))


def _may_see(role: Role, route: Route) -> bool:
    return route.right is None or route.right in RIGHTS[role]


def _matches(route: Route, path: str) -> bool:
    """Tell whether ``path`` is of ``route``, and not of one whose path is written out just so."""
    pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(route.path))
    return path == route.path or (not any(path == one.path for one in ROUTES) and bool(re.fullmatch(pattern, path)))


@pytest.mark.parametrize("view", LOOKS.values(), ids=LOOKS)
async def test_every_page_is_usable_by_everybody(site: Site, visitor: Visitor, view: View) -> None:
    left = {route.name: route for route in ROUTES if (route.method, route.kind) == ("GET", Kind.PAGE)}
    faults: list[str] = []
    for role in (Role.OPERATOR, Role.ADMINISTRATOR, Role.AUDITOR):
        if any(_may_see(role, route) for route in left.values()):
            page = await visitor.open(site.url, view)
            await enter(page, await site.link(role))
            walk = Walk(page, role, left, known=[await site.link(role)])
            await walk.walk()
            faults += walk.faults
    assert not faults, "\n".join(faults)
    assert left.keys() == NOT_IN_THE_JOURNEY, "no link leads to these, or one leads to what is listed"
