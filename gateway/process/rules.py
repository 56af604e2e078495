"""The rules of a case, as a pure state machine used on both sides.

A case is what its messages have made it: :func:`apply` takes the case and a message, and returns the case after it or
raises with the rule it breaks. The gateway that leads the case applies its own messages before they leave, the
receiving gateway applies them as they arrive, so both come to the same case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.errors import CaseRuleError, Finding
from gateway.messages import TYPES, CaseEvent, Header, Message, ProtectedLevel, SenderKind
from gateway.messages.admission import AdmissionUpdate
from gateway.messages.closure import Closure, ClosureReason
from gateway.messages.consent import Consent
from gateway.messages.correction import MessageReference
from gateway.messages.discharge_ready import DischargeReadyRecall
from gateway.messages.fixed_care_contact import FixedCareContact
from gateway.messages.follow_up import FollowUp
from gateway.messages.measure_update import MeasureUpdate
from gateway.messages.plan import Plan
from gateway.messages.responsibility_transfer import ResponsibilityTransfer
from gateway.process import meetings
from gateway.process.case import MeetingState, Participant, SipCase, Transfer
from gateway.process.faults import (
    ALREADY_STARTED,
    BREAKS,
    CONSENT_MISSING,
    IS_CLOSED,
    NO_MEETING,
    NOT_ALLOWED_NOW,
    NOT_CONVENER,
    NOT_PARTICIPANT,
    NOT_RESPONSIBLE,
    OTHER_NOTICE,
    OTHER_PERSON,
    PLACEMENT_CARE_MISSING,
    PLAN_VERSION,
    RESPONSIBLE_LEAVES,
    UNKNOWN_CASE,
)
from gateway.process.openings import OPENED, caught_up
from gateway.process.states import (
    BEGINNING,
    CALL_TYPES,
    OPENING,
    OPENING_TYPES,
    TERMINAL,
    TRANSITIONS,
    CaseState,
    event_of,
    types_of,
)

Change = Callable[[SipCase, Message], SipCase]

MOVED_BY_CHARGE = CALL_TYPES | types_of(frozenset({CaseEvent.TRANSFER}))
"""Types whose case moves when someone takes charge of a message."""


def apply(case: SipCase | None, message: Message) -> SipCase:
    """Return the case after ``message``, or the case it opens.

    Raises:
        CaseRuleError: the case does not allow it now; the finding says why.
    """
    return _apply(case, message, tuple(Participant(party=to.party, unit=to.unit) for to in message.header.recipients))


def receive(case: SipCase | None, message: Message, *, unit: str, party: str, again: bool) -> SipCase:
    """Return the receiving party's case after ``message`` has come for ``unit`` of ``party``.

    A message to two units of one party moves the case once: ``again`` says that it already has. The units that have
    received something are the participants, and the case ends when the last of them has been told that it has. The
    party that convened the case or leads it has the whole of it, and ends it as soon as it is told. A case that has
    ended stays as it is when it is told again, by the lead to the party that has told of a death, or by both at once.

    Raises:
        CaseRuleError: the case does not allow it now; the finding says why.
    """
    here = Participant(party=party, unit=unit)
    if case is not None and isinstance(message.body, Closure):
        left = tuple(participant for participant in case.participants if participant != here)
        has_the_whole = party in (case.convener, case.leader.party)
        others_wait = not has_the_whole and any(one.party == party for one in left)
        if others_wait or case.state in TERMINAL:
            _check_sender(case, message)
            return replace(case, participants=left)
    elif case is not None and again:
        return _joined(case, (here,)) if event_of(message) in _JOINS | OPENING else case
    return _apply(case, message, (here,))


def take_charge(case: SipCase, message_id: str, unit: str) -> SipCase:
    """Return the case after someone at ``unit`` has taken charge of a message of it (kvitterat).

    The overall responsibility passes when the one who takes over does so, and not before.
    """
    if case.state in TERMINAL:
        return case
    transfer = case.transfer
    if transfer is not None and (transfer.message_id, transfer.to.unit) == (message_id, unit):
        return replace(case, transfer=None, lead=transfer.to, responsible_unit=unit)
    called = case.participation(unit)
    return meetings.acknowledge(case, unit) if called is not None and called.ref == message_id else case


def part_from(case: SipCase, unit: str) -> SipCase:
    """Return the case without ``unit``, which is not concerned and wants no more messages of it.

    What was on its way to it stays where it was: the overall responsibility, and the duty to come of a unit that
    redirected its invitation to this one.
    """
    left = replace(
        case,
        participants=tuple(one for one in case.participants if one.unit != unit),
        transfer=case.transfer if case.transfer is not None and case.transfer.to.unit != unit else None,
    )
    return meetings.leave(left, unit)


def _apply(case: SipCase | None, message: Message, joining: tuple[Participant, ...]) -> SipCase:
    happens = event_of(message)
    header = message.header
    if case is None or happens in BEGINNING:
        if case is not None:
            raise CaseRuleError(ALREADY_STARTED.at())
        if happens not in OPENING:
            raise CaseRuleError(UNKNOWN_CASE.at())
        return _joined(OPENED[message.type](message), joining)
    _check_sender(case, message)
    if header.person is not None and case.person not in header.person.identifiers:
        raise CaseRuleError(OTHER_PERSON.at("header/person/identifier"))
    state = TRANSITIONS[case.state].get(happens)
    if state is None:
        raise CaseRuleError(_why_not(case, happens))
    if case.state in TERMINAL and happens not in (CaseEvent.RETRACT, CaseEvent.APPOINT_CONTACT):
        return case  # told again that it is over, or a last word that changes nothing
    moved = _noticed(replace(case, state=state), header)
    if happens in _JOINS:
        moved = _joined(moved, joining)
    change = _CHANGES.get(message.type)
    return change(moved, message) if change is not None else moved


_JOINS = frozenset(
    {CaseEvent.CONSENT, CaseEvent.BOOK, CaseEvent.CALL_FOLLOW_UP, CaseEvent.JOIN, CaseEvent.PLAN, CaseEvent.REVISE}
)
"""Events that let their recipients join."""


_GRADES = tuple(ProtectedLevel)
"""The grades of protection, the strictest last."""


def _noticed(case: SipCase, header: Header) -> SipCase:
    """Return ``case`` with the protection of the identity as ``header`` has it; frozen when that is a change.

    A message that was not written after the last change does not take protection away.
    """
    person = header.person
    if person is None or person.protected_level is case.protected_level:
        return case
    is_older = case.protection_since is not None and header.created_at <= case.protection_since
    if is_older and _GRADES.index(person.protected_level) < _GRADES.index(case.protected_level):
        return case
    return replace(case, protected_level=person.protected_level, protection_since=header.created_at, is_frozen=True)


def _joined(case: SipCase, joining: tuple[Participant, ...]) -> SipCase:
    """Return ``case`` with those who join, each once, in the order they joined. The convener is none of them."""
    added = [one for one in joining if one.party != case.convener]
    return replace(case, participants=tuple(dict.fromkeys((*case.participants, *added))))


# --- who may --------------------------------------------------------------------------------------------------------


def _check_sender(case: SipCase, message: Message) -> None:
    """Refuse what the sender may not send: its party must take part, and lead the case where the contract says so."""
    sender = message.header.sender.party
    if sender not in case.parties:
        raise CaseRuleError(NOT_PARTICIPANT.at("header/sender/party"))
    senders = TYPES[message.type].contract.senders
    if sender == case.leader.party or not senders <= {SenderKind.CONVENER, SenderKind.PARTICIPANT}:
        return
    if SenderKind.PARTICIPANT not in senders or not _may_be_told_by_any(message):
        raise CaseRuleError(NOT_CONVENER.at("header/sender/party"))


def _may_be_told_by_any(message: Message) -> bool:
    """Tell whether any participant may send ``message``, of a type that the lead sends otherwise.

    Any may tell that the person has withdrawn, or has died; every other decision is sent by who leads the case.
    """
    body = message.body
    if isinstance(body, Consent):
        return event_of(message) is CaseEvent.WITHDRAW
    return not isinstance(body, Closure) or body.reason is ClosureReason.DIED


def _why_not(case: SipCase, happens: CaseEvent) -> Finding:
    if case.state in TERMINAL:
        return IS_CLOSED.at(state=case.state.value)
    if case.state is CaseState.DRAFT and happens is not CaseEvent.WITHDRAW:
        return CONSENT_MISSING.at()
    fault = BREAKS.get(happens)
    return fault.at() if fault is not None else NOT_ALLOWED_NOW.at(state=case.state.value)


# --- what each type changes -----------------------------------------------------------------------------------------


def _consent(case: SipCase, message: Message) -> SipCase:
    consent: Consent = message.body
    if consent.permits:
        first = case.consented_at or consent.taken_at
        return replace(case, consent=consent, consent_ref=message.header.message_id, consented_at=first)
    return meetings.cancelled(replace(case, consent=None, consent_ref=None, transfer=None))


def _plan(case: SipCase, message: Message) -> SipCase:
    """Establish or revise the plan. The one it gives the overall responsibility leads the case from then on."""
    plan: Plan = message.body
    if plan.version != case.plan_version + 1:
        raise CaseRuleError(PLAN_VERSION.at("body/version", expected=case.plan_version + 1))
    if case.is_placed and plan.placement is None:
        raise CaseRuleError(PLACEMENT_CARE_MISSING.at("body"))
    unit = plan.overall_responsible.unit
    return replace(
        meetings.over(case),
        plan_version=plan.version,
        responsible_unit=unit,
        lead=Participant(party=_party_of(case, message.header, unit), unit=unit),
        transfer=case.transfer if unit == case.responsible_unit else None,
        follow_up_on=plan.follow_up.on,
        is_placed=plan.placement is not None,
    )


def _party_of(case: SipCase, header: Header, unit: str) -> str:
    """Return the party of ``unit``: of a recipient, a participant or the sender; else it is the sender's own."""
    known = {one.unit: one.party for one in case.participants} | {to.unit: to.party for to in header.recipients}
    return known.get(unit, case.convener if unit == case.convening_unit else header.sender.party)


