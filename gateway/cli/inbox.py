"""``gateway inbox``: what has come for units that they have something to do about, and taking charge of it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.app import open_store
from gateway.charge import acknowledge
from gateway.cli.console import ConfigOption, DirectoryOption, DryRun, Json, StoreOption, local, out, print_json
from gateway.cli.items import ItemsArgument, ReasonOption, UnitOption, carry_out
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM
from gateway.config import Settings
from gateway.items import Item, ItemKind
from gateway.ledger import Inbound
from gateway.messages import TYPES, Duty
from gateway.service import run_loop
from gateway.store import worklist
from gateway.store.worklist import Wanted

app = typer.Typer(help="What units have to do about messages that came for them.", no_args_is_help=True)

MOST_LISTED = 1000
MASKED = "••••"
"""Stands for what is told of a person."""
_TO_DO = {Duty.ACKNOWLEDGE: "Kvittera / Acknowledge", Duty.REPLY: "Svara / Reply", Duty.NOTIFY: "–"}


@app.command("list")
def inbox_list(
    unit: Annotated[str | None, typer.Option("--unit", help="HSA-id of the unit it came for.")] = None,
    type_name: Annotated[str | None, typer.Option("--type", help="The message type.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """List what units have still to acknowledge or reply to, the first deadline first. No person is shown."""
    found = run_loop(_owed(existing(store, config), unit, type_name))
    if as_json:
        print_json({"messages": [_as_json(one) for one in found]})
        return
    table = Table(
        "Ärende / Case",
        "Personid",
        "Namn / Name",
        "Meddelandetyp / Type",
        "Från / From",
        "Enhet / Unit",
        "Läge / State",
        "Senast / Due",
        "Att göra / To do",
        "Id",
    )
    for one in found:
        kind = TYPES[one.type]
        told = (one.case_number, MASKED, MASKED, kind.title_sv, one.sender_unit, one.unit, one.state.value)
        table.add_row(*told, local(one.due_at), _TO_DO[one.duty], str(_item(one)))
    out.print(table, markup=False, highlight=False)


@app.command("acknowledge")
def inbox_acknowledge(
    ids: ItemsArgument,
    by: Annotated[str, typer.Option("--by", help="HSA-id of whoever takes charge; the sender is told.")],
    reason: ReasonOption,
    name: Annotated[str | None, typer.Option("--name", help="Their name; the sender is told.")] = None,
    not_concerned: Annotated[
        bool,
        typer.Option("--not-concerned", help="The unit takes note, and wants no more messages of the case."),
    ] = False,
    unit: UnitOption = None,
    dry_run: DryRun = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """Take charge of messages (kvittera) for the units they came for; their senders are told who did.

    Ends with 5 when all is refused, with 8 when some is.
    """
    settings = existing(store, config, directory=directory)
    verb = partial(acknowledge, name=name, not_concerned=not_concerned)
    carry_out(
        settings,
        verb,
        ids,
        word="message.acknowledged",
        unit=unit,
        by=by,
        reason=reason,
        dry_run=dry_run,
        as_json=as_json,
    )


async def _owed(settings: Settings, unit: str | None, type_name: str | None) -> list[Inbound]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        wanted = Wanted(units=None if unit is None else frozenset({unit}), type=type_name)
        return await worklist.owed(tx, wanted, None, MOST_LISTED)


def _item(one: Inbound) -> Item:
    return Item(ItemKind.RECEIVED, one.id)


def _as_json(one: Inbound) -> dict[str, Any]:
    def at(moment: Any) -> str | None:
        return moment.astimezone(STOCKHOLM).isoformat(timespec="seconds") if moment is not None else None

    return {
        "item": str(_item(one)),
        "id": one.message_id,
        "case": one.case_number,
        "type": one.type,
        "sender": one.sender_unit,
        "unit": one.unit,
        "state": one.state.value,
        "duty": one.duty.value,
        "dueAt": at(one.due_at),
        "receivedAt": at(one.received_at),
        "registeredAt": at(one.registered_at),
    }
