"""A gateway at work whose case system drops files of every form: each event is answered, kept, and can come again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from blank import blank_store
from service_process import ROOT
from sqlalchemy import select
from written_events import csv_of

from gateway.adapters import folder as folder_adapter
from gateway.app import open_gateway, running
from gateway.clock import SystemClock
from gateway.config import Settings
from gateway.hops import Gateway
from gateway.messages.hardened import MAX_BYTES
from gateway.progress import Hop, Passage
from gateway.store import ledger, tables

EVENTS = ROOT / "fixtures" / "events" / "treserva"
HEADER, NEED = (EVENTS / "valid_behov_rad.csv").read_text(encoding="utf-8").splitlines()


class System:
    """The case system beside a gateway, and what the gateway keeps of what it said."""

    def __init__(self, gateway: Gateway, folder: Path, answered: asyncio.Semaphore) -> None:
        self._gateway = gateway
        self._answered = answered
        self.to_gateway, self.quarantine = folder / "to_gateway", folder / "quarantine"

    async def drops(self, name: str, content: bytes, events: int) -> tuple[Any, Any]:
        """Drop a file with so many events, and return what its receipts say when all of them are answered."""
        file = self.to_gateway / f"{name}.tmp"
        file.write_bytes(content)
        file.rename(self.to_gateway / name)
        async with asyncio.timeout(20):
            for _ in range(events):
                await self._answered.acquire()
        assert not (self.to_gateway / name).exists()
        ok, err = (self.to_gateway / f"{name}{kind}" for kind in (".ok", ".err"))
        return (json.loads(ok.read_bytes()) if ok.exists() else None), (
            json.loads(err.read_bytes()) if err.exists() else None
        )

    async def kept(self) -> list[tuple[str, bytes]]:
        """Return state and content of every event that is kept."""
        async with self._gateway.context.store.reading() as tx:
            rows = await tx.execute(select(tables.event.c.state, tables.event.c.content).order_by(tables.event.c.id))
            return [(row.state, row.content) for row in rows]

    async def listed(self) -> list[tuple[str, str]]:
        """Return kind and code of what the gateway shows as set aside."""
        async with self._gateway.context.store.reading() as tx:
            return [(one["kind"], one["code"]) for one in await ledger.set_aside(tx)]


@asynccontextmanager
async def at_work(path: Path) -> AsyncIterator[System]:
    folder = path / "treserva"
    (folder / "to_gateway").mkdir(parents=True)
    answered = asyncio.Semaphore(0)

    def observe(passage: Passage) -> None:
        if passage.hop is Hop.EVENT_ANSWERED:
            answered.release()

    settings = Settings(
        party="kommun",
        store=blank_store(path / "store.sqlite"),
        exchange=f"sqlite+aiosqlite:///{path / 'exchange.sqlite'}",
        directory=ROOT / "fixtures" / "directory.toml",
        adapters=[{"name": "treserva", "words": "treserva", "way": "folder", "folder": folder, "settle_seconds": 0.1}],
    )
    async with open_gateway(settings, SystemClock(), observe) as gateway, running(gateway):
        yield System(gateway, folder, answered)


async def test_every_line_and_every_form_is_answered_kept_and_can_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_adapter, "SETTLE", 0.02)
    second = NEED.replace("TRV-FIX-81", "TRV-2").replace("650523-9811", "19850912-9808").replace("09001", "09002")
    unknown_unit = second.replace("TRV-2", "TRV-3").replace("SE2321000131-E000000000101", "SE5560360793-KLINIK")
    sheet = "\r\n".join([HEADER, NEED, "", unknown_unit, second, ""])
    async with at_work(tmp_path) as system:
        # the lines of a file, one of them refused
        ok, err = await system.drops("01.csv", sheet.encode("latin-1"), 3)
        assert [(line["line"], line["caseNumber"], len(line["messageIds"])) for line in ok["lines"]] == [
            (2, "SIP100001", 1),
            (5, "SIP100002", 1),
        ]
        assert [(one["line"], one["code"], one["path"]) for one in err] == [(4, "unit.unknown", "mottagare.1")]
        to_mend = (system.quarantine / "01.csv").read_bytes()
        assert to_mend.decode("latin-1").splitlines() == [HEADER, unknown_unit]

        # the same file again, as after a crash, and from a system that writes UTF-8 now
        again, once_more = await system.drops("01.csv", sheet.encode("utf-8-sig"), 3)
        assert (again, once_more) == (ok, err)

        # what the rules of the case refuse has its line too
        consent = json.loads((EVENTS / "valid_samtycke_ja.json").read_bytes()) | {"arendeId": "SN 2026-09999"}
        ok, err = await system.drops("02.csv", csv_of([consent]).encode(), 1)
        assert (ok, [(one["line"], one["code"]) for one in err]) == (None, [(2, "case.unknown")])

        # the mended line, dropped again
        mended = to_mend.replace(b"SE5560360793-KLINIK", b"SE2321000131-E000000000202").replace(b"TRV-3", b"TRV-5")
        mended = mended.replace(b"19850912-9808", b"19781130-9819").replace(b"09002", b"09003")
        ok, err = await system.drops("03.csv", mended, 1)
        assert (err, [line["line"] for line in ok["lines"]]) == (None, [2])

        # other forms, and what is too large
        ok, err = await system.drops("04.xml", (EVENTS / "invalid_unit.unknown_element.xml").read_bytes(), 1)
        assert (ok, [(one["code"], one["path"]) for one in err]) == (None, [("unit.unknown", "/handelse/mottagare")])
        ok, err = await system.drops("05.json", b" " * (MAX_BYTES + 1), 1)
        assert (ok, [one["code"] for one in err]) == (None, ["document.too-large"])
        assert (system.quarantine / "05.json").stat().st_size == MAX_BYTES + 1

        kept = await system.kept()
        assert [state for state, _ in kept].count("accepted") == 3
        assert {content for state, content in kept if state == "accepted"} >= {f"{HEADER}\n{NEED}\n".encode()}
        assert max(len(content) for _, content in kept) < 10_000
        codes = [code for kind, code in await system.listed() if kind == "event"]
        assert codes == ["unit.unknown", "case.unknown", "unit.unknown", "document.too-large"]
