"""``gateway failures``: what waits for a person, grouped by cause, and what is written beside each cause."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.app import context_of, open_store
from gateway.cli.console import PLAIN, ConfigOption, DirectoryOption, Json, StoreOption, local, out, print_json
from gateway.cli.items import ByOption
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM, SystemClock
from gateway.config import Settings
from gateway.directory import Directory
from gateway.errors import FAULTS, CaseRuleError, Fault
from gateway.failure_notes import NO_SUCH_GROUP, write_note
from gateway.items import ItemKind
from gateway.service import run_loop
from gateway.store import failed
from gateway.store.failed import FailedItem, Group

app = typer.Typer(help="What has failed and waits for a person, by cause.", no_args_is_help=True)

SEVERAL = Fault(
    "failure.several-groups",
    "Flera grupper har den koden: ange också --kind och --party.",
    "Several groups have that code: give --kind and --party too.",
)

CodeOption = Annotated[str | None, typer.Option("--code", help="Only of this code, with each failure of it.")]
KindOption = Annotated[ItemKind | None, typer.Option("--kind", help="Only of this kind.")]
PartyOption = Annotated[str | None, typer.Option("--party", help="Only of this party, or adapter.")]


@app.command("list")
def failures_list(
    code: CodeOption = None,
    kind: KindOption = None,
    party: PartyOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many failures of a group.")] = 100,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """List what waits for a person, by cause: how many, since when, what is written beside it.

    With --code each failure is listed too, the newest first, by the name that messages resend and discard take.
    """
    groups, items = run_loop(_failures(existing(store, config), code, kind, party, limit))
    if as_json:
        print_json({"groups": [_group(one) for one in groups], "items": [_item(one) for one in items]})
        return
    table = Table(
        "Slag / Kind", "Kod / Code", "Part / Party", "Antal / Number", "Först / First", "Sist / Last", "Notering / Note"
    )
    for one in groups:
        number = f"{one.count}{'+' if one.more else ''}"
        note = one.note.text if one.note is not None else "–"
        cause = one.cause
        table.add_row(
            cause.kind,
            _printable(cause.code),
            cause.party or "–",
            number,
            local(one.first_at),
            local(one.last_at),
            note,
        )
    out.print(table, markup=False, highlight=False)
    for failure in items:
        told = (failure.item, failure.message_id, failure.type, failure.case_number, failure.unit, local(failure.at))
        out.print(" ".join(_printable(str(part or "–")) for part in told), **PLAIN)


@app.command("note")
def failures_note(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code of the group.")],
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What is known or done; no names, at most 500 characters.")
    ],
    by: ByOption,
    kind: KindOption = None,
    party: PartyOption = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    as_json: Json = False,
) -> None:
    """Write beside a group of failures what is known or done about it; what was written before is kept too."""
    settings = existing(store, config, directory=directory)
    group = run_loop(_note(settings, code, text, by, kind, party))
    if as_json:
        print_json(_group(group))
    else:
        out.print(f"{group.cause.kind} {group.cause.code} {group.cause.party}: noterat / noted", **PLAIN)


async def _failures(
    settings: Settings, code: str | None, kind: ItemKind | None, party: str | None, limit: int
) -> tuple[list[Group], list[FailedItem]]:
    now = SystemClock().now()
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        kinds = tuple(ItemKind) if kind is None else (kind,)
        groups = _wanted(await failed.groups(tx, now, kinds=kinds), code, party)
        pages = [await failed.of_group(tx, one.cause, now, limit) for one in groups] if code is not None else []
    return groups, [one for page in pages for one in page.items]


async def _note(settings: Settings, code: str, text: str, by: str, kind: ItemKind | None, party: str | None) -> Group:
    groups, _ = await _failures(settings, code, kind, party, 1)
    if len(groups) != 1:
        raise CaseRuleError((SEVERAL if groups else NO_SUCH_GROUP).at())
    async with open_store(settings, migrates=False) as store:
        context = context_of(settings, Directory.load(settings.directory), store, SystemClock())
        await write_note(context, groups[0].cause, text, by=by)
    ((group,), _) = await _failures(settings, code, groups[0].cause.kind, groups[0].cause.party, 1)
    return group


def _wanted(groups: list[Group], code: str | None, party: str | None) -> list[Group]:
    return [one for one in groups if code in (None, one.cause.code) and party in (None, one.cause.party)]


def _printable(said: str) -> str:
    """Return what a partner may have written as it can be shown: it must not steer a terminal."""
    return "".join(sign if sign.isprintable() else "·" for sign in said)


def _group(one: Group) -> dict[str, Any]:
    known = FAULTS.get(one.cause.code)
    note = one.note
    return {
        "kind": one.cause.kind.value,
        "code": one.cause.code,
        "party": one.cause.party,
        "sv": known.sv if known is not None else None,
        "en": known.en if known is not None else None,
        "count": one.count,
        "more": one.more,
        "firstAt": _at(one.first_at),
        "lastAt": _at(one.last_at),
        "note": {"text": note.text, "at": _at(note.at), "by": note.by} if note is not None else None,
    }


def _item(one: FailedItem) -> dict[str, Any]:
    return {
        "item": str(one.item),
        "at": _at(one.at),
        "id": one.message_id,
        "type": one.type,
        "case": one.case_number,
        "unit": one.unit,
        "state": one.state,
    }


def _at(moment: Any) -> str:
    return str(moment.astimezone(STOCKHOLM).isoformat(timespec="seconds"))
