"""Cases that their messages have brought to a state, and every message that means an event there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from build import (
    CLINIC,
    OFFICE,
    PSYCHIATRY,
    added,
    booking,
    cancellation,
    change,
    closure,
    consent,
    declined,
    follow_up,
    follow_up_call,
    forward,
    held,
    measure_update,
    message,
    misdirected,
    need,
    plan,
    removed,
    reply,
    retraction,
    revised,
    telling,
    transfer,
    withdrawn,
)
from build_discharge import (
    contact,
    discharge,
    expectation,
    interruption,
    notice,
    of_stay,
    planned_discharge,
    planning,
    ready,
    recall,
)

from gateway.errors import CaseRuleError
from gateway.messages import ClosureReason, InvitationAnswer, MeetingOutcome, Message
from gateway.process import CaseEvent, CaseState, Participation, SipCase, apply

BOTH = (CLINIC, PSYCHIATRY)
WITHDRAWAL_TOLD = closure(ClosureReason.CONSENT_WITHDRAWN)
"""What the convener tells the others when the person has withdrawn."""

PATHS: dict[CaseState, Sequence[Any]] = {
    CaseState.DRAFT: (),
    CaseState.CONSENT_DECLINED: (declined(),),
    CaseState.REFUSED: (closure(ClosureReason.REFUSED),),
    CaseState.PREPARING: (consent(),),
    CaseState.INVITED: (consent(), booking()),
    CaseState.MEETING_DONE: (consent(), booking(), held()),
    CaseState.ACTIVE: (consent(), booking(), plan()),
    CaseState.FOLLOW_UP_CALLED: (consent(), booking(), plan(), follow_up_call()),
    CaseState.CLOSED: (consent(), booking(), plan(), closure()),
    CaseState.CANCELLED: (consent(), closure()),
}
"""What happens after the need, until a SIP case is in a state."""

STAYS: dict[CaseState, Sequence[Any]] = {
    CaseState.ADMITTED: (),
    CaseState.DISCHARGE_READY: (ready(),),
    CaseState.DISCHARGED: (ready(), discharge()),
    CaseState.INTERRUPTED: (interruption(),),
}
"""What happens after the notice of admission, until a discharge process is in a state."""

LED_BY_REGION = (consent(), booking(), plan(led_by=CLINIC))
"""What happens after the need, until the clinic leads an active case."""


def opened(*bodies: Any, to: Sequence[str] = (CLINIC,)) -> SipCase:
    """Return the case that the office has opened with a need, and to which it has sent ``bodies``."""
    case = apply(None, message(need(), *to))
    for body in bodies:
        case = apply(case, message(body, *to))
    return case


def case_in(state: CaseState, *to: str) -> SipCase:
    """Return a SIP case, or a stay, that its messages have brought to ``state``."""
    if state in STAYS:
        case = apply(None, of_stay(notice(), *(to or (OFFICE,))))
        for body in STAYS[state]:
            case = apply(case, of_stay(body, *(to or (OFFICE,))))
    else:
        case = opened(*PATHS[state], to=to or (CLINIC,))
    assert case.state is state
    return case


def invited(*units: str) -> SipCase:
    """Return a case that calls ``units`` to a meeting."""
    return case_in(CaseState.INVITED, *(units or BOTH))


def answered(
    case: SipCase, answer: InvitationAnswer, *, unit: str = CLINIC, to: str | None = None, ref: str | None = None
) -> SipCase:
    """Return ``case`` after ``unit`` has answered its call, or the message ``ref``."""
    return apply(case, answer_of(case, answer, unit=unit, to=to, ref=ref))


def answer_of(
    case: SipCase, answer: InvitationAnswer, *, unit: str = CLINIC, to: str | None = None, ref: str | None = None
) -> Message:
    """Return the answer of ``unit`` to its call, or to the message ``ref``."""
    called = case.participation(unit)
    names = ref or (called.ref if called is not None else None) or case.booking_ref
    return message(reply(answer, to=to), OFFICE, sender=unit, in_reply_to=names)


def of_unit(case: SipCase, unit: str) -> Participation:
    """Return how ``unit``, which was called, stands with its reply."""
    found = case.participation(unit)
    assert found is not None
    return found


def refusal(case: SipCase | None, broken: Message) -> tuple[str, ...]:
    """Return the codes of the faults for which ``case`` refuses ``broken``."""
    with pytest.raises(CaseRuleError) as caught:
        apply(case, broken)
    return caught.value.codes


def messages_of(event: CaseEvent, case: SipCase) -> list[Message]:
    """Return every kind of message that means ``event``, as ``case`` could take it if it takes the event at all."""
    if case.number.startswith("M") or event is CaseEvent.ADMIT:
        return _of_a_stay(event, case)
    told = message(telling(), CLINIC)
    ref = case.booking_ref or told.header.message_id
    booked = case.slot
    decided: dict[CaseEvent, list[Any]] = {
        CaseEvent.START: [need()],
        CaseEvent.CONSENT: [consent(), consent(CLINIC)],
        CaseEvent.DECLINE: [declined()],
        CaseEvent.WITHDRAW: [withdrawn(), WITHDRAWAL_TOLD],
        CaseEvent.BOOK: [booking()],
        CaseEvent.RESCHEDULE: [change(booked)],
        CaseEvent.CALL_OFF: [cancellation(booked)],
        CaseEvent.HOLD: [held()],
        CaseEvent.HOLD_IN_VAIN: [held(MeetingOutcome.NO_PLAN), held(MeetingOutcome.NEW_MEETING)],
        CaseEvent.PLAN: [plan(case.plan_version + 1)],
        CaseEvent.REVISE: [revised(case.plan_version + 1)],
        CaseEvent.CALL_FOLLOW_UP: [follow_up_call(version=case.plan_version)],
        CaseEvent.FOLLOW_UP: [follow_up(case.plan_version)],
        CaseEvent.TRANSFER: [transfer()],
        CaseEvent.JOIN: [added()],
        CaseEvent.LEAVE: [removed()],
        CaseEvent.RETRACT: [retraction(told)],
        CaseEvent.REFUSE: [closure(ClosureReason.REFUSED)],
        CaseEvent.CLOSE: [closure(), closure(ClosureReason.DIED)],
    }
    answers = {
        CaseEvent.REPLY: [
            reply(answer, to=PSYCHIATRY if answer == "redirect" else None) for answer in InvitationAnswer
        ],
        CaseEvent.FORWARD: [forward()],
        CaseEvent.TELL: [telling(), telling(reply_wanted=True)],
        CaseEvent.UPDATE_MEASURE: [measure_update(case.plan_version)],
        CaseEvent.MISDIRECT: [misdirected(told)],
    }
    if event in answers:
        named = told.header.message_id if event is CaseEvent.MISDIRECT else ref
        return [message(body, OFFICE, sender=CLINIC, in_reply_to=named) for body in answers[event]]
    stays_home = event in (CaseEvent.HOLD, CaseEvent.HOLD_IN_VAIN)
    to = () if stays_home else (PSYCHIATRY,) if event in (CaseEvent.JOIN, CaseEvent.LEAVE) else (CLINIC,)
    return [message(body, *to) for body in decided.get(event, ())]


def _of_a_stay(event: CaseEvent, case: SipCase) -> list[Message]:
    told = of_stay(planning(), OFFICE)
    ready_ref = case.stay.ready_ref if case.stay is not None else None
    from_ward: dict[CaseEvent, list[Any]] = {
        CaseEvent.ADMIT: [notice()],
        CaseEvent.EXPECT: [expectation()],
        CaseEvent.APPOINT_CONTACT: [contact()],
        CaseEvent.PLAN_DISCHARGE: [planning(), planned_discharge()],
        CaseEvent.READY: [ready()],
        CaseEvent.RECALL: [recall(ready_ref or told.header.message_id)],
        CaseEvent.DISCHARGE: [discharge()],
        CaseEvent.INTERRUPT: [interruption()],
        CaseEvent.RETRACT: [retraction(told)],
    }
    if event is CaseEvent.MISDIRECT:
        return [of_stay(misdirected(told), CLINIC, sender=OFFICE, in_reply_to=told.header.message_id)]
    return [of_stay(body, OFFICE) for body in from_ward.get(event, ())]
