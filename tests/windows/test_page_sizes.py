"""No page is heavy, however much there is to show: lists are below 60 kB, a page with all it is made with below 200."""

from __future__ import annotations

import re

from sqlalchemy import delete
from windows.site import Site

from bench import pages
from bench.ledger import Ledger
from gateway.access import Role
from gateway.store.observation_tables import hour_tally
from gateway.web.route import Kind
from gateway.web.routes import ROUTES

MOST_OF_A_LIST = 60_000
MOST_OF_A_PAGE = 200_000
FULL = {"/inbox": 40, "/acknowledgements": 40, "/messages": 50, "/messages?direction=received": 50, "/failures": 24}
"""How many rows lists have at least when they are full."""
COUNT = 6_000


async def test_full_lists_are_light_and_so_is_a_page_with_all_that_it_is_made_with(site: Site) -> None:
    ledger = Ledger(COUNT, site.clock.now())
    async with site.store.writing() as tx:
        await tx.execute(delete(hour_tally))  # those of the journey are of the same hours
    await ledger.write(str(site.window.settings.store))
    await site.log_in(Role.OPERATOR)
    routes = [one for one in ROUTES if one.kind is Kind.PAGE and not one.path.startswith("/audit")]
    found = pages.paths(ledger, routes)
    looked_at = {path for route, paths in found.items() if "?" not in route for path in paths} | set(FULL)
    shown = {path: await site.page(path) for path in sorted(looked_at)}
    assert {path for path, least in FULL.items() if shown[path].count("<tr>") <= least} == set()
    assert {path: size for path, page in shown.items() if (size := len(page.encode())) >= MOST_OF_A_LIST} == {}
    files = {file for page in shown.values() for file in files_of(page)}
    sizes = {file: len(await (await site.client.get(file)).read()) for file in files}
    whole = {path: len(page.encode()) + sum(sizes[file] for file in files_of(page)) for path, page in shown.items()}
    assert min(whole.values()) > 50_000  # the script and the style are counted
    assert {path: size for path, size in whole.items() if size >= MOST_OF_A_PAGE} == {}


def files_of(page: str) -> set[str]:
    """Return what a page is made with."""
    return set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
