"""An adapter over a watched folder: what all systems that exchange files have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self
from uuid import uuid4

from gateway.adapters.folder import Folder, file_safe
from gateway.adapters.folder_arrival import FolderArrival, bounded
from gateway.adapters.vocabulary import Vocabulary
from gateway.adapters.written_form import as_any
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError
from gateway.messages import Message
from gateway.notices import Notice
from gateway.ports import Event, Registration, Translation

MESSAGE = "message-"
"""What the name of a file with a message begins with."""
NOTE = "note-"
"""What the name of a file with a note begins with."""
NOTICE = "notice-"
"""What the name of a file with a notice begins with."""
TEST = "test-"
"""What the name of a file with a test begins with, which is no message."""


class FolderAdapter:
    """The adapter ``name`` of a system that speaks ``vocabulary`` and exchanges files in ``folder``.

    Its events may be in any form that :func:`~gateway.adapters.written_form.as_any` reads.
    """

    def __init__(
        self, vocabulary: Vocabulary, folder: Folder, directory: Directory, *, name: str | None = None
    ) -> None:
        self._vocabulary = vocabulary.in_form(as_any)
        self._name = name or vocabulary.name
        self._folder = folder
        self._directory = directory

    @classmethod
    def over(
        cls,
        vocabulary: Vocabulary,
        path: Path,
        directory: Directory,
        *,
        name: str | None = None,
        interval: float = 0.1,
        timeout: float = 10.0,
        settle: float | None = None,
        settle_lines: float | None = None,
    ) -> Self:
        """Return the adapter over the folder at ``path``; see :class:`~gateway.adapters.folder.Folder`."""
        source = name or vocabulary.name
        folder = Folder(
            path, source=source, interval=interval, timeout=timeout, settle=settle, settle_lines=settle_lines
        )
        return cls(vocabulary, folder, directory, name=name)

    @property
    def name(self) -> str:
        """The name it has in the settings, or else that of its vocabulary, and the ``source`` of its events."""
        return self._name

    def arrivals(self) -> AsyncIterator[list[FolderArrival]]:
        """Yield the events that wait in the folder, in the order of their file names and lines."""
        return self._folder.arrivals()

    def translate(self, event: Event) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with each fault, up to :data:`~gateway.adapters.folder_arrival.MAX_TOLD`, and its
                place: a JSON pointer, an XPath, or a line and a column.
        """
        try:
            return self._vocabulary.translate(event, self._directory)
        except InvalidDocumentError as error:
            raise InvalidDocumentError(bounded(error.findings)).about(error.event_id, error.kind) from None

    async def deliver(self, message: Message, unit: str) -> Registration:
        """Hand a message to the system, for ``unit``, and return the record id and time of its receipt.

        Raises:
            DependencyDownError: no receipt in time; the file stays, and the same call picks up the receipt later.
            RefusedError: the system said no, for good.
        """
        name = f"{MESSAGE}{file_safe(message.header.message_id)}-{file_safe(unit)}"
        return await self._folder.hand_over(name, self._vocabulary.message(message, unit))

    async def note(self, message: Message) -> None:
        """Write a step of the case into the system's own log, where the system keeps one of other parties' steps.

        Raises:
            DependencyDownError: no receipt in time.
            RefusedError: the system does not take the note.
        """
        note = self._vocabulary.note(message)
        if note is not None:
            await self._folder.hand_over(f"{NOTE}{file_safe(message.header.message_id)}", note)

    async def notify(self, notice: Notice) -> None:
        """Tell a unit something about a case, through the system.

        Raises:
            DependencyDownError: no receipt in time.
            RefusedError: the system does not take the notice.
        """
        await self._folder.hand_over(f"{NOTICE}{notice.notice_id}", self._vocabulary.notice(notice))

    async def ping(self) -> None:
        """Return when the folder can be read and written. Raises :class:`DependencyDownError`."""
        await self._folder.ping()


class FolderTarget(FolderAdapter):
    """The same, of a system that is handed messages there, and can be asked whether it takes them."""

    async def test(self) -> None:
        """Hand over what is no message, ``{"type": "test"}``; return when the system gives a receipt for it.

        Raises:
            DependencyDownError: it does not, in time.
            RefusedError: it says no.
        """
        name = f"{TEST}{uuid4()}"
        try:
            await self._folder.hand_over(name, {"type": "test"})
        finally:
            await self._folder.take_back(name)
