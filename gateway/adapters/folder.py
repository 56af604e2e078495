"""The watched folder: how a case system and the gateway hand each other files on a shared disk.

Below the system's folder there are four more. The system writes events to ``to_gateway`` (under a name ending in
``.tmp``, then renamed, so that no half file is read) and finds a receipt beside each: ``<file name>.ok`` or
``<file name>.err``. The answered event moves to ``archive`` or to ``quarantine``. The gateway writes to
``from_gateway`` and waits for the system's receipts there, of the same two kinds. Nothing is deleted and nothing is
overwritten with something else, and every step may be repeated after a crash: the receipt is on disk before the event
moves, so an event is either still waiting or has been answered.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import structlog

from gateway.adapters import disk
from gateway.clock import in_zone
from gateway.envelope import content_hash
from gateway.errors import DependencyDownError, Fault, Finding, InvalidDocumentError, RefusedError
from gateway.messages.hardened import MAX_BYTES, TOO_LARGE, read_json
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
ACCEPTED: Final = ".ok"
NOT_ACCEPTED: Final = ".err"
COME_AGAIN_AFTER: Final = 5.0
"""Seconds after which an event that was yielded and not answered is yielded again."""

_RECEIPT_BYTES = 64 * 1024
_CODE = re.compile(r"[A-Za-z0-9.\-]{1,60}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.\-]")

log = structlog.get_logger(__name__)


def file_safe(identifier: str) -> str:
    """Return ``identifier`` as part of a file name; two identifiers never become one name."""
    safe = _UNSAFE.sub("_", identifier)[:100]
    return safe if safe == identifier else f"{safe}.{disk.short(content_hash(identifier.encode('utf-8', 'replace')))}"


class FolderArrival:
    """An event file that waits for its answer."""

    def __init__(self, folder: Folder, file_name: str, event: Event) -> None:
        self._folder = folder
        self._file_name = file_name
        self._event = event

    @property
    def event(self) -> Event:
        """What stood in the file."""
        return self._event

    async def accept(self, answer: dict[str, Any]) -> None:
        """Write ``answer`` as the ``.ok`` receipt, then move the event to the archive. Repeatable."""
        await self._folder.settle(self._file_name, self._event.content, ACCEPTED, answer)

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Write ``findings`` as the ``.err`` receipt, then move the event to the quarantine. Repeatable."""
        reasons = [finding.as_json() for finding in findings]
        await self._folder.settle(self._file_name, self._event.content, NOT_ACCEPTED, reasons)