def _follow_up(case: SipCase, message: Message) -> SipCase:
    follow_up: FollowUp = message.body
    if follow_up.plan_version != case.plan_version:
        raise CaseRuleError(PLAN_VERSION.at("body/planVersion", expected=case.plan_version))
    following = follow_up.next_follow_up.on if follow_up.next_follow_up is not None else None
    return replace(meetings.over(case), follow_up_on=following, followed_up_at=message.header.happened_at)


def _transfer(case: SipCase, message: Message) -> SipCase:
    transfer: ResponsibilityTransfer = message.body
    if case.responsible_unit is not None and transfer.previous.unit != case.responsible_unit:
        raise CaseRuleError(NOT_RESPONSIBLE.at("body/previous/unit"))
    to = Participant(party=_party_of(case, message.header, transfer.next.unit), unit=transfer.next.unit)
    return replace(case, transfer=Transfer(message_id=message.header.message_id, to=to))


def _leave(case: SipCase, message: Message) -> SipCase:
    unit = message.body.unit
    if unit == case.responsible_unit:
        raise CaseRuleError(RESPONSIBLE_LEAVES.at("body/unit"))
    return part_from(case, unit)


def _measure(case: SipCase, message: Message) -> SipCase:
    update: MeasureUpdate = message.body
    if update.plan_version > case.plan_version:
        raise CaseRuleError(PLAN_VERSION.at("body/planVersion", expected=case.plan_version))
    return case


