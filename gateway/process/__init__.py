"""The rules of a case: what a message does to it, and whom it may be told. Pure."""

from gateway.messages.case_event import CaseEvent
from gateway.process.case import (
    MeetingState,
    Participant,
    Participation,
    ParticipationState,
    SipCase,
    Stay,
    Transfer,
)
from gateway.process.clocks import Awaited, CaseDeadline, deadlines
from gateway.process.faults import CONSENT_MISSING, UNKNOWN_CASE
from gateway.process.renumbering import as_known, renumber
from gateway.process.reviewing import review
from gateway.process.rules import MOVED_BY_CHARGE, apply, part_from, receive, take_charge
from gateway.process.states import (
    BEGINNING,
    CALL_TYPES,
    ENDING,
    OPENING_TYPES,
    TERMINAL,
    TRANSITIONS,
    WINDING_UP,
    CaseState,
    event_of,
)

__all__ = [
    "BEGINNING",
    "CALL_TYPES",
    "CONSENT_MISSING",
    "ENDING",
    "MOVED_BY_CHARGE",
    "OPENING_TYPES",
    "TERMINAL",
    "TRANSITIONS",
    "UNKNOWN_CASE",
    "WINDING_UP",
    "Awaited",
    "CaseDeadline",
    "CaseEvent",
    "CaseState",
    "MeetingState",
    "Participant",
    "Participation",
    "ParticipationState",
    "SipCase",
    "Stay",
    "Transfer",
    "apply",
    "as_known",
    "deadlines",
    "event_of",
    "part_from",
    "receive",
    "renumber",
    "review",
    "take_charge",
]
