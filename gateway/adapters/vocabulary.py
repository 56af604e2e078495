"""A vocabulary: how one kind of system says things, whichever way its words come and go.

Tables say how its events are read, and functions how a message, a step of a case and a notice look to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Self

from gateway.adapters.outline import Outline, all_of
from gateway.adapters.own_table import table_of
from gateway.adapters.own_words import OwnWords
from gateway.adapters.placing import member_at
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field
from gateway.adapters.words import Codes, Fields, MappingTable
from gateway.adapters.written import Form, Written, as_json
from gateway.clock import local_date
from gateway.directory import Directory
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages import Message, Person, ReserveRoutine, User
from gateway.notices import Notice
from gateway.ports import Draft, Event, Translation, where_it_is

UNKNOWN_EVENT = Fault(
    "event.unknown-type",
    "Händelsetypen är okänd; kända är {known}.",
    "The type of event is not known; known are {known}.",
)


MESSAGE, NOTE, NOTICE = "out.message", "out.note", "out.notice"
"""What the settings call the forms of what a system is handed."""
_EVERY_EVENT = ""


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
    says nothing, and ``notice`` what a unit is told; ``outlines`` tell what is in each of these. ``acknowledgement`` is
    the event in which staff of the system take charge of a message that came in the form ``message`` gave it;
    ``record_id`` is how the system numbers its records. ``form`` reads what is written in an event. ``codes`` and
    ``fields`` are what a system calls otherwise, and ``own`` puts that into these words.
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
    outlines: Mapping[str, Outline]
    form: Form = as_json
    codes: Codes = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    own: OwnWords | None = None

    def in_form(self, form: Form) -> Self:
        """Return these words for a system that writes its events in ``form``."""
        return replace(self, form=form)

    def in_own_words(self, codes: Codes, fields: Fields) -> Self:
        """Return this for a system with ``codes`` and ``fields`` of its own (:mod:`gateway.adapters.own_words`).

        Raises:
            ConfigurationError: with every name, code and member that does not exist, and names that clash.
        """
        if not codes and not fields:
            return self
        own = OwnWords.of(self.event_outlines(), self.outlines, self.type_member, codes=codes, fields=fields)

        def acknowledgement(entry: Mapping[str, Any], at: datetime) -> dict[str, Any]:
            event = self.acknowledgement(own.read_back(MESSAGE, entry), at)
            found: dict[str, Any] = own.told(event[self.type_member], event)
            return found

        return replace(
            self,
            own=own,
            codes=codes,
            fields=fields,
            message=lambda message, unit: own.told(MESSAGE, self.message(message, unit)),
            note=lambda message: own.told(NOTE, self.note(message)),
            notice=lambda notice: own.told(NOTICE, self.notice(notice)),
            acknowledgement=acknowledgement,
        )

    def event_outlines(self) -> dict[str, Outline]:
        """Return what stands in each type of event; under no name, what stands in all."""
        kinds = Outline(codes={name: form.message_type for name, form in self.events.items()}).inside(self.type_member)
        every = kinds | all_of(self.event_id, self.happened_at, self.unit, self.user)
        found = {_EVERY_EVENT: (every | all_of(self.case_reference, self.person, self.reserve_routine)).whole()}
        for name, form in self.events.items():
            read = [form.body, form.recipients, form.in_reply_to]
            read += [form.case_reference or self.case_reference] if form.names_case else []
            read += [self.person] if form.names_person else []
            read += [self.reserve_routine] if form.message_type != ACKNOWLEDGEMENT else []
            found[name] = (every | all_of(*read)).whole()
        return found

    def table(self) -> MappingTable:
        """Return the mapping that is in force, the system's own words first."""
        return table_of({**self.event_outlines(), **self.outlines}, self.codes, self.fields)

    def translate(self, event: Event, directory: Directory) -> Translation:
        """Understand an event. Pure: the same event gives the same drafts.

        Raises:
            InvalidDocumentError: with every fault and its place in what was written, in JSON a pointer.
        """
        written = self.form(event.content)
        try:
            if self.own is not None:
                written = self.own.understood(written)
            return self._translated(Reader.of(written.value, directory, is_text=written.is_text), written)
        except InvalidDocumentError as error:
            wrong = InvalidDocumentError(map(written.placed, error.findings))
            raise wrong.about(*self._recognised(written, directory)) from None

    def _placed(self, form: EventForm, written: Written, finding: Finding) -> Finding:
        """Return what a rule has found wrong in the message that an event of ``form`` became, placed in the event."""
        header = {
            "person": self.person,
            "sender/user": self.user,
            "sender": self.unit,
            "recipient": form.recipients,
            "inReplyTo": form.in_reply_to,
            "caseNumber": form.case_reference or self.case_reference,
            "reserveRoutine": self.reserve_routine,
        }
        pointer = member_at(finding.path, header, form.body)
        return written.placed(replace(finding, path=pointer)) if pointer is not None else finding

    def _recognised(self, written: Written, directory: Directory) -> tuple[str | None, str | None]:
        """Return the id and the type of an event that is not understood, as far as it tells them."""
        if not isinstance(written.value, dict):
            return None, None
        kind = written.value.get(self.type_member)
        reader = Reader.of(written.value, directory, is_text=written.is_text)
        event_id: str | None = self.event_id(reader)
        try:
            reader.stop_if_wrong()
        except InvalidDocumentError:
            event_id = None
        return event_id, kind if isinstance(kind, str) and kind in self.events else None

    def _translated(self, reader: Reader, written: Written) -> Translation:
        reader.happened_on(local_date(self.happened_at(reader)))
        kind = reader.text(self.type_member)
        form = self.events.get(kind or "")
        if kind is None or form is None:
            if kind is not None:
                reader.note(UNKNOWN_EVENT.at(reader.place(self.type_member), known=", ".join(self.events)))
            # Without its type, the event's other members cannot be judged.
            reader.stop()
        translation = Translation(
            event_id=self.event_id(reader),
            kind=kind,
            case_reference=(form.case_reference or self.case_reference)(reader) if form.names_case else None,
            drafts=(self.draft(form, reader, partial(self._placed, form, written)),),
        )
        reader.finish()
        return translation

    def draft(self, form: EventForm, reader: Reader, placed: Callable[[Finding], Finding] = where_it_is) -> Draft:
        """Return the message that an event of ``form`` becomes; what is wrong with it is noted by ``reader``."""
        return Draft(
            type=form.message_type,
            body=form.body(reader),
            unit=self.unit(reader),
            user=self.user(reader),
            recipients=form.recipients(reader) if form.recipients else (),
            person=self.person(reader) if form.names_person else None,
            in_reply_to=form.in_reply_to(reader) if form.in_reply_to else None,
            reserve_routine=self.reserve_routine(reader) if form.message_type != ACKNOWLEDGEMENT else None,
            placed=placed,
        )

    def told_at(self, event: Event, directory: Directory) -> datetime:
        """Return when what an event tells happened, as it says; raises :class:`InvalidDocumentError`."""
        written = self.form(event.content)
        if self.own is not None:
            written = self.own.understood(written)
        return self.happened_at(Reader.of(written.value, directory, is_text=written.is_text))
