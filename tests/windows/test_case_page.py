"""A case as a page and over the API: what has happened, in order, as far as it is of the units that somebody sees."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from windows.filled import content_of, person_in, words_about
from windows.site import WARD, Site
from windows.test_message_page import entries, said_in

from gateway.access import Role
from gateway.notices import Notice, NoticeKind
from gateway.process import Awaited, CaseState
from gateway.process.case import ParticipationState
from gateway.store import notes
from gateway.store.tables import inbound, sip_case
from gateway.web.case_words import AWAITED_WORDS, CASE_WORDS, NOTICE_WORDS, PARTICIPATION_WORDS

CASE = "/cases/SIP100001"
OFFICE = "SE2120001355-SOCHISINGEN"


def listed(page: str) -> list[str]:
    """Return the ids of the messages on the timeline of a case, in order."""
    timeline = page.split('<ol class="timeline">')[1].split("</ol>", maxsplit=1)[0]
    return re.findall(r'href="/messages/([^"]+)"', timeline)


async def test_it_tells_what_has_happened_in_order_and_the_api_tells_the_same(site: Site) -> None:
    await site.log_in(Role.READER)
    page = await site.page(CASE)
    assert ("Avslutat" in page, "Sammankallande" in page) == (True, True)
    status, told = await site.get("/api/v1/cases/SIP100001")
    assert (status, told["state"], told["frozen"]) == (200, "closed", False)
    assert listed(page) == list(dict.fromkeys(one["id"] for one in told["messages"]))
    assert [one["type"] for one in told["messages"]][::2] == [
        "sipStart",
        "consent",
        "meetingBooking",
        "plan",
        "closure",
    ]
    assert told["messages"] == sorted(told["messages"], key=lambda one: one["at"])
    assert await said_in(site, page + str(told)) == []


async def test_a_unit_sees_the_case_it_takes_part_in_and_its_own_messages_alone(region: Site) -> None:
    async with region.store.writing() as tx:
        gone = inbound.c.unit == WARD, inbound.c.type.in_(["plan", "closure"])
        await tx.execute(update(inbound).where(*gone).values(unit="SE2321000131-E000000000999"))
    await region.log_in(Role.READER, [WARD])
    _, told = await region.get("/api/v1/cases/SIP100001")
    assert [one["type"] for one in told["messages"]] == ["sipStart", "consent", "meetingBooking"]
    assert {one["unit"] for one in told["messages"]} == {WARD}
    assert listed(await region.page(CASE)) == [one["id"] for one in told["messages"]]


async def test_a_case_of_other_units_is_as_if_it_were_not_there(region: Site) -> None:
    units = ["SE2321000131-E000000000777"]
    await region.log_in(Role.OPERATOR, units)
    who = await region.bearer(Role.OPERATOR, units)
    for number in ("SIP100001", "SIP999999", "nonsense"):
        async with region.client.get(f"/cases/{number}") as answer:
            assert answer.status == 404
        assert (await region.get(f"/api/v1/cases/{number}", who))[0] == 404


async def test_whom_it_is_about_is_shown_to_whoever_says_why(site: Site) -> None:
    await site.log_in(Role.OPERATOR)
    assert await said_in(site, await site.page(CASE)) == []
    assert (await site.send("/reveal", target="SIP100001", reason="anhörig ringde", back=CASE)) == (303, CASE)
    assert len(await said_in(site, await site.page(CASE))) >= 1
    (entry,) = await entries(site, "case.read")
    assert (entry["target"], entry["case_number"], entry["reason"]) == ("SIP100001", "SIP100001", "anhörig ringde")
    site.clock.advance(timedelta(minutes=10))
    assert await said_in(site, await site.page(CASE)) == []


async def test_what_is_awaited_and_what_units_were_told_stand_there(site: Site) -> None:
    now = site.clock.now()
    kinds = (NoticeKind.OVERDUE, OFFICE), (NoticeKind.REMINDER, "SE2120001355-OTHER")
    async with site.store.writing() as tx:
        kept = (await tx.execute(select(sip_case.c.snapshot))).scalar_one()
        open_case = kept | {"state": CaseState.ACTIVE.value, "followUpOn": "2027-05-01"}
        await tx.execute(update(sip_case).values(snapshot=open_case, state=CaseState.ACTIVE.value))
        told = [Notice(kind=kind, unit=unit, case_number="SIP100001", at=now, occasion="1") for kind, unit in kinds]
        await notes.tell(tx, told, now)
    await site.log_in(Role.READER, [OFFICE])
    page = await site.page(CASE)
    assert ("Uppföljning" in page, "försenat" in page, "Planen gäller" in page) == (True, True, True)
    assert ("sades till" in page, "Påminnelse" in page) == (True, False)
    _, api = await site.get("/api/v1/cases/SIP100001")
    assert [one["what"] for one in api["awaited"]] == ["follow-up", "consent"]
    assert [one["kind"] for one in api["notices"]] == ["overdue"]
    _, api = await site.get("/api/v1/cases/SIP100001", await site.bearer(Role.READER))
    assert [one["kind"] for one in api["notices"]] == ["overdue", "reminder"]


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (CaseState, CASE_WORDS),
        (Awaited, AWAITED_WORDS),
        (NoticeKind, NOTICE_WORDS),
        (ParticipationState, PARTICIPATION_WORDS),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_staff_have_a_word_for_each(kinds: type, words: dict[object, object]) -> None:
    assert set(words) == set(kinds)


async def test_who_is_protected_by_a_message_alone_is_not_shown_with_the_case(region: Site) -> None:
    xml, message = content_of("plan", protected=True)
    async with region.store.writing() as tx:
        await tx.execute(update(inbound).where(inbound.c.case_number == "SIP100001").values(xml=xml))
    await region.log_in(Role.OPERATOR)
    assert (await region.send("/reveal", target="SIP100001", reason="anhörig ringde", back=CASE)) == (303, CASE)
    shown = await region.page(CASE)
    assert [word for word in words_about(person_in(message)) if word in shown] == []


async def test_a_message_that_can_be_read_no_more_does_not_hide_the_case(region: Site) -> None:
    async with region.store.writing() as tx:
        await tx.execute(update(inbound).where(inbound.c.case_number == "SIP100001").values(xml=b"<old/>"))
    await region.log_in(Role.OPERATOR, [WARD])
    await region.send("/reveal", target="SIP100001", reason="anhörig ringde", back=CASE)
    assert len(listed(await region.page(CASE))) > 1


async def test_a_unit_that_only_got_what_was_not_for_it_sees_no_case(region: Site) -> None:
    elsewhere = "SE2321000131-E000000000303"
    async with region.store.writing() as tx:
        number = (await tx.execute(select(inbound.c.id).where(inbound.c.unit == WARD).limit(1))).scalar_one()
        changed = {"unit": elsewhere, "state": "misdirected", "due_at": None, "owner": None}
        await tx.execute(update(inbound).where(inbound.c.id == number).values(changed))
        query = select(inbound.c.message_id, inbound.c.case_number).where(inbound.c.id == number)
        message_id, case_number = (await tx.execute(query)).one()
    await region.log_in(units=[elsewhere])
    page = await region.page(f"/messages/{message_id}")
    assert f"/cases/{case_number}" not in page
    async with region.client.get(f"/cases/{case_number}") as answer:
        assert answer.status == 404
    status, _ = await region.send("/reveal", target=case_number, reason="utredning", back="/")
    assert status == 404
