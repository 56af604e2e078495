"""*Rapporter*: the figures of a period are those of ``gateway report``, small ones are hidden, and nobody is named."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, datetime
from io import StringIO

import pytest
from sqlalchemy import select
from windows.opened import opened
from windows.site import Site

from gateway.access import Role
from gateway.clock import STOCKHOLM
from gateway.directory import Directory
from gateway.errors import UsageError
from gateway.messages import parse_xml
from gateway.report import lines_of, period_of
from gateway.store import case_logs, tables

PATH = "/api/v1/reports"
DAYS = {"from": "2026-10-01", "to": "2026-12-31"}
QUERY = "from=2026-10-01&to=2026-12-31"


async def people(site: Site) -> list[str]:
    """Return the names and numbers of everybody whom something was sent about."""
    async with site.store.reading() as tx:
        found = [parse_xml(xml).header.person for xml in (await tx.execute(select(tables.message.c.xml))).scalars()]
    return [told for one in found if one is not None for told in (one.name, one.person_id.value)]


async def test_a_report_is_counted_when_it_is_asked_for_and_small_numbers_are_hidden(site: Site) -> None:
    await site.log_in(Role.READER)
    assert "Hållna SIP-möten" not in await site.page("/reports")
    page = await site.page(f"/reports?show=yes&{QUERY}")
    assert "Hållna SIP-möten" in page
    assert "&lt;5" in page
    assert "Boende" in page
    names = await people(site)
    assert names
    for path in (f"/reports?show=yes&{QUERY}", f"/reports.csv?{QUERY}"):
        async with site.client.get(path) as answer:
            text = await answer.text()
        assert not [name for name in names if name in text]


async def test_the_api_the_page_and_the_file_have_the_same_figures(site: Site) -> None:
    # As small as they are, so that there is something to compare.
    settings = site.window.settings.model_copy(update={"smallest_count_shown": 1})
    shown = replace(site, window=replace(site.window, settings=settings))
    async with opened(shown) as client:
        async with client.get(PATH, params=DAYS, headers=await site.bearer()) as answer:
            told = await answer.json()
        async with client.get(f"/reports.csv?{QUERY}", headers=await site.bearer()) as answer:
            assert (answer.status, answer.content_type) == (200, "text/csv")
            content = await answer.read()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["indicator", "detail", "month", "unit", "value"]
    assert [row[:2] for row in rows[1:]] == [[one["indicator"], one["detail"] or ""] for one in told["figures"]]
    assert (told["from"], told["to"]) == (DAYS["from"], DAYS["to"])
    values = {one["indicator"]: one["value"] for one in told["figures"] if one["detail"] is None}
    assert values["sip.offered"] > 0
    assert not any(one["suppressed"] for one in told["figures"])


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2026-12-01&to=2026-11-30", "report.order"),
        ("from=2025-01-01&to=2026-11-30", "report.too-long"),
        (f"{QUERY}&area=Nowhere", "report.unknown-area"),
    ],
)
async def test_a_period_that_cannot_be_counted_is_told_on_the_page_and_over_the_api(
    site: Site, query: str, code: str
) -> None:
    await site.log_in(Role.READER)
    async with site.client.get(f"/reports?show=yes&{query}") as answer:
        assert answer.status == 400
        assert code in await answer.text()
    async with site.client.get(f"{PATH}?{query}") as answer:
        assert (answer.status, code in await answer.text()) == (400, True)


async def test_so_many_persons_are_counted_by_the_command_alone(site: Site) -> None:
    settings, context = site.window.settings, site.context
    period = period_of(date(2026, 10, 1), date(2026, 12, 31))
    since, until = (datetime.combine(day, datetime.min.time(), STOCKHOLM) for day in (period.first, period.last))
    surroundings = {"settings": settings, "directory": Directory.load(settings.directory), "grace": context.times.grace}
    async with site.store.reading() as tx:
        number = await case_logs.count(tx, since=since, until=until, most=100)
        assert 0 < number < 100
        assert await lines_of(tx, period, **surroundings, today=period.last, most=number)
        with pytest.raises(UsageError) as refused:
            await lines_of(tx, period, **surroundings, today=period.last, most=number - 1)
    assert refused.value.codes == ("report.too-many",)


async def test_without_days_a_report_is_of_the_month_that_has_passed(site: Site) -> None:
    _, told = await site.get(PATH, await site.bearer())
    assert (told["from"], told["to"]) == ("2027-04-01", "2027-04-30")
