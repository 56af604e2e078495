"""Simulated case systems: what stands on the other side of the folder in a demo and in tests.

One commits what the gateway hands over into a database of its own, gives its record id in a receipt, and then acts as
its staff would: takes charge of each message. It survives being killed at any point: what it has committed it never
commits again, and what it said it says again in the same bytes.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateway.adapters import disk
from gateway.adapters.adapter import MESSAGE, NOTE, NOTICE
from gateway.adapters.folder_arrival import ACCEPTED, NOT_ACCEPTED
from gateway.adapters.table import VOCABULARIES
from gateway.clock import Clock

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id TEXT NOT NULL UNIQUE,
    record_id TEXT UNIQUE,
    received_at TEXT NOT NULL,
    content TEXT NOT NULL,
    is_acknowledged INTEGER NOT NULL DEFAULT 0
)
"""


class SimulatedCaseSystem:
    """A case system of one kind (a name in the table of vocabularies) at ``path``; it runs while it is entered.

    The three switches may be turned while it runs. ``silent``: it takes nothing and answers nothing. ``refuses``: it
    says no to everything new. ``acknowledges``: staff take charge of each message, a mere notification too; when turned
    on again they catch up.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        clock: Clock,
        *,
        interval: float = 0.05,
        silent: bool = False,
        refuses: bool = False,
        acknowledges: bool = True,
    ) -> None:
        self.silent = silent
        self.refuses = refuses
        self.acknowledges = acknowledges
        self._words = VOCABULARIES[kind]
        self._clock = clock
        self._interval = interval
        self._database = path / "system.sqlite"
        self._to_gateway = path / "to_gateway"
        self._from_gateway = path / "from_gateway"
        self._answered = (self._to_gateway, path / "archive", path / "quarantine")
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the system's folder and database, and begin to work."""
        await asyncio.to_thread(self._open)
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name=f"simulated {self._words.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop working. A fault of the system's own comes out here."""
        self._stopping.set()
        assert self._task is not None
        await self._task

    async def say(self, file_name: str, event: bytes) -> None:
        """Hand the gateway an event, under a file name of one's own."""
        await asyncio.to_thread(disk.write, self._to_gateway / file_name, event)

    async def records(self) -> list[dict[str, Any]]:
        """Return the messages it holds, in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._held, MESSAGE)

    async def haendelser(self) -> list[dict[str, Any]]:
        """Return the notes in its log of events (Händelser), in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._held, NOTE)

    async def notices(self) -> list[dict[str, Any]]:
        """Return the notices to its units, in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._held, NOTICE)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.silent:
                await asyncio.to_thread(self._work)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval)

    # What follows touches the disk and runs in a thread.

    def _open(self) -> None:
        for folder in (self._from_gateway, *self._answered):
            folder.mkdir(parents=True, exist_ok=True)
        with self._connected() as database:
            database.execute(_SCHEMA)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._database)) as database, database:
            yield database

    def _work(self) -> None:
        for file in sorted(self._from_gateway.glob("[!.]*.json")):
            if not any(file.with_name(file.name + kind).exists() for kind in (ACCEPTED, NOT_ACCEPTED)):
                self._take(file)
        if self.acknowledges:
            self._take_charge()

    def _take(self, file: Path) -> None:
        if self.refuses:
            reason = {"code": "simulated.refuses", "reason": "Systemet är inställt på att säga nej."}
            disk.write(file.with_name(file.name + NOT_ACCEPTED), disk.json_bytes(reason))
            return
        record_id, received_at = self._commit(file.stem, file.read_text(encoding="utf-8"))
        receipt = {"recordId": record_id, "registeredAt": received_at}
        disk.write(file.with_name(file.name + ACCEPTED), disk.json_bytes(receipt))

    def _commit(self, file_id: str, content: str) -> tuple[str, str]:
        with self._connected() as database:
            known = database.execute(
                "SELECT record_id, received_at FROM record WHERE file_id = ?", (file_id,)
            ).fetchone()
            if known is not None:
                return known[0], known[1]
            now = self._clock.now()
            row = database.execute(
                "INSERT INTO record (file_id, received_at, content) VALUES (?, ?, ?)",
                (file_id, now.isoformat(), content),
            )
            assert row.lastrowid is not None
            record_id = self._words.record_id(row.lastrowid, now)
            database.execute("UPDATE record SET record_id = ? WHERE number = ?", (record_id, row.lastrowid))
            return record_id, now.isoformat()

    def _take_charge(self) -> None:
        with self._connected() as database:
            waiting = database.execute(
                "SELECT number, file_id, received_at, content FROM record WHERE NOT is_acknowledged AND file_id GLOB ?",
                (f"{MESSAGE}*",),
            ).fetchall()
        for number, file_id, received_at, content in waiting:
            file_name = f"acknowledgement-{file_id}.json"
            # It may have been said, and even answered, before the process died.
            if not any((folder / file_name).exists() for folder in self._answered):
                event = self._words.acknowledgement(json.loads(content), datetime.fromisoformat(received_at))
                disk.write(self._to_gateway / file_name, disk.json_bytes(event))
            with self._connected() as database:
                database.execute("UPDATE record SET is_acknowledged = 1 WHERE number = ?", (number,))

    def _held(self, prefix: str) -> list[dict[str, Any]]:
        with self._connected() as database:
            rows = database.execute(
                "SELECT record_id, content FROM record WHERE file_id GLOB ? ORDER BY number", (f"{prefix}*",)
            ).fetchall()
        return [{"recordId": record_id, **json.loads(content)} for record_id, content in rows]
