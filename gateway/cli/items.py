"""What commands that act on items share: what they are called by, what they print, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import structlog
import typer

from gateway.actions import Result, Verb, meant
from gateway.app import context_of, open_store
from gateway.cli.console import PLAIN, out, print_json, tell
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.context import Context
from gateway.directory import Directory
from gateway.logs import logging_to
from gateway.service import run_loop

log = structlog.get_logger(__name__)

ALL_REFUSED = 5
"""The exit code when nothing was, or would be, done."""
PARTLY_DONE = 8
"""The exit code when some of it was, or would be."""

ItemsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ID…", help="Message ids, or as much of their beginnings as is theirs alone, or items such as sent:17."
    ),
]
UnitOption = Annotated[
    str | None, typer.Option("--unit", help="HSA-id: of a message only what it is to, or for, that unit.")
]
ByOption = Annotated[str, typer.Option("--by", help="HSA-id of whoever decides.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept, and not logged.")]


def carry_out(
    settings: Settings,
    verb: Verb,
    names: Sequence[str],
    *,
    word: str,
    unit: str | None,
    by: str,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Do ``verb`` to what is named, print what became of each, and end with 5 or 8 where some were refused."""

    async def work(context: Context) -> list[Result]:
        chosen = await meant(context, verb, names, unit=unit, by=by, reason=reason)
        return await verb(context, chosen, by=by, reason=reason, dry_run=dry_run)

    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        results = run_loop(_in_context(settings, work))
        for one in results if not dry_run else ():
            codes = [finding.code for finding in one.findings]
            log.info(word, item=str(one.item), message_id=one.message_id, outcome=one.outcome, by=by, codes=codes)
    if as_json:
        print_json({"items": [one.as_json() for one in results]})
    else:
        for one in results:
            name = f"{one.item} {one.message_id or ''}".rstrip()
            if one.said is None:
                out.print(f"{name}: nej / no", **PLAIN)
                tell(one.findings)
            else:
                out.print(f"{name}: {one.said.sv}\n  {one.said.en}", **PLAIN)
    refused = sum(one.is_refused for one in results)
    if refused:
        raise typer.Exit(ALL_REFUSED if refused == len(results) else PARTLY_DONE)


async def _in_context(settings: Settings, work: Callable[[Context], Awaitable[list[Result]]]) -> list[Result]:
    async with open_store(settings, migrates=False) as store:
        return await work(context_of(settings, Directory.load(settings.directory), store, SystemClock()))
