"""``gateway report``: the indicators of a period, computed from the store."""

from __future__ import annotations

import asyncio
import csv
import sys
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from gateway.app import grace_of, open_store
from gateway.case_log import Period
from gateway.cli.console import PLAIN, ConfigOption, DirectoryOption, StoreOption, out, print_json, talk
from gateway.cli.ledger import existing
from gateway.clock import SystemClock, local_date
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import Fault, UsageError
from gateway.figures import Disclosure, Figure
from gateway.report import lines_of, period_of, units_in

BAD_DATE = Fault(
    "report.date",
    "{option} ska vara en dag som 2026-11-30, mellan år 1900 och 2999.",
    "{option} should be a day like 2026-11-30, between the years 1900 and 2999.",
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
    period = period_of(day("--from", first), day("--to", last))
    settings = existing(store, config, directory=directory)
    known = Directory.load(settings.directory)
    disclosure = Disclosure(settings.smallest_count_shown)
    lines = asyncio.run(_computed(settings, known, period, area))
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


async def _computed(settings: Settings, known: Directory, period: Period, area: str | None) -> list[Figure]:
    today, grace = local_date(SystemClock().now()), grace_of(settings)
    if area is not None:
        units_in(known, area)  # before the database is opened
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await lines_of(tx, period, settings=settings, directory=known, grace=grace, today=today, area=area)


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
