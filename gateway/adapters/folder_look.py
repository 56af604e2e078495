"""What lies in ``to_gateway``: the event files, and those that nobody will ever take.

A look that has found nothing is not repeated in full while the folder has not changed: the receipts that a system
leaves there may be many.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.adapters import disk
from gateway.adapters.folder_arrival import ACCEPTED, NOT_ACCEPTED
from gateway.adapters.unfinished import File
from gateway.errors import Fault

UNKNOWN_FORM: Final = Fault(
    "folder.unknown-form",
    "Filen hämtas inte: dess namn slutar varken på .json, .xml eller .csv.",
    "The file is not taken: its name ends in neither .json nor .xml nor .csv.",
)

ENDINGS: Final = (".json", ".xml", ".csv")
"""How the names of event files end, in capitals or not. The form is known by the content."""
RECEIPTS: Final = (ACCEPTED, NOT_ACCEPTED)
PASSING: Final = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
"""How the names of files end that are being written, and will have another name."""
LOOK_ANYWAY: Final = 3.0
"""Seconds after which a full look is taken although nothing seems to have changed: the time of a folder is coarse."""
STRANGE_AFTER: Final = 300.0
"""Seconds that a file with a name of no event must have stood still until its system is told."""


class Look:
    """Looks into the folder at ``path``, by the clock ``seconds``; all of it touches the disk."""

    def __init__(self, path: Path, seconds: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._seconds = seconds
        self._changed_at = -1
        self._looks_since = 0
        self._looked_at = float("-inf")
        self._is_empty = False
        self._strange: dict[File, tuple[tuple[int, int], float]] = {}
        self._told: set[File] = set()

    def has_nothing_new(self) -> bool:
        """Tell, at little cost, that a full look would find as little as the last two did; raises :class:`OSError`."""
        changed_at = self._path.stat().st_mtime_ns
        if changed_at != self._changed_at:
            self._changed_at, self._looks_since = changed_at, 0
        is_late = self._seconds() - self._looked_at >= LOOK_ANYWAY
        return self._is_empty and not is_late and self._looks_since > 1  # one may have come too soon to show

    def events(self) -> list[File]:
        """Return name and inode of each event file: a new file under an old name is another event."""
        self._looked_at = self._seconds()
        self._looks_since += 1
        found: list[File] = []
        strange: dict[File, tuple[tuple[int, int], float]] = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                name = entry.name.lower()
                if name.endswith(RECEIPTS) or name.startswith(".") or not entry.is_file(follow_symlinks=False):
                    continue
                file = entry.name, entry.inode()
                if name.endswith(ENDINGS):
                    found.append(file)
                elif not name.endswith(PASSING):
                    strange[file] = self._seen(file, entry.stat(follow_symlinks=False))
        self._strange = strange
        self._told &= strange.keys()
        self._is_empty = not found
        return sorted(found)

    def tell_strange(self) -> int:
        """Write a receipt beside each file that will never be taken, and return how many there are that have none."""
        now, new = self._seconds(), 0
        for file, (_, since) in self._strange.items():
            if file in self._told or now - since < STRANGE_AFTER:
                continue
            self._told.add(file)
            receipt = self._path / f"{disk.addable(file[0])}{NOT_ACCEPTED}"
            if not receipt.exists():
                disk.write(receipt, disk.json_bytes([UNKNOWN_FORM.at().as_json()]))
                new += 1
        return new

    def _seen(self, file: File, status: os.stat_result) -> tuple[tuple[int, int], float]:
        looks = status.st_size, status.st_mtime_ns
        seen = self._strange.get(file)
        return seen if seen is not None and seen[0] == looks else (looks, self._seconds())
