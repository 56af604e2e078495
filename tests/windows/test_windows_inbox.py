"""The inbox shows units what they have to do, nobody's name before somebody says why, and lets them do it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from windows.filled import (
    OTHER_UNIT,
    UNIT,
    arrived,
    content_of,
    contents,
    is_protected,
    person_in,
    put,
    words_about,
)
from windows.site import BY, Site

from gateway.access import Role
from gateway.ledger import Inbound
from gateway.lifecycle import InState, OutState
from gateway.messages import Duty, parse_xml
from gateway.store import audit
from gateway.store.audit import Wanted
from gateway.store.tables import dispatch, inbound, message

HOUR = timedelta(hours=1)


def row(site: Site, type_name: str = "plan", **changes: Any) -> Inbound:
    return arrived(*content_of(type_name), site.clock.now(), **changes)


async def logged(site: Site, action: str) -> list[dict[str, str | None]]:
    async with site.store.reading() as tx:
        return [dict(one.said) for one in await audit.find(tx, Wanted(), limit=100) if one.said["action"] == action]


def ids_on(page: str) -> list[str]:
    """Return the messages of the list, in order."""
    return re.findall(r'<th scope="row"><a href="/messages/([0-9a-f-]{36})"', page)


def cells_of(page: str, message_id: str) -> str:
    """Return the row of the list that is about a message, as text."""
    (found,) = [one for one in re.findall(r"<tr>.*?</tr>", page, re.S) if f"/messages/{message_id}" in one]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found)).split())


async def test_the_inbox_has_what_is_to_be_done_first_and_what_is_only_to_be_read_last(region: Site) -> None:
    soon, late = row(region, due_in=5 * HOUR), row(region, due_in=-HOUR)
    read_first, read_last, done = row(region), row(region), row(region, state=InState.ACKNOWLEDGED)
    await put(region, soon, read_first, late, read_last, done)
    await region.log_in()
    page = await region.page("/inbox")
    assert ids_on(page) == [one.message_id for one in (late, soon, read_last, read_first)]
    assert "försenat" in cells_of(page, late.message_id)
    assert "försenat" not in cells_of(page, soon.message_id)
    assert ids_on(await region.page("/inbox?overdue=yes")) == [late.message_id]


async def test_a_full_inbox_tells_of_nobody_until_it_is_said_why_and_then_of_that_one_for_ten_minutes(
    region: Site,
) -> None:
    rows = [arrived(xml, one, region.clock.now(), due_in=HOUR) for xml, one in contents()]
    await put(region, *rows)
    people = [person_in(one) for _, one in contents()]
    await region.log_in()
    pages = [await region.page("/inbox")]
    while following := re.search(r'rel="next" href="([^"]+)"', pages[-1]):
        pages.append(await region.page(unescape(following[1])))
    assert sum(len(ids_on(page)) for page in pages) == len(rows)
    text = unescape("".join(pages))
    for word in {word for person in people for word in words_about(person)}:
        assert word not in text

    shown = next(one for one in rows if not is_protected(parse_xml(one.xml)))
    person = person_in(parse_xml(shown.xml))
    where = next(page for page in pages if shown.message_id in page)
    link = re.search(rf'href="(/messages/{shown.message_id}/reveal[^"]*)"', where)
    assert link is not None
    assert person.name not in await region.page(unescape(link[1]))
    status, _ = await region.send("/reveal", target=shown.message_id, reason="Ringer enheten", back="/inbox")
    assert status == 303
    told = await region.page("/inbox")
    assert person.name in cells_of(told, shown.message_id)
    assert person.person_id.display() in cells_of(told, shown.message_id)
    assert unescape(told).count(person.name) == 1  # also where others are about the same person
    (kept,) = await logged(region, "message.read")
    assert (kept["target"], kept["by"], kept["reason"]) == (shown.message_id, BY, "Ringer enheten")
    region.clock.advance(timedelta(minutes=10))
    assert person.name not in unescape(await region.page("/inbox"))


async def test_whoever_has_a_protected_identity_is_not_in_the_list_even_when_shown(region: Site) -> None:
    xml, message_in = content_of("admissionNotice", protected=True)
    hidden = arrived(xml, message_in, region.clock.now(), due_in=HOUR)
    await put(region, hidden)
    await region.log_in()
    told = cells_of(await region.page("/inbox"), hidden.message_id)
    assert "Skyddad identitet" in told
    assert "Visa" not in told
    sent = await region.send("/reveal", target=hidden.message_id, reason="Ringer", confirmed="yes", back="/inbox")
    assert sent == (303, "/inbox")
    page = unescape(await region.page("/inbox"))
    assert not [word for word in words_about(person_in(message_in)) if word in page]


async def test_what_was_taken_back_says_so_and_nothing_of_what_it_said(region: Site) -> None:
    xml, message_in = content_of("generalMessage")
    gone = arrived(xml, message_in, region.clock.now(), state=InState.RETRACTED)
    await put(region, gone)
    await region.log_in()
    told = cells_of(await region.page("/inbox"), gone.message_id)
    assert "Återtaget, läses inte" in told
    assert message_in.body.topic not in told
    _, answer = await region.get("/api/v1/inbox", await region.bearer(), reason="Ringer")
    (one,) = [one for one in answer["messages"] if one["id"] == gone.message_id]
    assert (one["isWithdrawn"], one["person"], one["concerns"]) == (True, None, None)


async def test_what_somebody_has_typed_is_masked_and_what_tells_nothing_of_the_person_is_not(region: Site) -> None:
    topic, plan = row(region, "generalMessage"), row(region, "plan")
    await put(region, topic, plan)
    said = parse_xml(topic.xml).body.topic
    await region.log_in()
    page = await region.page("/inbox")
    assert f"Version {parse_xml(plan.xml).body.version}" in cells_of(page, plan.message_id)
    assert said not in unescape(page)
    await region.send("/reveal", target=topic.message_id, reason="Ringer", back="/inbox")
    assert said in cells_of(await region.page("/inbox"), topic.message_id)


async def test_a_unit_acknowledges_from_the_page_and_its_sender_will_be_told_who(region: Site) -> None:
    owed = row(region, due_in=HOUR)
    (number,) = await put(region, owed)
    await region.log_in(units=[UNIT])
    page = await region.page("/inbox")
    assert f'name="acknowledge" value="received:{number}" formaction="/inbox/acknowledge"' in page
    status, where = await region.send(
        "/inbox/acknowledge", acknowledge=f"received:{number}", back="/inbox?unit=" + UNIT
    )
    assert status == 303
    after = await region.page(where)
    assert "Kvitterat." in after
    assert ids_on(after) == []
    query = (
        select(message.c.xml, dispatch.c.state)
        .join(dispatch, dispatch.c.message_id == message.c.message_id)
        .where(message.c.in_reply_to == owed.message_id)
    )
    async with region.store.reading() as tx:
        (answer,) = (await tx.execute(query)).all()
    body = parse_xml(answer.xml).body
    assert (answer.state, body.level.value, body.acknowledged_by.hsa_id) == (OutState.QUEUED, "acknowledged", BY)
    (kept,) = await logged(region, "message.acknowledged")
    assert (kept["by"], kept["unit"], kept["target"], kept["outcome"]) == (BY, UNIT, owed.message_id, "done")


async def test_whoever_comes_second_is_told_that_it_was_acknowledged(region: Site) -> None:
    (number,) = await put(region, row(region, due_in=HOUR))
    await region.log_in()
    assert (await region.send("/inbox/acknowledge", acknowledge=f"received:{number}"))[0] == 303
    status, page = await region.send("/inbox/acknowledge", acknowledge=f"received:{number}")
    assert status == 409
    assert "acknowledge.already" in page


async def test_what_is_to_be_replied_to_says_where_and_has_no_button(region: Site) -> None:
    asked = row(region, "meetingBooking", due_in=HOUR, duty=Duty.REPLY)
    await put(region, asked)
    await region.log_in()
    page = await region.page("/inbox")
    assert "Svaret skrivs i verksamhetssystemet" in cells_of(page, asked.message_id)
    assert "/inbox/acknowledge" not in page


async def test_what_is_only_to_be_read_leaves_the_inbox_of_its_unit_when_it_is_marked(region: Site) -> None:
    id_of_both = str(uuid4())
    one, other = (row(region, message_id=id_of_both, unit=unit) for unit in (UNIT, OTHER_UNIT))
    third = row(region)
    of_unit, _, of_third = await put(region, one, other, third)
    await region.log_in()
    chosen = [f"received:{number}" for number in (of_unit, of_third)]
    status, where = await region.send("/inbox/read", read=chosen)
    assert status == 303
    assert "Markerat som läst." in await region.page(where)
    assert ids_on(await region.page(f"/inbox?unit={UNIT}")) == []
    assert ids_on(await region.page(f"/inbox?unit={OTHER_UNIT}")) == [id_of_both]
    assert len(await logged(region, "message.marked-read")) == 2
    status, page = await region.send("/inbox/read", alone=chosen[0])
    assert status == 409
    assert "inbox.nothing-to-mark" in page


async def test_an_empty_inbox_says_why_and_where_to_look(region: Site) -> None:
    await region.log_in()
    page = await region.page("/inbox")
    assert "Inkorgen är tom" in page
    assert 'href="/messages?direction=received"' in page


async def test_every_page_counts_what_is_to_be_done_and_nothing_else(region: Site) -> None:
    await put(region, row(region, due_in=HOUR), row(region, due_in=-HOUR, unit=OTHER_UNIT), row(region))
    await region.log_in()
    assert '<span class="badge">2</span>' in await region.page("/messages")
    await region.send("/logout")
    await region.log_in(units=[UNIT])
    assert '<span class="badge">1</span>' in await region.page("/")
    await region.send("/logout")
    await region.log_in(units=["SE2321000131-OTHER"])
    assert "badge" not in await region.page("/")


async def test_a_unit_sees_and_touches_its_own_inbox_alone(region: Site) -> None:
    mine, theirs = row(region, due_in=HOUR), row(region, due_in=HOUR, unit=OTHER_UNIT)
    read = row(region, unit=OTHER_UNIT)
    _, foreign, unread = await put(region, mine, theirs, read)
    await region.log_in(units=[UNIT])
    assert ids_on(await region.page("/inbox")) == [mine.message_id]
    assert ids_on(await region.page(f"/inbox?unit={OTHER_UNIT}")) == []
    status, page = await region.send("/inbox/acknowledge", acknowledge=f"received:{foreign}")
    assert status == 409
    assert theirs.message_id[:8] not in page
    assert (await region.send("/inbox/read", alone=f"received:{unread}"))[0] == 409
    who = await region.bearer(units=[UNIT])
    _, told = await region.get("/api/v1/inbox", who)
    assert [one["id"] for one in told["messages"]] == [mine.message_id]
    _, told = await region.get("/api/v1/inbox", who, unit=OTHER_UNIT)
    assert told["messages"] == []
    path = f"/api/v1/messages/{theirs.message_id}/acknowledge"
    async with region.client.post(path, json={}, headers=who) as answer:
        assert answer.status == 404
    async with region.store.reading() as tx:
        states = (
            await tx.execute(select(inbound.c.state, inbound.c.read_at).where(inbound.c.unit == OTHER_UNIT))
        ).all()
    assert (InState.REGISTERED, None) in [tuple(one) for one in states]
    assert {one["outcome"] for one in await logged(region, "message.acknowledged")} == {"refused"}


async def test_a_reader_may_look_and_is_refused_to_acknowledge(region: Site) -> None:
    owed = row(region, due_in=HOUR)
    (number,) = await put(region, owed)
    await region.log_in(Role.READER)
    page = await region.page("/inbox")
    assert ids_on(page) == [owed.message_id]
    assert "<button name" not in page.partition("<main")[2]
    assert "/reveal?" not in page
    assert (await region.send("/inbox/acknowledge", acknowledge=f"received:{number}"))[0] == 403
    status, told = await region.get("/api/v1/inbox", await region.bearer(Role.READER), reason="Ringer")
    assert (status, told["errors"][0]["code"]) == (403, "access.refused")
    assert [one["outcome"] for one in await logged(region, "inbox.read")] == ["refused"]


async def test_over_the_api_nobody_is_told_of_without_a_reason_and_each_that_is_told_is_kept(region: Site) -> None:
    plain, (xml, hidden) = row(region, due_in=HOUR), content_of("admissionNotice", protected=True)
    await put(region, plain, arrived(xml, hidden, region.clock.now(), due_in=2 * HOUR))
    who = await region.bearer()
    _, told = await region.get("/api/v1/inbox", who)
    assert [one["person"] for one in told["messages"]] == [None, None]
    _, told = await region.get("/api/v1/inbox", who, reason="Följer upp")
    person = person_in(parse_xml(plain.xml))
    assert [one["person"] for one in told["messages"]] == [
        {"number": person.person_id.display(), "name": person.name},
        None,
    ]
    assert [one["isProtected"] for one in told["messages"]] == [False, True]
    (kept,) = await logged(region, "inbox.read")
    assert (kept["target"], kept["case_number"], kept["reason"]) == (plain.message_id, plain.case_number, "Följer upp")


async def test_over_the_api_the_inbox_is_read_page_by_page_and_each_row_once(region: Site) -> None:
    same = region.clock.now() + HOUR
    rows = [row(region, due_in=HOUR) for _ in range(4)] + [
        row(region, due_in=3 * HOUR),
        *[row(region) for _ in range(3)],
    ]
    await put(region, *rows)
    assert rows[0].due_at == same
    who, found, cursor = await region.bearer(), [], None
    for _ in range(10):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        status, told = await region.get("/api/v1/inbox", who, **query)
        assert status == 200
        found += [one["id"] for one in told["messages"]]
        cursor = told["next"]
        if cursor is None:
            break
    assert found == [one.message_id for one in [*rows[:5], *reversed(rows[5:])]]
    status, told = await region.get("/api/v1/inbox", who, cursor="djE6MQ")
    assert (status, told["errors"][0]["code"]) == (400, "web.cursor")


async def test_over_the_api_a_message_is_acknowledged_once_it_was_told_what_would_happen(region: Site) -> None:
    owed = row(region, due_in=HOUR)
    await put(region, owed)
    who, path = await region.bearer(units=[UNIT]), f"/api/v1/messages/{owed.message_id}/acknowledge"
    told = []
    for body in ({"dryRun": True}, {"name": "Maja Ekström"}, {}):
        async with region.client.post(path, json=body, headers=who) as answer:
            assert answer.status == 200, await answer.text()
            (one,) = (await answer.json())["results"]
            told.append((one["outcome"], [reason["code"] for reason in one["findings"]]))
    assert told == [("would-be-done", []), ("done", []), ("refused", ["acknowledge.already"])]


@pytest.mark.parametrize("language", ["sv", "en"])
async def test_the_inbox_is_written_in_both_languages(region: Site, language: str) -> None:
    await put(region, row(region, due_in=HOUR), row(region, due_in=HOUR, duty=Duty.REPLY), row(region))
    await region.log_in()
    await region.send("/language", language=language, back="/inbox")
    page = await region.page("/inbox")
    said = {"sv": ("Att göra", "Kvittera", "Markera som läst"), "en": ("To do", "Acknowledge", "Mark as read")}
    assert [word in page for word in said[language]] == [True] * 3
    assert not any(word in page for word in said["en" if language == "sv" else "sv"])
