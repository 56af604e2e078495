"""A group of failures is tried again from its page: one first, then all; what is discarded can be taken back."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from flow.sides import ScriptedSystem
from sqlalchemy import func, select
from test_operations import finish
from windows.broken import CODE, cause, not_taken
from windows.filled import OTHER_UNIT, UNIT
from windows.site import Site

from gateway.access import Role
from gateway.app import running
from gateway.circuit import Pace
from gateway.hops import Gateway
from gateway.lifecycle import InState
from gateway.replay.stage import database_url
from gateway.store import audit
from gateway.store.audit import Wanted
from gateway.store.tables import inbound
from gateway.transport.embedded import EmbeddedTransport
from gateway.web.failure_reading import group_id

GROUP = group_id(cause())
OPERATIONS = "/api/v1/operations"


async def post(site: Site, path: str, who: dict[str, str], **body: Any) -> tuple[int, Any]:
    async with site.client.post(path, headers=who, json=body) as answer:
        return answer.status, await answer.json()


async def entries(site: Site, action: str) -> list[dict[str, str | None]]:
    async with site.store.reading() as tx:
        return [dict(one.said) for one in await audit.find(tx, Wanted(), limit=200) if one.said["action"] == action]


async def registered(site: Site, ids: list[str]) -> int:
    query = select(func.count()).where(inbound.c.message_id.in_(ids), inbound.c.state == InState.REGISTERED.value)
    async with site.store.reading() as tx:
        return int((await tx.execute(query)).scalar_one())


async def test_one_is_tried_then_all_and_every_item_gets_through(region: Site, tmp_path: Path) -> None:
    ids = await not_taken(region, 12)
    await region.log_in(Role.OPERATOR)
    status, where = await region.send(f"/failures/{GROUP}/resend", reason="systemet är igång", first="yes")
    assert (status, where.startswith("/operations/")) == (303, True)
    page = await region.page(where)
    assert ("Väntar på sin tur" in page, 'hx-trigger="every 2s"' in page) == (True, True)
    assert "hx-trigger" not in await region.page(f"{where}?refresh=off")
    object.__setattr__(region.context, "pace", Pace(drain_per_second=1000))
    journal = ScriptedSystem("journal")
    transport = EmbeddedTransport(database_url(tmp_path / "other-exchange.sqlite"), "region", region.clock)
    async with transport, asyncio.timeout(30), running(Gateway(region.context, journal, transport)):
        while await registered(region, ids) < 1:
            await region.context.registered.wait(timedelta(seconds=1))
        page = await region.page(where)
        assert ("Klar" in page, f'href="/messages/{ids[0]}"' in page, "(1 av 3)" in page) == (True, True, True)
        assert ("11 kvar av samma orsak" in page, f'action="/failures/{GROUP}/resend"' in page) == (True, True)
        status, page = await region.send(f"/failures/{GROUP}/resend", reason="systemet är igång")
        assert status == 200
        assert ("11 görs" in page, "Av de 11 nyaste" in page, "Torrkör alla" in page) == (True, True, True)
        assert await registered(region, ids) == 1
        status, where = await region.send(f"/failures/{GROUP}/resend", reason="systemet är igång", confirmed="yes")
        assert status == 303
        while await registered(region, ids) < 12:
            await region.context.registered.wait(timedelta(seconds=1))
    assert {name for name, _ in journal.held} == {*ids}
    page = await region.page(where)
    assert re.search(r'<progress id="looked-at" max="11" value="11">', page)
    assert "Inget har gått fel." in await region.page("/failures")
    assert len(await entries(region, "message.resent")) == 12
    assert [one["reason"] for one in await entries(region, "operation.begun")] == ["systemet är igång"] * 2


async def test_what_was_discarded_is_taken_back_from_the_page(region: Site) -> None:
    ids = await not_taken(region, 2, code="rule.broken")
    async with region.store.writing() as tx:
        mine = inbound.c.message_id.in_(ids)
        await tx.execute(inbound.update().where(mine).values(state=InState.REJECTED.value, due_at=None, owner=None))
    group = group_id(cause("rule.broken"))
    await region.log_in(Role.OPERATOR)
    status, page = await region.send(f"/failures/{group}/discard", reason="prov")
    assert (status, "2 görs" in page) == (200, True)
    assert (await region.send(f"/failures/{group}/discard", reason=""))[0] == 422
    _, where = await region.send(f"/failures/{group}/discard", reason="prov", confirmed="yes")
    assert (await region.send(f"{where}/undo", reason="för tidigt"))[0] == 422
    await finish(region.context)
    assert "rule.broken" not in (await region.page("/failures")).split("<h2>")[0]
    status, back = await region.send(f"{where}/undo", reason="fel grupp")
    assert (status, back != where) == (303, True)
    await finish(region.context)
    assert "Återställ, 2 st" in await region.page("/failures")
    assert "rule.broken" in await region.page("/failures")


async def test_an_operation_is_paused_continued_and_stopped_by_page_and_api(region: Site) -> None:
    await not_taken(region, 3)
    who = await region.bearer()
    told = await post(region, OPERATIONS, who, action="resend", group=GROUP, reason="prov")
    name = told[1]["id"]
    assert (told[0], told[1]["state"], told[1]["total"], told[1]["group"]) == (200, "waiting", 3, GROUP)
    assert (await post(region, f"{OPERATIONS}/{name}/pause", who, reason="vänta"))[1]["state"] == "paused"
    assert (await post(region, f"{OPERATIONS}/{name}/pause", who))[0] == 422
    await finish(region.context)
    _, one = await region.get(f"{OPERATIONS}/{name}", who, limit="2")
    assert [item["outcome"] for item in one["results"]] == [None, None]
    await region.log_in(Role.OPERATOR)
    page = await region.page(f"/operations/{name}")
    assert ("Pausad" in page, "Fortsätt" in page, ">Pausa<" in page) == (True, True, False)
    assert await region.send(f"/operations/{name}/continue") == (303, f"/operations/{name}")
    await finish(region.context)
    _, one = await region.get(f"{OPERATIONS}/{name}", who, limit="2")
    _, rest = await region.get(f"{OPERATIONS}/{name}", who, cursor=one["next"])
    outcomes = [item["outcome"] for item in (*one["results"], *rest["results"])]
    assert (outcomes, rest["next"], one["operation"]["state"]) == (["done"] * 3, None, "done")
    assert (await region.send(f"/operations/{name}/stop"))[0] == 409
    _, listed = await region.get(OPERATIONS, who)
    assert [found["id"] for found in listed["operations"]] == [name]
    assert next(one["reason"] for one in await entries(region, "operation.paused")) == "vänta"


async def test_the_same_request_begins_one_operation(region: Site) -> None:
    await not_taken(region, 1)
    who = await region.bearer() | {"Idempotency-Key": "a-1"}
    first = await post(region, OPERATIONS, who, action="resend", group=GROUP, reason="prov", first=True, dryRun=True)
    again = await post(region, OPERATIONS, who, action="resend", group=GROUP, reason="prov", first=True, dryRun=True)
    assert first == again
    assert len(await entries(region, "operation.begun")) == 1


async def test_what_cannot_be_begun_is_told(region: Site) -> None:
    who = await region.bearer()
    for body, status in (
        ({"items": ["received:1"]}, 400),
        ({"action": "resend", "items": ["x"], "reason": "prov"}, 422),
        ({"action": "resend", "reason": "prov"}, 422),
        ({"action": "resend", "group": GROUP, "reason": "prov"}, 404),
        ({"action": "resend", "group": "x", "reason": "prov"}, 404),
    ):
        assert (await post(region, OPERATIONS, who, **body))[0] == status, body
    assert (await region.get(f"{OPERATIONS}/x", who))[0] == 404


async def test_an_operation_is_seen_by_who_sees_all_its_units_and_a_reader_begins_none(region: Site) -> None:
    await not_taken(region, 1)
    both, mine = await region.bearer(units=[UNIT, OTHER_UNIT]), await region.bearer(units=[UNIT])
    _, wide = await post(region, OPERATIONS, both, action="resend", group=GROUP, reason="prov")
    _, narrow = await post(region, OPERATIONS, mine, action="resend", group=GROUP, reason="prov")
    theirs = await region.bearer(units=[OTHER_UNIT])
    assert (await post(region, OPERATIONS, theirs, action="resend", group=GROUP, reason="prov"))[0] == 404
    seen = {(who, one["id"]): 200 for who, one in ((0, narrow), (1, wide), (1, narrow))}
    for number, who in enumerate((mine, both, theirs)):
        for one in (wide, narrow):
            status, _ = await region.get(f"{OPERATIONS}/{one['id']}", who)
            assert status == seen.get((number, one["id"]), 404)
            if status == 404:
                assert (await post(region, f"{OPERATIONS}/{one['id']}/stop", who))[0] == 404
    reader = await region.bearer(Role.READER)
    assert (await post(region, OPERATIONS, reader, action="resend", group=GROUP, reason="prov"))[0] == 403
    assert (await region.get(f"{OPERATIONS}/{wide['id']}", reader))[0] == 200
    await region.log_in(Role.READER)
    page = await region.page(f"/failures/{GROUP}")
    assert (CODE in page, "Försök en" in page) == (True, False)
    assert (await region.send(f"/failures/{GROUP}/resend", reason="prov", first="yes"))[0] == 403
    assert (await region.send(f"/operations/{wide['id']}/pause"))[0] == 403
    refused = sorted(str(one["target"]) for one in await entries(region, "window.refused"))
    assert refused == ["api_operations.begin", "operations.pause", "operations.resend"]
