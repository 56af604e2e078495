"""``gateway config``: what the settings are, where each came from, and whether a gateway can run with them."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from gateway.cli.console import (
    AdapterOption,
    ConfigOption,
    DirectoryOption,
    ExchangeOption,
    FolderOption,
    Json,
    PartyOption,
    StoreOption,
    out,
    print_json,
    store_address,
    talk,
)
from gateway.config import Configuration
from gateway.errors import ConfigurationError
from gateway.preflight import faults_around, faults_of
from gateway.times import Times, agreed

app = typer.Typer(help="The settings: what they are, and whether they can be used.", no_args_is_help=True)


def _read(
    config: Path | None,
    party: str | None,
    store: str | None,
    exchange: str | None,
    directory: Path | None,
    adapter: str | None,
    folder: Path | None,
) -> Configuration:
    return Configuration.read(
        config,
        party=party,
        store=store_address(store),
        exchange=exchange,
        directory=directory,
        adapter=adapter,
        folder=folder,
    )


@app.command("check")
def config_check(
    config: ConfigOption = None,
    party: PartyOption = None,
    store: StoreOption = None,
    exchange: ExchangeOption = None,
    directory: DirectoryOption = None,
    adapter: AdapterOption = None,
    folder: FolderOption = None,
) -> None:
    """Say whether a gateway can run with these settings, and if not, everything that is wrong. Nothing is opened."""
    settings = _read(config, party, store, exchange, directory, adapter, folder).settings
    if findings := [*faults_of(settings), *faults_around(settings)]:
        raise ConfigurationError(findings)
    talk.print(f"{settings.party}: inställningarna kan användas / the settings can be used", highlight=False)


@app.command("show")
def config_show(
    config: ConfigOption = None,
    party: PartyOption = None,
    store: StoreOption = None,
    exchange: ExchangeOption = None,
    directory: DirectoryOption = None,
    adapter: AdapterOption = None,
    folder: FolderOption = None,
    as_json: Json = False,
) -> None:
    """Show each setting, its value and where it came from, and every deadline in force. Passwords are never shown."""
    read = _read(config, party, store, exchange, directory, adapter, folder)
    values, chosen = read.shown(), agreed(read.settings.deadlines)
    in_force = {
        name: (str(deadline), read.origins["deadlines"] if name in chosen else "default")
        for name, deadline in Times(agreed=chosen).in_force().items()
    }
    if as_json:
        rows = [{"name": name, "value": value, "from": read.origins[name]} for name, value in values.items()]
        deadlines = [{"name": name, "value": value, "from": origin} for name, (value, origin) in in_force.items()]
        print_json({"settings": rows, "deadlines": deadlines})
        return
    table = Table("Inställning / Setting", "Värde / Value", "Från / From")
    for name, value in values.items():
        if name == "adapters" and value:
            table.add_row(name, "", read.origins[name])
            for one in value:
                options = ", ".join(f"{option} = {set_to}" for option, set_to in one.items() if option != "name")
                table.add_row(f"  {one['name']}", options, read.origins[name])
            continue
        table.add_row(name, "–" if value in (None, "", []) else str(value), read.origins[name])
        if name == "deadlines":
            for one, (deadline, origin) in in_force.items():
                table.add_row(f"  {one}", deadline, origin)
    out.print(table, markup=False, highlight=False)
