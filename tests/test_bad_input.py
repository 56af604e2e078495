"""Bad events through a gateway at work: a coded reason for the system, the input kept, nothing half-stored."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from blank import blank_store
from sqlalchemy import func, select

from gateway.adapters import folder as folder_adapter
from gateway.app import open_gateway, running
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.progress import Hop, Passage
from gateway.store import ledger, tables

ROOT = Path(__file__).parent.parent
EVENTS = ROOT / "fixtures" / "events"
SYSTEMS = {"treserva": "kommun", "journal": "region"}


@pytest.mark.parametrize("system", SYSTEMS)
async def test_every_bad_event_is_answered_with_its_reasons_kept_and_leaves_nothing_behind(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_adapter, "SETTLE", 0)  # what is malformed could be half written, and would be waited for
    files = sorted((EVENTS / system).glob("invalid_*"))
    assert files
    folder = tmp_path / system
    (folder / "to_gateway").mkdir(parents=True)
    answered = asyncio.Event()
    left = len(files)

    def observe(passage: Passage) -> None:
        nonlocal left
        if passage.hop is Hop.EVENT_ANSWERED:
            left -= 1
            if left == 0:
                answered.set()

    settings = Settings(
        party=SYSTEMS[system],
        store=blank_store(tmp_path / "store.sqlite"),
        exchange=f"sqlite+aiosqlite:///{tmp_path / 'exchange.sqlite'}",
        directory=ROOT / "fixtures" / "directory.toml",
        adapter=system,
        folder=folder,
    )
    for file in files:
        (folder / "to_gateway" / file.name).write_bytes(file.read_bytes())
    async with open_gateway(settings, SystemClock(), observe) as gateway:
        async with running(gateway), asyncio.timeout(60):
            await answered.wait()
        async with gateway.context.store.reading() as tx:
            for table in (tables.message, tables.dispatch, tables.sip_case, tables.note, tables.case_series):
                assert (await tx.execute(select(func.count()).select_from(table))).scalar() == 0, table.name
            shown = await ledger.set_aside(tx)
            kept = (await tx.execute(select(tables.event.c.state, tables.event.c.content))).all()
    assert {row.state for row in kept} == {"refused"}
    assert [(one["kind"], one["from"]) for one in shown] == [("event", system)] * len(kept)
    assert {row.content for row in kept} == {file.read_bytes() for file in files}

    for file in files:
        assert (folder / "quarantine" / file.name).read_bytes() == file.read_bytes()
        receipt = json.loads((folder / "to_gateway" / f"{file.name}.err").read_text(encoding="utf-8"))
        findings = receipt["findings"] if isinstance(receipt, dict) else receipt
        code = file.name.split("_")[1].removesuffix(".json")
        assert code in {finding["code"] for finding in findings}, file.name
        assert all(finding["sv"] and finding["en"] for finding in findings)
