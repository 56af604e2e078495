"""``gateway adapters``: the kinds of case system, and one that is simulated."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.table import VOCABULARIES
from gateway.cli.console import AdapterOption, ConfigOption, FolderOption, talk
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.errors import ConfigurationError
from gateway.preflight import UNKNOWN_ADAPTER
from gateway.service import run_loop, told_to_stop

app = typer.Typer(help="Case systems: what a gateway can be connected to.", no_args_is_help=True)


@app.callback()
def adapters() -> None:
    """Keep the noun in front of its verbs, though there is only one so far."""


@app.command("simulate")
def adapters_simulate(
    adapter: AdapterOption = None,
    folder: FolderOption = None,
    config: ConfigOption = None,
    silent: Annotated[bool, typer.Option("--silent", help="Take nothing and answer nothing.")] = False,
    refuses: Annotated[bool, typer.Option("--refuses", help="Say no to everything new.")] = False,
) -> None:
    """Be the case system at the other side of the folder, until interrupted: take messages, and take charge of them."""
    settings = Settings.load(config, adapter=adapter, folder=folder)
    if settings.adapter not in VOCABULARIES:
        raise ConfigurationError(UNKNOWN_ADAPTER.at(name=settings.adapter, known=", ".join(VOCABULARIES)))
    run_loop(_simulate(settings, silent=silent, refuses=refuses))


async def _simulate(settings: Settings, *, silent: bool, refuses: bool) -> None:
    system = SimulatedCaseSystem(settings.folder, settings.adapter, SystemClock(), silent=silent, refuses=refuses)
    stop = asyncio.Event()
    with told_to_stop(stop.set):
        async with system:
            talk.print(f"{settings.adapter}: {settings.folder}", highlight=False, markup=False)
            await stop.wait()
