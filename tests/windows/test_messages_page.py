"""The pages of the ledger show what was sent and what came, by what is asked for, and nobody by name."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from windows.site import WARD, Site

from gateway.access import Role


def shown(page: str) -> list[str]:
    """Return the ids of the messages that a page has a row for."""
    return re.findall(r'<th scope="row"><a href="/messages/([^"]+)"', page)


def address(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def test_the_pages_have_each_message_once_and_the_api_has_the_same(site: Site) -> None:
    await check_pages(site, "sent")


async def test_so_do_the_pages_of_what_came(region: Site) -> None:
    await check_pages(region, "received")


async def check_pages(site: Site, direction: str) -> None:
    await site.log_in(Role.READER)
    path, found = f"/messages?direction={direction}&limit=4", []
    while True:
        page = await site.page(path)
        found += shown(page)
        if 'rel="next"' not in page:
            break
        path = address(page, "next")
    _, told = await site.get("/api/v1/messages", direction=direction, limit="200")
    assert found == [one["id"] for one in told["messages"]] != []


async def test_a_filter_is_kept_from_page_to_page_and_shown_in_its_field(site: Site) -> None:
    await site.log_in(Role.READER)
    page = await site.page("/messages?state=acknowledged&limit=1")
    assert '<option value="acknowledged" selected>' in page
    assert parse_qs(urlsplit(address(page, "next")).query)["state"] == ["acknowledged"]
    assert "Rensa" in await site.page("/messages?type=plan&state=expired")


@pytest.mark.parametrize(("day", "count"), [("2027-05-21", 0), ("2000-01-01", 1)])
async def test_days_are_swedish_and_the_last_is_included(site: Site, day: str, count: int) -> None:
    await site.log_in(Role.READER)
    page = await site.page(f"/messages?from={day}&limit=1")
    assert len(shown(page)) == count
    newest = re.search(r'<tbody>\s*<tr>\s*<td><time datetime="[^"]+">(\S+) ', await site.page("/messages?limit=1"))
    assert newest is not None
    assert shown(await site.page(f"/messages?from={newest[1]}&to={newest[1]}"))


async def test_an_empty_list_says_why_and_what_next(site: Site) -> None:
    await site.log_in(Role.READER)
    assert "Ta bort ett villkor" in await site.page("/messages?q=SIP999999")
    await site.send("/language", language="en", back="/")
    assert "Take a condition away" in await site.page("/messages?q=SIP999999")


async def test_an_id_or_a_case_is_found_without_a_page_in_between(site: Site) -> None:
    await site.log_in(Role.READER)
    _, told = await site.get("/api/v1/messages", limit="1")
    (one,) = told["messages"]
    assert set(shown(await site.page(f"/messages?q={one['id']}"))) == {one["id"]}
    assert one["id"] in shown(await site.page(f"/messages?q={one['caseNumber'].lower()}"))


async def test_a_unit_sees_no_message_of_another(region: Site) -> None:
    _, told = await region.get("/api/v1/messages", await region.bearer(), direction="received", limit="200")
    own = [one["id"] for one in told["messages"] if one["unit"] == WARD]
    assert 0 < len(own) < len(told["messages"])
    await region.log_in(Role.READER, [WARD])
    assert shown(await region.page("/messages?direction=received&limit=200")) == own


async def test_a_full_list_is_small(site: Site) -> None:
    await site.log_in(Role.READER)
    page, empty = await site.page("/messages"), await site.page("/messages?q=SIP999999")
    rows = len(shown(page))
    assert len(empty) + (len(page) - len(empty)) / rows * 50 < 60_000
