"""*Logg*: who has read and done what is found and checked, and an extract tells a person of it, never naming them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from windows.site import BY, Site

from gateway.access import Role
from gateway.audit import Action, AuditOutcome, Entry
from gateway.messages import parse_xml
from gateway.store import audit, audit_page
from gateway.store.audit import Wanted
from gateway.store.audit_page import Sought
from gateway.store.tables import message
from gateway.web.audit_words import ACTION_WORDS

PATH = "/api/v1/audit"


def entry(site: Site) -> Entry:
    """Return what a row may say."""
    done = AuditOutcome.DONE
    return Entry(at=site.clock.now(), by="portal", action=Action.MESSAGE_READ, outcome=done)


async def keep(site: Site, *entries: Entry) -> list[int]:
    """Put rows in the log, and return their numbers."""
    async with site.store.writing() as tx:
        return [(await audit.append(tx, one)).number for one in entries]


def shown(page: str) -> list[int]:
    """Return the numbers of the rows that a page shows."""
    return [int(one) for one in re.findall(r'<tr>\s*<td class="number">([0-9]+)</td>', page)]


async def person_in_a_case(site: Site) -> tuple[str, str]:
    """Return the number of a person that something was sent about, and their case."""
    async with site.store.reading() as tx:
        for xml, case_number in (await tx.execute(select(message.c.xml, message.c.case_number))).all():
            person = parse_xml(xml).header.person
            if person is not None:
                return person.person_id.value, case_number
    raise AssertionError("nothing that was sent names a person")


def test_every_action_has_words() -> None:
    assert set(ACTION_WORDS) == set(Action)


async def test_the_pages_have_each_row_once_the_newest_first_and_the_api_has_the_same(site: Site) -> None:
    await keep(site, *[entry(site)] * 7)
    await site.log_in(Role.AUDITOR)
    path, found = "/audit?limit=3", []
    while True:
        page = await site.page(path)
        found += shown(page)
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        if onward is None:
            break
        path = onward[1].replace("&amp;", "&")
    _, told = await site.get(PATH, limit="200")
    numbers = [row["number"] for row in told["audit"]]
    assert found == numbers == sorted(numbers, reverse=True)
    assert len(numbers) > 7


async def test_rows_are_found_by_everything_that_they_say(site: Site) -> None:
    who, day = await site.bearer(Role.AUDITOR), timedelta(days=1)
    sought = replace(
        entry(site),
        at=site.clock.now() + 2 * day,
        by=BY,
        action=Action.CASE_READ,
        target="SIP100777",
        case_number="SIP100777",
        outcome=AuditOutcome.REFUSED,
    )
    later = replace(entry(site), at=site.clock.now() + 4 * day)
    number, *_ = await keep(site, sought, later, later)
    since, until = ((site.clock.now() + days * day).isoformat() for days in (1, 3))
    for question in (
        {"by": BY, "outcome": "refused"},
        {"action": "case.read"},
        {"target": "SIP100777"},
        {"case": "sip100777"},
        {"outcome": "refused"},
        {"from": since, "to": until},
    ):
        _, told = await site.get(PATH, who, **question)
        assert [row["number"] for row in told["audit"]] == [number], question
    assert (await site.get(PATH, who, case="inget"))[0] == 400
    assert (await site.get(PATH, who, action="sleep"))[0] == 400


async def test_a_search_for_something_rare_looks_so_far_and_tells_where_to_go_on(site: Site) -> None:
    rare, *_ = await keep(site, replace(entry(site), by="rare"), *[entry(site)] * 12)
    pages, before = [], None
    async with site.store.reading() as tx:
        while True:
            found = await audit_page.page(tx, Sought(by="rare", before=before), 50, farthest=5)
            pages.append([row.number for row in found.rows])
            before = found.next
            if before is None:
                break
    assert pages[:3] == [[], [], [rare]]


async def test_the_newest_rows_are_checked_on_the_page_and_all_of_them_part_by_part(site: Site) -> None:
    await keep(site, *[entry(site)] * 7)
    await site.log_in(Role.AUDITOR)
    assert "som de skrevs" in await site.page("/audit")
    parts: list[str] = []
    while True:
        status, told = await site.get(f"{PATH}/verify", limit="4", **({"after": parts[-1]} if parts else {}))
        assert (status, told["finding"]) == (200, None)
        parts.append(told["anchor"])
        if told["isWhole"]:
            break
    async with site.store.reading() as tx:
        end = await audit.end(tx)
    assert parts[-1] == str(end)
    assert [int(one.split(":")[0]) for one in parts] == [*range(4, end.number, 4), end.number]
    assert "after=4%3A" in await site.page("/audit/verify?limit=4")
    assert str(end) in await site.page("/audit/verify")
    assert (await site.get(f"{PATH}/verify", after="4"))[0] == 400


async def test_a_row_that_was_changed_shows(site: Site) -> None:
    before, changed, last = await keep(site, *[entry(site)] * 3)
    await site.log_in(Role.AUDITOR)
    async with site.store.writing() as tx:
        await tx.execute(text("DROP TRIGGER audit_unchanged"))
        await tx.execute(text("UPDATE audit SET at = 'igår', action = 'x' WHERE number = :one"), {"one": changed})
    page = await site.page("/audit")
    assert "audit.altered" in page
    assert "igår" in page
    _, told = await site.get(f"{PATH}/verify")
    assert (told["finding"]["code"], told["isWhole"]) == ("audit.altered", True)
    assert told["anchor"].startswith(f"{before}:")
    assert "audit.altered" in await site.page("/audit/verify")
    # A row that never was is none to go on after.
    _, told = await site.get(f"{PATH}/verify", after=f"{last}:{'0' * 64}")
    assert told["finding"]["code"] == "audit.not-linked"


@pytest.mark.parametrize("form", ["page", "csv"])
async def test_an_extract_is_about_a_person_whose_number_is_nowhere(site: Site, form: str) -> None:
    number, case_number = await person_in_a_case(site)
    about = replace(entry(site), case_number=case_number, target=case_number, reason="Ringde")
    await keep(site, about, replace(about, case_number="SIP100777", target="SIP100777", by="somebody-else"))
    await site.log_in(Role.AUDITOR)
    written = f"{number[:8]}-{number[8:]}"
    sent = {"numbers": f"{written}\n", "reason": "Dnr 2026-17", "as": form}
    status, answer = await site.send("/audit/extract", **sent)
    assert status == 200
    assert "portal" in answer
    for hidden in (number, written, number[2:], "Ringde", "somebody-else"):
        assert hidden not in answer
    if form == "csv":
        assert answer.lstrip("\ufeff").startswith("number;at;by;unit;action;target;case;outcome;code")
    async with site.store.reading() as tx:
        taken = await audit.find(tx, Wanted(action=Action.AUDIT_EXTRACTED), limit=9)
        everything = str((await tx.execute(text("SELECT * FROM audit"))).all())
    (row,) = [one.said for one in taken if one.said["case_number"] == case_number]
    assert (row["by"], row["reason"], row["outcome"]) == (BY, "Dnr 2026-17", "done")
    assert number not in everything


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"numbers": "191212121213"}, "person-id.check-digit"),
        ({}, "audit.extract-of"),
        ({"numbers": "191212121212", "case": "SIP100001"}, "audit.extract-of"),
        ({"case": "SIP199999"}, "audit.case-unknown"),
        ({"numbers": "191212121212", "reason": "gäller 191212121212"}, "by-hand.person-number"),
    ],
)
async def test_what_cannot_be_extracted_is_told_and_not_repeated(site: Site, fields: dict[str, str], code: str) -> None:
    await site.log_in(Role.AUDITOR)
    status, page = await site.send("/audit/extract", **({"reason": "prov", "as": "page"} | fields))
    assert status == 422
    assert code in page
    assert "19121212" not in page


async def test_programs_take_extracts_and_none_is_kept_for_a_key(site: Site) -> None:
    number, case_number = await person_in_a_case(site)
    headers = await site.bearer(Role.AUDITOR) | {"Idempotency-Key": "one"}
    body = {"personNumbers": [number], "reason": "Dnr 2026-17"}
    for _ in range(2):
        async with site.client.post(f"{PATH}/extract", json=body, headers=headers) as answer:
            told = await answer.json()
            assert (answer.status, "Idempotent-Replayed" in answer.headers) == (200, False)
    assert case_number in told["cases"]
    assert {row["action"] for row in told["audit"]} == {"audit.extracted"}
    assert "reason" not in told["audit"][0]


async def test_a_full_page_is_small(site: Site) -> None:
    full = replace(entry(site), target="e93798a7-42a7-529b-9152-ad952d9d4fd5", case_number="SIP100002", reason="x" * 60)
    await keep(site, *[full] * 60)
    await site.log_in(Role.AUDITOR)
    page = await site.page("/audit")
    assert len(shown(page)) == 50
    assert len(page.encode()) < 60_000
