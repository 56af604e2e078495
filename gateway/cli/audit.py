"""``gateway audit``: who has read and done what, whether the log is intact, and what a person may have of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.app import open_store
from gateway.audit import Action, Anchor, Link
from gateway.cli.console import (
    CHECK_BROKEN,
    PLAIN,
    ConfigOption,
    Json,
    StoreOption,
    local,
    out,
    print_json,
    talk,
    tell,
)
from gateway.cli.ledger import existing
from gateway.cli.report import day
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.errors import Fault, InvalidDocumentError, UsageError
from gateway.identifiers import PersonId
from gateway.log_extract import TOLD, Extract, take
from gateway.store import audit
from gateway.store.audit import Walked, Wanted

app = typer.Typer(help="The audit log: who has read and done what.", no_args_is_help=True)

ONE_OF_BOTH = Fault(
    "audit.case-or-person", "Ange antingen --case eller --person-file.", "Give either --case or --person-file."
)
NO_NUMBER = Fault(
    "audit.person-file",
    "Filen med personnummer kan inte läsas, eller är tom; ett nummer på varje rad.",
    "The file of person numbers cannot be read, or is empty; one number on each line.",
)

SHOWN = 1000
"""How many rows are listed at most."""


@app.command("list")
def audit_list(
    first: Annotated[str | None, typer.Option("--from", help="The first day, as 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day, as 2026-11-30; it is included.")] = None,
    action: Annotated[Action | None, typer.Option("--action", help="One kind of action.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="HSA-id, or the name of a token.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """List the newest 1000 rows of the audit log that are asked for, the oldest first. No person is named in it."""
    wanted = Wanted(
        since=_midnight("--from", first) if first is not None else None,
        until=_midnight("--to", last, after=1) if last is not None else None,
        action=action,
        by=by,
    )
    found = asyncio.run(_find(existing(store, config), wanted))
    if len(found) == SHOWN:
        talk.print(f"Äldre än de {SHOWN} senaste visas inte / Older than the newest {SHOWN} are not shown", **PLAIN)
    if as_json:
        print_json({"audit": [_as_json(row) for row in found]})
        return
    table = Table("Nr", "Tid / Time", "Vem / By", "Roll / Role", "Enhet / Unit", "Vad / Action", "Om / Target", "Skäl / Reason", "Utfall / Outcome")  # fmt: skip # noqa: E501
    for row in found:
        said = row.said
        cells = [said[name] or "–" for name in ("by", "role", "unit", "action", "target", "reason")]
        table.add_row(str(row.number), _time(said["at"]), *cells, _outcome(row))
    out.print(table, markup=False, highlight=False)


@app.command("verify")
def audit_verify(
    anchors: Annotated[
        list[str] | None,
        typer.Option("--anchor", help="A row as it was printed here before, NUMBER:HASH; may be repeated."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """Walk the whole log and print where it ends; end with 7 at the first row that does not fit.

    Keep what is printed somewhere else, out of reach of whoever runs the database: given back as --anchor, it shows
    that nothing up to there has been changed since.
    """
    noted = [Anchor.parse(text) for text in anchors or ()]
    walked = asyncio.run(_walk(existing(store, config), noted))
    if as_json:
        finding = walked.finding.as_json() if walked.finding is not None else None
        print_json({"rows": walked.end.number, "anchor": str(walked.end), "finding": finding})
    else:
        out.print(str(walked.end), **PLAIN)
    if walked.finding is not None:
        tell([walked.finding])
        raise typer.Exit(CHECK_BROKEN)


@app.command("extract")
def audit_extract(
    by: Annotated[str, typer.Option("--by", help="HSA-id of whoever takes the extract.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the log itself.")],
    case: Annotated[str | None, typer.Option("--case", help="What was read and done in one case.")] = None,
    person_file: Annotated[
        Path | None,
        typer.Option("--person-file", help="About one person: a file with their numbers, a line each; - reads input."),
    ] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """Extract what a person may know (patientdatalagen 8 kap. 5 §): who has read about them or acted, when, what.

    A person number is never given on the command line, where others could see it.
    """
    if (case is None) == (person_file is None):
        raise UsageError(ONE_OF_BOTH.at())
    numbers = _numbers(person_file) if person_file is not None else []
    found = asyncio.run(_extract(existing(store, config), case, numbers, by, reason))
    if as_json:
        rows = [{name: value for name, value in _as_json(row).items() if name in TOLD} for row in found.rows]
        print_json({"cases": list(found.cases), "audit": rows})
        return
    table = Table("Tid / Time", "Vem / By", "Enhet / Unit", "Vad / Action", "Ärende / Case", "Utfall / Outcome")
    for row in found.rows:
        said = row.said
        cells = [said[name] or "–" for name in ("by", "unit", "action", "case_number")]
        table.add_row(_time(said["at"]), *cells, _outcome(row))
    out.print(table, markup=False, highlight=False)


def _midnight(option: str, text: str, *, after: int = 0) -> datetime:
    """Return when a day begins in Sweden, or a day some days after it."""
    return datetime.combine(day(option, text) + timedelta(days=after), time(), STOCKHOLM)


def _numbers(file: Path) -> list[PersonId]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidDocumentError(NO_NUMBER.at())
    return [PersonId.parse(line) for line in lines]


async def _find(settings: Settings, wanted: Wanted) -> list[Link]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await audit.find(tx, wanted, limit=SHOWN)


async def _walk(settings: Settings, noted: Sequence[Anchor]) -> Walked:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await audit.walk(tx, noted)


async def _extract(settings: Settings, case: str | None, numbers: Sequence[PersonId], by: str, reason: str) -> Extract:
    async with open_store(settings, migrates=False) as store:
        return await take(store, SystemClock(), case=case, numbers=numbers, by=by, reason=reason)


def _time(text: str | None) -> str:
    try:
        return local(datetime.fromisoformat(text or ""))
    except ValueError:
        return text or "–"


def _outcome(row: Link) -> str:
    return " ".join(part for part in (row.said["outcome"], row.said["code"]) if part)


def _as_json(row: Link) -> dict[str, Any]:
    named = {"case" if name == "case_number" else name: value for name, value in row.said.items()}
    return {"number": row.number, **named, "previous": row.previous, "hash": row.hash}
