"""Who comes to the windows is known, or is sent away with a reason; nobody sees what is not theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from windows.site import Site

from gateway.access import Role
from gateway.store import audit
from gateway.store.audit import Wanted


async def test_who_shows_nothing_is_told_to_show_a_token(site: Site) -> None:
    async with site.client.get("/api/v1/messages") as answer:
        assert (answer.status, answer.content_type) == (401, "application/problem+json")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await answer.json(content_type=None))["errors"][0]["code"] == "web.not-let-in"


async def test_a_token_that_nobody_made_does_not_let_in(site: Site) -> None:
    status, told = await site.get("/api/v1/messages", {"Authorization": "Bearer gateway_" + "A" * 43})
    assert (status, told["errors"][0]["code"]) == (401, "access.token-refused")


async def test_somebody_who_wants_a_page_is_sent_to_where_people_are_let_in(site: Site) -> None:
    async with site.client.get("/?from=yesterday", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2F%3Ffrom%3Dyesterday")


async def test_a_name_that_is_not_this_machines_is_refused(site: Site) -> None:
    async with site.client.get("/api/v1/messages", headers={"Host": "rebound.example"}) as answer:
        assert answer.status == 400


async def test_the_ledger_is_read_page_by_page(site: Site) -> None:
    who = await site.bearer(Role.READER)
    _, everything = await site.get("/api/v1/messages", who, limit="200")
    ids, cursor = [], None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        status, told = await site.get("/api/v1/messages", who, **query)
        assert status == 200
        ids += [(one["id"], one["unit"]) for one in told["messages"]]
        cursor = told["next"]
        if cursor is None:
            break
    assert len(ids) > 3
    assert ids == [(one["id"], one["unit"]) for one in everything["messages"]]


async def test_a_unit_sees_its_own_messages_alone(site: Site) -> None:
    _, everything = await site.get("/api/v1/messages", await site.bearer(), limit="200")
    senders = {one["senderUnit"] for one in everything["messages"]}
    one, *others = sorted(senders)
    who = await site.bearer(units=[one])
    _, told = await site.get("/api/v1/messages", who, limit="200")
    assert {message["senderUnit"] for message in told["messages"]} == {one}
    hidden = [message["id"] for message in everything["messages"] if message["senderUnit"] in others]
    for number in hidden[:3]:
        for path in (f"/api/v1/messages/{number}", f"/api/v1/messages/{number}/events"):
            assert (await site.get(path, who))[0] == 404


async def test_what_is_asked_in_a_form_that_is_not_known_is_refused_by_its_place(site: Site) -> None:
    who = await site.bearer()
    status, told = await site.get("/api/v1/messages", who, limit="many")
    assert (status, told["errors"][0]["code"], told["errors"][0]["path"]) == (400, "web.query", "limit")
    status, told = await site.get("/api/v1/messages", who, patient="191212121212")
    assert status == 400
    assert "191212121212" not in str(told)


async def test_an_administrator_sees_the_ledger_and_is_refused_nothing_there(site: Site) -> None:
    status, _ = await site.get("/api/v1/messages", await site.bearer(Role.ADMINISTRATOR))
    assert status == 200
    async with site.store.reading() as tx:
        assert not [link for link in await audit.find(tx, Wanted(), limit=10) if link.said["outcome"] == "refused"]


async def test_a_link_logs_in_once(site: Site) -> None:
    path = await site.link()
    async with site.client.get(path) as answer:
        assert answer.status == 200  # whoever looks ahead uses nothing up
    async with site.client.post(path, data={}) as answer:
        assert (answer.status, answer.url.path) == (200, "/")
    cookie = next(iter(site.client.cookie_jar))
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    async with site.client.post(path, data={}) as answer:
        assert answer.status == 403


async def test_who_logs_out_is_out(site: Site) -> None:
    await site.log_in()
    await site.page("/")
    assert await site.send("/logout") == (303, "/login")
    async with site.client.get("/", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_a_session_that_nobody_uses_is_over(site: Site) -> None:
    await site.log_in()
    site.clock.advance(timedelta(minutes=31))
    async with site.client.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2F")


async def test_a_page_that_fetches_itself_anew_keeps_no_session_going(site: Site) -> None:
    await site.log_in()
    for _ in range(4):
        site.clock.advance(timedelta(minutes=8))
        async with site.client.get("/", headers={"HX-Request": "true"}, allow_redirects=False) as answer:
            status = answer.status
    assert status == 303


async def test_a_language_is_chosen_and_the_way_back_is_ours(site: Site) -> None:
    await site.log_in()
    assert '<html lang="sv">' in await site.page("/")
    assert await site.send("/language", language="en", back="//elsewhere.example/") == (303, "/")
    assert '<html lang="en">' in await site.page("/")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=lambda one: next(iter(one)),
)
async def test_what_another_site_lets_a_browser_send_is_refused(site: Site, headers: dict[str, str]) -> None:
    await site.log_in()
    async with site.client.post("/logout", data={}, headers=headers) as answer:
        assert answer.status == 403
    await site.page("/")
