"""The rules of a SIP case, as a pure state machine used on both sides.

A case is what its messages have made it: :func:`apply` takes the case and a message, and returns the case after it or
raises with the rule it breaks. The convening gateway applies its own messages before they leave, the receiving gateway
applies them as they arrive, so both come to the same case. The steps are those of *Riktlinje för SIP i Västra
Götaland*: need, consent, invitation, meeting and plan, follow-up, closure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import assert_never

from gateway.clock import STOCKHOLM
from gateway.errors import CaseRuleError, Fault, Finding
from gateway.messages import TYPES, Header, Identifier, InformationType, Message, SenderKind
from gateway.messages.binding import elements
from gateway.messages.closure import Closure, ClosureReason
from gateway.messages.consent import Consent, ConsentDecision
from gateway.messages.meeting_booking import MeetingBooking
from gateway.messages.plan import Plan


class CaseState(StrEnum):
    """Where a SIP case stands."""

    DRAFT = "draft"
    """A need is noted; nothing may leave before the person has decided."""
    CONSENT_DECLINED = "consent-declined"
    """The person said no; the need stays with the own party."""
    PREPARING = "preparing"
    """A consent is valid; the meeting is being prepared."""
    INVITED = "invited"
    """A meeting is booked."""
    ACTIVE = "active"
    """A plan is established."""
    FOLLOW_UP_CALLED = "follow-up-called"
    """A meeting is booked to follow the plan up."""
    CLOSED = "closed"
    CANCELLED = "cancelled"
    """Closed before there was a plan."""


class CaseEvent(StrEnum):
    """What moves a case: the message types, a consent by its decision."""

    START = "start"
    CONSENT = "consent"
    """Given or partial."""
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    BOOK = "book"
    PLAN = "plan"
    CLOSE = "close"


TERMINAL = frozenset({CaseState.CONSENT_DECLINED, CaseState.CLOSED, CaseState.CANCELLED})
"""States that only a new case follows."""

_S, _E = CaseState, CaseEvent
TRANSITIONS: dict[CaseState, dict[CaseEvent, CaseState]] = {
    _S.DRAFT: {_E.CONSENT: _S.PREPARING, _E.DECLINE: _S.CONSENT_DECLINED, _E.CLOSE: _S.CANCELLED},
    _S.CONSENT_DECLINED: {},
    _S.PREPARING: {_E.CONSENT: _S.PREPARING, _E.BOOK: _S.INVITED, _E.WITHDRAW: _S.CLOSED, _E.CLOSE: _S.CANCELLED},
    _S.INVITED: {
        _E.CONSENT: _S.INVITED,
        _E.BOOK: _S.INVITED,
        _E.PLAN: _S.ACTIVE,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CANCELLED,
    },
    _S.ACTIVE: {
        _E.CONSENT: _S.ACTIVE,
        _E.BOOK: _S.FOLLOW_UP_CALLED,
        _E.PLAN: _S.ACTIVE,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CLOSED,
    },
    _S.FOLLOW_UP_CALLED: {
        _E.CONSENT: _S.FOLLOW_UP_CALLED,
        _E.BOOK: _S.FOLLOW_UP_CALLED,
        _E.PLAN: _S.ACTIVE,
        _E.WITHDRAW: _S.CLOSED,
        _E.CLOSE: _S.CLOSED,
    },
    _S.CLOSED: {_E.WITHDRAW: _S.CLOSED},  # to be told again that it is over changes nothing
    _S.CANCELLED: {_E.WITHDRAW: _S.CANCELLED},
}
"""The case: what follows from a state and an event. What is not in the table breaks the case."""

UNKNOWN_CASE = Fault(
    "case.unknown",
    "Ärendet finns inte: en SIP börjar med att behovet anmäls.",
    "There is no such case: a SIP begins with its need.",
)
ALREADY_STARTED = Fault("case.already-started", "Ärendet är redan startat.", "The case has already been started.")
IS_CLOSED = Fault(
    "case.closed",
    "Ärendet är avslutat ({state}) och tar inte emot fler meddelanden; starta ett nytt.",
    "The case has ended ({state}) and takes no more messages; start a new one.",
)
CONSENT_MISSING = Fault(
    "case.consent-missing",
    "Det finns inget giltigt samtycke i ärendet.",
    "There is no valid consent in the case.",
)
NOTHING_TO_WITHDRAW = Fault(
    "case.nothing-to-withdraw",
    "Det finns inget samtycke att återkalla; registrera i stället att samtycke nekats.",
    "There is no consent to withdraw; register instead that consent was declined.",
)
CONSENT_ALREADY_GIVEN = Fault(
    "case.consent-already-given",
    "Samtycke är redan lämnat; ett nej efter det registreras som återkallat samtycke.",
    "Consent has already been given; a no after that is registered as a withdrawn consent.",
)
MEETING_MISSING = Fault(
    "case.meeting-missing",
    "En plan kan inte upprättas innan det finns ett bokat SIP-möte.",
    "A plan cannot be established before a SIP meeting is booked.",
)
OTHER_PERSON = Fault("case.other-person", "Ärendet gäller en annan person.", "The case is about another person.")
NOT_CONVENER = Fault(
    "case.not-convener",
    "Bara den sammankallande parten får skicka den här meddelandetypen i ärendet.",
    "Only the convening party may send this message type in the case.",
)
NOT_PARTICIPANT = Fault(
    "case.not-participant", "Parten deltar inte i ärendet.", "The party does not take part in the case."
)
PLAN_VERSION = Fault(
    "case.plan-version",
    "Planen ska ha version {expected}.",
    "The plan must have version {expected}.",
)

_BREAKS = {
    CaseEvent.BOOK: CONSENT_MISSING,
    CaseEvent.WITHDRAW: NOTHING_TO_WITHDRAW,
    CaseEvent.DECLINE: CONSENT_ALREADY_GIVEN,
    CaseEvent.PLAN: MEETING_MISSING,
}
"""What to say when the table has no row and the case is not closed."""


class MeetingState(StrEnum):
    """Where the latest meeting of a case stands."""

    NONE = "none"
    BOOKED = "booked"
    HELD = "held"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A unit of another party than the convener that takes part in a case."""

    party: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SipCase:
    """A case as its messages have made it. ``consent_ref`` is the message id of the consent in force."""

    number: str
    convener: str
    convening_unit: str
    state: CaseState
    opened_at: datetime
    person: Identifier
    participants: tuple[Participant, ...] = elements("participant")
    consent: Consent | None = None
    consent_ref: str | None = None
    meeting: MeetingState = MeetingState.NONE
    booking_version: int = 0
    plan_version: int = 0

    @property
    def consent_ends_at(self) -> datetime | None:
        """When the consent in force runs out: the midnight, in Sweden, that ends its last day."""
        if self.consent is None or self.consent.valid_until is None:
            return None
        return datetime.combine(self.consent.valid_until + timedelta(days=1), time(), STOCKHOLM)

    def may_receive(self, message: Message, *, party: str, unit: str, on: date) -> bool:
        """Tell whether ``message`` may leave for ``unit`` of ``party`` on the day ``on``: the consent gate.

        True when its type needs no consent, or when the consent in force covers that unit and that kind of information
        that day. Social services and health care alike need consent before anything is shared for a SIP.
        """
        information = TYPES[message.type].contract.consent
        if isinstance(message.body, Consent):
            # A consent tells about the person, so it goes only to those it covers. A withdrawal is told at once, to
            # the convener, who may know nothing of it.
            kinds = () if event_of(message) is CaseEvent.WITHDRAW else tuple(InformationType)
        else:
            kinds = () if information is None else (information,)
        return not kinds or (
            self.consent is not None
            and any(self.consent.covers(party=party, unit=unit, information=kind, on=on) for kind in kinds)
        )


