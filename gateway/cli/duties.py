"""``gateway acknowledgements`` and ``gateway deadlines``: what is awaited and overdue, and what a silence breaks."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.app import open_store, times_of
from gateway.awaited import MOST, Everything, everything
from gateway.cli.console import ConfigOption, Json, StoreOption, local, out, print_json, talk
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.duties import Duty, Urgency
from gateway.errors import Fault, UsageError

app = typer.Typer(help="What is awaited: answers, duties and the clocks of cases.", no_args_is_help=True)

OVERDUE_EXIT = 7
"""Exit code when something is overdue that was asked for."""

SILENCE_FORM = Fault(
    "deadlines.silence",
    "Ange hur länge partnern är tyst som 8h, 30m eller 2d.",
    "State how long the partner is silent as 8h, 30m or 2d.",
)
UNKNOWN_PARTNER = Fault(
    "deadlines.unknown-party", "Parten {name} finns inte i katalogen.", "There is no party {name} in the directory."
)

_SILENCE = re.compile(r"(?P<count>[1-9][0-9]{0,3})(?P<unit>[mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_WORDS = {
    Urgency.WAITING: "Väntar / Waiting",
    Urgency.REMINDED: "Påminnelse / Reminder",
    Urgency.OVERDUE: "Försenad / Overdue",
}

DirectoryOption = Annotated[Path | None, typer.Option("--directory", help="The directory of units, else the setting.")]


@app.command("list")
def acknowledgements_list(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what should have come already.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """List every answer and duty that is awaited, who owes it, by when, and who is told; what is overdue comes first.

    Ends with exit code 7 when something overdue was asked for and found.
    """
    settings = existing(store, config, directory=directory)
    units = Directory.load(settings.directory)
    now = SystemClock().now()
    found = _duties(settings, units)
    if overdue:
        found = [duty for duty in found if duty.urgency(now) is Urgency.OVERDUE]
    _show(found, units, now, as_json=as_json)
    if overdue and found:
        raise typer.Exit(OVERDUE_EXIT)


def list_deadlines(
    if_partner_down: Annotated[
        str, typer.Option("--if-partner-down", metavar="TIME", help="How long it stays silent: 30m, 8h, 2d.")
    ],
    party: Annotated[str | None, typer.Option(help="Which partner; any, when none is named.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """List what breaks if a partner stays silent for so long: what it owes, and what waits for its reply."""
    length = _SILENCE.fullmatch(if_partner_down)
    if length is None:
        raise UsageError(SILENCE_FORM.at())
    settings = existing(store, config, directory=directory)
    units = Directory.load(settings.directory)
    if party is not None and party not in units.parties:
        raise UsageError(UNKNOWN_PARTNER.at(name=party))
    now = SystemClock().now()
    until = now + int(length["count"]) * _UNITS[length["unit"]]
    found = [
        duty for duty in _duties(settings, units) if duty.due_at <= until and duty.breaks_without(party, settings.party)
    ]
    _show(found, units, until, as_json=as_json)


def _duties(settings: Settings, units: Directory) -> list[Duty]:
    """Return what is awaited; whoever asks is told when that is not all."""
    found = asyncio.run(_everything(settings, units))
    if not found.is_whole:
        talk.print(f"De första {MOST} av varje slag / The first {MOST} of each kind", highlight=False)
    return list(found.duties)


async def _everything(settings: Settings, units: Directory) -> Everything:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await everything(tx, settings.party, units, times_of(settings, units))


def _show(duties: list[Duty], units: Directory, now: datetime, *, as_json: bool) -> None:
    if as_json:
        print_json({"duties": [_as_json(duty, units, now) for duty in duties]})
        return
    table = Table(
        "Läge / Status",
        "Väntar på / Awaited",
        "Ärende / Case",
        "Typ / Type",
        "Hos / From",
        "Senast / Due",
        "Säger till / Told",
    )
    for duty in duties:
        due = local(duty.due_at)
        table.add_row(
            _WORDS[duty.urgency(now)],
            duty.awaited,
            duty.case_number,
            duty.type or "–",
            duty.unit,
            due,
            duty.told(units, now),
        )
    out.print(table)


def _as_json(duty: Duty, units: Directory, now: datetime) -> dict[str, Any]:
    return {
        "status": duty.urgency(now).value,
        "awaited": duty.awaited,
        "case": duty.case_number,
        "messageId": duty.message_id,
        "type": duty.type,
        "party": duty.party,
        "unit": duty.unit,
        "owner": duty.owner,
        "dueAt": duty.due_at.astimezone(STOCKHOLM).isoformat(),
        "remindAt": duty.remind_at.astimezone(STOCKHOLM).isoformat() if duty.remind_at is not None else None,
        "told": duty.told(units, now),
        "source": duty.source,
    }
