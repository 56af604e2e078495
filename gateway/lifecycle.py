"""How far a message got: the levels, the states on both sides, and the one table of transitions.

Four levels are never merged, each with its own clock: *sent* (the exchange confirmed and routed it), *received* (the
partner's gateway validated and stored it), *registered* (the partner's case system committed it, with that system's
record id) and *acknowledged* (a person or unit took charge). A ledger is kept per recipient.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Level(StrEnum):
    """What an acknowledgement tells; *sent* is known by the sender alone and needs none."""

    RECEIVED = "received"
    REGISTERED = "registered"
    ACKNOWLEDGED = "acknowledged"


class Outcome(StrEnum):
    """The verdict an acknowledgement gives at its level."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    """Taken, except the parts its reasons name."""
    REJECTED = "rejected"
    """Refused for good; sending again will not help."""
    RETRY = "retry"
    """Not now; the sender may try again."""


class OutState(StrEnum):
    """Where an outgoing message stands for one recipient."""

    HELD = "held"
    """Waits for a consent that covers this recipient, or for the review of a frozen case."""
    QUEUED = "queued"
    """Promised: stored with its XML, waits for the relay."""
    RETRYING = "retrying"
    """A try failed, or the receiver asked for another; waits for its next attempt."""
    SENT = "sent"
    """The exchange confirmed and routed it."""
    RECEIVED = "received"
    REGISTERED = "registered"
    ACKNOWLEDGED = "acknowledged"
    PARTIAL = "partial"
    """The receiver took part of it; a person decides about the rest."""
    REJECTED = "rejected"
    """The receiver refused it for good."""
    EXPIRED = "expired"
    """Given up: tried for too long, or the consent ended under way. A late acknowledgement still counts."""
    RETRACTED = "retracted"
    """Taken back by its sender after it may have left; nothing is owed for it any longer."""
    MISDIRECTED = "misdirected"
    """The receiver has said that it is the wrong unit; what is owed now is owed by the sender."""
    STOPPED = "stopped"
    """Never sent: the consent was declined or withdrawn, or the case closed first."""
    LETTER = "letter"
    """May leave, for a unit without an inbox: somebody has to send it by letter."""
    MAILED = "mailed"
    """Somebody has stated that the letter was sent; who and when is kept."""


class OutEvent(StrEnum):
    """What can happen to an outgoing message."""

    RELEASE = "release"
    """A consent covers the recipient."""
    HOLD = "hold"
    """The case is frozen before it has left."""
    STOP = "stop"
    """The consent was declined or withdrawn, or the case closed."""
    PUBLISHED = "published"
    """The exchange confirmed and routed it."""
    PUBLISH_FAILED = "publish_failed"
    """The exchange returned it, or no confirm came in time."""
    RECEIVED = "received"
    REGISTERED = "registered"
    ACKNOWLEDGED = "acknowledged"
    PARTIAL = "partial"
    REJECTED = "rejected"
    RETRY = "retry"
    """The receiver answered *retry*, or stayed silent past the clock of *received*."""
    EXPIRE = "expire"
    RETRACT = "retract"
    """Its sender takes it back."""
    MISDIRECT = "misdirect"
    """The receiver says that it is the wrong unit."""
    BY_LETTER = "by_letter"
    """A consent covers the recipient, which has no inbox."""
    MAILED = "mailed"
    """Somebody states that the letter was sent."""
    ANSWERED = "answered"
    """Somebody states that an answer or a receipt for the letter has come."""
    RESEND = "resend"
    """Somebody lets it be sent again, under the same id."""


class InState(StrEnum):
    """Where an incoming message stands in the receiving gateway."""

    STORED = "stored"
    """Kept; waits for an earlier message of the same case from the same party."""
    VALIDATED = "validated"
    """Schema, rules and case allow it; waits for delivery."""
    DELIVERING = "delivering"
    """A worker is handing it to the case system."""
    WAITING_FOR_SYSTEM = "waiting_for_system"
    """The case system has not answered; tried again by itself."""
    REGISTERED = "registered"
    """The case system committed it and gave its record id."""
    ACKNOWLEDGED = "acknowledged"
    """A person or unit took charge."""
    REJECTED = "rejected"
    """Refused for good, by the rules or by the case system."""
    RETRACTED = "retracted"
    """Taken back by its sender; its content is no longer to be read here."""
    MISDIRECTED = "misdirected"
    """Sent here by mistake, as the unit has said; its content is no longer to be read here."""


class InEvent(StrEnum):
    """What can happen to an incoming message after it is stored."""

    VALIDATE = "validate"
    CLAIM = "claim"
    SYSTEM_SILENT = "system_silent"
    REGISTER = "register"
    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"
    RETRACT = "retract"
    MISDIRECT = "misdirect"
    RESEND = "resend"
    """Somebody lets it be handed over again, without waiting for its next try."""


class IllegalTransitionError(Exception):
    """The table has no row for this state and event: a mistake in the program, or a race it must stop."""


_O, _E = OutState, OutEvent
_LEVELS = {_E.RECEIVED: _O.RECEIVED, _E.REGISTERED: _O.REGISTERED, _E.ACKNOWLEDGED: _O.ACKNOWLEDGED}
_VERDICTS = {**_LEVELS, _E.PARTIAL: _O.PARTIAL, _E.REJECTED: _O.REJECTED}

# An acknowledgement may overtake our own bookkeeping: the process died between publish and mark, or the receiver
# asked for a new try and then answered after all. Whatever it says about a message that has left is true.
_MAY_HAVE_LEFT = {
    **_VERDICTS,
    _E.PUBLISHED: _O.SENT,
    _E.PUBLISH_FAILED: _O.RETRYING,
    _E.RETRY: _O.RETRYING,
    _E.EXPIRE: _O.EXPIRED,
    _E.RETRACT: _O.RETRACTED,
    _E.MISDIRECT: _O.MISDIRECTED,
}
_CORRECTED = {_E.RETRACT: _O.RETRACTED, _E.MISDIRECT: _O.MISDIRECTED}
# What was taken back may still be on its way, and what is told about it changes nothing any longer.
_TOLD_IN_VAIN = (*_VERDICTS, _E.PUBLISHED, _E.PUBLISH_FAILED, _E.RETRY)

OUT: dict[OutState, dict[OutEvent, OutState]] = {
    # No other way out: nothing leaves without a consent, on paper or otherwise.
    _O.HELD: {_E.RELEASE: _O.QUEUED, _E.BY_LETTER: _O.LETTER, _E.STOP: _O.STOPPED},
    _O.QUEUED: {**_MAY_HAVE_LEFT, _E.STOP: _O.STOPPED, _E.HOLD: _O.HELD},
    _O.RETRYING: {**_MAY_HAVE_LEFT, _E.STOP: _O.STOPPED, _E.RESEND: _O.RETRYING},
    _O.SENT: {**_MAY_HAVE_LEFT, _E.PUBLISH_FAILED: _O.SENT, _E.RESEND: _O.RETRYING},
    _O.RECEIVED: {
        **_VERDICTS,
        _E.PUBLISHED: _O.RECEIVED,  # the mark of an earlier publish, late
        _E.PUBLISH_FAILED: _O.RECEIVED,  # a resend failed, but the first try had arrived
        _E.RETRY: _O.RETRYING,
        _E.EXPIRE: _O.EXPIRED,
        _E.RESEND: _O.RETRYING,  # an answer that was lost on its way back is given again
        **_CORRECTED,
    },
    _O.REGISTERED: {
        _E.RECEIVED: _O.REGISTERED,  # an overtaken answer fills in its own clock, and moves nothing back
        _E.REGISTERED: _O.REGISTERED,
        _E.ACKNOWLEDGED: _O.ACKNOWLEDGED,
        _E.PUBLISHED: _O.REGISTERED,
        _E.PUBLISH_FAILED: _O.REGISTERED,
        **_CORRECTED,
    },
    _O.ACKNOWLEDGED: {
        _E.RECEIVED: _O.ACKNOWLEDGED,
        _E.REGISTERED: _O.ACKNOWLEDGED,
        _E.ACKNOWLEDGED: _O.ACKNOWLEDGED,
        _E.PUBLISHED: _O.ACKNOWLEDGED,
        _E.PUBLISH_FAILED: _O.ACKNOWLEDGED,
        **_CORRECTED,
    },
    _O.PARTIAL: {
        _E.RECEIVED: _O.PARTIAL,
        _E.PARTIAL: _O.PARTIAL,
        _E.ACKNOWLEDGED: _O.ACKNOWLEDGED,
        _E.PUBLISHED: _O.PARTIAL,
        _E.PUBLISH_FAILED: _O.PARTIAL,
        **_CORRECTED,
    },
    _O.REJECTED: {
        _E.REJECTED: _O.REJECTED,
        _E.RECEIVED: _O.REJECTED,
        _E.PUBLISHED: _O.REJECTED,
        _E.PUBLISH_FAILED: _O.REJECTED,
    },
    # Late, but it settles. A try that was under way when it was given up may have arrived; others only people make.
    _O.EXPIRED: {
        **_VERDICTS,
        **_CORRECTED,
        _E.PUBLISHED: _O.EXPIRED,
        _E.PUBLISH_FAILED: _O.EXPIRED,
        _E.RESEND: _O.RETRYING,
    },
    _O.RETRACTED: dict.fromkeys((*_TOLD_IN_VAIN, _E.MISDIRECT), _O.RETRACTED),
    _O.MISDIRECTED: dict.fromkeys((*_TOLD_IN_VAIN, _E.RETRACT), _O.MISDIRECTED),
    _O.STOPPED: {},
    # The exchange knows nothing of a letter: only people tell what becomes of it.
    _O.LETTER: {_E.MAILED: _O.MAILED, _E.STOP: _O.STOPPED, _E.HOLD: _O.HELD},
    _O.MAILED: {_E.ANSWERED: _O.ACKNOWLEDGED, _E.RETRACT: _O.RETRACTED},
}
"""Outgoing: what follows from a state and an event. What is not in the table is illegal."""

_I, _A = InState, InEvent
IN: dict[InState, dict[InEvent, InState]] = {
    _I.STORED: {_A.VALIDATE: _I.VALIDATED, _A.REJECT: _I.REJECTED},
    _I.VALIDATED: {_A.CLAIM: _I.DELIVERING, _A.RETRACT: _I.RETRACTED},
    _I.DELIVERING: {
        _A.CLAIM: _I.DELIVERING,  # the lease of a worker that died has run out
        _A.SYSTEM_SILENT: _I.WAITING_FOR_SYSTEM,
        _A.REGISTER: _I.REGISTERED,
        _A.REJECT: _I.REJECTED,
        _A.RETRACT: _I.RETRACTED,
    },
    _I.WAITING_FOR_SYSTEM: {
        _A.CLAIM: _I.DELIVERING,
        _A.RETRACT: _I.RETRACTED,
        _A.RESEND: _I.WAITING_FOR_SYSTEM,
    },
    _I.REGISTERED: {_A.ACKNOWLEDGE: _I.ACKNOWLEDGED, _A.RETRACT: _I.RETRACTED, _A.MISDIRECT: _I.MISDIRECTED},
    _I.ACKNOWLEDGED: {_A.RETRACT: _I.RETRACTED, _A.MISDIRECT: _I.MISDIRECTED},
    _I.REJECTED: {},
    # Taken back while a worker was handing it over: what the case system then says changes nothing.
    _I.RETRACTED: dict.fromkeys((_A.REGISTER, _A.REJECT, _A.SYSTEM_SILENT), _I.RETRACTED),
    _I.MISDIRECTED: {_A.RETRACT: _I.MISDIRECTED},
}
"""Incoming: what follows from a state and an event. What is not in the table is illegal."""

NEVER_LEFT = frozenset({OutState.HELD, OutState.STOPPED})
"""States in which nothing about the message has left, or is about to."""

MAY_HAVE_LEFT = frozenset(OutState) - NEVER_LEFT - {OutState.QUEUED, OutState.LETTER}
"""States in which a recipient may have got the message. What is queued has not been tried, nor is a letter in the post
before somebody says so."""

STOPPABLE = tuple(state for state, events in OUT.items() if OutEvent.STOP in events)
"""States that a declined or withdrawn consent stops, as long as no try has been made."""

UNDER_WAY = frozenset({OutState.QUEUED, OutState.RETRYING, OutState.SENT})
"""States in which a message may have left and would be sent again until it is answered."""

FAILED = frozenset({OutState.REJECTED, OutState.PARTIAL, OutState.EXPIRED})
"""States of an outgoing message that has not come to what it was sent for: a person decides what to do."""

ON_PAPER = frozenset({OutState.LETTER, OutState.MAILED})
"""States of what goes by letter, which no partner's gateway has been sent."""


