"""One message as a page and over the API: how far it got, and what it says to whoever of its units says why."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select, text, update
from windows.site import WARD, Site

from gateway.access import Role
from gateway.errors import FAULTS
from gateway.lifecycle import InState, OutState
from gateway.store import audit
from gateway.store.audit import Wanted
from gateway.store.tables import dispatch, inbound, message, sip_case, verdict
from gateway.web.message_reading import THEIR_OWN_WORDS

PSYCHIATRY = "SE2321000131-E000000000202"
PERSONAL = ("name", "extension", "needText", "longTermGoal", "worksWell", "ownEffort", "what", "place", "phone")


async def id_of(site: Site, kind: str) -> str:
    """Return the id of the message of a type."""
    table = message if site.context.party == "kommun" else inbound
    async with site.store.reading() as tx:
        found: str = (await tx.execute(select(table.c.message_id).where(table.c.type == kind).limit(1))).scalar_one()
    return found


async def secrets(site: Site) -> set[str]:
    """Return everything that the journey's messages say about the person and in their words."""
    table = message if site.context.party == "kommun" else inbound
    async with site.store.reading() as tx:
        kept = (await tx.execute(select(table.c.xml))).scalars().all()
    said = {
        str(one.text)
        for xml in kept
        for name in PERSONAL
        for one in etree.fromstring(xml).iter(f"{{*}}{name}")
        if one.text and len(one.text) > 3
    }
    return said - {unit.title for unit in site.context.directory.units.values()}


async def said_in(site: Site, page: str) -> list[str]:
    """Return what a page says about the person."""
    return [one for one in await secrets(site) if one in page]


async def change(site: Site, table: Any, number: str, **values: Any) -> None:
    async with site.store.writing() as tx:
        await tx.execute(update(table).where(table.c.message_id == number).values(**values))


async def entries(site: Site, action: str) -> list[dict[str, str | None]]:
    async with site.store.reading() as tx:
        return [dict(one.said) for one in await audit.find(tx, Wanted(), limit=50) if one.said["action"] == action]


async def test_it_tells_how_far_it_got_with_each_recipient(site: Site) -> None:
    await site.log_in(Role.READER)
    page = await site.page(f"/messages/{await id_of(site, 'plan')}")
    assert "<h1>SIP</h1>" in page
    assert page.count("<caption>Nivåer för ") == 2
    for words in ("Psykiatrisk öppenvård Hisingen", "Registrerat i mottagarens system", "JRN-", "Giltigt"):
        assert words in page
    assert 'href="/cases/SIP100001"' in page
    assert "<svg" in page
    assert "till Björkdalens vårdcentral: SIP" in page


@pytest.mark.parametrize("view", ["document", "xml"])
async def test_what_it_says_is_masked_and_its_structure_is_not(site: Site, view: str) -> None:
    await site.log_in(Role.OPERATOR)
    for kind in ("sipStart", "consent", "meetingBooking", "plan", "closure"):
        page = await site.page(f"/messages/{await id_of(site, kind)}?view={view}")
        assert await said_in(site, page) == []
        assert "••••••" in page
    assert ("&lt;closedOn&gt;" if view == "xml" else "Avslutat") in page


async def test_visa_shows_it_for_ten_minutes_and_is_logged(site: Site) -> None:
    await site.log_in(Role.OPERATOR)
    number = await id_of(site, "plan")
    path = f"/messages/{number}"
    status, told = await site.send("/reveal", target=number, reason="frågan från mottagningen", back=path)
    assert (status, told) == (303, path)
    shown = await site.page(path)
    assert "Mitt långsiktiga mål" in shown
    assert len(await said_in(site, shown)) > 5
    assert "longTermGoal&gt;••" not in await site.page(f"{path}?view=xml")
    (entry,) = await entries(site, "message.read")
    assert (entry["target"], entry["reason"], entry["outcome"]) == (number, "frågan från mottagningen", "done")
    other = await site.page(f"/messages/{await id_of(site, 'closure')}")
    assert "••••••" in other
    site.clock.advance(timedelta(minutes=10))
    assert await said_in(site, await site.page(path)) == []


