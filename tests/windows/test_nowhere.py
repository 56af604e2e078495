"""An address that leads nowhere says so in the form that whoever came there reads."""

from __future__ import annotations

import pytest
from windows.site import Site

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/nothing", "/api/v1/messages/", "/api/v1/messages/1/2/3"])
@pytest.mark.parametrize("headers", [{}, PERSON], ids=["program", "browser"])
async def test_below_api_it_is_problem_details_whoever_asks(site: Site, path: str, headers: dict[str, str]) -> None:
    async with site.client.get(path, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_a_method_that_is_not_taken_is_told_with_those_that_are(site: Site) -> None:
    async with site.client.delete("/api/v1/messages", headers=PERSON) as answer:
        assert (answer.status, answer.content_type) == (405, "application/problem+json")
        assert answer.headers["Allow"] == "GET"
        assert (await answer.json(content_type=None))["errors"][0]["code"] == "http.method"


async def test_people_are_told_by_a_page_with_a_way_on(site: Site) -> None:
    await site.log_in()
    async with site.client.get("/nothing", headers=PERSON) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        page = await answer.text()
    assert 'href="/messages"' in page
    async with site.client.get("/logout", headers=PERSON) as answer:
        assert (answer.status, answer.content_type, answer.headers["Allow"]) == (405, "text/html", "POST")
    async with site.client.get("/nothing") as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


async def test_who_is_not_let_in_is_told_nothing_more(site: Site) -> None:
    async with site.client.get("/nothing", headers=PERSON | {"Cookie": "session=made-up"}) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert 'href="/messages"' not in await answer.text()
