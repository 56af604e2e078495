"""``gateway exchange``: what must stand on the exchange before parties can use it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from gateway.app import check_exchange, declare_exchange
from gateway.cli.console import (
    CHECK_BROKEN,
    PLAIN,
    ConfigOption,
    DirectoryOption,
    ExchangeOption,
    Json,
    PartyOption,
    out,
    print_json,
    tell,
)
from gateway.config import Settings, masked
from gateway.directory import Directory
from gateway.errors import ConfigurationError
from gateway.preflight import UNKNOWN_PARTY, faults_of_exchange

app = typer.Typer(help="The exchange: what must be there for each party.", no_args_is_help=True)


@app.command("check")
def exchange_check(
    exchange: ExchangeOption = None,
    party: PartyOption = None,
    directory: DirectoryOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """Say what is missing on the exchange or different from what it should be, for every party or one."""
    settings, parties = _chosen(exchange, party, directory, config)
    findings = asyncio.run(check_exchange(settings, parties))
    if as_json:
        print_json({"parties": parties, "findings": [finding.as_json() for finding in findings]})
    else:
        tell(findings)
        if not findings:
            out.print(f"{', '.join(parties)}: inget saknas / nothing is missing", **PLAIN)
    if findings:
        raise typer.Exit(CHECK_BROKEN)


@app.command("declare")
def exchange_declare(
    exchange: ExchangeOption = None,
    party: PartyOption = None,
    directory: DirectoryOption = None,
    config: ConfigOption = None,
) -> None:
    """Create what is missing on the exchange, for every party or one. What exists is left as it is."""
    settings, parties = _chosen(exchange, party, directory, config)
    asyncio.run(declare_exchange(settings, parties))
    out.print(f"{', '.join(parties)}: {masked(settings.exchange)}", **PLAIN)


def _chosen(
    exchange: str | None, party: str | None, directory: Path | None, config: Path | None
) -> tuple[Settings, list[str]]:
    settings = Settings.load(config, exchange=exchange, directory=directory)
    if findings := faults_of_exchange(settings):
        raise ConfigurationError(findings)
    known = Directory.load(settings.directory).parties
    if party is not None and party not in known:
        raise ConfigurationError(UNKNOWN_PARTY.at(name=party))
    return settings, [party] if party is not None else list(known)
