"""A sheet: the working copy of one transaction. What a batch needs is read at once, what it changes written at once.

Reading ahead is for whoever has a batch in hand: the ``read_`` verbs, each one or a few statements however large the
batch. Then the batch is worked through in memory, where a change is seen at once by those that follow, and
:meth:`Sheet.write` puts everything into the database, one statement for each kind of change.

A part of the work may be refused half-way: what it changed inside :meth:`Sheet.attempt` is taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.case_number import CaseKind
from gateway.clock import local_date
from gateway.envelope import ACKNOWLEDGEMENT, content_hash
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState
from gateway.messages import Identifier, Message
from gateway.process import TERMINAL, SipCase
from gateway.store import cases, events, history, incoming, notes, outgoing, verdicts
from gateway.store.cases import StoredCase
from gateway.store.events import KeptEvent
from gateway.store.incoming import Stream, StreamState
from gateway.store.verdicts import Standing, Verdict

_ABSENT: Final = object()

K = TypeVar("K")
V = TypeVar("V")

OutKey = tuple[str, str]
"""Message id and unit: one row of the ledger of outgoing messages."""
InKey = tuple[str, str, str, str]
"""Party, type, message id and unit: one incoming message."""


class Sheet:
    """What one transaction knows and will write. ``now`` is the time of everything in it."""

    def __init__(self, tx: Transaction, now: datetime) -> None:
        self.tx = tx
        self.now = now
        self.today = local_date(now)
        self._undo: list[tuple[Any, Any, Any]] = []
        self._read_out: dict[int, Dispatch] = {}
        self._read_in: dict[int, Inbound] = {}
        self._position: int | None = None
        self._series: dict[tuple[CaseKind, int], tuple[int, int]] = {}
        self._open: dict[Identifier, dict[str, None]] = {}
        self._references: dict[tuple[str, str], str] = {}
        self._new_references: dict[tuple[str, str, str], None] = {}
        self._cases: dict[str, StoredCase] = {}
        self._changed_cases: dict[str, None] = {}
        self._ledgers: dict[str, dict[OutKey, None]] = {}
        self._dispatches: dict[OutKey, Dispatch] = {}
        self._changed_dispatches: dict[OutKey, None] = {}
        self._answers: dict[OutKey, dict[OutKey, None]] = {}
        self._contents: dict[str, tuple[bytes, bool]] = {}
        self._new_messages: dict[str, dict[str, Any]] = {}
        self._changed_messages: dict[str, dict[str, Any]] = {}
        self._inbound: dict[InKey, Inbound] = {}
        self._inbound_keys: dict[str, dict[InKey, None]] = {}
        self._changed_inbound: dict[InKey, None] = {}
        self._streams: dict[Stream, StreamState] = {}
        self._standing: dict[tuple[str, str, str], Standing] = {}
        self._verdicts: list[Verdict] = []
        self._notes: dict[str, tuple[Any, ...]] = {}
        self._history: list[history.Line] = []
        self._events: dict[tuple[str, str], KeptEvent] = {}

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Take back what the block has changed in the sheet when it raises."""
        mark = len(self._undo)
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                held, key, before = self._undo.pop()
                if isinstance(held, list):
                    del held[key:]
                elif before is _ABSENT:
                    del held[key]
                else:
                    held[key] = before
            raise

    def _set(self, mapping: MutableMapping[K, V], key: K, value: V) -> None:
        self._undo.append((mapping, key, mapping.get(key, _ABSENT)))
        mapping[key] = value

    def _append(self, rows: list[V], added: Iterable[V]) -> None:
        self._undo.append((rows, len(rows), _ABSENT))
        rows.extend(added)

    # --- cases ------------------------------------------------------------------------------------------------------

    async def read_cases(self, numbers: Collection[str]) -> None:
        """Read cases ahead, and keep others from changing them until the transaction ends."""
        self._cases.update(await cases.load_all(self.tx, set(numbers) - self._cases.keys()))

    def case(self, number: str) -> SipCase | None:
        """Return a case that was read, or opened here."""
        stored = self._cases.get(number)
        return stored.case if stored is not None else None

    def put_case(self, case: SipCase) -> None:
        """Change a case, or open it."""
        stored = self._cases.get(case.number, StoredCase(None))
        if stored.case != case:
            self._set(self._cases, case.number, StoredCase(case, stored.revision))
            self._set(self._changed_cases, case.number, None)

    def open_about(self, person: Identifier) -> list[SipCase]:
        """Return the open cases, of those that were read or opened here, whose person has this number."""
        here = [stored.case for stored in self._cases.values() if stored.case is not None]
        return [case for case in here if case.state not in TERMINAL and person in (case.person, *case.other_numbers)]

    async def read_references(self, source: str, names: Collection[str]) -> None:
        """Read ahead which cases the system behind ``source`` means."""
        found = await cases.numbers_of(self.tx, source, names)
        self._references.update({(source, name): number for name, number in found.items()})

    def case_called(self, source: str, name: str) -> str | None:
        """Return the number of the case that the system behind ``source`` calls ``name``."""
        return self._references.get((source, name))

    def refer(self, source: str, name: str, number: str) -> None:
        """Remember what the system behind ``source`` calls a case."""
        if (source, name) not in self._references:
            self._set(self._references, (source, name), number)
            self._set(self._new_references, (source, name, number), None)

    async def next_case_number(self, kind: CaseKind, series: int) -> str:
        """Give out the next number of a series to a case of a kind.

        Raises:
            ConflictError: the series is full.
        """
        key = kind, series
        if key not in self._series:
            last = await cases.last_number(self.tx, kind, series)
            self._series[key] = last, last
        before, last = self._series[key]
        number = cases.case_number(kind, series, last + 1)
        self._set(self._series, key, (before, last + 1))
        self._cases[number], self._ledgers[number] = StoredCase(None), {}  # nothing to read about it
        return number

    async def read_open_cases(self, people: Collection[Identifier]) -> None:
        """Read ahead which SIP cases are open for people, each known by the identifier in use."""
        wanted = set(people) - self._open.keys()
        self._open.update({person: {} for person in wanted})
        for person, number in await cases.open_of(self.tx, wanted):
            self._open[person][number] = None

    def open_cases(self, person: Identifier) -> list[str]:
        """Return the numbers of the SIP cases that are open for a person who was read ahead."""
        here = [
            stored.case.number
            for stored in self._cases.values()
            if stored.case is not None and stored.case.stay is None and stored.case.person == person
        ]
        numbers = dict.fromkeys((*self._open.get(person, ()), *here))
        return [number for number in numbers if (case := self.case(number)) is None or case.state not in TERMINAL]

    # --- outgoing ---------------------------------------------------------------------------------------------------

    async def read_ledgers(self, numbers: Collection[str]) -> None:
        """Read ahead the ledger rows of cases, and the messages that are held."""
        wanted = [number for number in numbers if number not in self._ledgers]
        self._ledgers.update({number: {} for number in wanted})
        if wanted:
            added = [row for row in self._dispatches.values() if not row.id and row.type != ACKNOWLEDGEMENT]
            self._know(await outgoing.of_cases(self.tx, wanted))
            self._know(row for row in added if row.case_number in wanted)
            self._contents.update(await outgoing.held_messages(self.tx, wanted))

    async def read_dispatches(self, message_ids: Collection[str]) -> None:
        """Read ahead the ledger rows of messages of this party."""
        if message_ids:
            self._know(await outgoing.of_messages(self.tx, message_ids))

    async def read_answers(self, message_ids: Collection[str]) -> None:
        """Read ahead the acknowledgements this party has made of messages it received."""
        for message_id, unit, row in await outgoing.answers_to(self.tx, message_ids) if message_ids else ():
            self._know([row])
            self._answers.setdefault((message_id, unit), {})[row.message_id, row.unit] = None

    def _know(self, rows: Iterable[Dispatch]) -> None:
        for row in rows:
            key = (row.message_id, row.unit)
            self._dispatches.setdefault(key, row)
            if row.id:
                self._read_out.setdefault(row.id, row)
            if row.case_number in self._ledgers:
                self._ledgers[row.case_number][key] = None

    def dispatch(self, message_id: str, unit: str) -> Dispatch | None:
        """Return the ledger row of a message to a unit."""
        return self._dispatches.get((message_id, unit))

    def ledger(self, number: str) -> list[Dispatch]:
        """Return the ledger rows of a case in the order they were made, acknowledgements left out."""
        return [self._dispatches[key] for key in self._ledgers.get(number, ())]

    def answers(self, message_id: str, unit: str) -> list[Dispatch]:
        """Return the ledger rows of the acknowledgements made of a message that came for ``unit``."""
        return [self._dispatches[key] for key in self._answers.get((message_id, unit), ())]

    def put_dispatches(self, rows: Iterable[Dispatch], event: str, code: str | None = None) -> None:
        """Change ledger rows, or add them, and write down what brought them to their state."""
        changed = list(rows)
        for row in changed:
            key = (row.message_id, row.unit)
            self._set(self._dispatches, key, row)
            self._set(self._changed_dispatches, key, None)
        self.record(changed, event, code)

    def add_message(
        self, made: Message, xml: bytes, rows: Iterable[Dispatch], event: str, *, applied: bool = True
    ) -> None:
        """Add a message and one ledger row per recipient. ``applied`` is false while every recipient must wait."""
        to = list(rows)
        message_id, case_number = made.header.message_id, made.header.case_number
        self._set(self._new_messages, message_id, outgoing.new_message(made, xml, applied=applied))
        self._set(self._contents, message_id, (xml, applied))
        self.put_dispatches(to, event)
        if case_number in self._ledgers:
            for row in to:
                self._set(self._ledgers[case_number], (message_id, row.unit), None)

    def add_answer(self, made: Message, xml: bytes, row: Dispatch) -> None:
        """Add the acknowledgement ``made`` of a message that was received."""
        self._set(self._new_messages, row.message_id, outgoing.new_message(made, xml))
        self.put_dispatches([row], "queue")
        about = (str(made.header.in_reply_to), made.header.sender.unit)
        self._set(self._answers, about, {**self._answers.get(about, {}), (row.message_id, row.unit): None})

    async def content(self, message_id: str) -> bytes:
        """Return the XML of a message of this party."""
        if message_id not in self._contents:
            self._contents[message_id] = await outgoing.content(self.tx, message_id), True
        return self._contents[message_id][0]

    def unapplied(self, number: str) -> list[tuple[str, bytes]]:
        """Return id and XML of the messages of a case that have not moved it yet, in the order they were made."""
        ids = dict.fromkeys(message_id for message_id, _ in self._ledgers.get(number, ()))
        held = [(message_id, self._contents.get(message_id, (b"", True))) for message_id in ids]
        return [(message_id, xml) for message_id, (xml, applied) in held if not applied]

    def rewrite(self, message_id: str, xml: bytes) -> None:
        """Replace the XML of a message that nobody outside has seen."""
        self._change_message(message_id, {"xml": xml, "content_hash": content_hash(xml)})
        self._set(self._contents, message_id, (xml, self._contents[message_id][1]))

    def mark_applied(self, message_id: str) -> None:
        """Remember that a message that was held has moved its case."""
        self._change_message(message_id, {"applied": True})
        self._set(self._contents, message_id, (self._contents[message_id][0], True))

    def _change_message(self, message_id: str, changes: dict[str, Any]) -> None:
        into = self._new_messages if message_id in self._new_messages else self._changed_messages
        self._set(into, message_id, {**into.get(message_id, {}), **changes})

    async def read_position(self) -> None:
        """Read ahead which place in line is the next."""
        if self._position is None:
            self._position = await outgoing.next_position(self.tx)

    def next_position(self) -> int:
        """Give out the place behind everything that is in line. A place that is given out and not used harms nobody."""
        assert self._position is not None, "the place in line is read ahead"
        self._position += 1
        return self._position - 1

    # --- incoming ---------------------------------------------------------------------------------------------------

    async def read_inbound(self, message_ids: Collection[str]) -> None:
        """Read ahead what has come under message ids."""
        for row in await incoming.of_messages(self.tx, message_ids) if message_ids else ():
            self._know_inbound(row)

    async def read_streams(self, case_numbers: Collection[str], sequences: Collection[int]) -> None:
        """Read ahead how far the streams of cases have come, and what is stored at ``sequences``."""
        for stream, state in (await incoming.streams(self.tx, case_numbers, sequences)).items():
            self._streams[stream] = state
            for row in state.held.values():
                self._know_inbound(row)

    def _know_inbound(self, row: Inbound) -> None:
        key = (row.party, row.type, row.message_id, row.unit)
        self._inbound.setdefault(key, row)
        self._inbound_keys.setdefault(row.message_id, {})[key] = None
        self._read_in.setdefault(row.id, row)

    def inbound(self, key: InKey) -> Inbound | None:
        """Return what has come from a party, of a type, under a message id, for a unit."""
        return self._inbound.get(key)

    def inbound_about(self, message_id: str) -> list[Inbound]:
        """Return everything that has come under a message id."""
        keys = self._inbound_keys.get(message_id, ())
        return [self._inbound[key] for key in keys if key in self._inbound]  # what was taken back is not there

    def inbound_for(self, message_id: str, unit: str) -> Inbound | None:
        """Return what has come for ``unit`` under a message id."""
        return next((row for row in self.inbound_about(message_id) if row.unit == unit), None)

    def stream(self, stream: Stream) -> StreamState:
        """Return how far a stream has come."""
        return self._streams.setdefault(stream, StreamState())

    def put_inbound(self, row: Inbound, event: str, code: str | None = None) -> None:
        """Change an incoming message, or add it, and write down what brought it to its state."""
        key = (row.party, row.type, row.message_id, row.unit)
        self._set(self._inbound, key, row)
        self._inbound_keys.setdefault(row.message_id, {})[key] = None
        self._set(self._changed_inbound, key, None)
        self.record([row], event, code)
        if row.sequence is not None and (stream := self._streams.get((row.party, row.case_number, row.unit))):
            if stream.held.setdefault(row.sequence, row).message_id == row.message_id:
                stream.held[row.sequence] = row  # another that claims the same number does not take its place
            if row.state is not InState.STORED:
                stream.last = max(stream.last, row.sequence)

    # --- verdicts, steps, history, events -----------------------------------------------------------------------------

    async def read_verdicts(self, message_ids: Collection[str]) -> None:
        """Read ahead what stands about messages of this party."""
        if message_ids:
            self._standing.update(await verdicts.standing(self.tx, message_ids))

    def standing(self, message_id: str, unit: str, level: str) -> Standing | None:
        """Return the answer that stands about a message to a unit at a level."""
        return self._standing.get((message_id, unit, level))

    def add_verdict(self, answer: Verdict) -> None:
        """Let an answer stand."""
        self._append(self._verdicts, [answer])
        key = (answer.message_id, answer.unit, answer.level.value)
        self._set(self._standing, key, Standing(answer.outcome.value, answer.record_id))

    def note(self, message: Message) -> None:
        """Remember to write the step that ``message`` is into the case system's log."""
        self._set(self._notes, message.header.message_id, notes.new(message, self.now))

    def record(self, rows: Iterable[Dispatch | Inbound], event: str, code: str | None = None) -> None:
        """Write down that ``event`` has brought rows to the state they now have."""
        self._append(self._history, history.lines(rows, event, self.now, code))

    def keep_event(self, kept: KeptEvent) -> None:
        """Keep an event with what it was answered; the last answer to the same bytes is the one that counts."""
        self._set(self._events, (kept.source, kept.content_hash), kept)

    # --- writing ----------------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """Put everything that has changed into the database, what others refer to first.

        Raises:
            DependencyDownError: the database does not answer, or a case was changed meanwhile; begin again.
        """
        tx, now = self.tx, self.now
        for (kind, series), (before, last) in self._series.items():
            if last > before:
                await cases.keep_last_number(tx, kind, series, before, last)
        changed = [self._cases[number] for number in self._changed_cases]
        await cases.save_all(tx, [(one.case, one.revision) for one in changed if one.case is not None], now)
        await cases.refer(tx, self._new_references)
        await outgoing.add_messages(tx, list(self._new_messages.values()))
        for message_id, changes in self._changed_messages.items():
            await outgoing.change_message(tx, message_id, changes)
        out = [self._dispatches[key] for key in self._changed_dispatches]
        await outgoing.add_rows(tx, [row for row in out if not row.id])
        await outgoing.save(tx, ((self._read_out[row.id], row) for row in out if row.id))
        came = [self._inbound[key] for key in self._changed_inbound]
        await incoming.add(tx, [row for row in came if not row.id])
        await incoming.save(tx, ((self._read_in[row.id], row) for row in came if row.id))
        await verdicts.add(tx, self._verdicts)
        await notes.add(tx, list(self._notes.values()))
        await events.keep(tx, self._events.values())
        await history.add(tx, self._history)
