"""Who comes to the windows is known, or is sent away with a reason; nobody sees what is not theirs."""

from __future__ import annotations

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
