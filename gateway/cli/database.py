"""``gateway db``: bringing the gateway's database up to date."""

from __future__ import annotations

import asyncio

import typer

from gateway.app import open_store
from gateway.cli.console import PLAIN, ConfigOption, DryRun, Json, StoreOption, out, print_json, store_address
from gateway.config import Settings
from gateway.store.revisions import Revisions, revisions

app = typer.Typer(help="The gateway's own database.", no_args_is_help=True)


@app.command("migrate")
def db_migrate(
    store: StoreOption = None, config: ConfigOption = None, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Bring the tables up to those of this version, in one transaction, and say from which revision to which."""
    settings = Settings.load(config, store=store_address(store))
    found = asyncio.run(_migrate(settings, dry_run=dry_run))
    if as_json:
        steps = [{"revision": step.revision, "about": step.about} for step in found.steps]
        print_json({"from": found.current, "to": found.newest, "steps": steps, "done": not dry_run})
        return
    if not found.steps:
        out.print(f"{found.newest}: redan aktuell / up to date already", **PLAIN)
        return
    verb = "skulle ändras / would change" if dry_run else "ändrad / changed"
    out.print(f"{found.current or '–'} → {found.newest}: {verb}", **PLAIN)
    for step in found.steps:
        out.print(f"  {step.revision}  {step.about}", **PLAIN)


async def _migrate(settings: Settings, *, dry_run: bool) -> Revisions:
    found = await revisions(settings.store, settings.store_password())
    if not dry_run:
        async with open_store(settings):
            pass  # opening it is what brings it up to date
    return found
