"""The history checker: reads what both gateways and both case systems hold, and says what no story can explain.

It knows the rules, and nothing about how the gateway keeps them: what was promised must have arrived once, what is said
must be true, what is written down must follow the table of transitions, and what is not done must say who owes it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.lifecycle import (
    IllegalTransitionError,
    InEvent,
    InState,
    Level,
    Outcome,
    OutEvent,
    OutState,
    after,
    after_incoming,
)

T = TypeVar("T")


class Kind(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    """Promised, nowhere at the receiver, and in no state that says so to a person."""
    DUPLICATED = "duplicated"
    """Stored or registered twice, or answered twice at a level."""
    UNEXPLAINED = "unexplained"
    """Nobody is told that it is not done, or what was written down cannot have happened."""
    FALSE_REGISTERED = "false registered"
    """The sender says that the case system has it under a record id that the case system does not know."""
    OPEN = "open"
    """Says truly that it is not done, though everything that was broken has been mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. It is told in ids and codes."""

    kind: Kind
    message_id: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A message that the sending case system was promised; ``number`` is the place of its event among those told."""

    number: int
    stream: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A message that staff of the receiving side took charge of, and the gateway accepted that."""

    message_id: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the receiving case system holds."""

    number: int
    record_id: str
    message_id: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a ledger, going out or coming in."""

    message_id: str
    unit: str
    type: str
    state: str
    is_owned: bool = False
    """Whether it has a deadline and an owner."""
    record_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict in the sender's store."""

    message_id: str
    unit: str
    level: str
    outcome: str
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a history."""

    direction: str
    message_id: str
    unit: str
    event: str
    state: str


@dataclass(slots=True, kw_only=True)
class Books:
    """What one gateway's store holds. ``parked`` are ids and codes of what could not be used, on either channel."""

    out: list[Row] = field(default_factory=list)
    into: list[Row] = field(default_factory=list)
    verdicts: list[Answer] = field(default_factory=list)
    history: list[Line] = field(default_factory=list)
    parked: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """Everything that is left after a run. ``unanswered`` and ``refused`` are numbers of events, by either system."""

    promises: list[Promise] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    sender: Books = field(default_factory=Books)
    receiver: Books = field(default_factory=Books)


SAYS_SO = {OutState.HELD, OutState.STOPPED, OutState.REJECTED, OutState.EXPIRED, OutState.PARTIAL}
"""States of an outgoing message that tell a person that the receiver has not got it, or not all of it."""

DONE = {OutState.REGISTERED, OutState.ACKNOWLEDGED}
"""States in which an outgoing message owes this campaign nothing more."""

_BEGINNINGS = {"out": {"submit", "queue"}, "in": {"store"}}
_REMARKS = {"duplicate", "gap", "contradicted"}
"""Lines that say something about a message and leave its state as it is."""


def check(evidence: Evidence) -> list[Finding]:
    """Return everything that is wrong."""
    return [
        *_lost(evidence),
        *_duplicated(evidence),
        *_falsely_registered(evidence),
        *_not_done(evidence),
        *_impossible(evidence.sender),
        *_impossible(evidence.receiver),
        *_set_aside(evidence),
        *_out_of_order(evidence),
    ]


# --- lost -----------------------------------------------------------------------------------------------------------


def _lost(evidence: Evidence) -> Iterator[Finding]:
    arrived = {(row.message_id, row.unit) for row in evidence.receiver.into}
    arrived |= {(record.message_id, record.unit) for record in evidence.records}
    ledger = defaultdict(list)
    for row in evidence.sender.out:
        ledger[row.message_id].append(row)
    for promise in evidence.promises:
        rows = ledger[promise.message_id]
        if not rows:
            yield Finding(
                Kind.LOST, promise.message_id, f"event {promise.number} was accepted; no ledger has its message"
            )
        for row in rows:
            if (row.message_id, row.unit) not in arrived and not _says_so(row):
                yield Finding(Kind.LOST, row.message_id, f"{row.state} to {row.unit}; it has never arrived there")
    told = {(one.message_id, one.unit) for one in evidence.sender.verdicts if one.level == Level.ACKNOWLEDGED}
    owed = {(row.message_id, row.unit) for row in evidence.sender.out if row.is_owned}
    for charge in evidence.charges:
        key = (charge.message_id, charge.unit)
        if key not in told:  # open while the sender waits for it until a time
            kind = Kind.OPEN if key in owed else Kind.LOST
            yield Finding(kind, charge.message_id, f"{charge.unit} took charge of it; the sender has not been told")


def _says_so(row: Row) -> bool:
    """Tell whether a person can see that it has not arrived: it has ended otherwise, or somebody owes it by a time."""
    return row.state in SAYS_SO or (row.is_owned and row.state in (OutState.QUEUED, OutState.RETRYING))


# --- duplicated -----------------------------------------------------------------------------------------------------


def _duplicated(evidence: Evidence) -> Iterator[Finding]:
    for where, keys in (
        ("in the receiver's store", ((row.message_id, row.unit) for row in evidence.receiver.into)),
        ("in the receiving case system", ((one.message_id, one.unit) for one in evidence.records)),
        ("in the sender's ledger", ((row.message_id, row.unit) for row in evidence.sender.out)),
    ):
        for (message_id, unit), times in _several(keys):
            yield Finding(Kind.DUPLICATED, message_id, f"{times} times {where}, for {unit}")
    for (message_id, unit, level), times in _several(
        (one.message_id, one.unit, one.level) for one in evidence.sender.verdicts
    ):
        yield Finding(Kind.DUPLICATED, message_id, f"{times} verdicts of {unit} at level {level}")


