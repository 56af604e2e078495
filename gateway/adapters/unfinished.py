"""Files that may still be being written, by a system that cannot rename them when they are done.

JSON and XML show by themselves that they are whole. What does not is taken when its size and time have stood still for
a while, as seen from here: the clock of a shared disk is another machine's. Of CSV nothing shows whether more lines are
to come, so it has to stand still for longer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Final

from gateway.adapters.written_form import as_any, is_csv
from gateway.errors import InvalidDocumentError

UNENDED: Final = 5
"""How many times as long a file must stand still that does not end as its form does: it may be cut off."""

File = tuple[str, int]
"""Name and inode: a new file under an old name is another."""


@dataclass(slots=True)
class _Seen:
    """How a file looked, since when, for how many seconds it must look so, and when it was first seen."""

    looks: tuple[int, int]
    since: float
    wait: float
    first: float
    is_told: bool = False


class Unfinished:
    """The files that are not known to be whole.

    ``settle``, for CSV ``lines`` where that is longer, and ``patience`` are in seconds, by the clock ``seconds``; with
    a ``settle`` of 0 every file is whole.
    """

    def __init__(
        self, settle: float, patience: float, seconds: Callable[[], float] = time.monotonic, *, lines: float = 0
    ) -> None:
        self._seconds = seconds
        self._settle = settle
        self._lines = lines
        self._patience = patience
        self._seen: dict[File, _Seen] = {}

    def __contains__(self, file: File) -> bool:
        """Tell whether a file is watched, since it may not be whole."""
        return file in self._seen

    def keep(self, waiting: Collection[File]) -> None:
        """Forget the files that are no longer there."""
        self._seen = {file: seen for file, seen in self._seen.items() if file in waiting}

    def must_be_read(self, file: File, status: os.stat_result) -> bool:
        """Tell whether only its content can say if a file is whole, or it has stood still for long enough."""
        seen = self._seen.get(file)
        if seen is None or seen.looks != _looks_of(status):
            return True
        return self._seconds() - seen.since >= seen.wait

    def is_whole(self, file: File, status: os.stat_result, content: bytes | None) -> bool:
        """Tell whether a file that had to be read, and looked like ``status``, may be taken.

        There is no ``content`` of a file that is too large. What is not whole is noted, and may be once it has stood
        still.
        """
        if self._settle <= 0:
            return True
        now, looks = self._seconds(), _looks_of(status)
        seen = self._seen.get(file)
        is_still = seen is not None and seen.looks == looks  # for long enough, or it need not have been read
        if is_still or (content is not None and _shows_its_end(content)):
            self._seen.pop(file, None)
            return True
        wait = self._settle * (1 if content is None or _ends(content) else UNENDED)
        if content is not None and is_csv(content):
            wait = max(wait, self._lines)
        if seen is None:
            self._seen[file] = _Seen(looks, now, wait, first=now)
        elif seen.looks != looks:
            self._seen[file] = replace(seen, looks=looks, since=now, wait=wait)
        return False

    def holds_up(self, file: File) -> bool:
        """Tell whether the files behind this one, in their order, are to wait for it."""
        seen = self._seen.get(file)
        return seen is not None and self._seconds() - seen.first < self._patience

    def is_given_up(self, file: File) -> bool:
        """Tell whether a file has kept the others waiting for too long; it is told once."""
        seen = self._seen.get(file)
        if seen is None or seen.is_told or self.holds_up(file):
            return False
        seen.is_told = True
        return True


def _looks_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _ends(content: bytes) -> bool:
    """Tell whether the last that stands there may be the last that is meant to."""
    return content.endswith((b"\n", b"\r")) if is_csv(content) else content.rstrip()[-1:] in (b"}", b"]", b">")


def _shows_its_end(content: bytes) -> bool:
    """Tell whether this is a JSON or XML document with nothing missing at its end."""
    if is_csv(content) or not _ends(content):
        return False
    try:
        as_any(content)
    except InvalidDocumentError:
        return False
    return True
