"""``gateway run``: the gateway as a service."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gateway.cli.console import (
    AdapterOption,
    ConfigOption,
    DirectoryOption,
    ExchangeOption,
    FolderOption,
    PartyOption,
    StoreOption,
    store_address,
)
from gateway.config import Settings
from gateway.logs import logging_to
from gateway.service import run_loop, serve
from gateway.workers import supervise


def run(
    config: ConfigOption = None,
    party: PartyOption = None,
    store: StoreOption = None,
    exchange: ExchangeOption = None,
    directory: DirectoryOption = None,
    adapter: AdapterOption = None,
    folder: FolderOption = None,
    workers: Annotated[int | None, typer.Option("--workers", help="How many processes run this gateway.")] = None,
    log_format: Annotated[str | None, typer.Option("--log-format", help="auto, json or pretty.")] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", help="debug, info, warning or error; debug tells of each hop.")
    ] = None,
    worker: Annotated[int | None, typer.Option("--worker", hidden=True)] = None,
) -> None:
    """Run the gateway until it is told to stop (SIGTERM or Ctrl-C); the log goes to standard error."""
    settings = Settings.load(
        config,
        party=party,
        store=store_address(store),
        exchange=exchange,
        directory=directory,
        adapter=adapter,
        folder=folder,
        workers=workers,
        log_format=log_format,
        log_level=log_level,
    )
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        if worker is None and settings.workers > 1:
            run_loop(supervise(settings, config))
        else:
            run_loop(serve(settings, worker))