def _several(keys: Iterable[T]) -> Iterator[tuple[T, int]]:
    return ((key, times) for key, times in Counter(keys).items() if times > 1)


# --- what is said must be true --------------------------------------------------------------------------------------


def _falsely_registered(evidence: Evidence) -> Iterator[Finding]:
    held = {(one.message_id, one.unit, one.record_id) for one in evidence.records}
    said = {
        (one.message_id, one.unit, one.record_id)
        for one in evidence.sender.verdicts
        if (one.level, one.outcome) == (Level.REGISTERED, Outcome.ACCEPTED)
    }
    said |= {(row.message_id, row.unit, row.record_id) for row in evidence.sender.out if row.state in DONE}
    for message_id, unit, record_id in sorted(said - held, key=str):
        yield Finding(Kind.FALSE_REGISTERED, message_id, f"{unit} is said to hold it as {record_id}")


# --- what is not done -----------------------------------------------------------------------------------------------


def _not_done(evidence: Evidence) -> Iterator[Finding]:
    for where, row in (
        *(("out at the sender", row) for row in evidence.sender.out if row.state not in DONE),
        *(("in at the receiver", row) for row in evidence.receiver.into if row.state not in DONE),
        *(("out at the receiver", row) for row in evidence.receiver.out if row.state != OutState.SENT),
    ):
        kind = Kind.OPEN if row.is_owned or row.state in SAYS_SO else Kind.UNEXPLAINED
        yield Finding(kind, row.message_id, f"{row.state}, {where}")
    for number in evidence.unanswered:
        yield Finding(Kind.OPEN, "", f"{number} was told and not answered")
    known = {promise.message_id for promise in evidence.promises}
    for record in evidence.records:
        if record.message_id not in known:
            yield Finding(Kind.UNEXPLAINED, record.message_id, f"{record.record_id} is of a message nobody promised")


def _set_aside(evidence: Evidence) -> Iterator[Finding]:
    for number in evidence.refused:
        yield Finding(Kind.UNEXPLAINED, "", f"{number} was refused")
    for party, books in (("sender", evidence.sender), ("receiver", evidence.receiver)):
        for message_id, code in books.parked:
            yield Finding(Kind.UNEXPLAINED, message_id, f"parked at the {party}: {code}")


# --- what was written down ------------------------------------------------------------------------------------------


def _impossible(books: Books) -> Iterator[Finding]:
    """Walk every history along the table of transitions, and compare its end with the ledger."""
    lives = defaultdict(list)
    for line in books.history:
        lives[line.direction, line.message_id, line.unit].append(line)
    stands = {("out", row.message_id, row.unit): row.state for row in books.out}
    stands |= {("in", row.message_id, row.unit): row.state for row in books.into}
    for key in stands.keys() - lives.keys():
        yield Finding(Kind.UNEXPLAINED, key[1], f"{stands[key]} for {key[2]} without a history")
    for key, lines in lives.items():
        direction, message_id, unit = key
        state: str | None = None
        for line in lines:
            if not _follows(direction, state, line):
                what = f"{direction} {unit}: {line.event} brought it from {state} to {line.state}"
                yield Finding(Kind.UNEXPLAINED, message_id, what)
                break
            state = line.state
        else:
            if not _is_at(direction, state, stands.get(key)):
                what = f"{direction} {unit}: {stands.get(key)}, and {state} by its history"
                yield Finding(Kind.UNEXPLAINED, message_id, what)


def _follows(direction: str, state: str | None, line: Line) -> bool:
    if line.event in _BEGINNINGS[direction]:
        return state is None
    if state is None:
        return False
    if line.event in _REMARKS:
        return _is_at(direction, state, line.state)
    try:
        if direction == "out":
            return after(OutState(state), OutEvent(line.event)) == line.state
        return after_incoming(_claimed(InState(state), line.event), InEvent(line.event)) == line.state
    except (IllegalTransitionError, ValueError):
        return False


def _claimed(state: InState, event: str) -> InState:
    """Return the state in which the case system answered: that a worker took the message is not written down."""
    if event in (InEvent.VALIDATE, InEvent.ACKNOWLEDGE) or state in (InState.STORED, InState.DELIVERING):
        return state
    return after_incoming(state, InEvent.CLAIM)


def _is_at(direction: str, told: str | None, stands: str | None) -> bool:
    """Tell whether a ledger stands where its history ends; that a worker has a message in hand is not written down."""
    if direction == "in" and stands == InState.DELIVERING:
        return told in (InState.VALIDATED, InState.WAITING_FOR_SYSTEM, InState.DELIVERING)
    return told == stands


def _out_of_order(evidence: Evidence) -> Iterator[Finding]:
    """Compare the order in which a unit's case system got the messages of a case with the order they were told in."""
    told = {promise.message_id: promise for promise in evidence.promises}
    last: dict[tuple[str, str], int] = {}
    for record in sorted(evidence.records, key=lambda one: one.number):
        promise = told.get(record.message_id)
        if promise is None:
            continue
        key = (promise.stream, record.unit)
        if promise.number < last.get(key, 0):
            what = f"event {promise.number} of {promise.stream} was registered after event {last[key]}"
            yield Finding(Kind.UNEXPLAINED, record.message_id, what)
        last[key] = max(promise.number, last.get(key, 0))


def messages_in(evidence: Evidence) -> int:
    """Return how many messages were promised; one to two units counts twice."""
    promised = {promise.message_id for promise in evidence.promises}
    return sum(row.message_id in promised and row.type != ACKNOWLEDGEMENT for row in evidence.sender.out)
