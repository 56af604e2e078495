"""What a simulated case system has committed: a SQLite file that survives being killed at any point.

What the gateway sends has an id of its own, the same each time it is sent: what is known by one is committed once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.adapters.adapter import MESSAGE
from gateway.adapters.vocabulary import Vocabulary
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
_COLUMNS = "number, file_id, record_id, received_at, content"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was committed: ``sent_id`` is the gateway's id for it, ``record_id`` the system's."""

    number: int
    sent_id: str
    record_id: str
    received_at: datetime
    content: str

    def receipt(self) -> dict[str, str]:
        """Return what the gateway is answered."""
        return {"recordId": self.record_id, "registeredAt": self.received_at.isoformat()}


class Records:
    """The records in ``file``, numbered as the systems that speak ``words`` do. Every method touches the disk."""

    def __init__(self, file: Path, words: Vocabulary, clock: Clock) -> None:
        self._file = file
        self._words = words
        self._clock = clock

    def open(self) -> None:
        """Make the file where there is none."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as database:
            database.execute(_SCHEMA)

    def find(self, sent_id: str) -> Record | None:
        """Return what is committed under ``sent_id``."""
        with self._connected() as database:
            return _found(database, sent_id)

    def commit(self, sent_id: str, content: str) -> Record:
        """Commit ``content``, a JSON object, unless there is something under ``sent_id``; return what there is."""
        with self._connected() as database:
            database.execute("BEGIN IMMEDIATE")
            known = _found(database, sent_id)
            if known is not None:
                return known
            now = self._clock.now()
            row = database.execute(
                "INSERT INTO record (file_id, received_at, content) VALUES (?, ?, ?)",
                (sent_id, now.isoformat(), content),
            )
            assert row.lastrowid is not None
            record_id = self._words.record_id(row.lastrowid, now)
            database.execute("UPDATE record SET record_id = ? WHERE number = ?", (record_id, row.lastrowid))
            return Record(row.lastrowid, sent_id, record_id, now, content)

    def untaken(self) -> list[Record]:
        """Return the messages that nobody has taken charge of, in the order they were committed."""
        with self._connected() as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM record WHERE NOT is_acknowledged AND file_id GLOB ? ORDER BY number",  # noqa: S608 -- our own columns
                (f"{MESSAGE}*",),
            ).fetchall()
        return [_record(row) for row in rows]

    def take_charge(self, record: Record) -> None:
        """Keep that somebody has taken charge, and that the gateway has been told."""
        with self._connected() as database:
            database.execute("UPDATE record SET is_acknowledged = 1 WHERE number = ?", (record.number,))

    def acknowledgement(self, record: Record) -> dict[str, Any]:
        """Return the event in which staff take charge of a message: the same each time."""
        return self._words.acknowledgement(json.loads(record.content), record.received_at)

    def held(self, prefix: str) -> list[dict[str, Any]]:
        """Return what was sent under ids that begin with ``prefix``, in order, each with its ``recordId``."""
        with self._connected() as database:
            rows = database.execute(
                "SELECT record_id, content FROM record WHERE file_id GLOB ? ORDER BY number", (f"{prefix}*",)
            ).fetchall()
        return [{"recordId": record_id, **json.loads(content)} for record_id, content in rows]

    def counts(self) -> dict[str, int]:
        """Return how much there is, and of how many messages somebody has taken charge."""
        with self._connected() as database:
            records, acknowledged = database.execute(
                "SELECT COUNT(*), COALESCE(SUM(is_acknowledged), 0) FROM record"
            ).fetchone()
        return {"records": records, "acknowledged": acknowledged}

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file)) as database, database:
            yield database


def _found(database: sqlite3.Connection, sent_id: str) -> Record | None:
    row = database.execute(f"SELECT {_COLUMNS} FROM record WHERE file_id = ?", (sent_id,)).fetchone()  # noqa: S608 -- our own columns
    return _record(row) if row is not None else None


def _record(row: tuple[Any, ...]) -> Record:
    number, sent_id, record_id, received_at, content = row
    return Record(number, sent_id, record_id, datetime.fromisoformat(received_at), content)
