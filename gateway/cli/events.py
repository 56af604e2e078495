"""``gateway events``: what case systems have said that was refused, why, and taking it up again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.table import Table

from gateway.accountability import Attempt, acting
from gateway.adapter_book import AdapterBook
from gateway.adapters.composed import ComposedAdapter
from gateway.adapters.ways import Surroundings, routes_of, sources_of
from gateway.app import context_of, open_store
from gateway.audit import Action
from gateway.cli.console import (
    PLAIN,
    ConfigOption,
    DirectoryOption,
    DryRun,
    Json,
    StoreOption,
    local,
    out,
    print_json,
)
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import CaseRuleError, Fault
from gateway.logs import logging_to
from gateway.resending import NO_EVENT, Resent, discard, resend
from gateway.service import run_loop
from gateway.store import events
from gateway.store.events import RefusedEvent

app = typer.Typer(help="What case systems have said that was refused.", no_args_is_help=True)

STILL_REFUSED = 5
"""The exit code when an event is refused again."""
NOTHING_NAMED = Fault("event.none-named", "Ange händelser, eller --all.", "Name events, or give --all.")

log = structlog.get_logger(__name__)

NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="The event, by its number in the list.")]


@app.command("list")
def events_list(
    source: Annotated[str | None, typer.Option("--source", help="Those that came by one adapter.")] = None,
    discarded: Annotated[bool, typer.Option("--discarded", help="Also those that were discarded.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """List the events that were refused, the oldest first, with the codes of their reasons. No content is shown."""
    found = [one for one in run_loop(_refused(existing(store, config))) if source in (None, one.source)]
    found = [one for one in found if discarded or one.discarded_at is None]
    if as_json:
        print_json({"events": [_as_json(one) for one in found]})
        return
    table = Table("Nr", "Kom / Came", "Adapter", "Händelse / Event", "Slag / Kind", "Skäl / Reasons")
    for one in found:
        codes = ", ".join(dict.fromkeys(str(finding["code"]) for finding in one.findings))
        table.add_row(str(one.number), local(one.received_at), one.source, one.event_id or "–", one.kind or "–", codes)
    out.print(table, markup=False, highlight=False)


@app.command("show")
def events_show(
    number: NumberArgument,
    content: Annotated[
        Path | None, typer.Option("--content", help="Write what came to this file, as it came; who does so is kept.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="HSA-id of whoever reads the content.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why they do; kept in the audit log.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """Show why an event was refused: every reason with its place. What came may tell of a person, and is not shown."""
    settings = existing(store, config)
    one = next((found for found in run_loop(_refused(settings)) if found.number == number), None)
    if content is not None:
        content.write_bytes(run_loop(_read(settings, number, by or "", reason or "")))
        with logging_to(sys.stderr, settings.log_format, settings.log_level):
            log.info("event.content-written", number=number, by=by)
    if one is None:
        raise CaseRuleError(NO_EVENT.at(number=number))
    if as_json:
        print_json(_as_json(one))
        return
    out.print(f"{number}: {one.source}, {local(one.received_at)}, {one.size} byte", **PLAIN)
    for finding in one.findings:
        out.print(f"[{finding['code']}] {finding.get('path') or ''}\n  {finding['sv']}\n  {finding['en']}", **PLAIN)


@app.command("resend")
def events_resend(
    by: Annotated[str, typer.Option("--by", help="HSA-id of whoever decides.")],
    reason: Annotated[str, typer.Option("--reason", help="What has been put right; kept, and not logged.")],
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[NUMBER]…", help="The events.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were refused.")] = False,
    overtaken: Annotated[
        bool, typer.Option("--overtaken", help="Also where the case has sent something since.")
    ] = False,
    dry_run: DryRun = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """Take up refused events again, after something on this side was put right; ends with 5 when one is still wrong."""
    if not numbers and not every:
        raise CaseRuleError(NOTHING_NAMED.at())
    settings = existing(store, config, directory=directory)
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        named = None if every else numbers or []
        done = run_loop(_resend(settings, named, by, reason, overtaken=overtaken, dry_run=dry_run))
        for one in done if not dry_run else ():
            codes = [finding.code for finding in one.findings]
            log.info("event.resent", number=one.event.number, source=one.event.source, by=by, codes=codes)
    if as_json:
        print_json({"events": [_told(one) for one in done]})
    else:
        for one in done:
            out.print(f"{one.event.number}: {_said(one, dry_run=dry_run)}", **PLAIN)
    if any(one.findings for one in done):
        raise typer.Exit(STILL_REFUSED)


@app.command("discard")
def events_discard(
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBER…", help="The events.")],
    by: Annotated[str, typer.Option("--by", help="HSA-id of whoever decides.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, and not logged.")],
    restore: Annotated[bool, typer.Option("--restore", help="Let them be looked at again.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Let nobody look at refused events any more: what they told has come otherwise, or need not. They are kept."""
    settings = existing(store, config, directory=directory)
    changed = run_loop(_discard(settings, numbers, by, reason, restore=restore))
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        log.info("event.restored" if restore else "event.discarded", numbers=changed, by=by)
    said = "åter i listan / listed again" if restore else "avskriven / discarded"
    for number in numbers:
        out.print(f"{number}: {said}{'' if number in changed else ' (redan / already)'}", **PLAIN)


