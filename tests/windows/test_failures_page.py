"""*Fel*: what has failed stands by cause with what its code means, page by page, and with what is known about it."""

from __future__ import annotations

import re

import pytest
from windows.broken import CODE, cause, not_taken
from windows.filled import OTHER_UNIT, UNIT
from windows.site import Site

from gateway.access import Role
from gateway.errors import FAULTS
from gateway.store import audit
from gateway.store.audit import Wanted
from gateway.web.failure_reading import group_id

GROUP = f"/failures/{group_id(cause())}"


async def entries(site: Site, action: str) -> list[dict[str, str | None]]:
    async with site.store.reading() as tx:
        return [dict(one.said) for one in await audit.find(tx, Wanted(), limit=200) if one.said["action"] == action]


async def test_each_cause_is_told_in_the_words_of_its_code_and_leads_to_its_items(region: Site) -> None:
    await region.log_in(Role.READER)
    page = await region.page("/failures")
    assert ("Inget har gått fel." in page, "/messages?direction=sent" in page) == (True, True)
    ids = await not_taken(region, 53)
    page = await region.page("/failures")
    meaning = re.sub(r"{\w+}", "…", FAULTS[CODE].sv)
    assert f'<a href="{GROUP}">{meaning}</a>' in page
    assert re.search(r'<td class="number">53</td>', page)
    first = await region.page(GROUP)
    found = re.search(r'rel="next" href="([^"]+)"', first)
    assert found is not None
    second = await region.page(found[1].replace("&amp;", "&"))
    assert re.findall(r'href="/messages/([^"]+)"', first + second) == ids
    assert "rel=" not in second.split("<main")[1]
    await region.send("/language", language="en", back="/")
    assert "has not answered within … seconds" in await region.page("/failures")


async def test_the_api_has_the_same_groups_and_items(region: Site) -> None:
    ids, who = await not_taken(region, 3), await region.bearer(Role.READER)
    await not_taken(region, 1, code="partner.own-code", party="skola")
    _, told = await region.get("/api/v1/failures", who, limit="1")
    (first,) = told["groups"]
    _, rest = await region.get("/api/v1/failures", who, cursor=told["next"])
    (other,) = rest["groups"]
    by_code = {one["code"]: one for one in (first, other)}
    assert (by_code[CODE]["count"], by_code[CODE]["more"], rest["next"]) == (3, False, None)
    assert "ingen beskrivning" in by_code["partner.own-code"]["sv"]
    path = f"/api/v1/failures/{by_code[CODE]['id']}"
    _, one = await region.get(path, who, limit="2")
    _, two = await region.get(path, who, limit="2", cursor=one["next"])
    assert [item["messageId"] for item in (*one["items"], *two["items"])] == ids
    assert (await region.get(path, who, cursor="x"))[0] == 400


async def test_what_is_noted_stands_beside_the_cause_with_who_and_when(region: Site) -> None:
    await not_taken(region, 1)
    await region.log_in(Role.OPERATOR)
    assert (await region.send(f"{GROUP}/note", text="Leverantören felsöker."))[0] == 303
    status, page = await region.send(f"{GROUP}/note", text="Det gäller 20100304-9804.")
    assert (status, "by-hand.person-number" in page) == (422, True)
    who = await region.bearer()
    async with region.client.post(f"/api/v1{GROUP}/note", headers=who, json={"text": "Åtgärdat i natt."}) as answer:
        assert answer.status == 200, await answer.text()
    page = await region.page(GROUP)
    assert page.index("Åtgärdat i natt.") < page.index("Leverantören felsöker.")
    assert "SE2120001447-P0001" in page
    assert "Åtgärdat i natt." in await region.page("/failures")
    assert [one["outcome"] for one in await entries(region, "failure.noted")].count("done") == 2


@pytest.mark.parametrize("name", ["x", "W10", "WyJzZW50IiwieCJd", "WyJzZW50IiwxLDJd", "e30", "1", "MQ", "A" * 600])
async def test_what_is_no_group_is_not_found(region: Site, name: str) -> None:
    who = await region.bearer()
    assert (await region.get(f"/api/v1/failures/{name}", who))[0] == 404


async def test_a_unit_sees_its_own_failures_without_notes_and_a_reader_notes_nothing(region: Site) -> None:
    await not_taken(region, 2)
    await region.log_in(Role.OPERATOR)
    await region.send(f"{GROUP}/note", text="Enhet X har fel schema.")
    for unit, status in ((UNIT, 200), (OTHER_UNIT, 404)):
        who = await region.bearer(Role.OPERATOR, [unit])
        assert (await region.get(f"/api/v1{GROUP}", who))[0] == status
        _, told = await region.get("/api/v1/failures", who)
        assert [one["note"] for one in told["groups"]] == ([None] if status == 200 else [])
    await region.log_in(Role.READER)
    assert "Spara anteckningen" not in await region.page(GROUP)
    assert (await region.send(f"{GROUP}/note", text="x"))[0] == 403
    who = await region.bearer(Role.READER)
    async with region.client.post(f"/api/v1{GROUP}/note", headers=who, json={"text": "x"}) as answer:
        assert answer.status == 403
    refused = [(one["target"], one["role"]) for one in await entries(region, "window.refused")]
    assert sorted(refused) == [("api_failures.note", "reader"), ("failures.note", "reader")]
