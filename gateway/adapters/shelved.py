"""Files that were answered and put on a shelf, and may still be written to: what grows there comes back.

A system that writes a file line by line, and pauses for longer than the gateway waits, goes on writing in the file that
was answered. Of each such file it is noted on disk what was answered of it; it is looked at again a few times, and put
back when it says more. All its lines are answered anew then: those that are known get the answer they had.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.adapters import disk
from gateway.envelope import content_hash
from gateway.errors import InvalidDocumentError
from gateway.messages.hardened import read_json

LOOKS: Final = (1.0, 6.0, 60.0)
"""When a file is looked at again: so many times the time that it must have stood still before."""
NOTES: Final = ".answered"
"""The folder in the archive where it is noted what was answered."""


class Shelved:
    """What was answered of the files in ``to_gateway``, and moved from there.

    ``wait`` is how long, in seconds by the clock ``seconds``, a file stood still before it was taken; with 0 no file is
    looked at again. The ``notes`` are in a folder of their own.
    """

    def __init__(
        self, to_gateway: Path, notes: Path, wait: float, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._to_gateway = to_gateway
        self._notes = notes
        self._wait = wait
        self._seconds = seconds
        self._due: dict[Path, list[float]] | None = None  # by the note, when its file is looked at

    @property
    def is_due(self) -> bool:
        """Tell whether some file is to be looked at; at first those that an earlier process has noted."""
        if self._wait <= 0:
            return False
        return self._due is None or any(times[0] <= self._seconds() for times in list(self._due.values()))

    # What follows touches the disk.

    def move(self, path: Path, shelf: Path, content: bytes, *, may_grow: bool) -> bool:
        """Move a file with ``content`` that was answered; return ``False`` when it had something else in it after all.

        That is put back, and not kept on the shelf.
        """
        digest = content_hash(content)
        kept = disk.target_of(path, shelf)
        if may_grow and self._wait > 0:
            self._note(path.name, kept, len(content), digest)
        disk.move(path, shelf)
        if disk.is_same(kept, digest):
            return True
        self._put_back(kept, path.name)
        return False

    def look(self) -> int:
        """Look at the files whose time has come, and return how many were put back."""
        if self._due is None:
            found = self._notes.glob("*.json") if self._notes.is_dir() else ()
            self._due = {note: [self._seconds(), *self._times()] for note in found}
        now, put_back = self._seconds(), 0
        for note, times in list(self._due.items()):
            if times[0] > now:
                continue
            times.pop(0)
            has_more = self._has_more(note)
            put_back += has_more
            if has_more or not times:
                note.unlink(missing_ok=True)
                del self._due[note]
        return put_back

    def _times(self) -> list[float]:
        return [self._seconds() + self._wait * look for look in LOOKS]

    def _note(self, name: str, kept: Path, size: int, digest: str) -> None:
        """Note what was answered of the file that will be ``kept``."""
        place = str(kept.relative_to(self._to_gateway.parent))
        self._notes.mkdir(exist_ok=True)
        note = self._notes / f"{content_hash(os.fsencode(place))}.json"
        disk.write(note, disk.json_bytes({"name": name, "kept": place, "size": size, "sha256": digest}))
        if self._due is not None:
            self._due[note] = self._times()

    def _has_more(self, note: Path) -> bool:
        """Tell whether the file of a note has more in it than was answered, and put it back then.

        What somebody has changed in the quarantine is theirs to put back.
        """
        try:
            told = read_json(note.read_bytes())
            kept = self._to_gateway.parent / told["kept"]
            with kept.open("rb") as file:
                is_as_it_was, has_grown = content_hash(file.read(told["size"])) == told["sha256"], bool(file.read(1))
        except (FileNotFoundError, InvalidDocumentError):
            return False
        if is_as_it_was and not has_grown:
            return False
        if not is_as_it_was and kept.parent.name == "quarantine":
            return False
        self._put_back(kept, told["name"])
        return True

    def _put_back(self, kept: Path, name: str) -> None:
        """Move a file itself, since it may be open, to its old name, or to one of its own where that is taken."""
        target = self._to_gateway / name
        if target.exists() and kept.samefile(target):  # a process died between the two steps below
            kept.unlink()
            return
        try:
            os.link(kept, target)  # a link never takes the place of a file that is there
        except OSError:  # it is, or the share has no links
            kept.replace(disk.hash_named(target, disk.digest_of(kept)))
        else:
            kept.unlink()
