"""What a gateway can be measured by: one table of metrics, to which the page, the rules and the dashboard are held.

Base units throughout: seconds, and points in time as seconds since 1970. Labels are words that this gateway itself
knows: parties of its directory, message types, levels, codes of its own and names of its adapters. What others have
written never becomes a label; it is counted as ``unknown``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNKNOWN: Final = "unknown"
"""Stands as a label for whatever this gateway does not know."""

WAIT_BUCKETS: Final = (1, 5, 15, 60, 300, 900, 1_800, 3_600, 14_400, 43_200, 86_400, 259_200, 604_800)
"""Upper ends of the buckets of how long an answer took, in seconds: from one second to seven days."""


class Kind(StrEnum):
    """How a metric is to be read."""

    COUNTER = "counter"
    """Grows for as long as the database lives: over restarts, and for all processes of the gateway together."""
    GAUGE = "gauge"
    """What is so now."""
    HISTOGRAM = "histogram"
    """A counter for each bucket, their sum and their count."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name, how it is read, what it says, and by what it is divided."""

    name: str
    kind: Kind
    says: str
    labels: tuple[str, ...] = ()


def _counter(name: str, says: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, says, labels)


def _gauge(name: str, says: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, says, labels)


BUILD = _gauge("gateway_build_info", "1, with the version that answers.", "version")
DATABASE = _gauge("gateway_database_up", "1 when the database answered this question, else 0.")
EXCHANGE = _gauge("gateway_exchange_connected", "1 when the exchange answers the process that is asked, else 0.")

RECEIVED = _counter("gateway_messages_received_total", "Messages of partners stored, each once.", "party", "type")
DUPLICATE = _counter(
    "gateway_messages_duplicate_total", "Messages of partners that came again and were answered again.", "party", "type"
)
INVALID = _counter(
    "gateway_messages_invalid_total",
    "Deliveries of partners that are no message, or that the rules refuse.",
    "party",
    "type",
)
PUBLISHED = _counter(
    "gateway_messages_published_total",
    "Tries that the exchange confirmed and routed; what is sent again counts again.",
    "party",
    "type",
)
FAILED = _counter(
    "gateway_messages_failed_total",
    "Tries that failed (returned, unconfirmed), and messages given up (expired).",
    "party",
    "type",
    "reason",
)
DELIVERIES = _counter(
    "gateway_deliveries_total",
    "What the own case system answered about messages of partners: registered, silent, refused.",
    "type",
    "outcome",
)
EVENTS = _counter(
    "gateway_events_total", "Events of case systems as they were first judged: accepted, refused.", "adapter", "outcome"
)

OUTBOX = _gauge("gateway_outbox_messages", "Messages and acknowledgements that wait to be sent.", "party")
OUTBOX_AGE = _gauge(
    "gateway_outbox_oldest_age_seconds", "How long the oldest of them has waited; 0 when nothing waits.", "party"
)
HELD = _gauge("gateway_held_messages", "Messages held until a consent covers their recipient.", "party")
UNDECIDED = _gauge(
    "gateway_undecided_messages", "Messages given up or taken in part, which a person has to decide about.", "party"
)
LETTERS = _gauge("gateway_letters_open", "Letters that somebody has to send, or that wait for an answer.")
AWAITING = _gauge(
    "gateway_acknowledgements_awaiting", "Messages whose next level is awaited of a partner.", "party", "level"
)
OVERDUE = _gauge("gateway_acknowledgements_overdue", "Those of them whose deadline has passed.", "party", "level")
WAIT = Metric(
    "gateway_acknowledgement_wait_seconds",
    Kind.HISTOGRAM,
    "From when a message was sent to when its answer at a level came.",
    ("party", "level"),
)
OUTCOMES = _counter(
    "gateway_acknowledgements_total",
    "Answers of partners: accepted, partial, rejected, retry; of those also late; and what settles nothing: duplicate, "
    "orphan, contradicted, unreadable.",
    "party",
    "level",
    "outcome",
)
INBOX = _gauge("gateway_inbox_messages", "Messages of partners with something left to do, by state.", "state")
INBOX_OVERDUE = _gauge("gateway_inbox_overdue", "Those of them whose deadline has passed.", "state")
INBOX_AGE = _gauge("gateway_inbox_oldest_age_seconds", "How long the oldest of them has been here.", "state")
DEAD_LETTERS = _gauge("gateway_dead_letters_open", "Deliveries the exchange gave up, which nobody has settled.")
NOTES = _gauge("gateway_notes_waiting", "Steps and notices that wait to be written into the own case system.")

SILENT = _gauge("gateway_partner_silent", "1 when a partner that owes receipts is not heard, else 0.", "party")
HEARD = _gauge("gateway_partner_last_heard_timestamp_seconds", "When something last came from a partner.", "party")
CIRCUIT = _gauge(
    "gateway_circuit_open", "1 when nothing but a probe is sent to a partner, or to a system of our own, else 0.", "to"
)
ADAPTER_UP = _gauge("gateway_adapter_up", "1 when the system answered when it was last asked, else 0.", "adapter")
ADAPTER_SUCCESS = _gauge(
    "gateway_adapter_last_success_timestamp_seconds",
    "When the system last answered, where it is up, or told an event that was accepted.",
    "adapter",
)
ADAPTER_PAUSED = _gauge("gateway_adapter_paused", "1 when somebody has paused the adapter, else 0.", "adapter")

METRICS: Final = (
    *(BUILD, DATABASE, EXCHANGE),
    *(RECEIVED, DUPLICATE, INVALID, PUBLISHED, FAILED, DELIVERIES, EVENTS),
    *(OUTBOX, OUTBOX_AGE, HELD, UNDECIDED, LETTERS, AWAITING, OVERDUE, WAIT, OUTCOMES),
    *(INBOX, INBOX_OVERDUE, INBOX_AGE, DEAD_LETTERS, NOTES),
    *(SILENT, HEARD, CIRCUIT, ADAPTER_UP, ADAPTER_SUCCESS, ADAPTER_PAUSED),
)
"""Every metric, in the order in which they are served."""


def known(word: str, words: Collection[str]) -> str:
    """Return ``word`` where it is one of ``words``, else :data:`UNKNOWN`: what others write becomes no label."""
    return word if word in words else UNKNOWN


def bucket_of(seconds: float) -> str:
    """Return the label ``le`` of the smallest bucket of waits that holds ``seconds``."""
    return next((f"{end:.1f}" for end in WAIT_BUCKETS if seconds <= end), "+Inf")
