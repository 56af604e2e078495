"""``gateway notices``: what units have been told without asking, and what the case system has not taken yet."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from gateway.app import open_store
from gateway.cli.console import ConfigOption, Json, StoreOption, local, out, print_json
from gateway.cli.ledger import existing
from gateway.clock import STOCKHOLM
from gateway.config import Settings
from gateway.notices import NoticeKind
from gateway.store import notes
from gateway.store.notes import ToldNotice

app = typer.Typer(help="What units are told without asking: reminders, escalation, warnings.", no_args_is_help=True)

_WORDS = {
    NoticeKind.REMINDER: "Påminnelse / Reminder",
    NoticeKind.OVERDUE: "Försenat / Overdue",
    NoticeKind.NOT_TAKEN: "Inte mottaget / Not taken",
    NoticeKind.LETTER: "Brev att skicka / Letter to send",
    NoticeKind.PAYMENT_BEGINS: "Betalningsansvar / Payment begins",
    NoticeKind.REVIEW_NEEDED: "Granskning behövs / Review needed",
    NoticeKind.MEETINGS_OVERLAP: "Möten krockar / Meetings overlap",
    NoticeKind.READMITTED: "Inskriven igen / Readmitted",
}


@app.command("list")
def notices_list(
    unit: Annotated[str | None, typer.Option(help="Only what this unit (HSA-id) has been told.")] = None,
    untold: Annotated[bool, typer.Option("--untold", help="Only what the case system has not taken yet.")] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: Json = False,
) -> None:
    """List what units are told, the newest last. No person is named."""
    found = asyncio.run(_notices(existing(store, config), untold=untold))
    found = [one for one in found if unit in (None, one.notice.unit)]
    if as_json:
        print_json({"notices": [_as_json(one) for one in found]})
        return
    table = Table("När / When", "Slag / Kind", "Enhet / Unit", "Ärende / Case", "Gäller / About", "Mottaget / Taken")
    for one in found:
        notice = one.notice
        about = notice.other_case or " ".join(word for word in (notice.awaited, notice.type, notice.code) if word)
        kind, taken = _WORDS[notice.kind], local(one.told_at)
        table.add_row(local(one.made_at), kind, notice.unit, notice.case_number, about or "–", taken)
    out.print(table)


async def _notices(settings: Settings, *, untold: bool) -> list[ToldNotice]:
    async with open_store(settings, migrates=False) as store, store.reading() as tx:
        return await notes.notices(tx, untold=untold)


def _as_json(one: ToldNotice) -> dict[str, object]:
    notice = one.notice
    return {
        "id": notice.notice_id,
        "kind": notice.kind.value,
        "unit": notice.unit,
        "case": notice.case_number,
        "awaited": notice.awaited,
        "owedBy": notice.owed_by,
        "dueAt": _iso(notice.due_at),
        "messageId": notice.message_id,
        "type": notice.type,
        "code": notice.code,
        "otherCase": notice.other_case,
        "madeAt": _iso(one.made_at),
        "takenAt": _iso(one.told_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(STOCKHOLM).isoformat() if moment is not None else None