class Folder:
    """One system's folder, seen from the gateway.

    ``interval`` is the time between two looks, ``timeout`` how long a file handed over waits for its receipt, both in
    seconds. The folder itself must exist (a share that is not mounted must not look like an empty one); the folders in
    it are made when missing.
    """

    def __init__(self, path: Path, *, source: str, interval: float = 0.1, timeout: float = 10.0) -> None:
        self._source = source
        self._interval = interval
        self._timeout = timeout
        self.to_gateway = path / "to_gateway"
        self.from_gateway = path / "from_gateway"
        self.archive = path / "archive"
        self.quarantine = path / "quarantine"

    async def ping(self) -> None:
        """Return when the folder can be read and written. Raises :class:`DependencyDownError`."""
        await _on_disk(self._prepare)

    async def arrivals(self) -> AsyncIterator[list[FolderArrival]]:
        """Yield events in the order of their file names, some at a time, and wait while there are none.

        Each is yielded once; one that is still not answered comes again after :data:`COME_AGAIN_AFTER` seconds, and at
        once to whoever begins anew. While the folder is away, nothing is yielded and nothing is lost.
        """
        yielded: dict[tuple[str, int], float] = {}
        is_there = True
        while True:
            try:
                await self.ping()
                waiting = await _on_disk(self._waiting)
                is_there = True
            except DependencyDownError as error:
                if is_there:
                    log.warning("adapter.folder_unavailable", source=self._source, codes=error.codes)
                waiting, is_there = [], False
            now = asyncio.get_running_loop().time()
            yielded = {
                file: yielded[file] for file in waiting if file in yielded and now - yielded[file] < COME_AGAIN_AFTER
            }
            new = [file for file in waiting if file not in yielded]
            for start in range(0, len(new), BATCH):
                batch = []
                for name, inode in new[start : start + BATCH]:
                    yielded[name, inode] = now
                    content = await self._content(name)
                    if content is not None:
                        batch.append(FolderArrival(self, name, Event(source=self._source, content=content)))
                if batch:
                    yield batch
            await asyncio.sleep(self._interval)

    async def _content(self, name: str) -> bytes | None:
        try:
            return await _on_disk(self._read, name)
        except DependencyDownError as error:  # one file that cannot be read must not stop the others
            log.warning("adapter.event_unreadable", source=self._source, codes=error.codes)
            return None

    async def settle(self, file_name: str, content: bytes, kind: str, answer: Any) -> None:
        """Answer an event: its receipt first, then its move. Raises :class:`DependencyDownError`."""
        await _on_disk(self._settle, file_name, content, kind, answer)

    async def hand_over(self, name: str, content: dict[str, Any]) -> Registration:
        """Write ``content`` for the system under ``name``, unless it is there, and return the system's receipt.

        Repeatable: the same name has the same effect, and a receipt that has come is returned again.

        Raises:
            DependencyDownError: no readable receipt has come in time, or the folder is away.
            RefusedError: the receipt says no.
        """
        file_name = f"{name}.json"
        deadline = asyncio.get_running_loop().time() + self._timeout
        await _on_disk(self._put, file_name, disk.json_bytes(content))
        while True:
            finding = NO_RECEIPT.at(seconds=f"{self._timeout:g}")
            try:
                receipt = await _on_disk(self._receipt, file_name)
                if receipt is not None:
                    return receipt
            except InvalidDocumentError:
                finding = RECEIPT_UNREADABLE.at()
            if asyncio.get_running_loop().time() >= deadline:
                raise DependencyDownError(finding)
            await asyncio.sleep(self._interval)

    # What follows touches the disk and runs in a thread.

    def _prepare(self) -> None:
        for folder in (self.to_gateway, self.from_gateway, self.archive, self.quarantine):
            folder.mkdir(exist_ok=True)
            if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError

    def _waiting(self) -> list[tuple[str, int]]:
        """Return name and inode of each event file: a new file under an old name is another event."""
        with os.scandir(self.to_gateway) as entries:
            return sorted(
                (entry.name, entry.inode())
                for entry in entries
                if entry.name.endswith(".json")
                and not entry.name.startswith(".")
                and entry.is_file(follow_symlinks=False)
            )

    def _read(self, name: str) -> bytes | None:
        """Return the content of an event file; ``None`` when the file is gone, or too large and refused here."""
        path = self.to_gateway / name
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size <= MAX_BYTES:
                    return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        finding = TOO_LARGE.at(limit=MAX_BYTES)
        log.warning("adapter.event_refused", source=self._source, code=finding.code)
        self._write_receipt(name, NOT_ACCEPTED, [finding.as_json()], self.quarantine)
        disk.move(path, self.quarantine)
        return None

    def _settle(self, name: str, content: bytes, kind: str, answer: Any) -> None:
        shelf = self.archive if kind == ACCEPTED else self.quarantine
        self._write_receipt(name, kind, answer, shelf)
        path = self.to_gateway / name
        digest = content_hash(content)
        if path.exists() and disk.digest_of(path) == digest:
            disk.move(path, shelf)
        elif not any(disk.is_same(kept, digest) for kept in (shelf / name, disk.hash_named(shelf / name, digest))):
            # The system has put another event under the same name meanwhile: keep the one that was answered.
            disk.write(disk.free_name(shelf / name, digest), content)

    def _write_receipt(self, name: str, kind: str, answer: Any, shelf: Path) -> None:
        content = disk.json_bytes(answer)
        for known in (ACCEPTED, NOT_ACCEPTED):
            earlier = self.to_gateway / f"{disk.addable(name)}{known}"
            if earlier.exists() and not (known == kind and earlier.read_bytes() == content):
                disk.move(earlier, shelf)
        receipt = self.to_gateway / f"{disk.addable(name)}{kind}"
        if not receipt.exists():
            disk.write(receipt, content)

    def _put(self, file_name: str, content: bytes) -> None:
        self._prepare()
        path = self.from_gateway / file_name
        # A system may move away what it has taken; its receipt stays.
        if not any(path.with_name(file_name + known).exists() for known in ("", ACCEPTED, NOT_ACCEPTED)):
            disk.write(path, content)

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


async def _on_disk(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except OSError:
        raise DependencyDownError(UNAVAILABLE.at()) from None