def after(state: OutState, event: OutEvent) -> OutState:
    """Return the state of an outgoing message after ``event``.

    Raises:
        IllegalTransitionError: the table has no such row.
    """
    try:
        return OUT[state][event]
    except KeyError:
        raise IllegalTransitionError(f"outgoing: {event} in state {state}") from None


def after_incoming(state: InState, event: InEvent) -> InState:
    """Return the state of an incoming message after ``event``.

    Raises:
        IllegalTransitionError: the table has no such row.
    """
    try:
        return IN[state][event]
    except KeyError:
        raise IllegalTransitionError(f"incoming: {event} in state {state}") from None


def event_of(level: Level, outcome: Outcome) -> OutEvent:
    """Return what an acknowledgement of ``level`` with ``outcome`` means for the message it answers."""
    if outcome is Outcome.ACCEPTED:
        return OutEvent(level.value)
    return {Outcome.PARTIAL: OutEvent.PARTIAL, Outcome.REJECTED: OutEvent.REJECTED, Outcome.RETRY: OutEvent.RETRY}[
        outcome
    ]


class Owner(StrEnum):
    """Who must act when a deadline passes."""

    CONVENER = "convener"
    """The unit that leads the case."""
    OPERATIONS = "operations"
    """Whoever runs this gateway."""
    PARTNER = "partner"
    """Whoever runs the other gateway."""
    RECIPIENT = "recipient"
    """The unit that owes the duty."""


