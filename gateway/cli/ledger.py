"""``gateway messages``: the ledger, and the life of one message."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from gateway.app import open_store
from gateway.circuit import Circuit
from gateway.cli.console import ConfigOption, Json, StoreOption, out, print_json, store_address
from gateway.clock import STOCKHOLM
from gateway.config import Settings, masked
from gateway.errors import ConfigurationError, Fault, InvalidDocumentError
from gateway.ledger import Dispatch
from gateway.store import circuits, ledger

app = typer.Typer(help="The ledger: what was sent and received, and how far it got.", no_args_is_help=True)

NO_SUCH_MESSAGE = Fault(
    "message.not-found", "Det finns inget meddelande med det id:t.", "There is no message with that id."
)
NO_STORE = Fault("store.missing", "Databasen {store} finns inte.", "There is no database at {store}.")


@app.command("list")
def messages_list(
    store: StoreOption = None, config: ConfigOption = None, state: str | None = None, as_json: Json = False
) -> None:
    """List what was sent to whom, and how far it got; what came; what was set aside, and why; and who is out of reach.

    Out of reach are a partner, or the own case system by the name of this party, after several failures in a row.
    """
    sent, received, aside, troubled = asyncio.run(_read_ledger(existing(store, config), state))
    if as_json:
        listed = {"sent": [_sent_json(row) for row in sent], "received": [_plain(row) for row in received]}
        unhealthy = [_circuit_json(one) for one in troubled]
        print_json({**listed, "setAside": [_plain(one) for one in aside], "circuits": unhealthy})
        return
    table = Table(
        "Skickat / Sent", "Typ / Type", "Ärende / Case", "Enhet / Unit", "Läge / State", "Post-id / Record id"
    )
    for row in sent:
        table.add_row(row.message_id, row.type, row.case_number, row.unit, row.state.value, row.record_id or "–")
    out.print(table)
    table = Table(
        "Mottaget / Received", "Typ / Type", "Ärende / Case", "Enhet / Unit", "Läge / State", "Post-id / Record id"
    )
    for one in received:
        table.add_row(
            *(str(one[name] or "–") for name in ("message_id", "type", "case_number", "unit", "state", "record_id"))
        )
    out.print(table)
    if aside:
        out.print(_set_aside(aside), markup=False, highlight=False)
    if stopped := [one for one in troubled if one.opened_at is not None]:
        table = Table("Nås inte / Out of reach", "Sedan / Since", "Nästa försök / Next try")
        for circuit in stopped:
            table.add_row(_printable(circuit.party), _shown(circuit.opened_at), _shown(circuit.probe_at))
        out.print(table, markup=False, highlight=False)


def _set_aside(aside: list[dict[str, Any]]) -> Table:
    table = Table(
        "Lagt åt sidan / Set aside",
        Column("Id", no_wrap=True),
        "Från / From",
        Column("Skäl / Reason", no_wrap=True),
        "Tid / Time",
    )
    for one in aside:
        table.add_row(one["kind"], *(_printable(one[name]) for name in ("id", "from", "code")), _shown(one["at"]))
    return table


def _printable(said: str | None) -> str:
    """Return what a partner may have written as it can be shown: it must not steer a terminal."""
    return "".join(sign if sign.isprintable() else "·" for sign in said or "") or "–"


def _shown(at: datetime | None) -> str:
    return at.astimezone(STOCKHOLM).isoformat(" ", "seconds") if at is not None else "–"


@app.command("show")
def messages_show(
    message_id: Annotated[str, typer.Argument(help="The message id, or as much of its beginning as is its alone.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """Show the life of one message: every attempt and every change of state, with its time."""
    life = asyncio.run(_read_life(existing(store, config), message_id))
    if not life:
        raise InvalidDocumentError(NO_SUCH_MESSAGE.at())
    if as_json:
        print_json({"id": message_id, "events": life})
        return
    table = Table(
        "Tid / Time", "Riktning / Direction", "Enhet / Unit", "Händelse / Event", "Läge / State", "Kod / Code"
    )
    for line in life:
        table.add_row(*(str(line[name] or "–") for name in ("at", "direction", "unit", "event", "state", "code")))
    out.print(table)


async def _read_ledger(
    settings: Settings, state: str | None
) -> tuple[list[Dispatch], list[dict[str, Any]], list[dict[str, Any]], list[Circuit]]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        sent = await ledger.sent_messages(tx, state=state)
        received = await ledger.received_messages(tx, state=state)
        aside = await ledger.set_aside(tx)
        troubled = await circuits.unhealthy(tx)
    return sent, [dict(row) for row in received], aside, troubled


async def _read_life(settings: Settings, message_id: str) -> list[dict[str, Any]]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return [_plain(dict(row)) for row in await ledger.life_of(tx, message_id)]


def existing(store: str | None, config: Path | None, **flags: Any) -> Settings:
    """Return settings with a database that exists: looking must not make one. ``flags`` are other settings."""
    settings = Settings.load(config, store=store_address(store), **flags)
    if settings.store.startswith("sqlite") and not Path(settings.store.partition(":///")[2]).is_file():
        raise ConfigurationError(NO_STORE.at(store=masked(settings.store)))
    return settings


def _sent_json(row: Dispatch) -> dict[str, Any]:
    return _plain(
        {
            "id": row.message_id,
            "type": row.type,
            "case": row.case_number,
            "recipient": row.unit,
            "state": row.state.value,
            "outcome": row.outcome,
            "recordId": row.record_id,
            "sentAt": row.sent_at,
            "receivedAt": row.received_at,
            "registeredAt": row.registered_at,
            "acknowledgedAt": row.acknowledged_at,
            "dueAt": row.due_at,
            "owner": row.owner,
        }
    )


def _circuit_json(one: Circuit) -> dict[str, Any]:
    times = {"openSince": one.opened_at, "nextTry": one.probe_at, "drainsSince": one.drains_since}
    return _plain({"party": one.party, "failures": one.failures, **times})


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    """Return members with times as RFC 3339 in Swedish time."""
    return {
        name: value.astimezone(STOCKHOLM).isoformat() if hasattr(value, "astimezone") else value
        for name, value in members.items()
    }