async def test_who_reads_no_content_is_offered_none(site: Site) -> None:
    await site.log_in(Role.READER)
    page = await site.page(f"/messages/{await id_of(site, 'plan')}")
    assert 'action="/reveal"' not in page
    assert '/resend"' not in page


async def test_another_units_message_is_as_if_it_were_not_there(region: Site) -> None:
    number = await id_of(region, "plan")
    async with region.store.writing() as tx:
        await tx.execute(
            update(inbound).where(inbound.c.message_id == number, inbound.c.unit == WARD).values(unit=PSYCHIATRY + "9")
        )
    await region.log_in(Role.OPERATOR, [WARD])
    who = await region.bearer(Role.OPERATOR, [WARD])
    for path in (f"/messages/{number}", f"/messages/{number}?view=xml"):
        async with region.client.get(path) as answer:
            assert answer.status == 404
    for path in ("resend", "discard", "restore", "acknowledge", "proof.zip"):
        status, _ = await region.send(f"/messages/{number}/{path}", item="received:1", reason="prov")
        assert status == 404, path
    for path in ("content", "proof"):
        assert (await region.get(f"/api/v1/messages/{number}/{path}", who, reason="prov"))[0] == 404, path
    for path in ("resend", "discard", "restore"):
        async with region.client.post(
            f"/api/v1/messages/{number}/{path}", headers=who, json={"reason": "prov"}
        ) as answer:
            assert answer.status == 404, path
    assert (await region.get(f"/api/v1/messages/{number}/content", await region.bearer(), reason="prov"))[0] == 200


@pytest.mark.parametrize("state", [InState.RETRACTED, InState.MISDIRECTED])
async def test_what_was_taken_back_is_not_to_be_read(region: Site, state: InState) -> None:
    number = await id_of(region, "plan")
    await change(region, inbound, number, state=state.value)
    await region.log_in(Role.OPERATOR)
    page = await region.page(f"/messages/{number}")
    assert "får inte läsas här längre" in page
    assert ("longTermGoal" in page, "Mitt långsiktiga mål" in page) == (False, False)
    status, told = await region.get(f"/api/v1/messages/{number}/content", await region.bearer(), reason="prov")
    assert (status, told["errors"][0]["code"]) == (422, "reveal.withdrawn")


async def test_a_protected_identity_takes_one_more_step(site: Site) -> None:
    async with site.store.writing() as tx:
        kept = (await tx.execute(select(sip_case.c.snapshot))).scalar_one()
        await tx.execute(update(sip_case).values(snapshot=kept | {"protectedLevel": "protected-registration"}))
    await site.log_in(Role.OPERATOR)
    number = await id_of(site, "plan")
    for target, path in ((number, f"/messages/{number}"), ("SIP100001", "/cases/SIP100001")):
        assert "skyddade personuppgifter" in await site.page(path)
        status, page = await site.send("/reveal", target=target, reason="prov", back=path)
        assert (status, "reveal.protected" in page) == (422, True)
        assert await said_in(site, await site.page(path)) == []
        assert (await site.send("/reveal", target=target, reason="prov", confirmed="yes", back=path))[0] == 303
        shown = await site.page(path)
        said = await said_in(site, shown)
        assert said
        title = re.search(r"<title>(.*?)</title>.*<h1>(.*?)</h1>", shown, re.DOTALL)
        assert title is not None
        assert [one for one in said if one in title[1] + title[2]] == []
    who = await site.bearer()
    status, told = await site.get(f"/api/v1/messages/{number}/content", who, reason="prov")
    assert (status, told["errors"][0]["code"]) == (422, "reveal.protected")
    assert (await site.get(f"/api/v1/messages/{number}/content", who, reason="prov", protected="true"))[0] == 200


async def test_bytes_that_are_not_valid_any_more_are_told_by_place_and_not_by_value(site: Site) -> None:
    number = await id_of(site, "closure")
    async with site.store.reading() as tx:
        xml = (await tx.execute(select(message.c.xml).where(message.c.message_id == number))).scalar_one()
    broken = re.sub(rb"<closedOn>[^<]+<", b"<closedOn>Tolvan Tolvansson<", xml)
    await change(site, message, number, xml=broken)
    await site.log_in(Role.OPERATOR)
    page = await site.page(f"/messages/{number}")
    assert "/closure/body/closedOn" in page
    assert ("Tolvansson" in page, "inte giltigt" in page) == (False, True)


