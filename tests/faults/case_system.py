"""A case system with a memory of its own, which outlives the gateway: what it commits is on disk before it says so.

It lives in the process of the gateway and dies with it, but shares nothing with it: what it holds afterwards is its own
word about what it told, what it was promised and what it was handed.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.adapters.table import ADAPTERS, VOCABULARIES
from gateway.clock import Clock
from gateway.directory import Directory
from gateway.errors import DependencyDownError, Fault, Finding
from gateway.messages import Message
from gateway.notices import Notice
from gateway.ports import Arrival, Event, Registration, Translation

T = TypeVar("T")

BATCH = 64
"""How many events it tells at a time."""

LOOKS_EVERY = 0.1
"""Seconds until it looks again whether there is something to tell."""

BUSY = Fault("test.system-busy", "Systemet är upptaget.", "The system is busy.")

# No constraint forbids two records of one message: that there is one only is what is to be found out.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
    number INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    content BLOB NOT NULL,
    messages INTEGER NOT NULL,
    about_message TEXT,
    about_unit TEXT,
    answer TEXT,
    refusal TEXT
);
CREATE INDEX IF NOT EXISTS told_unanswered ON told (number) WHERE answer IS NULL AND refusal IS NULL;
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    unit TEXT NOT NULL,
    type TEXT NOT NULL,
    case_number TEXT NOT NULL,
    handed_over INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS record_message ON record (message_id, unit);
"""


def connected(file: Path) -> sqlite3.Connection:
    """Open a case system's database, each commit on disk before it returns."""
    database = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    return database


def prepare(file: Path, events: Sequence[tuple[str, bytes, int]] = ()) -> None:
    """Create the database of a case system that is to tell ``events``."""
    with closing(connected(file)) as database:
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        database.executemany("INSERT INTO told (stream, content, messages) VALUES (?, ?, ?)", events)
        database.execute("COMMIT")


@dataclass(slots=True, eq=False)
class Told:
    """An event on the doorstep; it is told again until its answer is on disk."""

    event: Event
    number: int
    system: CaseSystem

    async def accept(self, answer: dict[str, Any]) -> None:
        """Take down what was promised."""
        self.system.answers.append(("answer", json.dumps(answer), self.number))

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Take down the refusal."""
        self.system.answers.append(("refusal", json.dumps([finding.code for finding in findings]), self.number))


@dataclass(slots=True, eq=False)
class _Handed:
    message: Message
    unit: str
    taken: asyncio.Future[Registration]


class CaseSystem:
    """A case system of one kind over its database.

    ``rate`` is how many events it tells a second at most. Staff take charge of every message whose record has a number
    that ``charges`` divides; of none when it is zero.
    """

    def __init__(self, kind: str, file: Path, clock: Clock, directory: Directory, *, rate: float, charges: int) -> None:
        self.name = kind
        self._clock = clock
        self._rate = rate
        self._charges = charges
        self._words = VOCABULARIES[kind]
        self.translate: Callable[[Event], Translation] = ADAPTERS[kind](Path("nowhere"), directory).translate
        self._database = connected(file)
        self._thread = ThreadPoolExecutor(max_workers=1)
        self.answers: list[tuple[str, str, int]] = []
        """What the gateway has said since the last look, and is not on disk yet: it is told again if we die now."""
        self._handed: list[_Handed] = []
        self._taking: asyncio.Task[None] | None = None

    async def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        """Tell in order what has no answer yet, at the pace of the rate."""
        size = max(1, min(BATCH, int(self._rate / 3)))
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            answers, self.answers = self.answers, []
            if told := await self._on_disk(self._unanswered, size, answers):
                yield [Told(Event(source=self.name, content=content), number, self) for number, content in told]
                await asyncio.sleep(max(0.0, began + len(told) / self._rate - loop.time()))
            else:
                await asyncio.sleep(LOOKS_EVERY)

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Commit a message, unless it has been committed for the unit before, and return its record id."""
        handed = _Handed(message, unit, asyncio.get_running_loop().create_future())
        self._handed.append(handed)
        if self._taking is None:
            self._taking = asyncio.create_task(self._take_all())
        return await handed.taken

    async def note(self, message: Message) -> None:
        """Write a step."""

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something."""

    async def ping(self) -> None:
        """Answer."""

    async def _on_disk(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments))

    def _unanswered(self, size: int, answers: Sequence[tuple[str, str, int]]) -> list[tuple[int, bytes]]:
        """Put answers on disk, and return what is to be told next."""
        with self._transaction():
            for column, answer, number in answers:
                self._database.execute(f"UPDATE told SET {column} = ? WHERE number = ?", (answer, number))  # noqa: S608
        query = "SELECT number, content FROM told WHERE answer IS NULL AND refusal IS NULL ORDER BY number LIMIT ?"
        return self._database.execute(query, (size,)).fetchall()

    async def _take_all(self) -> None:
        while self._handed:
            handed, self._handed = self._handed, []
            try:
                numbers = await self._on_disk(self._take, handed)
            except sqlite3.OperationalError:
                for one in handed:
                    one.taken.set_exception(DependencyDownError(BUSY.at()))
                continue
            for one, number in zip(handed, numbers, strict=True):
                one.taken.set_result(Registration(record_id=record_id(number)))
        self._taking = None

    def _take(self, handed: Sequence[_Handed]) -> list[int]:
        """Commit messages in one transaction, and return the numbers of their records."""
        execute = self._database.execute
        numbers = []
        with self._transaction():
            for one in handed:
                key = (one.message.header.message_id, one.unit)
                known = execute("SELECT number FROM record WHERE message_id = ? AND unit = ?", key).fetchone()
                if known is not None:
                    execute("UPDATE record SET handed_over = handed_over + 1 WHERE number = ?", known)
                    numbers.append(known[0])
                else:
                    numbers.append(self._new_record(one.message, one.unit))
        return numbers

    def _new_record(self, message: Message, unit: str) -> int:
        execute = self._database.execute
        header = message.header
        row = (header.message_id, unit, message.type, header.case_number)
        new = execute("INSERT INTO record (message_id, unit, type, case_number) VALUES (?, ?, ?, ?)", row)
        assert new.lastrowid is not None
        if self._charges and new.lastrowid % self._charges == 0:
            execute(
                "INSERT INTO told (stream, content, messages, about_message, about_unit) VALUES (?, ?, 0, ?, ?)",
                (header.case_number, self._charge(message, unit), header.message_id, unit),
            )
        return new.lastrowid

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _charge(self, message: Message, unit: str) -> bytes:
        """Return the event in which staff take charge of a message."""
        said = self._words.acknowledgement(self._words.message(message, unit), self._clock.now())
        return json.dumps(said, ensure_ascii=False).encode()


def record_id(number: int) -> str:
    """Return the id that the system gives the record with this number."""
    return f"R-{number}"
