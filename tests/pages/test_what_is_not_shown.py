"""What pages do not show, and do not let be done: who a person is, what a role may not do, what is another unit's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect
from windows.broken import cause, not_taken
from windows.filled import OTHER_UNIT, UNIT, arrived, content_of, person_in, put, words_about
from windows.site import BY, Site, site_of

from gateway.access import Role
from gateway.audit import Action
from gateway.store import audit
from gateway.store.audit import Wanted
from gateway.web.failure_reading import group_id
from pages.visitor import Visitor, enter

REASON = "Ringer enheten"


@pytest_asyncio.fixture(loop_scope="session")
async def region(journey: Path, tmp_path: Path) -> AsyncIterator[Site]:
    """Return the windows of the region, whose units have got everything that the journey's municipality sent."""
    async with site_of(journey, tmp_path, "region") as opened:
        yield opened


async def kept(site: Site, action: Action) -> list[dict[str, str | None]]:
    """Return what the audit log says of an action, the oldest first."""
    async with site.store.reading() as tx:
        return [dict(one.said) for one in await audit.find(tx, Wanted(action=action), limit=50)]


async def test_whom_a_message_is_about_is_shown_for_ten_minutes_to_who_says_why(region: Site, visitor: Visitor) -> None:
    """Somebody in a unit has to know whom a plan is about, says why, and the log has it; then it is hidden again."""
    xml, plan = content_of("plan")
    row = arrived(xml, plan, region.clock.now())
    await put(region, row)
    secrets = [*words_about(person_in(plan)), plan.body.long_term_goal]
    page = await visitor.open(region.url)
    await enter(page, await region.link(units=[UNIT]))
    await page.goto(f"/messages/{row.message_id}")
    await _hold_none(page, secrets)
    why = page.locator("form.reveal").get_by_label("Skäl")
    await page.get_by_role("button", name="Visa", exact=True).click()
    await expect(why).to_be_focused()  # it is not shown to who does not say why
    await _hold_none(page, secrets)
    assert await kept(region, Action.MESSAGE_READ) == []

    await why.fill(REASON)
    await page.get_by_role("button", name="Visa", exact=True).click()
    await expect(page.get_by_role("main")).to_contain_text(person_in(plan).name)
    await expect(page.get_by_role("main")).to_contain_text(plan.body.long_term_goal)
    (said,) = await kept(region, Action.MESSAGE_READ)
    told = {name: said[name] for name in ("by", "unit", "target", "reason", "outcome")}
    assert told == {"by": BY, "unit": UNIT, "target": row.message_id, "reason": REASON, "outcome": "done"}

    auditor = await visitor.open(region.url)
    await enter(auditor, await region.link(Role.AUDITOR))
    await auditor.get_by_role("link", name="Logg", exact=True).click()
    await expect(auditor.get_by_role("row").filter(has_text=REASON)).to_contain_text(BY)

    region.clock.advance(timedelta(minutes=9, seconds=59))
    await page.reload()
    await expect(page.get_by_role("main")).to_contain_text(person_in(plan).name)
    region.clock.advance(timedelta(seconds=1))
    await page.reload()
    await _hold_none(page, secrets)


async def _hold_none(page: Page, secrets: list[str]) -> None:
    """Hold a page, as it was sent, to having nothing of what tells who somebody is."""
    content = await page.content()
    assert "dolt" in content
    assert [one for one in secrets if one in content] == []


async def test_a_reader_sees_what_is_wrong_and_has_no_button_to_do_something_about_it(
    region: Site, visitor: Visitor
) -> None:
    """A reader finds a failure. What an operator has buttons for is refused to the reader, who forges the form."""
    (message_id,) = await not_taken(region, 1)
    group = f"/failures/{group_id(cause())}"
    operator, reader = await visitor.open(region.url), await visitor.open(region.url)
    await enter(operator, await region.link(Role.OPERATOR))
    await enter(reader, await region.link(Role.READER))
    for path, name in ((group, "Försök en"), (group, "Skriv av alla"), (f"/messages/{message_id}", "Visa")):
        for page, count in ((operator, 1), (reader, 0)):
            await page.goto(path)
            await expect(page.get_by_role("button", name=name, exact=True)).to_have_count(count)
    await reader.goto("/failures")
    csrf = await reader.locator("[name=csrf]").first.get_attribute("value")
    assert csrf
    visitor.expect(rf"POST .*{group}/resend was answered 403", "POST .*/inbox/acknowledge was answered 403")
    for path in (f"{group}/resend", "/inbox/acknowledge"):
        await _send_by_hand(reader, path, csrf)
        await expect(reader.get_by_role("heading", level=1)).to_have_text("Det får du inte")
    refused = await kept(region, Action.WINDOW_REFUSED)
    assert [(one["by"], one["outcome"], one["code"]) for one in refused] == [(BY, "refused", "access.refused")] * 2


async def _send_by_hand(page: Page, path: str, csrf: str) -> None:
    """Send a form that is on none of the pages, from a page: with the cookie, and from where forms come."""
    async with page.expect_navigation():
        await page.evaluate(
            """([path, csrf]) => {
                const form = document.body.appendChild(document.createElement("form"));
                Object.assign(form, {method: "post", action: path});
                for (const [name, value] of Object.entries({csrf, reason: "prov", first: "yes"})) {
                    form.appendChild(Object.assign(document.createElement("input"), {name, value}));
                }
                form.submit();
            }""",
            [path, csrf],
        )


async def test_what_is_another_units_is_as_if_it_were_not_there(region: Site, visitor: Visitor) -> None:
    """A message comes to one unit. Who works in the other has its address, and finds nothing anywhere."""
    xml, notice = content_of("admissionNotice")
    now = region.clock.now()
    theirs = arrived(xml, notice, now, unit=OTHER_UNIT, case_number="SIP200099", due_in=timedelta(hours=-1))
    mine = arrived(xml, notice, now, due_in=timedelta(hours=1), case_number="SIP200098")
    await put(region, theirs, mine)
    page = await visitor.open(region.url)
    await enter(page, await region.link(units=[UNIT]))
    for path in ("/", "/inbox", "/inbox?overdue=yes", f"/inbox?unit={OTHER_UNIT}", "/messages?direction=received"):
        await page.goto(path)
        content = await page.content()
        assert (theirs.message_id in content, theirs.case_number in content) == (False, False), path
    await page.goto("/inbox")
    await expect(page.get_by_role("table")).to_contain_text(mine.case_number)
    for path in (f"/messages/{theirs.message_id}", f"/cases/{theirs.case_number}"):
        visitor.expect(f"GET .*{path} was answered 404")
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Finns inte")
    await enter(page, await region.link(units=[OTHER_UNIT]))
    for path in (f"/messages/{theirs.message_id}", f"/cases/{theirs.case_number}"):
        await page.goto(path)
        await expect(page.get_by_role("main")).to_contain_text(theirs.case_number)
