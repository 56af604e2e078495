"""*Visa*: whoever says why is let see whom a message is about, for ten minutes, and it is kept who and why."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from windows.site import BY, Site

from gateway.access import Role
from gateway.messages import parse_xml
from gateway.store import audit, sessions
from gateway.store.access_tables import reveal, session
from gateway.store.audit import Wanted
from gateway.store.tables import inbound, sip_case


async def message_of(region: Site) -> tuple[str, str, str]:
    """Return the id, the unit and the case of a message that came and names a person."""
    query = select(inbound.c.message_id, inbound.c.unit, inbound.c.case_number, inbound.c.xml).order_by(inbound.c.id)
    async with region.store.reading() as tx:
        for message_id, unit, case_number, xml in (await tx.execute(query)).all():
            if parse_xml(xml).header.person is not None:
                return message_id, unit, case_number
    raise AssertionError("nothing that came names a person")


async def kept(region: Site, action: str) -> list[dict[str, str | None]]:
    async with region.store.reading() as tx:
        return [dict(one.said) for one in await audit.find(tx, Wanted(), limit=50) if one.said["action"] == action]


async def shown(region: Site, target: str) -> datetime | None:
    """Return until when the one session there is may show ``target``."""
    async with region.store.reading() as tx:
        number = (await tx.execute(select(session.c.id))).scalar_one()
        return await sessions.shown_until(tx, number, target)


async def test_who_says_why_is_let_see_it_for_ten_minutes_and_it_is_kept(region: Site) -> None:
    target, unit, case_number = await message_of(region)
    await region.log_in()
    assert target in await region.page(f"/messages/{target}/reveal?back=/inbox")
    sent = await region.send("/reveal", target=target, reason="Ringer enheten", back="/inbox?type=plan")
    assert sent == (303, "/inbox?type=plan")
    assert await shown(region, target) == region.clock.now() + timedelta(minutes=10)
    (row,) = await kept(region, "message.read")
    told = {name: row[name] for name in ("by", "unit", "target", "case_number", "reason", "outcome")}
    assert told == {
        "by": BY,
        "unit": unit,
        "target": target,
        "case_number": case_number,
        "reason": "Ringer enheten",
        "outcome": "done",
    }


@pytest.mark.parametrize("reason", ["", "gäller 19121212-1212"])
async def test_who_does_not_say_why_or_names_a_person_is_asked_again_and_it_is_kept(region: Site, reason: str) -> None:
    target, _, _ = await message_of(region)
    await region.log_in()
    status, page = await region.send("/reveal", target=target, reason=reason, back="/inbox")
    assert status == 422
    assert "by-hand." in page
    assert "1212" not in page
    assert await shown(region, target) is None
    (row,) = await kept(region, "message.read")
    assert (row["target"], row["outcome"], row["reason"]) == (target, "refused", None)


async def test_what_is_another_units_is_as_if_it_were_not_there_and_the_attempt_is_kept(region: Site) -> None:
    target, unit, _ = await message_of(region)
    await region.log_in(units=["SE2120001447-OTHER"])
    for path in (f"/messages/{target}/reveal", "/messages/00000000-0000-4000-8000-000000000000/reveal"):
        async with region.client.get(path) as answer:
            assert answer.status == 404
    status, page = await region.send("/reveal", target=target, reason="Nyfiken", back="/")
    assert status == 404
    assert unit not in page
    (row,) = await kept(region, "message.read")
    assert (row["target"], row["outcome"], row["code"]) == (target, "refused", "access.refused")


async def test_a_reader_is_refused_and_it_is_kept(region: Site) -> None:
    target, _, _ = await message_of(region)
    await region.log_in(Role.READER)
    status, _ = await region.send("/reveal", target=target, reason="Nyfiken", back="/")
    assert status == 403
    assert len(await kept(region, "window.refused")) == 1
    assert await shown(region, target) is None


async def test_a_case_is_shown_to_the_units_it_concerns(region: Site) -> None:
    _, unit, case_number = await message_of(region)
    await region.log_in(units=[unit])
    assert await region.send("/reveal", target=case_number, reason="Följer upp", back="/") == (303, "/")
    (row,) = await kept(region, "case.read")
    assert (row["target"], row["case_number"], row["unit"]) == (case_number, case_number, unit)


async def test_a_case_of_others_is_not_there(region: Site) -> None:
    _, _, case_number = await message_of(region)
    await region.log_in(units=["SE2321000131-OTHER"])
    assert (await region.send("/reveal", target=case_number, reason="Nyfiken", back="/"))[0] == 404


async def test_whoever_has_a_protected_identity_is_shown_after_a_step_more(region: Site) -> None:
    target, _, case_number = await message_of(region)
    async with region.store.writing() as tx:
        case = (await tx.execute(select(sip_case).where(sip_case.c.case_number == case_number))).mappings().one()
        said = {**case["snapshot"], "protectedLevel": "protected-registration"}
        await tx.execute(update(sip_case).where(sip_case.c.case_number == case_number).values(snapshot=said))
    await region.log_in()
    assert 'name="confirmed"' in await region.page(f"/messages/{target}/reveal")
    status, page = await region.send("/reveal", target=target, reason="Ringer enheten", back="/")
    assert status == 422
    assert "reveal.protected" in page
    assert await shown(region, target) is None
    sent = await region.send("/reveal", target=target, reason="Ringer enheten", confirmed="yes", back="/")
    assert sent == (303, "/")
    assert await shown(region, target) is not None


@pytest.mark.parametrize("state", ["retracted", "misdirected"])
async def test_what_was_taken_back_or_misdirected_is_read_by_nobody(region: Site, state: str) -> None:
    target, _, _ = await message_of(region)
    async with region.store.writing() as tx:
        await tx.execute(
            update(inbound).where(inbound.c.message_id == target).values(state=state, due_at=None, owner=None)
        )
    await region.log_in()
    status, page = await region.send("/reveal", target=target, reason="Ringer enheten", back="/")
    assert status == 422
    assert "reveal.withdrawn" in page
    async with region.store.reading() as tx:
        assert (await tx.execute(select(reveal))).first() is None
