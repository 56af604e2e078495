"""``gateway letters``: what is to be sent by letter, the letter itself, and what became of it."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Any

import structlog
import typer
from rich.table import Table

from gateway.accountability import Attempt, acting
from gateway.app import open_store
from gateway.audit import Action
from gateway.cli.console import PLAIN, ConfigOption, DirectoryOption, Json, StoreOption, local, out, print_json
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.letter_text import is_protected, letter_text
from gateway.letters import letter_of, state
from gateway.lifecycle import OutEvent
from gateway.logs import logging_to
from gateway.messages import TYPES, parse_xml
from gateway.store import letters
from gateway.store.letters import Letter

app = typer.Typer(help="What goes by letter to units without an inbox.", no_args_is_help=True)

log = structlog.get_logger(__name__)

MessageArgument = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="The message id, or as much of its beginning as is its alone.")
]
UnitArgument = Annotated[str, typer.Argument(metavar="UNIT", help="HSA-id of the unit that the letter is for.")]
ByOption = Annotated[str, typer.Option("--by", help="HSA-id of whoever states it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="How it is known; kept with the message.")]

_ACTIONS = {OutEvent.MAILED: Action.LETTER_MAILED, OutEvent.ANSWERED: Action.LETTER_ANSWERED}
_SAID = {
    (OutEvent.MAILED, True): "skickat per brev / sent by letter",
    (OutEvent.MAILED, False): "var redan skickat, inget ändras / had been sent, nothing changes",
    (OutEvent.ANSWERED, True): "besvarat / answered",
    (OutEvent.ANSWERED, False): "var redan besvarat, inget ändras / had been answered, nothing changes",
}


@app.command("list")
def letters_list(
    mailed: Annotated[
        bool, typer.Option("--mailed", help="Also those that were sent, and wait for an answer.")
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """List what is to be sent by letter, to whom and by when; the first deadline first. No person is shown."""
    settings = existing(store, config, directory=directory)
    units = Directory.load(settings.directory)
    found = asyncio.run(_on_paper(settings, mailed))
    if as_json:
        print_json({"letters": [_as_json(one, units) for one in found]})
        return
    table = Table("Meddelande / Message", "Typ / Type", "Ärende / Case", "Till / To", "Läge / State", "Senast / Due")
    for one in found:
        row = one.dispatch
        to = f"{_title(row.unit, units)} ({row.unit})"
        table.add_row(row.message_id, TYPES[row.type].title_sv, row.case_number, to, row.state.value, local(row.due_at))
    out.print(table, markup=False, highlight=False)


@app.command("show")
def letters_show(
    message_id: MessageArgument,
    unit: UnitArgument,
    by: Annotated[str, typer.Option("--by", help="HSA-id of whoever reads it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit log.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """Show a letter as plain Swedish text, ready to print. It tells of a person; who has read it and why is kept."""
    settings = existing(store, config, directory=directory)
    units = Directory.load(settings.directory)
    found = asyncio.run(_find(settings, message_id, unit, by, reason))
    message = parse_xml(found.xml)
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        log.info(
            "letter.shown",
            message_id=found.dispatch.message_id,
            unit=unit,
            case_number=found.dispatch.case_number,
            by=by,
        )
    text = letter_text(message, unit, units)
    if as_json:
        print_json({**_as_json(found, units), "protected": is_protected(message), "text": text})
        return
    out.print(text, end="", **PLAIN)


@app.command("sent")
def letters_sent(
    message_id: MessageArgument,
    unit: UnitArgument,
    by: ByOption,
    reason: ReasonOption,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """State that a letter was sent; who, when and why is kept. Doing so twice changes nothing."""
    _state(existing(store, config), OutEvent.MAILED, message_id, unit, by, reason, as_json=as_json)


@app.command("answered")
def letters_answered(
    message_id: MessageArgument,
    unit: UnitArgument,
    by: ByOption,
    reason: ReasonOption,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """State that an answer or a receipt for a letter has come; who, when and why is kept. Twice changes nothing."""
    _state(existing(store, config), OutEvent.ANSWERED, message_id, unit, by, reason, as_json=as_json)


def _state(
    settings: Settings, happens: OutEvent, message_id: str, unit: str, by: str, reason: str, *, as_json: bool
) -> None:
    with logging_to(sys.stderr, settings.log_format, settings.log_level):
        found, is_new = asyncio.run(_keep(settings, happens, message_id, unit, by, reason))
        row = found.dispatch
        said = {"message_id": row.message_id, "unit": unit, "case_number": row.case_number, "by": by}
        log.info(f"letter.{happens}", changed=is_new, **said)
    if as_json:
        print_json({"id": row.message_id, "unit": unit, "state": row.state.value, "changed": is_new})
        return
    out.print(f"{row.message_id} {unit}: {_SAID[happens, is_new]}", **PLAIN)


async def _on_paper(settings: Settings, mailed: bool) -> list[Letter]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await letters.on_paper(tx, mailed=mailed)


async def _find(settings: Settings, message_id: str, unit: str, by: str, reason: str) -> Letter:
    attempt = Attempt(action=Action.LETTER_SHOWN, by=by, reason=reason, named=message_id)
    async with (
        open_store(settings, migrates=False) as store,
        acting(store, SystemClock(), attempt) as tx,
    ):
        found = await letter_of(tx, message_id, unit)
        _about(attempt, found)
        return found


async def _keep(
    settings: Settings, happens: OutEvent, message_id: str, unit: str, by: str, reason: str
) -> tuple[Letter, bool]:
    clock, attempt = SystemClock(), Attempt(action=_ACTIONS[happens], by=by, reason=reason, named=message_id)
    async with open_store(settings, migrates=False) as store, acting(store, clock, attempt) as tx:
        _about(attempt, await letter_of(tx, message_id, unit))
        is_new = await state(tx, happens, message_id, unit, by=by, reason=reason, now=clock.now())
        return await letter_of(tx, message_id, unit), is_new


def _about(attempt: Attempt, found: Letter) -> None:
    row = found.dispatch
    attempt.about(row.message_id, unit=found.sender_unit, case_number=row.case_number)


def _as_json(one: Letter, units: Directory) -> dict[str, Any]:
    row = one.dispatch
    return {
        "id": row.message_id,
        "type": row.type,
        "case": row.case_number,
        "sender": one.sender_unit,
        "recipient": row.unit,
        "title": _title(row.unit, units),
        "state": row.state.value,
        "sentAt": row.sent_at.astimezone(STOCKHOLM).isoformat() if row.sent_at is not None else None,
        "dueAt": row.due_at.astimezone(STOCKHOLM).isoformat() if row.due_at is not None else None,
        "owner": row.owner,
    }


def _title(hsa_id: str, units: Directory) -> str:
    return units.units[hsa_id].title if hsa_id in units.units else hsa_id
