"""What every command shares: where it prints, and the options that mean the same everywhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway.clock import STOCKHOLM
from gateway.errors import Finding

out = Console(width=None if sys.stdout.isatty() else 140)
"""Data."""
talk = Console(stderr=True, width=None if sys.stderr.isatty() else 140)
"""Talk."""

CHECK_BROKEN = 7
"""The exit code of a check that found something broken."""

PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
"""How text is printed that may hold anything."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="The settings file; ./gateway.toml by default.")]
StoreOption = Annotated[
    str | None, typer.Option("--store", help="The gateway's database: an SQLAlchemy URL or the path of a SQLite file.")
]
ExchangeOption = Annotated[str | None, typer.Option("--exchange", help="The URL of the exchange.")]
PartyOption = Annotated[str | None, typer.Option("--party", help="The party, by its name in the directory.")]
DirectoryOption = Annotated[Path | None, typer.Option("--directory", help="The file of parties and units.")]
AdapterOption = Annotated[str | None, typer.Option("--adapter", help="The kind of case system.")]
FolderOption = Annotated[Path | None, typer.Option("--folder", help="The folder shared with the case system.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be done, and do nothing.")]


def print_json(document: Any) -> None:
    """Print one JSON document to standard output."""
    print(json.dumps(document, ensure_ascii=False, indent=2))  # noqa: T201 -- data goes to standard output


def tell(findings: Iterable[Finding]) -> None:
    """Say on standard error what is wrong, in both languages."""
    for finding in findings:
        talk.print(f"[{finding.code}] {finding.sv}\n  {finding.en}", **PLAIN)


def store_address(store: str | None) -> str | None:
    """Return ``store`` as a URL; it may have been given as the path of a SQLite file."""
    if store is None or "://" in store:
        return store
    return f"sqlite+aiosqlite:///{Path(store).resolve()}"


def local(moment: datetime | None) -> str:
    """Return a moment as staff read it, to the minute in Sweden; a dash where there is none."""
    return moment.astimezone(STOCKHOLM).isoformat(" ", "minutes") if moment is not None else "–"
