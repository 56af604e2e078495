"""Forms that somebody else's page lets a browser send, and odd names of things, are refused with a reason."""

from __future__ import annotations

import aiohttp
import pytest
from windows.site import Site

from gateway.access import Role

ELSEWHERE = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
UNKNOWN = {"Authorization": "Bearer gateway_" + "A" * 43}


@pytest.mark.parametrize("path", ["/logout", "/language", "/login/" + "A" * 43])
async def test_a_page_of_somebody_else_logs_nobody_out_when_no_cookie_comes_along(site: Site, path: str) -> None:
    async with site.client.post(path, data={"language": "en"}, headers=ELSEWHERE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers.getall("Set-Cookie", [])) == (403, [])


async def test_a_page_of_somebody_else_logs_nobody_in_and_the_link_still_holds(site: Site) -> None:
    link = await site.link()
    async with site.client.post(link, data={}, headers=ELSEWHERE, allow_redirects=False) as answer:
        assert (answer.status, answer.headers.getall("Set-Cookie", [])) == (403, [])
    async with site.client.post(link, data={}, allow_redirects=False) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("origin", ["http://[", "http://a]b", "null"])
async def test_an_origin_that_is_no_address_is_refused(site: Site, origin: str) -> None:
    await site.log_in()
    async with site.client.post("/language", data={}, headers={"Origin": origin}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("digits", ["0" * 10 + "1" + "9" * 20, "0" * 10 + "1" + "9" * 5000])
async def test_a_number_that_no_row_has_is_no_item(site: Site, digits: str) -> None:
    await site.log_in()
    status, _ = await site.send("/inbox/acknowledge", acknowledge=f"received:{digits}")
    assert status == 422


async def test_a_group_named_by_half_a_character_is_not_there(site: Site) -> None:
    half = "WyJzZW50IiwiXHVkODAwIiwiIl0"  # ["sent", "\ud800", ""]
    assert (await site.get(f"/api/v1/failures/{half}", await site.bearer(Role.READER)))[0] == 404


async def test_who_shows_what_does_not_hold_is_slowed_down_like_a_stranger(site: Site) -> None:
    async def asked(client: aiohttp.ClientSession) -> int:
        async with client.get("/api/v1/messages", headers=UNKNOWN) as answer:
            return answer.status

    found = {await asked(site.client) for _ in range(500)}
    assert found == {401, 429}