async def _discard(settings: Settings, numbers: list[int], by: str, reason: str, *, restore: bool) -> list[int]:
    async with open_store(settings, migrates=False) as store:
        context = context_of(settings, Directory.load(settings.directory), store, SystemClock())
        return await discard(context, numbers, by=by, reason=reason, restore=restore)


async def _refused(settings: Settings) -> list[RefusedEvent]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await events.refused(tx)


async def _read(settings: Settings, number: int, by: str, reason: str) -> bytes:
    """Return what came, to be read; who reads it and why is kept first."""
    attempt = Attempt(action=Action.EVENT_READ, by=by, reason=reason)
    async with open_store(settings, migrates=False) as store, acting(store, SystemClock(), attempt) as tx:
        if not await events.refused(tx, [number]):
            raise CaseRuleError(NO_EVENT.at(number=number))
        attempt.about(str(number))
        return await events.content_of(tx, number)


async def _resend(
    settings: Settings, numbers: list[int] | None, by: str, reason: str, *, overtaken: bool, dry_run: bool
) -> list[Resent]:
    clock, directory = SystemClock(), Directory.load(settings.directory)
    async with open_store(settings, migrates=False) as store:
        around, adapters = Surroundings(directory, clock), settings.all_adapters()
        routes = routes_of(adapters, around, settings.party)
        sources = sources_of(adapters, around)
        adapter = ComposedAdapter(sources, routes, AdapterBook(store, clock))
        context = context_of(settings, directory, store, clock)
        if numbers is None:
            async with store.reading() as tx:
                numbers = [one.number for one in await events.refused(tx) if one.discarded_at is None]
        names = [source.name for source in sources]
        return await resend(
            context, adapter, names, numbers, by=by, reason=reason, overtaken=overtaken, dry_run=dry_run
        )


def _as_json(one: RefusedEvent) -> dict[str, Any]:
    return {
        "number": one.number,
        "source": one.source,
        "eventId": one.event_id,
        "kind": one.kind,
        "receivedAt": one.received_at.astimezone(STOCKHOLM).isoformat(timespec="seconds"),
        "bytes": one.size,
        "discardedAt": local(one.discarded_at) if one.discarded_at is not None else None,
        "findings": one.findings,
    }


def _told(one: Resent) -> dict[str, Any]:
    told: dict[str, Any] = {"number": one.event.number, "findings": [finding.as_json() for finding in one.findings]}
    return told | (one.submission.as_json() if one.submission is not None else {"accepted": False})


def _said(one: Resent, *, dry_run: bool) -> str:
    if one.findings:
        return "fortfarande avvisad / still refused: " + ", ".join(dict.fromkeys(code.code for code in one.findings))
    if dry_run:
        return "kan förstås nu / can be understood now"
    assert one.submission is not None
    return f"mottagen / accepted: {one.submission.case_number or '–'} {' '.join(one.submission.message_ids)}".rstrip()
