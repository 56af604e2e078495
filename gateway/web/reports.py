"""*Rapporter*: the indicators and the payment responsibility of a period, as tables and as a file. Numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway.errors import Finding, UsageError
from gateway.figures import Figure, Unit
from gateway.letter_words import CODES
from gateway.report import areas_of
from gateway.web.page import page
from gateway.web.report_reading import ReportAsked, counted, disclosure_of, today_of
from gateway.web.route import Route, Scope
from gateway.web.spreadsheet import spreadsheet
from gateway.web.visit import Visit

UNITS = {
    Unit.COUNT: ("antal", "count"),
    Unit.DAYS: ("dagar", "days"),
    Unit.PERCENT: ("procent", "per cent"),
    Unit.KRONOR: ("kronor", "SEK"),
}
"""What a figure is counted in."""
COLUMNS = ("indicator", "detail", "month", "unit", "value")
"""The columns of the file: those that ``gateway report`` writes."""


class ReportsAsked(ReportAsked):
    """Which period a report is of; nothing is counted until somebody asks for it."""

    show: Annotated[Literal["yes"] | None, Field(description="Whether it is to be counted.")] = None


async def reports(visit: Visit) -> web.Response:
    """Answer with the form that asks for a period, and with its report once it is asked for."""
    asked: ReportsAsked = visit.query
    lines: Sequence[Figure] | None = None
    findings: Sequence[Finding] = ()
    try:
        period = asked.period(today_of(visit))
        lines = await counted(visit, asked) if asked.show == "yes" else None
    except UsageError as error:
        period, findings = None, error.findings
    days = {"from": period.first, "to": period.last} if period is not None else {}
    disclosure = disclosure_of(visit)
    work = [line for line in lines or () if not line.month]
    months = [line for line in lines or () if line.month]
    return page(
        visit,
        "reports.html",
        HTTPStatus.BAD_REQUEST if findings else HTTPStatus.OK,
        asked=asked,
        period=period,
        lines=lines,
        work=work,
        months=[(key, list(group)) for key, group in groupby(months, lambda line: (line.detail, line.month))],
        findings=findings,
        areas=areas_of(visit.window.context.directory),
        note=disclosure.note(),
        value=disclosure.text,
        unit_word=UNITS.__getitem__,
        detail_word=detail_word,
        party_title=lambda name: _title(visit, name),
        file="/reports.csv?" + urlencode({**days, **({"area": asked.area} if asked.area else {})}),
    )


def detail_word(line: Figure) -> tuple[str, str]:
    """Return what the code that a line is about is called."""
    if not line.detail:
        return "–", "–"
    words = CODES["LifeArea" if line.name == "plans.life-area" else "ClosureReason"]
    return words.get(line.detail, line.detail), line.detail.replace("-", " ").capitalize()


def _title(visit: Visit, party: str) -> str:
    known = visit.window.context.directory.parties.get(party)
    return known.title if known is not None else party


async def file(visit: Visit) -> web.Response:
    """Answer with a report as a file for spreadsheets."""
    asked: ReportAsked = visit.query
    lines, disclosure = await counted(visit, asked), disclosure_of(visit)
    period = asked.period(today_of(visit))
    rows = [(line.name, line.detail, line.month, line.unit.value, disclosure.text(line)) for line in lines]
    return spreadsheet(f"report-{period.first}-{period.last}.csv", COLUMNS, rows)


ROUTES = (
    Route.page(
        "GET",
        "/reports",
        reports,
        "Rapporter: indikatorer och betalningsansvar för en period.",
        "Reports: the indicators and the payment responsibility of a period.",
        scope=Scope.PARTY,
        query=ReportsAsked,
    ),
    Route.page(
        "GET",
        "/reports.csv",
        file,
        "En rapport som fil för kalkylblad.",
        "A report as a file for spreadsheets.",
        scope=Scope.PARTY,
        query=ReportAsked,
    ),
)
