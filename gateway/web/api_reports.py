"""The report of a period over the API. Numbers only; small ones are hidden."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.figures import Unit
from gateway.web.forms import Told
from gateway.web.report_reading import ReportAsked, counted, disclosure_of, today_of
from gateway.web.route import Route, Scope
from gateway.web.visit import Visit


class FigureTold(Told):
    """One line of a report: which indicator, about what, in which month, and its number."""

    indicator: str
    detail: Annotated[str | None, Field(description="An area of life, a reason, or the party that pays.")]
    month: Annotated[str | None, Field(description="`YYYY-MM`, for payment responsibility.")]
    unit: Unit
    value: float | None
    suppressed: Annotated[bool, Field(description="Whether there is a number that is too small to be shown.")]
    sv: str
    en: str


class NoteTold(Told):
    """What a reader must know, in both languages."""

    sv: str
    en: str


class ReportTold(Told):
    """The report of a period, in Swedish calendar days that are both included."""

    first: Annotated[str, Field(alias="from", json_schema_extra={"format": "date"})]
    last: Annotated[str, Field(alias="to", json_schema_extra={"format": "date"})]
    area: str | None
    note: NoteTold
    figures: list[FigureTold]


async def report(visit: Visit) -> ReportTold:
    """Answer with the report of a period."""
    asked: ReportAsked = visit.query
    period = asked.period(today_of(visit))
    lines = await counted(visit, asked)
    return ReportTold(
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        area=asked.area,
        note=NoteTold(**disclosure_of(visit).note()),
        figures=[
            FigureTold(
                indicator=line.name,
                detail=line.detail or None,
                month=line.month or None,
                unit=line.unit,
                value=line.shown.value,
                suppressed=line.shown.suppressed,
                sv=line.sv,
                en=line.en,
            )
            for line in lines
        ],
    )


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/reports",
        report,
        "Indikatorer och betalningsansvar för en period; små tal är dolda.",
        "The indicators and the payment responsibility of a period; small numbers are hidden.",
        scope=Scope.PARTY,
        query=ReportAsked,
        returns=ReportTold,
    ),
)
