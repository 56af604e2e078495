"""The watched folder: how a case system and the gateway hand each other files on a shared disk.

Below the system's folder there are four more. The system writes events to ``to_gateway`` (best under a name ending in
``.tmp``, then renamed; a file that may be half written is waited for) and finds a receipt beside each:
``<file name>.ok`` or ``<file name>.err``, or both where a CSV file has lines of either kind. The answered file moves to
``archive`` or to ``quarantine``. The gateway writes to ``from_gateway`` and waits for the system's receipts there, of
the same two kinds. Nothing is deleted and nothing is overwritten with something else, and every step may be repeated
after a crash: the receipt is on disk before the file moves, so an event is either still waiting or has been answered.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import structlog

from gateway.adapters import disk
from gateway.adapters.folder_arrival import ACCEPTED, NOT_ACCEPTED, Answered, EventLines, FileArrival, FolderArrival
from gateway.adapters.folder_look import UNKNOWN_FORM, Look
from gateway.adapters.share import Share
from gateway.adapters.shelved import NOTES, Shelved
from gateway.adapters.unfinished import File, Unfinished
from gateway.adapters.written_csv import taken_apart
from gateway.adapters.written_form import is_csv, stand_in
from gateway.clock import in_zone
from gateway.envelope import content_hash
from gateway.errors import DependencyDownError, Fault, InvalidDocumentError, RefusedError
from gateway.messages.hardened import MAX_BYTES, read_json
from gateway.ports import Event, Registration

P = ParamSpec("P")
T = TypeVar("T")

UNAVAILABLE = Fault(
    "folder.unavailable",
    "Verksamhetssystemets mapp kan inte läsas eller skrivas.",
    "The folder of the case system cannot be read or written.",
)
NO_RECEIPT = Fault(
    "system.no-receipt",
    "Verksamhetssystemet har inte kvitterat inom {seconds} sekunder.",
    "The case system has given no receipt within {seconds} seconds.",
)
RECEIPT_UNREADABLE = Fault(
    "system.receipt-unreadable",
    "Verksamhetssystemets kvitto går inte att läsa.",
    "The receipt of the case system cannot be read.",
)
REFUSED = Fault(
    "system.refused",
    "Verksamhetssystemet tar inte emot meddelandet (kod {code}).",
    "The case system does not take the message (code {code}).",
)

BATCH: Final = 64
"""How many events are yielded at a time."""
BATCH_CELLS: Final = 4_096
"""How many cells the lines that are yielded at a time have, but for the last: nothing else is done meanwhile."""
COME_AGAIN_AFTER: Final = 5.0
"""Seconds after which an event that was yielded and not answered is yielded again."""
SETTLE: Final = 1.0
"""Seconds that a file must have stood still which does not show that it is whole."""
SETTLE_LINES: Final = 10.0
"""Seconds that a CSV file must have stood still: its lines may come one by one."""
PATIENCE: Final = 30.0
"""Seconds that files wait for one before them in the order of names which does not become whole."""

_RECEIPT_BYTES = 64 * 1024
_CODE = re.compile(r"[A-Za-z0-9.\-]{1,60}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.\-]")

log = structlog.get_logger(__name__)


def file_safe(identifier: str) -> str:
    """Return ``identifier`` as part of a file name; two identifiers never become one name."""
    safe = _UNSAFE.sub("_", identifier)[:100]
    return safe if safe == identifier else f"{safe}.{disk.short(content_hash(identifier.encode('utf-8', 'replace')))}"


class Folder:
    """One system's folder, seen from the gateway.

    ``interval`` is the time between two looks, ``timeout`` how long a file handed over waits for its receipt,
    ``settle``, ``settle_lines`` and ``patience`` are :data:`SETTLE`, :data:`SETTLE_LINES` (or ``settle`` where that is
    given) and :data:`PATIENCE` unless they are given, all in seconds. What is done there is done in the threads of its
    ``share``. The folder itself must exist (a share that is not mounted must not look like an empty one); the folders
    in it are made when missing.
    """

    def __init__(
        self,
        path: Path,
        *,
        source: str,
        interval: float = 0.1,
        timeout: float = 10.0,
        settle: float | None = None,
        settle_lines: float | None = None,
        patience: float | None = None,
        share: Share | None = None,
    ) -> None:
        self._source = source
        self._interval = interval
        self._timeout = timeout
        if settle_lines is None:
            settle_lines = SETTLE_LINES if settle is None else settle
        self._unfinished = Unfinished(
            SETTLE if settle is None else settle,
            max(PATIENCE, 2 * settle_lines) if patience is None else patience,
            lines=settle_lines,
        )
        self._is_there = True
        self._share = Share() if share is None else share
        self.to_gateway = path / "to_gateway"
        self.from_gateway = path / "from_gateway"
        self.archive = path / "archive"
        self.quarantine = path / "quarantine"
        self._glance = Look(self.to_gateway)
        self._shelved = Shelved(self.to_gateway, self.archive / NOTES, settle_lines)

    async def ping(self) -> None:
        """Return when the folder can be read and written. Raises :class:`DependencyDownError`."""
        await self._once(self._prepare)

    async def arrivals(self) -> AsyncIterator[list[FolderArrival]]:
        """Yield events in the order of their file names and lines, some at a time, and wait while there are none.

        Each is yielded once; one that is still not answered comes again after :data:`COME_AGAIN_AFTER` seconds, and at
        once to whoever begins anew. While the folder is away, nothing is yielded and nothing is lost.
        """
        yielded: dict[File, float] = {}
        halfway: dict[File, EventLines] = {}
        while True:
            waiting = await self._look()
            now = asyncio.get_running_loop().time()
            yielded = _not_to_come_again(yielded, waiting, now)
            halfway = {file: one for file, one in halfway.items() if file in waiting and not one.is_answered}
            self._unfinished.keep(waiting)
            batch: list[FolderArrival] = []
            cells = 0
            for file in waiting:
                if file in yielded:
                    continue
                opened = halfway.get(file) or await self._open(file, halfway)
                if opened is None:
                    if self._unfinished.holds_up(file):
                        break
                    if file not in self._unfinished:
                        yielded[file] = now  # it cannot be read, and is tried again later
                    continue
                yielded[file] = now
                for arrival in opened.unanswered():
                    batch.append(arrival)
                    cells += opened.width
                    if len(batch) == BATCH or cells >= BATCH_CELLS:
                        yield batch
                        batch, cells = [], 0
            if batch:
                yield batch
            await asyncio.sleep(self._interval)

    async def _look(self) -> list[File]:
        """Return the event files that are there; none while the folder is away, which is logged once."""
        try:
            put_back = await self._once(self._shelved.look) if self._shelved.is_due else 0
            waiting, strange = await self._once(self._waiting)
        except DependencyDownError as error:
            if self._is_there:
                log.warning("adapter.folder_unavailable", source=self._source, codes=error.codes)
            self._is_there = False
            return []
        self._is_there = True
        if strange:  # their names may tell of a person
            log.warning("adapter.files_not_taken", source=self._source, files=strange, codes=[UNKNOWN_FORM.code])
        if put_back:
            log.warning("adapter.event_grown", source=self._source, files=put_back)
        return waiting

    async def _open(self, file: File, halfway: dict[File, EventLines]) -> EventLines | FileArrival | None:
        """Return what arrives with a file; ``None`` when it is gone, cannot be read, or may still be being written.

        One of several events is kept in ``halfway``, with the answers it has.
        """
        try:
            read = await self._on_disk(self._read, file)
        except DependencyDownError as error:  # one file that cannot be read must not stop the others
            log.warning("adapter.event_unreadable", source=self._source, codes=error.codes)
            return None
        if read is None:
            if self._unfinished.is_given_up(file):
                log.warning("adapter.event_unfinished", source=self._source)  # its name may tell of a person
            return None
        content, size = read
        if size > MAX_BYTES:
            told = stand_in(size, content_hash(content))
            return FileArrival(self.settle, file[0], Event(source=self._source, content=told), None)
        if is_csv(content):
            try:
                sheet = await asyncio.to_thread(taken_apart, content)
            except InvalidDocumentError:
                pass  # refused as a whole, by whoever understands it
            else:
                halfway[file] = EventLines(self.settle, file[0], self._source, content, sheet)
                return halfway[file]
        return FileArrival(self.settle, file[0], Event(source=self._source, content=content), content)

    async def settle(self, answered: Answered) -> None:
        """Answer the events of a file: receipts first, then its move. Raises :class:`DependencyDownError`."""
        await self._on_disk(self._settle, answered)

    async def hand_over(self, name: str, content: dict[str, Any]) -> Registration:
        """Write ``content`` for the system under ``name``, unless it is there, and return the system's receipt.

        Repeatable: the same name has the same effect, and a receipt that has come is returned again.

        Raises:
            DependencyDownError: no readable receipt has come in time, or the folder is away.
            RefusedError: the receipt says no.
        """
        file_name = f"{name}.json"
        deadline = asyncio.get_running_loop().time() + self._timeout
        await self._on_disk(self._put, file_name, disk.json_bytes(content))
        while True:
            finding = NO_RECEIPT.at(seconds=f"{self._timeout:g}")
            try:
                receipt = await self._on_disk(self._receipt, file_name)
                if receipt is not None:
                    return receipt
            except InvalidDocumentError:
                finding = RECEIPT_UNREADABLE.at()
            if asyncio.get_running_loop().time() >= deadline:
                raise DependencyDownError(finding)
            await asyncio.sleep(self._interval)

    async def take_back(self, name: str) -> None:
        """Remove what was handed over under ``name``, and its receipts. Raises :class:`DependencyDownError`."""
        await self._on_disk(self._take_back, f"{name}.json")

    async def _on_disk(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._share.do(work, *args, **kwargs)
        except OSError:
            raise DependencyDownError(UNAVAILABLE.at()) from None

    async def _once(self, work: Callable[[], T]) -> T:
        """Do what needs not be done twice beside itself: on a share that hangs it would hang twice."""
        try:
            return await self._share.once(work)
        except OSError:
            raise DependencyDownError(UNAVAILABLE.at()) from None

    # What follows touches the disk and runs in a thread of the share's own.

    def _prepare(self) -> None:
        for folder in (self.to_gateway, self.from_gateway, self.archive, self.quarantine):
            folder.mkdir(exist_ok=True)
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError

    def _waiting(self) -> tuple[list[File], int]:
        """Return the event files, and how many files were found that will never be taken."""
        try:
            if self._glance.has_nothing_new():
                return [], 0
        except FileNotFoundError:
            pass  # it is made where it can be
        self._prepare()
        return self._glance.events(), self._glance.tell_strange()

    def _read(self, file: File) -> tuple[bytes, int] | None:
        """Return what is read of an event file, and its size; ``None`` when it is gone, or may not be whole."""
        try:
            with (self.to_gateway / file[0]).open("rb") as stream:
                status = os.fstat(stream.fileno())
                if not self._unfinished.must_be_read(file, status):
                    return None
                content = stream.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        size = status.st_size
        is_whole = self._unfinished.is_whole(file, status, content if size <= MAX_BYTES else None)
        return (content, size) if is_whole else None

    def _settle(self, answered: Answered) -> None:
        name, content = answered.name, answered.content
        shelf = self.archive if ACCEPTED in answered.receipts else self.quarantine
        self._write_receipts(name, answered.receipts, shelf)
        path = self.to_gateway / name
        if answered.refused is not None:
            self._keep(self.quarantine / name, answered.refused)
        if content is None:
            if path.exists() and path.stat().st_size > MAX_BYTES:
                disk.move(path, shelf)
            return
        is_there = path.exists() and disk.is_same(path, content_hash(content))
        if not is_there or not self._shelved.move(path, shelf, content, may_grow=is_csv(content)):
            # The system has put other events under the same name meanwhile: keep those that were answered.
            self._keep(shelf / name, content)

    def _keep(self, path: Path, content: bytes) -> None:
        """Write a file, unless it is there, under a name that no other content has."""
        digest = content_hash(content)
        if not any(disk.is_same(kept, digest) for kept in (path, disk.hash_named(path, digest))):
            disk.write(disk.free_name(path, digest), content)

    def _write_receipts(self, name: str, receipts: Mapping[str, Any], shelf: Path) -> None:
        contents = {kind: disk.json_bytes(answer) for kind, answer in receipts.items()}
        for kind in (ACCEPTED, NOT_ACCEPTED):
            receipt = self.to_gateway / f"{disk.addable(name)}{kind}"
            if receipt.exists() and receipt.read_bytes() != contents.get(kind):
                disk.move(receipt, shelf)
        for kind, content in contents.items():
            receipt = self.to_gateway / f"{disk.addable(name)}{kind}"
            if not receipt.exists():
                disk.write(receipt, content)

    def _put(self, file_name: str, content: bytes) -> None:
        self._prepare()
        path = self.from_gateway / file_name
        # A system may move away what it has taken; its receipt stays.
        if not any(path.with_name(file_name + known).exists() for known in ("", ACCEPTED, NOT_ACCEPTED)):
            disk.write(path, content)

    def _take_back(self, file_name: str) -> None:
        for known in ("", ACCEPTED, NOT_ACCEPTED):
            (self.from_gateway / f"{file_name}{known}").unlink(missing_ok=True)

    def _receipt(self, file_name: str) -> Registration | None:
        for known in (ACCEPTED, NOT_ACCEPTED):
            try:
                with (self.from_gateway / f"{file_name}{known}").open("rb") as file:
                    receipt = read_json(file.read(_RECEIPT_BYTES))
            except FileNotFoundError:
                continue
            if not isinstance(receipt, dict):
                raise InvalidDocumentError(RECEIPT_UNREADABLE.at())
            if known == NOT_ACCEPTED:
                # Its words may name the person; its code may not, and only in the form of a code.
                code = receipt.get("code")
                is_code = isinstance(code, str) and _CODE.fullmatch(code) is not None
                raise RefusedError(REFUSED.at(code=code if is_code else "–"))
            return registration_in(receipt)
        return None


def registration_in(receipt: dict[str, Any]) -> Registration:
    """Read a positive receipt: ``recordId``, and ``registeredAt`` (RFC 3339) where the system tells it.

    Raises:
        InvalidDocumentError: it is none.
    """
    record_id, at = receipt.get("recordId"), receipt.get("registeredAt")
    if not isinstance(record_id, str) or not record_id.strip() or len(record_id) > 200:
        raise InvalidDocumentError(RECEIPT_UNREADABLE.at("/recordId"))
    if at is None:
        return Registration(record_id=record_id)
    try:
        return Registration(record_id=record_id, at=in_zone(datetime.fromisoformat(at)))
    except (TypeError, ValueError):
        raise InvalidDocumentError(RECEIPT_UNREADABLE.at("/registeredAt")) from None


def _not_to_come_again(yielded: Mapping[File, float], waiting: Sequence[File], now: float) -> dict[File, float]:
    return {file: yielded[file] for file in waiting if file in yielded and now - yielded[file] < COME_AGAIN_AFTER}
