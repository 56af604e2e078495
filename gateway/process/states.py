"""The states of a case, what moves it, and the one table of what follows.

A SIP case takes the steps of *Riktlinje för SIP i Västra Götaland*: need, consent, invitation, meeting and plan,
follow-up, closure. An admission takes those of lag 2017:612: notice, planning, ready for discharge, discharge.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.messages import TYPES, CaseEvent, Message


class CaseState(StrEnum):
    """Where a case stands."""

    DRAFT = "draft"
    """A need is noted; nothing may leave before the person has decided."""
    CONSENT_DECLINED = "consent-declined"
    """The person said no; the need stays with the own party."""
    REFUSED = "refused"
    """The unit has refused the request for a SIP, with its reason; the need stays with the own party."""
    PREPARING = "preparing"
    """A consent is valid; the meeting is being prepared."""
    INVITED = "invited"
    """A meeting is booked."""
    MEETING_DONE = "meeting-done"
    """The meeting has been held, and the plan is being written. Only the convener's party knows this state."""
    ACTIVE = "active"
    """A plan is established."""
    FOLLOW_UP_CALLED = "follow-up-called"
    """A meeting is booked to follow the plan up."""
    CLOSED = "closed"
    CANCELLED = "cancelled"
    """Closed before there was a plan."""
    ADMITTED = "admitted"
    """A patient has been admitted, and the discharge is being planned."""
    DISCHARGE_READY = "discharge-ready"
    """A physician has judged that the patient needs no more inpatient care; the clocks of the law run."""
    DISCHARGED = "discharged"
    INTERRUPTED = "interrupted"
    """The planning before the discharge has ended without one."""


_S, _E = CaseState, CaseEvent

TERMINAL = frozenset({_S.CONSENT_DECLINED, _S.REFUSED, _S.CLOSED, _S.CANCELLED, _S.DISCHARGED, _S.INTERRUPTED})
"""States that only a new case follows."""

BEGINNING = frozenset({_E.START, _E.ADMIT})
"""What begins a new case."""
OPENING = BEGINNING | {_E.JOIN}
"""What can open a case; joining opens it for a party that knew nothing of it."""
ENDING = frozenset({_E.WITHDRAW, _E.DECLINE, _E.REFUSE, _E.CLOSE, _E.INTERRUPT, _E.RETRACT, _E.MISDIRECT})
"""What tells that something ends, or was wrong; it may be said in a frozen case too."""
WINDING_UP = ENDING | {_E.LEAVE, _E.CALL_OFF}
"""What may also be told to a unit that has closed: that it has nothing more to do."""
CALLING = frozenset({_E.BOOK, _E.CALL_FOLLOW_UP, _E.RESCHEDULE})
"""What calls units to a meeting."""


def _stays(state: CaseState, *events: CaseEvent) -> dict[CaseEvent, CaseState]:
    return dict.fromkeys(events, state)


_CORRECTIONS = (_E.RETRACT, _E.MISDIRECT)
_ALL_ALONG = (_E.CONSENT, _E.JOIN, _E.LEAVE, _E.TELL, *_CORRECTIONS)
_WITH_MEETING = (_E.BOOK, _E.REPLY, _E.FORWARD, _E.RESCHEDULE)
_WITH_PLAN = (_E.PLAN, _E.REVISE, _E.FOLLOW_UP)
_BEFORE_DISCHARGE = (_E.EXPECT, _E.APPOINT_CONTACT, _E.PLAN_DISCHARGE, *_CORRECTIONS)

TRANSITIONS: dict[CaseState, dict[CaseEvent, CaseState]] = {
    _S.DRAFT: {
        _E.CONSENT: _S.PREPARING,
        _E.DECLINE: _S.CONSENT_DECLINED,
        _E.REFUSE: _S.REFUSED,
        _E.CLOSE: _S.CANCELLED,
    },
    _S.CONSENT_DECLINED: {},
    _S.REFUSED: {},
    _S.PREPARING: {
        **_stays(_S.PREPARING, *_ALL_ALONG),
        _E.BOOK: _S.INVITED,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CANCELLED,
    },
    _S.INVITED: {
        **_stays(_S.INVITED, *_ALL_ALONG, *_WITH_MEETING),
        _E.CALL_OFF: _S.PREPARING,
        _E.HOLD: _S.MEETING_DONE,
        _E.HOLD_IN_VAIN: _S.PREPARING,
        _E.PLAN: _S.ACTIVE,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CANCELLED,
    },
    _S.MEETING_DONE: {
        **_stays(_S.MEETING_DONE, *_ALL_ALONG),
        _E.BOOK: _S.INVITED,
        _E.PLAN: _S.ACTIVE,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CANCELLED,
    },
    _S.ACTIVE: {
        **_stays(_S.ACTIVE, *_ALL_ALONG, _E.PLAN, _E.REVISE, _E.TRANSFER, _E.UPDATE_MEASURE),
        _E.BOOK: _S.FOLLOW_UP_CALLED,
        _E.CALL_FOLLOW_UP: _S.FOLLOW_UP_CALLED,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CLOSED,
    },
    _S.FOLLOW_UP_CALLED: {
        **_stays(_S.FOLLOW_UP_CALLED, *_ALL_ALONG, *_WITH_MEETING, _E.CALL_FOLLOW_UP, _E.TRANSFER, _E.UPDATE_MEASURE),
        **_stays(_S.FOLLOW_UP_CALLED, _E.HOLD, _E.HOLD_IN_VAIN),  # what came of it is told by the follow-up
        **_stays(_S.ACTIVE, *_WITH_PLAN, _E.CALL_OFF),
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CLOSED,
    },
    # Told again that it is over, nothing changes; a last message and corrections are taken.
    _S.CLOSED: _stays(_S.CLOSED, _E.WITHDRAW, _E.TELL, *_CORRECTIONS),
    _S.CANCELLED: _stays(_S.CANCELLED, _E.WITHDRAW, _E.TELL, *_CORRECTIONS),
    _S.ADMITTED: {
        **_stays(_S.ADMITTED, *_BEFORE_DISCHARGE),
        _E.READY: _S.DISCHARGE_READY,
        _E.DISCHARGE: _S.DISCHARGED,
        _E.INTERRUPT: _S.INTERRUPTED,
    },
    _S.DISCHARGE_READY: {
        **_stays(_S.DISCHARGE_READY, *_BEFORE_DISCHARGE),
        _E.RECALL: _S.ADMITTED,
        _E.DISCHARGE: _S.DISCHARGED,
        _E.INTERRUPT: _S.INTERRUPTED,
    },
    _S.DISCHARGED: _stays(_S.DISCHARGED, _E.APPOINT_CONTACT, _E.PLAN_DISCHARGE, *_CORRECTIONS),
    _S.INTERRUPTED: _stays(_S.INTERRUPTED, _E.INTERRUPT, *_CORRECTIONS),
}
"""The case: what follows from a state and an event. What is not in the table breaks the case."""


def types_of(events: frozenset[CaseEvent]) -> frozenset[str]:
    """Return the types whose messages always do one of ``events``."""
    return frozenset(name for name, kind in TYPES.items() if kind.moves in events)


OPENING_TYPES = types_of(OPENING)
"""Types that can open a case."""
CALL_TYPES = types_of(CALLING)
"""Types that call units to a meeting; the reply to one is a clock of its case."""


def event_of(message: Message) -> CaseEvent:
    """Return what ``message`` does to its case. Acknowledgements do nothing to one, and are never asked about."""
    event = TYPES[message.type].event_of(message.body)
    assert event is not None
    return event
