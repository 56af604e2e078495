"""An adapter over a watched folder: what all systems that exchange files have in common.

A system differs from another in its words. Those are a :class:`Vocabulary`: tables that say how its events are read,
and functions that say how a message looks to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from gateway.adapters.folder import Folder, FolderArrival, file_safe
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field
from gateway.clock import local_date
from gateway.directory import Directory
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import Fault
from gateway.messages import Message, Person, ReserveRoutine, User
from gateway.messages.hardened import read_json
from gateway.notices import Notice
from gateway.ports import Draft, Event, Registration, Translation

MESSAGE = "message-"
"""What the name of a file with a message begins with."""
NOTE = "note-"
"""What the name of a file with a note begins with."""

NOTICE = "notice-"
"""What the name of a file with a notice begins with."""

UNKNOWN_EVENT = Fault(
    "event.unknown-type",
    "Händelsetypen är okänd; kända är {known}.",
    "The type of event is not known; known are {known}.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventForm:
    """One type of event: the type and body of the message it becomes, and whether it names its case and the person.

    ``case_reference`` reads what the event calls its case, where that is not the member of all events.
    ``recipients`` reads the units to send to; an event that names none is for all who take part in the case.
    ``in_reply_to`` reads the id of the message that the event answers, ``None`` where it answers none.
    """

    message_type: str
    body: Field[Any]
    names_case: bool = True
    names_person: bool = True
    case_reference: Field[str] | None = None
    recipients: Field[tuple[str, ...]] | None = None
    in_reply_to: Field[str | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """A system's words.

    ``type_member`` names the member that tells the type of an event, a key of ``events``. The fields beside it read
    what every event has; ``reserve_routine`` what any may have but the taking charge of a message, which tells its own
    time. ``message`` writes a message for one unit, ``note`` what the system's own log says of it, ``None`` where it
    says nothing, and ``notice`` what a unit is told. ``acknowledgement`` is the event in which staff of the system take
    charge of a message that came in the form ``message`` gave it; ``record_id`` is how the system numbers its records.
    """

    name: str
    type_member: str
    event_id: Field[str]
    happened_at: Field[datetime]
    case_reference: Field[str]
    unit: Field[str]
    user: Field[User]
    person: Field[Person]
    reserve_routine: Field[ReserveRoutine | None]
    events: Mapping[str, EventForm]
    message: Callable[[Message, str], dict[str, Any]]
    note: Callable[[Message], dict[str, Any] | None]
    notice: Callable[[Notice], dict[str, Any]]
    acknowledgement: Callable[[Mapping[str, Any], datetime], dict[str, Any]]
    record_id: Callable[[int, datetime], str]


def draft_of(words: Vocabulary, form: EventForm, reader: Reader) -> Draft:
    """Return the message that an event of ``form`` becomes; what is wrong with it is noted by ``reader``."""
    return Draft(
        type=form.message_type,
        body=form.body(reader),
        unit=words.unit(reader),
        user=words.user(reader),
        recipients=form.recipients(reader) if form.recipients else (),
        person=words.person(reader) if form.names_person else None,
        in_reply_to=form.in_reply_to(reader) if form.in_reply_to else None,
        reserve_routine=words.reserve_routine(reader) if form.message_type != ACKNOWLEDGEMENT else None,
    )


class FolderAdapter:
    """The adapter of a system that speaks ``vocabulary`` and exchanges files in ``folder``."""

    def __init__(self, vocabulary: Vocabulary, folder: Folder, directory: Directory) -> None:
        self._vocabulary = vocabulary
        self._folder = folder
        self._directory = directory

    @classmethod
    def over(
        cls, vocabulary: Vocabulary, path: Path, directory: Directory, *, interval: float = 0.1, timeout: float = 10.0
    ) -> Self:
        """Return the adapter over the folder at ``path``; see :class:`~gateway.adapters.folder.Folder`."""
        folder = Folder(path, source=vocabulary.name, interval=interval, timeout=timeout)
        return cls(vocabulary, folder, directory)

    @property
    def name(self) -> str:
        """The name in the table of adapters, and the ``source`` of its events."""
        return self._vocabulary.name

    def arrivals(self) -> AsyncIterator[list[FolderArrival]]:
        """Yield the events that wait in the folder, in the order of their file names."""
        return self._folder.arrivals()

    def translate(self, event: Event) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its JSON pointer.
        """
        words = self._vocabulary
        reader = Reader.of(read_json(event.content), self._directory)
        reader.happened_on(local_date(words.happened_at(reader)))
        kind = reader.text(words.type_member)
        form = words.events.get(kind or "")
        if kind is None or form is None:
            if kind is not None:
                reader.note(UNKNOWN_EVENT.at(reader.place(words.type_member), known=", ".join(words.events)))
            # Without its type, the event's other members cannot be judged.
            reader.stop()
        translation = Translation(
            event_id=words.event_id(reader),
            kind=kind,
            case_reference=(form.case_reference or words.case_reference)(reader) if form.names_case else None,
            drafts=(draft_of(words, form, reader),),
        )
        reader.finish()
        return translation

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