def event_of(message: Message) -> CaseEvent:
    """Return what ``message`` does to its case. Acknowledgements do nothing to a case and are no case events."""
    body = message.body
    if isinstance(body, Consent):
        match body.decision:
            case ConsentDecision.GIVEN | ConsentDecision.PARTIAL:
                return CaseEvent.CONSENT
            case ConsentDecision.DECLINED:
                return CaseEvent.DECLINE
            case ConsentDecision.WITHDRAWN:
                return CaseEvent.WITHDRAW
            case _ as never:
                assert_never(never)
    if isinstance(body, Closure) and body.reason is ClosureReason.CONSENT_WITHDRAWN:
        return CaseEvent.WITHDRAW  # how the convener tells the others
    return {
        "sipStart": CaseEvent.START,
        "meetingBooking": CaseEvent.BOOK,
        "plan": CaseEvent.PLAN,
        "closure": CaseEvent.CLOSE,
    }[message.type]


def apply(case: SipCase | None, message: Message) -> SipCase:
    """Return the case after ``message``, or the case it opens.

    Raises:
        CaseRuleError: the case does not allow it now; the finding says why.
    """
    happens = event_of(message)
    header = message.header
    if happens is CaseEvent.START:
        return _open(case, header)
    if case is None:
        raise CaseRuleError(UNKNOWN_CASE.at())
    _check_sender(case, message)
    if header.person is not None and case.person not in header.person.identifiers:
        raise CaseRuleError(OTHER_PERSON.at("header/person/identifier"))
    state = TRANSITIONS[case.state].get(happens)
    if state is None:
        raise CaseRuleError(_why_not(case, happens))
    if case.state in TERMINAL:  # told again that it is over
        return case
    return _moved(replace(case, state=state), message)