async def test_the_words_of_a_partner_are_shown_with_the_content_alone(site: Site) -> None:
    number = await id_of(site, "plan")
    ours = FAULTS["case.unknown"]
    reasons = [
        {"code": "x.one", "sv": "Prov Provsson är avliden.", "en": "Prov Provsson has died."},
        {"code": ours.code, "sv": "Fel för 19121212-1212.", "en": "Wrong for 191212121212."},
    ]
    async with site.store.writing() as tx:
        await tx.execute(text("DROP TRIGGER verdict_stands"))
        await tx.execute(update(verdict).where(verdict.c.message_id == number).values(reasons=reasons))
    await site.log_in(Role.READER)
    page = await site.page(f"/messages/{number}")
    assert ("Provsson" in page, "121212" in page, "x.one" in page, ours.code in page) == (False, False, True, True)
    assert THEIR_OWN_WORDS.sv in page
    await site.log_in()
    await site.send("/reveal", target=number, reason="utredning", back="/")
    assert "Prov Provsson är avliden." in await site.page(f"/messages/{number}")


async def test_content_is_told_as_xml_or_json_to_whoever_says_why(site: Site) -> None:
    number = await id_of(site, "plan")
    path, who = f"/api/v1/messages/{number}/content", await site.bearer()
    assert (await site.get(path, who))[0] == 400
    status, told = await site.get(path, who, reason="utredning")
    assert (status, told["type"], told["header"]["messageId"]) == (200, "plan", number)
    headers = who | {"Accept": "application/json;q=0.1, text/xml"}
    async with site.client.get(path, headers=headers, params={"reason": "utredning"}) as answer:
        assert (answer.status, answer.content_type) == (200, "application/xml")
        xml = await answer.read()
    async with site.store.reading() as tx:
        assert xml == (await tx.execute(select(message.c.xml).where(message.c.message_id == number))).scalar_one()
    assert [one["reason"] for one in await entries(site, "message.read")] == ["utredning"] * 2
    status, _ = await site.get(path, await site.bearer(Role.READER), reason="utredning")
    assert status == 403
    assert (await site.get(path, who, reason="om 19121212-1212"))[0] == 422


async def give_up(site: Site) -> str:
    """Let the closure have been given up for one recipient, and return its id."""
    number = await id_of(site, "closure")
    async with site.store.writing() as tx:
        given_up = {
            "state": OutState.EXPIRED.value,
            "due_at": site.clock.now() + timedelta(hours=24),
            "owner": "operations",
            "acknowledged_at": None,
            "failed_at": site.clock.now(),
            "failed_code": "message.given-up",
        }
        mine = dispatch.c.message_id == number, dispatch.c.unit == WARD
        await tx.execute(update(dispatch).where(*mine).values(**given_up))
    return number


async def state_of(site: Site, number: str) -> tuple[str, bool]:
    async with site.store.reading() as tx:
        query = select(dispatch.c.state, dispatch.c.discarded_at)
        state, discarded_at = (
            await tx.execute(query.where(dispatch.c.message_id == number, dispatch.c.unit == WARD))
        ).one()
    return state, discarded_at is not None


async def test_what_will_happen_is_said_before_it_is_done(site: Site) -> None:
    number = await give_up(site)
    await site.log_in(Role.OPERATOR)
    page = await site.page(f"/messages/{number}")
    (item,) = re.findall(r'id="resend-1" name="item" value="([^"]+)"', page)
    path = f"/messages/{number}/resend"
    status, page = await site.send(path, item=item, reason="växeln är igång igen")
    assert (status, "Det här kommer att hända" in page) == (200, True)
    assert "(1 av 3)" in page
    assert await state_of(site, number) == ("expired", False)
    status, page = await site.send(path, item=item, reason="växeln är igång igen", confirmed="yes")
    assert (status, page) == (303, f"/messages/{number}?done=resend")
    assert (await state_of(site, number))[0] in ("queued", "retrying")
    assert 'role="status"' in await site.page(page)
    (entry,) = await entries(site, "message.resent")
    assert (entry["target"], entry["reason"]) == (number, "växeln är igång igen")


