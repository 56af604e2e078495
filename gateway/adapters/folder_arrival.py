"""What arrives in a watched folder: an event that is a file, or the events that are the lines of one.

A file is answered when all its events are. Of a CSV file the accepted lines are told in its ``.ok``, the refused in its
``.err``; what was answered before a crash is asked again and, being known, gets the same answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from gateway.adapters.written_csv import Line, Sheet
from gateway.errors import Fault, Finding
from gateway.ports import Event

MORE = Fault("event.more-findings", "Ytterligare {count} fel nämns inte.", "{count} more faults are not told.")

ACCEPTED: Final = ".ok"
NOT_ACCEPTED: Final = ".err"
MAX_TOLD: Final = 100
"""Most faults of one event that are told, and kept."""
MAX_TOLD_OF_FILE: Final = 1_000
"""Most faults of one file that are told, but for the first of each line."""


def bounded(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return ``findings``, or the first :data:`MAX_TOLD` and how many more there are."""
    left = len(findings) - MAX_TOLD
    return tuple(findings) if left <= 0 else (*findings[:MAX_TOLD], MORE.at(count=left))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A file whose events have their answers: its name, and the ``receipts`` by what is added to its name.

    ``content`` is what was read of it, ``None`` where it is too large to be read. ``refused`` is what is to be mended
    of a file that was accepted but for that.
    """

    name: str
    content: bytes | None
    receipts: Mapping[str, Any]
    refused: bytes | None = None


Settle = Callable[[Answered], Awaitable[None]]
"""Writes the receipts of a file, then moves it. Repeatable."""


class FolderArrival(Protocol):
    """An event in the folder that waits for its answer."""

    @property
    def event(self) -> Event:
        """What the system said."""
        ...

    async def accept(self, answer: dict[str, Any]) -> None:
        """Let ``answer`` be in the ``.ok`` receipt of the file. Repeatable."""
        ...

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Let ``findings`` be in the ``.err`` receipt of the file. Repeatable."""
        ...


class FileArrival:
    """An event that is a file. ``content`` is what stands in it, ``None`` where ``event`` only stands for it."""

    width = 1

    def __init__(self, settle: Settle, name: str, event: Event, content: bytes | None) -> None:
        self._settle = settle
        self._name = name
        self._event = event
        self._content = content

    @property
    def event(self) -> Event:
        """What stood in the file."""
        return self._event

    def unanswered(self) -> Iterator[FolderArrival]:
        """Yield it: it is all that arrives with its file."""
        yield self

    async def accept(self, answer: dict[str, Any]) -> None:
        """Write ``answer`` as the ``.ok`` receipt, then move the file to the archive. Repeatable."""
        await self._settle(Answered(name=self._name, content=self._content, receipts={ACCEPTED: answer}))

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Write ``findings`` as the ``.err`` receipt, then move the file to the quarantine. Repeatable."""
        reasons = [finding.as_json() for finding in findings]
        await self._settle(Answered(name=self._name, content=self._content, receipts={NOT_ACCEPTED: reasons}))


class EventLines:
    """The events that are the lines of a CSV file, and what those that have an answer were answered.

    ``width`` is how many columns each has.
    """

    def __init__(self, settle: Settle, name: str, source: str, content: bytes, sheet: Sheet) -> None:
        self.width = len(sheet.columns)
        self._settle = settle
        self._name = name
        self._source = source
        self._content = content
        self._sheet = sheet
        self._accepted: dict[int, dict[str, Any]] = {}
        self._refused: dict[int, list[dict[str, Any]]] = {}

    @property
    def is_answered(self) -> bool:
        """Tell whether every line has an answer."""
        return len(self._accepted) + len(self._refused) == len(self._sheet.lines)

    def unanswered(self) -> Iterator[FolderArrival]:
        """Yield the lines that have no answer, in order."""
        for line in self._sheet.lines:
            if line.number not in self._accepted and line.number not in self._refused:
                yield LineArrival(self, line, Event(source=self._source, content=self._sheet.alone(line)))

    async def accept(self, line: Line, answer: dict[str, Any]) -> None:
        """Keep the answer to a line, and settle the file when it is the last. Repeatable."""
        self._refused.pop(line.number, None)
        self._accepted[line.number] = {"line": line.number, **answer}
        await self._settle_when_answered()

    async def refuse(self, line: Line, findings: Sequence[Finding]) -> None:
        """Keep why a line is refused, at its place in the file, and settle the file when it is the last. Repeatable."""
        self._accepted.pop(line.number, None)
        self._refused[line.number] = [replace(finding, line=line.number).as_json() for finding in findings]
        await self._settle_when_answered()

    def _reasons(self) -> list[dict[str, Any]]:
        """Return why lines are refused: the first reason of each, and no more of the others than can be read."""
        told: list[dict[str, Any]] = []
        left = 0
        for number in sorted(self._refused):
            for nth, finding in enumerate(self._refused[number]):
                if nth == 0 or len(told) < MAX_TOLD_OF_FILE:
                    told.append(finding)
                else:
                    left += 1
        return [*told, MORE.at(count=left).as_json()] if left else told

    async def _settle_when_answered(self) -> None:
        if not self.is_answered:
            return
        receipts: dict[str, Any] = {}
        if self._accepted:
            receipts[ACCEPTED] = {"lines": [self._accepted[number] for number in sorted(self._accepted)]}
        if self._refused:
            receipts[NOT_ACCEPTED] = self._reasons()
        to_mend = [line for line in self._sheet.lines if line.number in self._refused]
        refused = self._sheet.only(to_mend) if self._accepted and to_mend else None
        await self._settle(Answered(name=self._name, content=self._content, receipts=receipts, refused=refused))


class LineArrival:
    """An event that is a line of a CSV file."""

    def __init__(self, lines: EventLines, line: Line, event: Event) -> None:
        self._lines = lines
        self._line = line
        self._event = event

    @property
    def event(self) -> Event:
        """The line, under the names of the columns."""
        return self._event

    async def accept(self, answer: dict[str, Any]) -> None:
        """Keep ``answer`` for the ``.ok`` receipt, which is written when all lines have an answer. Repeatable."""
        await self._lines.accept(self._line, answer)

    async def refuse(self, findings: Sequence[Finding]) -> None:
        """Keep ``findings`` for the ``.err`` receipt, which is written when all lines have an answer. Repeatable."""
        await self._lines.refuse(self._line, findings)
