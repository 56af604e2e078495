"""``gateway report``: the indicators of a period, computed from the store."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from gateway import indicators, payment
from gateway.app import grace_of, open_store
from gateway.case_log import Period
from gateway.cli.console import PLAIN, ConfigOption, DirectoryOption, StoreOption, out, print_json, talk
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock, local_date
from gateway.config import Settings
from gateway.directory import Directory, Principal
from gateway.errors import Fault, UsageError
from gateway.figures import Disclosure, Figure, figures, payment_figures
from gateway.store import case_logs

BAD_DATE = Fault(
    "report.date",
    "{option} ska vara en dag som 2026-11-30, mellan år 1900 och 2999.",
    "{option} should be a day like 2026-11-30, between the years 1900 and 2999.",
)
BAD_ORDER = Fault("report.order", "Perioden slutar innan den börjar.", "The period ends before it begins.")
UNKNOWN_AREA = Fault(
    "report.unknown-area",
    "Ingen enhet i enhetskatalogen har det området. Kända områden: {known}.",
    "No unit in the directory has that area. Known areas: {known}.",
)

FIRST_YEAR, LAST_YEAR = 1900, 2999


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def report(
    first: Annotated[str, typer.Option("--from", help="The first day, as 2026-11-01.")],
    last: Annotated[str, typer.Option("--to", help="The last day, as 2026-11-30; it is included.")],
    area: Annotated[str | None, typer.Option("--area", help="Only cases that a unit in this area convened.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How the report is written.")] = Format.TABLE,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Compute the indicators of a period, in Swedish calendar days, from what this gateway has sent and received.

    Small numbers are never shown, and persons with a protected identity are left out of everything.
    """
    period = Period(day("--from", first), day("--to", last))
    if period.last < period.first:
        raise UsageError(BAD_ORDER.at())
    settings = existing(store, config, directory=directory)
    known = Directory.load(settings.directory)
    conveners = None if area is None else _units_in(known, area)
    disclosure = Disclosure(settings.smallest_count_shown)
    lines = asyncio.run(_computed(settings, known, period, conveners, disclosure))
    note = disclosure.note()
    if form is Format.JSON:
        days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
        print_json({**days, "area": area, "note": note, "figures": [_json(line) for line in lines]})
    elif form is Format.CSV:
        _print_csv(lines, disclosure)
        talk.print(f"{note['sv']}\n{note['en']}", **PLAIN)
    else:
        _print_table(lines, disclosure)
        out.print(f"{note['sv']}\n{note['en']}", **PLAIN)


def day(option: str, text: str) -> date:
    """Return the day that an option names, as 2026-11-30. Raises :class:`UsageError`."""
    try:
        read = date.fromisoformat(text)
    except ValueError:
        raise UsageError(BAD_DATE.at(option=option)) from None
    if read.isoformat() != text or not FIRST_YEAR <= read.year <= LAST_YEAR:  # weeks and days without hyphens read too
        raise UsageError(BAD_DATE.at(option=option))
    return read


def _units_in(known: Directory, area: str) -> frozenset[str]:
    units = frozenset(
        hsa_id
        for hsa_id, unit in known.units.items()
        if unit.area is not None and unit.area.casefold() == area.casefold()
    )
    if not units:
        areas = sorted({unit.area for unit in known.units.values() if unit.area is not None})
        raise UsageError(UNKNOWN_AREA.at(known=", ".join(areas) or "–"))
    return units


async def _computed(
    settings: Settings, known: Directory, period: Period, conveners: frozenset[str] | None, disclosure: Disclosure
) -> list[Figure]:
    """Read the store once, person by person, and return the lines of the report."""
    work = indicators.Indicators()
    months: payment.Payment = {}
    terms = _terms(settings)
    parties = payment.Parties(_named(known, Principal.MUNICIPALITY), _named(known, Principal.REGION))
    today = local_date(SystemClock().now())
    since, until = (datetime.combine(day, time(), STOCKHOLM) for day in (period.first, _after(period.last)))
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        async for log in case_logs.logs(tx, since=since, until=until):
            indicators.count(log, period, work, conveners=conveners)
            payment.count(log, period, months, parties=parties, terms=terms, today=today, conveners=conveners)
    target = settings.lead_time_target_days
    return [
        *figures(work, target_days=target, disclosure=disclosure),
        *payment_figures(months, terms=terms, disclosure=disclosure),
    ]


def _after(day: date) -> date:
    return day + timedelta(days=1)


def _named(known: Directory, principal: Principal) -> frozenset[str]:
    return frozenset(name for name, party in known.parties.items() if party.principal is principal)


def _terms(settings: Settings) -> payment.Terms:
    return payment.Terms(
        grace=grace_of(settings),
        mean_days=settings.payment_mean_days,
        mean_from=payment.MeanFrom(settings.payment_mean_from),
        individually_after=settings.payment_individually_after_days,
        day_amount=settings.payment_day_amount,
    )


# --- the three forms ------------------------------------------------------------------------------------------------


def _print_table(lines: Sequence[Figure], disclosure: Disclosure) -> None:
    table = Table("Mått / Measure", "Avser / Concerns", "Månad / Month", "Enhet / Unit")
    table.add_column("Värde / Value", justify="right")
    for line in lines:
        value = disclosure.text(line) or "–"
        table.add_row(f"{line.sv} / {line.en}", line.detail or "–", line.month or "–", line.unit, value)
    out.print(table, markup=False, highlight=False)


def _print_csv(lines: Sequence[Figure], disclosure: Disclosure) -> None:
    writer = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    writer.writerow(["indicator", "detail", "month", "unit", "value"])
    for line in lines:
        writer.writerow([line.name, line.detail, line.month, line.unit, disclosure.text(line)])


def _json(line: Figure) -> dict[str, object]:
    members = {"indicator": line.name, "detail": line.detail or None, "month": line.month or None, "unit": line.unit}
    return {**members, "value": line.shown.value, "suppressed": line.shown.suppressed}
