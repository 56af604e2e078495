"""``gateway cases``: where each case stands, and the review of one that is frozen."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from gateway.accountability import Attempt, acting
from gateway.app import context_of, open_store, times_of
from gateway.audit import Action
from gateway.cli.console import ConfigOption, DirectoryOption, Json, StoreOption, local, out, print_json
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.process import SipCase, deadlines
from gateway.review import review
from gateway.store import cases, clocks
from gateway.times import Times

app = typer.Typer(help="The cases that are open, and what they wait for.", no_args_is_help=True)


@app.command("list")
def cases_list(
    frozen: Annotated[bool, typer.Option("--frozen", help="Only those that wait for a review.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """List the cases that are open: where each stands, who leads it, and what is awaited next. No person is shown."""
    settings = existing(store, config, directory=directory)
    times = times_of(settings, Directory.load(settings.directory))
    found = [case for case in asyncio.run(_open(settings)) if case.is_frozen or not frozen]
    if as_json:
        print_json({"cases": [_as_json(case, times) for case in found]})
        return
    table = Table("Ärende / Case", "Läge / State", "Leds av / Led by", "Fryst / Frozen", "Väntar på / Awaited")
    for case in found:
        clock = next(iter(deadlines(case, times)), None)
        awaited = f"{clock.awaited} {local(clock.due_at)}" if clock is not None else "–"
        table.add_row(case.number, case.state, case.leader.unit, "ja / yes" if case.is_frozen else "–", awaited)
    out.print(table)


@app.command("review")
def cases_review(
    number: Annotated[str, typer.Argument(help="The case number.")],
    by: Annotated[str, typer.Option(help="HSA-id of whoever has reviewed the case and may decide that it goes on.")],
    reason: Annotated[str, typer.Option(help="Why it may go on; kept with the case.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Let a case go on that was frozen when the protection of the person changed; who, when and why is kept.

    What was held back leaves then, with the protection as it is now.
    """
    settings = existing(store, config, directory=directory)
    asyncio.run(_review(settings, Directory.load(settings.directory), number, by, reason))
    out.print(f"{number}: granskat, går vidare / reviewed, goes on", highlight=False)


async def _open(settings: Settings) -> list[SipCase]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return [case for case in await clocks.open_cases(tx) if case.concerns(settings.party)]


async def _review(settings: Settings, units: Directory, number: str, by: str, reason: str) -> None:
    clock, attempt = SystemClock(), Attempt(action=Action.CASE_REVIEWED, by=by, reason=reason, named=number)
    async with open_store(settings, migrates=False) as store, acting(store, clock, attempt) as tx:
        await review(context_of(settings, units, store, clock), tx, number, by=by, reason=reason)
        case = (await cases.load(tx, number)).case
        unit = case.leader.unit if case is not None and case.leader.party == settings.party else None
        attempt.about(number, unit=unit, case_number=number)


def _as_json(case: SipCase, times: Times) -> dict[str, object]:
    return {
        "case": case.number,
        "state": case.state.value,
        "leader": {"party": case.leader.party, "unit": case.leader.unit},
        "responsible": case.responsible_unit,
        "frozen": case.is_frozen,
        "bookingVersion": case.booking_version,
        "planVersion": case.plan_version,
        "awaited": [
            {
                "what": clock.awaited.value,
                "unit": clock.unit,
                "dueAt": clock.due_at.astimezone(STOCKHOLM).isoformat(),
                "source": clock.source,
            }
            for clock in deadlines(case, times)
        ],
    }
