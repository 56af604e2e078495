"""Simulated case systems: what stands on the other side of the folder in a demo, in tests and before go-live.

One commits what the gateway hands over into a database of its own, gives its record id in a receipt, and then acts as
its staff would: takes charge of each message. It survives being killed at any point: what it has committed it never
commits again, and what it said it says again in the same bytes. It can be told to misbehave.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateway.adapters import disk
from gateway.adapters.adapter import MESSAGE, NOTE, NOTICE, TEST
from gateway.adapters.behaviour import GARBAGE, REFUSAL, Behaviour
from gateway.adapters.folder_arrival import ACCEPTED, NOT_ACCEPTED
from gateway.adapters.simulated_records import Record, Records
from gateway.adapters.table import VOCABULARIES
from gateway.clock import Clock


class SimulatedCaseSystem:
    """A case system of one kind (a name in the table of vocabularies) at ``path``; it runs while it is entered.

    Its ``behaviour`` may be turned while it runs. ``acknowledges``: staff take charge of each message, a mere
    notification too; when turned on again they catch up.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        clock: Clock,
        *,
        interval: float = 0.05,
        behaviour: Behaviour | None = None,
        acknowledges: bool = True,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.acknowledges = acknowledges
        self._kind = kind
        self._interval = interval
        self._records = Records(path / "system.sqlite", VOCABULARIES[kind], clock)
        self._to_gateway = path / "to_gateway"
        self._from_gateway = path / "from_gateway"
        self._shelves = (self._to_gateway, path / "archive", path / "quarantine")
        self._taken_at: dict[str, float] = {}
        self._garbled: set[str] = set()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.address = str(path)

    async def __aenter__(self) -> Self:
        """Open the system's folder and database, and begin to work."""
        await asyncio.to_thread(self._open)
        self._stopping.clear()
        self._task = asyncio.create_task(self._run(), name=f"simulated {self._kind}")
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

    async def tell(self, name: str, event: bytes) -> Any:
        """Hand the gateway an event, wait for its receipt, and return what stands in it: a list where it is a no."""
        file_name = f"{name}.json"
        await self.say(file_name, event)
        while True:
            answer = await asyncio.to_thread(self._answer_to, file_name)
            if answer is not None:
                return answer
            await asyncio.sleep(self._interval)

    async def records(self) -> list[dict[str, Any]]:
        """Return the messages it holds, in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._records.held, MESSAGE)

    async def haendelser(self) -> list[dict[str, Any]]:
        """Return the notes in its log of events (Händelser), in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._records.held, NOTE)

    async def notices(self) -> list[dict[str, Any]]:
        """Return the notices to its units, in the order it took them, each with its ``recordId``."""
        return await asyncio.to_thread(self._records.held, NOTICE)

    async def counts(self) -> dict[str, int]:
        """Return how much it holds."""
        return await asyncio.to_thread(self._records.counts)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            if not self.behaviour.down:
                await asyncio.to_thread(self._work)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval)

    # What follows touches the disk and runs in a thread.

    def _open(self) -> None:
        for folder in (self._from_gateway, *self._shelves):
            folder.mkdir(parents=True, exist_ok=True)
        self._records.open()
        self._garbled = {
            receipt.name.removesuffix(ACCEPTED)
            for receipt in self._from_gateway.glob(f"*{ACCEPTED}")
            if receipt.stat().st_size == len(GARBAGE) and receipt.read_bytes() == GARBAGE
        }

    def _work(self) -> None:
        for file in sorted(self._from_gateway.glob("[!.]*.json")):
            if file.name.startswith(TEST):
                self._pass(file)
                continue
            is_garbled = file.name in self._garbled and not self.behaviour.garbage
            if is_garbled or not any(self._receipt(file, kind).exists() for kind in (ACCEPTED, NOT_ACCEPTED)):
                self._take(file)
        if self.acknowledges:
            for record in self._records.untaken():
                self._take_charge(record)

    def _pass(self, file: Path) -> None:
        """Answer a test, which is no message and becomes no record."""
        if not self._receipt(file, ACCEPTED).exists():
            self._give(self._receipt(file, ACCEPTED), disk.json_bytes({"recordId": TEST.rstrip("-")}))

    def _take(self, file: Path) -> None:
        behaviour = self.behaviour
        is_refused = behaviour.refuse and self._records.find(file.stem) is None
        record = None if is_refused else self._records.commit(file.stem, file.read_text(encoding="utf-8"))
        now = time.monotonic()
        if now - self._taken_at.setdefault(file.name, now) < behaviour.slow:
            return
        if behaviour.garbage:
            self._garbled.add(file.name)
            self._give(self._receipt(file, ACCEPTED), GARBAGE)
        elif record is None:
            self._give(self._receipt(file, NOT_ACCEPTED), disk.json_bytes(REFUSAL))
        else:
            self._give(self._receipt(file, ACCEPTED), disk.json_bytes(record.receipt()))
            self._garbled.discard(file.name)
        self._taken_at.pop(file.name)

    def _give(self, receipt: Path, content: bytes) -> None:
        for _ in range(2 if self.behaviour.twice else 1):
            disk.write(receipt, content)

    def _receipt(self, file: Path, kind: str) -> Path:
        return file.with_name(file.name + kind)

    def _take_charge(self, record: Record) -> None:
        name = f"acknowledgement-{record.sent_id}"
        event = disk.json_bytes(self._records.acknowledgement(record))
        for file_name in (f"{name}.json", *([f"{name}-again.json"] if self.behaviour.twice else [])):
            # It may have been said, and even answered, before the process died.
            if not any((folder / file_name).exists() for folder in self._shelves):
                disk.write(self._to_gateway / file_name, event)
        self._records.take_charge(record)

    def _answer_to(self, file_name: str) -> Any:
        if (self._to_gateway / file_name).exists():  # an answer that stands there is to what came before
            return None
        for kind in (ACCEPTED, NOT_ACCEPTED):
            with suppress(FileNotFoundError):
                return json.loads((self._to_gateway / f"{disk.addable(file_name)}{kind}").read_bytes())
        return None
