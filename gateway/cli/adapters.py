"""``gateway adapters``: the case systems a gateway is connected to, and what they say."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.table import Table

from gateway import pausing
from gateway.adapters.mapping_text import mapping_text
from gateway.adapters.sample import sample_of
from gateway.adapters.ways import words_of
from gateway.app import open_store
from gateway.cli.console import (
    CHECK_BROKEN,
    PLAIN,
    ConfigOption,
    DirectoryOption,
    Json,
    StoreOption,
    local,
    out,
    print_json,
    store_address,
)
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import ConfigurationError, Fault, InvalidDocumentError
from gateway.health import Health, health_of, put_to_test
from gateway.logs import logging_to
from gateway.messages import render_xml
from gateway.pausing import check_known
from gateway.ports import Event
from gateway.preflight import faults_of
from gateway.service import run_loop

app = typer.Typer(help="Case systems: what a gateway is connected to.", no_args_is_help=True)

FILE_UNREADABLE = Fault("event.file-unreadable", "Filen {file} kan inte läsas.", "The file {file} cannot be read.")

SOON = timedelta(minutes=5)
"""How long after it happened an event is taken to be told, when it is only looked at."""

NameArgument = Annotated[str, typer.Argument(help="The adapter, by its name in the settings.")]
ByOption = Annotated[str, typer.Option("--by", help="HSA-id of whoever decides.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept, and not logged.")]

log = structlog.get_logger(__name__)


@app.command("list")
def adapters_list(
    config: ConfigOption = None, store: StoreOption = None, directory: DirectoryOption = None, as_json: Json = False
) -> None:
    """List the adapters: what each speaks and which way, whether its system answers, and what last got through."""
    settings = _read(config, store, directory)
    found = run_loop(health_of(settings, SystemClock()))
    if as_json:
        print_json({"adapters": [one.as_json() for one in found]})
    else:
        table = Table(
            "Adapter", "Ord / Words", "Väg / Way", "Riktning / Direction", "System", "Hjärtslag / Heartbeat",
            "Senast in / Last in", "Senast ut / Last out", "Pausad / Paused",
        )  # fmt: skip
        for one in found:
            table.add_row(*_row(one))
        out.print(table)
    if any(one.findings for one in found):
        raise typer.Exit(CHECK_BROKEN)


def _row(one: Health) -> tuple[str, ...]:
    system = {None: "–", True: "svarar / up", False: ", ".join(finding.code for finding in one.findings)}[one.is_up]
    paused = f"{local(one.pause.at)} {one.pause.by}: {one.pause.reason}" if one.pause is not None else "nej / no"
    settings = one.settings
    last = one.last_event, one.last_registration
    times = (local(moment) for moment in last)
    beat = "–" if one.beat is None else f"{'nere / down' if one.beat.codes else 'uppe / up'} {local(one.beat.since)}"
    return settings.name, settings.words, settings.way, settings.direction, system, beat, *times, paused


@app.command("translate")
def adapters_translate(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(help="An event, as the system says it.")],
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """Print the messages that an event becomes, as XML, or every reason why it becomes none. Nothing is kept.

    The id, the case number and recipients that only the case knows stand for what is given out later.
    """
    settings = _read(config, None, directory)
    one = {adapter.name: adapter for adapter in settings.all_adapters()}[_known(settings, name)]
    units = Directory.load(settings.directory)
    try:
        content = file.read_bytes()
    except OSError:
        raise InvalidDocumentError(FILE_UNREADABLE.at(file=file)) from None
    words, event = words_of(one), Event(source=name, content=content)
    translation = words.translate(event, units)
    soon = words.told_at(event, units) + SOON if translation.drafts else None
    documents = [render_xml(sample_of(draft, units, soon)).decode() for draft in translation.drafts if soon]
    if as_json:
        print_json({"event": translation.event_id, "kind": translation.kind, "messages": documents})
        return
    for document in documents:
        out.print(document, **PLAIN)


@app.command("mapping")
def adapters_mapping(
    name: NameArgument, config: ConfigOption = None, directory: DirectoryOption = None, as_json: Json = False
) -> None:
    """Print every code and member that an adapter understands, its own words first, in the form the settings take."""
    settings = _read(config, None, directory)
    one = {adapter.name: adapter for adapter in settings.all_adapters()}[_known(settings, name)]
    table = words_of(one).table()
    if as_json:
        print_json({"adapter": name, "words": one.words, **table.as_json()})
    else:
        out.print(mapping_text(table), **PLAIN, end="")


@app.command("test")
def adapters_test(
    name: NameArgument, config: ConfigOption = None, directory: DirectoryOption = None, as_json: Json = False
) -> None:
    """Connect to the system, send what is no message, and check its answer; ends with 4 or 5 when that is not right."""
    settings = _read(config, None, directory)
    done = run_loop(put_to_test(settings, _known(settings, name), SystemClock()))
    if as_json:
        print_json({"adapter": name, "checked": done})
        return
    for one in done:
        out.print(f"{name}: {one}: ok", **PLAIN)


@app.command("pause")
def adapters_pause(
    name: NameArgument,
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    store: StoreOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Let an adapter take no events and hand over no messages until it is resumed; what comes meanwhile waits."""
    settings = _read(config, store, directory)
    changed = asyncio.run(_decide(settings, pausing.pause, name, by, reason))
    _decided(settings, name, by, changed, "adapter.paused", "pausad / paused")


@app.command("resume")
def adapters_resume(
    name: NameArgument,
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    store: StoreOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Let an adapter work again; what has waited for its system goes at once."""
    settings = _read(config, store, directory)
    changed = asyncio.run(_decide(settings, pausing.resume, name, by, reason))
    _decided(settings, name, by, changed, "adapter.resumed", "i gång / at work")


def _decided(settings: Settings, name: str, by: str, changed: bool, event: str, said: str) -> None:
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        log.info(event, adapter=name, by=by, changed=changed)
    out.print(f"{name}: {said}{'' if changed else ' (redan / already)'}", **PLAIN)


async def _decide(settings: Settings, verb: Callable[..., Awaitable[bool]], name: str, by: str, reason: str) -> bool:
    known = [one.name for one in settings.all_adapters()]
    async with open_store(settings, migrates=False) as store:
        return await verb(store, SystemClock(), name, known=known, by=by, reason=reason)


def _read(config: Path | None, store: str | None, directory: Path | None) -> Settings:
    settings = Settings.load(config, store=store_address(store), directory=directory)
    if findings := faults_of(settings):
        raise ConfigurationError(findings)
    return settings


def _known(settings: Settings, name: str) -> str:
    return check_known(name, [one.name for one in settings.all_adapters()])