def _close(case: SipCase, message: Message) -> SipCase:
    if event_of(message) is CaseEvent.WITHDRAW:
        case = replace(case, consent=None, consent_ref=None)
    return meetings.cancelled(replace(case, transfer=None))


def _retract(case: SipCase, message: Message) -> SipCase:
    """Undo what the message that is taken back had done: a call is called off, an admission is interrupted.

    Who leads the case has sent both, and takes them back; a meeting that was held is not called off afterwards.
    """
    target: MessageReference = message.body
    interrupts = target.target_message_id == case.opening_ref and case.stay is not None
    calls_off = target.target_message_id == case.booking_ref and case.state not in TERMINAL
    if (interrupts or calls_off) and message.header.sender.party != case.leader.party:
        raise CaseRuleError(NOT_CONVENER.at("header/sender/party"))
    if interrupts:
        return replace(case, state=CaseState.INTERRUPTED)
    if calls_off and case.meeting is MeetingState.HELD:
        raise CaseRuleError(NO_MEETING.at("body/targetMessageId"))
    if calls_off and case.meeting is MeetingState.BOOKED:
        before = {CaseState.INVITED: CaseState.PREPARING, CaseState.FOLLOW_UP_CALLED: CaseState.ACTIVE}
        return meetings.cancelled(replace(case, state=before.get(case.state, case.state)))
    return case


def _misdirect(case: SipCase, message: Message) -> SipCase:
    """A unit says that it is the wrong one. What called it to a meeting is to be sent to another."""
    target: MessageReference = message.body
    unit = message.header.sender.unit
    if target.target_type in CALL_TYPES:
        return meetings.misdirect(case, unit, target.target_message_id)
    if case.transfer is not None and case.transfer.message_id == target.target_message_id:
        return replace(case, transfer=None)  # whoever has the responsibility keeps it
    return part_from(case, unit) if target.target_type in OPENING_TYPES and unit != case.responsible_unit else case


def _stay(case: SipCase, **changes: object) -> SipCase:
    assert case.stay is not None  # only a discharge process has these types
    return replace(case, stay=replace(case.stay, **changes))  # type: ignore[arg-type]


def _expect(case: SipCase, message: Message) -> SipCase:
    update: AdmissionUpdate = message.body
    return _stay(case, expected_discharge=update.expected_discharge)


def _contact(case: SipCase, message: Message) -> SipCase:
    contact: FixedCareContact = message.body
    return _stay(case, fixed_contact_unit=contact.unit)


def _ready(case: SipCase, message: Message) -> SipCase:
    header, notice = message.header, message.body
    return _stay(case, ready_ref=header.message_id, ready_sent_at=header.happened_at, sip_needed=notice.sip_needed)


def _recall(case: SipCase, message: Message) -> SipCase:
    recall: DischargeReadyRecall = message.body
    assert case.stay is not None
    if recall.ready_message_id != case.stay.ready_ref:
        raise CaseRuleError(OTHER_NOTICE.at("body/readyMessageId"))
    return _stay(case, ready_ref=None, ready_sent_at=None)


_CHANGES: Mapping[str, Change] = {
    **meetings.CHANGES,
    "consent": _consent,
    "plan": _plan,
    "revisedPlan": _plan,
    "followUp": _follow_up,
    "responsibilityTransfer": _transfer,
    "participantAdded": caught_up,
    "participantRemoved": _leave,
    "measureUpdate": _measure,
    "closure": _close,
    "retraction": _retract,
    "misdirectedReport": _misdirect,
    "admissionUpdate": _expect,
    "fixedCareContact": _contact,
    "dischargeReady": _ready,
    "dischargeReadyRecall": _recall,
}
"""What each type changes in its case beside the state; those left out change nothing else."""