def receive(case: SipCase | None, message: Message, *, unit: str, party: str, again: bool) -> SipCase:
    """Return the receiving party's case after ``message`` has come for ``unit`` of ``party``.

    A message to two units of one party moves the case once: ``again`` says that it already has. The units that have
    received something are the participants, and the case ends when the last of them has been told that it has.

    Raises:
        CaseRuleError: the case does not allow it now; the finding says why.
    """
    here = Participant(party=party, unit=unit)
    if case is not None and isinstance(message.body, Closure):
        left = tuple(participant for participant in case.participants if participant != here)
        ended_by_this = again and case.state in TERMINAL
        if ended_by_this or (left and case.state not in TERMINAL):
            _check_sender(case, message)
            return replace(case, participants=left)
    elif case is not None and again:
        return replace(case, participants=tuple(dict.fromkeys((*case.participants, here))))
    addressed = tuple(recipient for recipient in message.header.recipients if recipient.unit == unit)
    return apply(case, replace(message, header=replace(message.header, recipients=addressed)))


def _open(case: SipCase | None, header: Header) -> SipCase:
    if case is not None:
        raise CaseRuleError(ALREADY_STARTED.at())
    assert header.person is not None  # the contract of sipStart
    return SipCase(
        number=header.case_number,
        convener=header.sender.party,
        convening_unit=header.sender.unit,
        state=CaseState.DRAFT,
        opened_at=header.created_at,
        person=header.person.identifiers[0],
        participants=_joined((), header),
    )


def _check_sender(case: SipCase, message: Message) -> None:
    sender = message.header.sender.party
    if sender == case.convener:
        return
    if sender not in {participant.party for participant in case.participants}:
        raise CaseRuleError(NOT_PARTICIPANT.at("header/sender/party"))
    # A participant may tell that the person has withdrawn; every other decision is the convener's to send.
    if (
        SenderKind.PARTICIPANT not in TYPES[message.type].contract.senders
        or event_of(message) is not CaseEvent.WITHDRAW
    ):
        raise CaseRuleError(NOT_CONVENER.at("header/sender/party"))


def _why_not(case: SipCase, happens: CaseEvent) -> Finding:
    if case.state in TERMINAL:
        return IS_CLOSED.at(state=case.state.value)
    if case.state is CaseState.DRAFT and happens is CaseEvent.PLAN:
        return CONSENT_MISSING.at()
    return _BREAKS[happens].at()


def _moved(case: SipCase, message: Message) -> SipCase:
    """Return ``case``, already in its new state, with what the body of ``message`` changes in it."""
    body = message.body
    if isinstance(body, Consent):
        if body.permits:
            case = replace(case, consent=body, consent_ref=message.header.message_id)
            return replace(case, participants=_joined(case.participants, message.header))
        return replace(case, consent=None, consent_ref=None, meeting=_called_off(case))
    if isinstance(body, MeetingBooking):
        return replace(
            case,
            meeting=MeetingState.BOOKED,
            booking_version=case.booking_version + 1,
            participants=_joined(case.participants, message.header),
        )
    if isinstance(body, Plan):
        if body.version != case.plan_version + 1:
            raise CaseRuleError(PLAN_VERSION.at("body/version", expected=case.plan_version + 1))
        return replace(case, meeting=MeetingState.HELD, plan_version=body.version)
    if isinstance(body, Closure):
        if event_of(message) is CaseEvent.WITHDRAW:
            case = replace(case, consent=None, consent_ref=None)
        return replace(case, meeting=_called_off(case))
    return case


def _called_off(case: SipCase) -> MeetingState:
    """Return the meeting's state when the case ends: what is booked is cancelled, what was held was held."""
    return MeetingState.CANCELLED if case.meeting is MeetingState.BOOKED else case.meeting


def _joined(participants: tuple[Participant, ...], header: Header) -> tuple[Participant, ...]:
    """Return ``participants`` and the recipients of ``header``, each once, in the order they joined."""
    added = (Participant(party=recipient.party, unit=recipient.unit) for recipient in header.recipients)
    return tuple(dict.fromkeys((*participants, *added)))