GIVE_UP_AFTER = timedelta(hours=72)
"""How long tries go on for a type without a shorter deadline."""

_OUT_CLOCK: dict[OutState, tuple[timedelta, Owner]] = {
    OutState.HELD: (timedelta(days=21), Owner.CONVENER),  # the meeting should be held within three weeks of the need
    OutState.QUEUED: (timedelta(minutes=5), Owner.OPERATIONS),
    OutState.RETRYING: (GIVE_UP_AFTER, Owner.OPERATIONS),
    OutState.SENT: (timedelta(minutes=30), Owner.PARTNER),  # then it is sent again
    OutState.RECEIVED: (timedelta(minutes=60), Owner.PARTNER),
    OutState.PARTIAL: (timedelta(hours=24), Owner.OPERATIONS),
    OutState.EXPIRED: (timedelta(hours=24), Owner.OPERATIONS),
}

_IN_CLOCK: dict[InState, tuple[timedelta, Owner]] = {
    InState.STORED: (timedelta(minutes=30), Owner.PARTNER),
    InState.VALIDATED: (timedelta(minutes=60), Owner.OPERATIONS),
    InState.DELIVERING: (timedelta(minutes=60), Owner.OPERATIONS),
    InState.WAITING_FOR_SYSTEM: (timedelta(minutes=60), Owner.OPERATIONS),
}


def out_clock(state: OutState, *, answered: bool) -> tuple[timedelta, Owner] | None:
    """Return how long an outgoing message may stay in ``state`` and who acts after that; ``None`` when it is final.

    ``answered`` is false for acknowledgements, which nobody answers: *sent* is their end. What is registered waits for
    what the recipient owes, for as long as the contract of its type says; the time for a letter is counted in working
    days. Both stand in :mod:`gateway.ledger`.
    """
    if state is OutState.SENT and not answered:
        return None
    return _OUT_CLOCK.get(state)


def in_clock(state: InState) -> tuple[timedelta, Owner] | None:
    """Return how long an incoming message may stay in ``state`` and who acts after that; ``None`` when it is final."""
    return _IN_CLOCK.get(state)


RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=60),
)
"""Waits before the second, third, fourth and every later try of something that failed for the moment."""

RETRY_JITTER = 0.5
"""Each wait is drawn between half and one and a half times its length, so that tries do not come in step."""


def retry_wait(attempts: int, chance: float) -> timedelta:
    """Return how long to wait after ``attempts`` failed tries; ``chance`` is drawn evenly from 0 to 1."""
    wait = RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1]
    return wait * (1 - RETRY_JITTER + 2 * RETRY_JITTER * chance)