async def test_what_was_discarded_can_be_restored(site: Site) -> None:
    number = await give_up(site)
    await site.log_in(Role.OPERATOR)
    (item,) = re.findall(r'id="discard-1" name="item" value="([^"]+)"', await site.page(f"/messages/{number}"))
    assert (await site.send(f"/messages/{number}/discard", item=item, reason="prov", confirmed="yes"))[0] == 303
    page = await site.page(f"/messages/{number}")
    assert await state_of(site, number) == ("expired", True)
    assert ("Avskrivet" in page, '/discard"' in page, '/restore"' in page) == (True, False, True)
    assert (await site.send(f"/messages/{number}/restore", item=item, reason="prov", confirmed="yes"))[0] == 303
    assert await state_of(site, number) == ("expired", False)


async def test_without_a_reason_nothing_is_done_and_why_is_told(site: Site) -> None:
    number = await give_up(site)
    await site.log_in(Role.OPERATOR)
    (item,) = re.findall(r'id="discard-1" name="item" value="([^"]+)"', await site.page(f"/messages/{number}"))
    status, page = await site.send(f"/messages/{number}/discard", item=item, reason="", confirmed="yes")
    assert (status, 'role="alert"' in page) == (422, True)
    assert (await site.send(f"/messages/{number}/discard", item="sent:999", reason="prov"))[0] == 404
    assert (await site.send(f"/messages/{number}/discard", reason="prov"))[0] == 404
    assert await state_of(site, number) == ("expired", False)


async def test_a_reader_is_refused_and_it_is_kept(site: Site) -> None:
    number = await give_up(site)
    await site.log_in(Role.READER)
    assert (await site.send(f"/messages/{number}/resend", item="sent:9", reason="prov"))[0] == 403
    who = await site.bearer(Role.READER)
    async with site.client.post(f"/api/v1/messages/{number}/resend", headers=who, json={"reason": "prov"}) as answer:
        assert answer.status == 403
    assert len(await entries(site, "window.refused")) == 2
    assert await state_of(site, number) == ("expired", False)


async def test_the_api_tells_what_became_of_each_recipient(site: Site) -> None:
    number, who = await give_up(site), await site.bearer()
    path = f"/api/v1/messages/{number}/resend"
    async with site.client.post(path, headers=who, json={"reason": "prov", "dryRun": True}) as answer:
        told = await answer.json()
    assert sorted(one["outcome"] for one in told["results"]) == ["refused", "would-be-done"]
    assert await state_of(site, number) == ("expired", False)
    async with site.client.post(path, headers=who, json={"reason": "prov"}) as answer:
        told = await answer.json()
    done = {one["outcome"]: [finding["code"] for finding in one["findings"]] for one in told["results"]}
    assert done == {"done": [], "refused": ["resend.arrived"]}
    assert (await state_of(site, number))[0] != "expired"


async def test_a_unit_acknowledges_from_the_page(region: Site) -> None:
    number = await id_of(region, "consent")
    owed = {"state": "registered", "duty": "acknowledge", "acknowledged_at": None}
    await change(region, inbound, number, **owed)
    await region.log_in(Role.OPERATOR, [WARD])
    page = await region.page(f"/messages/{number}")
    (item,) = re.findall(r'id="acknowledge-1" name="item" value="([^"]+)"', page)
    path = f"/messages/{number}/acknowledge"
    status, page = await region.send(path, item=item)
    assert (status, "Kvitteras av" in page) == (200, True)
    assert (await region.send(path, item=item, confirmed="yes"))[0] == 303
    async with region.store.reading() as tx:
        query = select(inbound.c.unit, inbound.c.state).where(inbound.c.message_id == number)
        states = {unit: state for unit, state in (await tx.execute(query)).all()}  # noqa: C416 -- rows are no pairs
    assert (states[WARD], states[PSYCHIATRY]) == ("acknowledged", "registered")
