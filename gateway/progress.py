"""The hops a message passes, told to whoever looks: the log, the live table of the demo, and the tests.

An observer is called after the hop is durable, inside the process that did it. It gets ids and codes, never content.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple


class Hop(StrEnum):
    """A point on the path of a message, named by what is true once it is passed."""

    EVENT_STORED = "event-stored"
    """Sender: the event is kept with its messages; the promise to send."""
    EVENT_REFUSED = "event-refused"
    """Sender: the event is kept with its reasons."""
    EVENT_ANSWERED = "event-answered"
    """Sender: the case system has its receipt."""
    PUBLISHED = "published"
    """Sender: the exchange has confirmed, not yet marked."""
    SENT = "sent"
    """Sender: marked as sent."""
    TAKEN = "taken"
    """Receiver: the exchange has handed it over, nothing stored."""
    RECEIVED = "received"
    """Receiver: stored, with its acknowledgement queued; not yet settled with the exchange."""
    SETTLED = "settled"
    """Receiver: the exchange may forget it."""
    HANDED_OVER = "handed-over"
    """Receiver: the case system has committed it, not yet marked."""
    REGISTERED = "registered"
    """Receiver: marked as registered, with its acknowledgement queued."""
    ACKNOWLEDGED = "acknowledged"
    """Receiver: a person took charge; the acknowledgement is queued."""
    VERDICT = "verdict"
    """Sender: an acknowledgement has been matched to its message."""
    NOTED = "noted"
    """Either side: a step is written in the own case system's log."""


class Passage(NamedTuple):
    """One message passing one hop in one gateway. ``detail`` is a code or level, never content."""

    hop: Hop
    party: str
    message_id: str | None = None
    type: str | None = None
    unit: str | None = None
    case_number: str | None = None
    detail: str | None = None


Observer = Callable[[Passage], None]


def ignore(_: Passage) -> None:
    """Observe nothing."""


def both(one: Observer, other: Observer) -> Observer:
    """Return an observer that tells two."""

    def observe(passage: Passage) -> None:
        one(passage)
        other(passage)

    return observe
