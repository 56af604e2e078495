"""``gateway tokens``: what programs show to be let in. A token is printed once, when it is made, and never again."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any

import structlog
import typer
from rich.table import Table

from gateway.access import Role
from gateway.accountability import Attempt, acting
from gateway.app import open_store
from gateway.audit import Action
from gateway.cli.console import (
    PLAIN,
    ConfigOption,
    DirectoryOption,
    Json,
    StoreOption,
    local,
    out,
    print_json,
    talk,
)
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.logs import logging_to
from gateway.store import tokens as kept
from gateway.store.tokens import Token
from gateway.tokens import MOST_DAYS, USUAL_DAYS, check_units, create, is_name, revoke

app = typer.Typer(help="What programs show to be let in.", no_args_is_help=True)

log = structlog.get_logger(__name__)

NameArgument = Annotated[str, typer.Argument(help="What the token is called; a name is never used again.")]
ByOption = Annotated[str, typer.Option("--by", help="HSA-id of whoever decides.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="What it is for, or why it ends; kept, and not logged.")]


@app.command("create")
def tokens_create(
    name: NameArgument,
    role: Annotated[Role, typer.Option("--role", help="What it lets its bearer do.")],
    by: ByOption,
    reason: ReasonOption,
    units: Annotated[
        list[str] | None, typer.Option("--unit", help="HSA-id of a unit it is for; may be repeated. Else all.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=MOST_DAYS, help="How long it holds.")] = USUAL_DAYS,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
) -> None:
    """Make a token and print it, and nothing else, on standard output. It is kept nowhere: only what it is known by."""
    settings = existing(store, config, directory=directory)
    shown = asyncio.run(_create(settings, name, role, units or None, days, by, reason))
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        log.info("token.created", token=name, role=role.value, units=units or None, days=days, by=by)
    talk.print("Den visas bara nu / It is shown only now:", **PLAIN)
    out.print(shown, **PLAIN)


@app.command("list")
def tokens_list(store: StoreOption = None, config: ConfigOption = None, as_json: Json = False) -> None:
    """List all tokens there have been: role, units, by whom, until when, and when they were last used."""
    found, now = asyncio.run(_every(existing(store, config))), SystemClock().now()
    if as_json:
        print_json({"tokens": [_as_json(one) for one in found]})
        return
    table = Table(
        "Nyckel / Token", "Roll / Role", "Enheter / Units", "Skapad / Created", "Av / By",
        "Till / Until", "Senast använd / Last used", "Läge / State",
    )  # fmt: skip
    for one in found:
        ended = one.revoked_at is not None
        state = "återkallad / revoked" if ended else "utgången / expired" if one.expires_at <= now else "gäller / holds"
        units = ", ".join(sorted(one.units)) if one.units is not None else "alla / all"
        times = local(one.expires_at), local(one.used_at)
        table.add_row(one.name, one.role.value, units, local(one.created_at), one.created_by, *times, state)
    out.print(table, markup=False, highlight=False)


@app.command("revoke")
def tokens_revoke(
    name: NameArgument,
    by: ByOption,
    reason: ReasonOption,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """End a token at once; who, when and why is kept. Twice changes nothing."""
    settings = existing(store, config)
    changed = asyncio.run(_revoke(settings, name, by, reason))
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        log.info("token.revoked", token=name, by=by, changed=changed)
    out.print(f"{name}: återkallad / revoked{'' if changed else ' (redan / already)'}", **PLAIN)


async def _create(
    settings: Settings, name: str, role: Role, units: list[str] | None, days: int, by: str, reason: str
) -> str:
    clock, attempt = SystemClock(), Attempt(action=Action.TOKEN_CREATED, by=by, reason=reason)
    async with open_store(settings, migrates=False) as store, acting(store, clock, attempt) as tx:
        if is_name(name):
            attempt.about(name)
        check_units(units or (), settings.party, Directory.load(settings.directory))
        return await create(tx, name, role, units=units, days=days, by=by, reason=reason, now=clock.now())


async def _revoke(settings: Settings, name: str, by: str, reason: str) -> bool:
    clock, attempt = SystemClock(), Attempt(action=Action.TOKEN_REVOKED, by=by, reason=reason)
    async with open_store(settings, migrates=False) as store, acting(store, clock, attempt) as tx:
        if is_name(name):
            attempt.about(name)
        return await revoke(tx, name, by=by, reason=reason, now=clock.now())


async def _every(settings: Settings) -> list[Token]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await kept.every(tx)


def _as_json(one: Token) -> dict[str, Any]:
    times = {
        "createdAt": one.created_at,
        "expiresAt": one.expires_at,
        "revokedAt": one.revoked_at,
        "usedAt": one.used_at,
    }
    return {
        "name": one.name,
        "role": one.role.value,
        "units": sorted(one.units) if one.units is not None else None,
        "createdBy": one.created_by,
        "reason": one.reason,
        "revokedBy": one.revoked_by,
        "revokedReason": one.revoked_reason,
        **{name: at.astimezone(STOCKHOLM).isoformat(timespec="seconds") if at else None for name, at in times.items()},
    }
