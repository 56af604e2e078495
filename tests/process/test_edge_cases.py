"""The cases at the edge of the process, one by one: what becomes of each is decided by the rules of the case alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from build import (
    CHILD,
    CLINIC,
    HOME_CARE,
    KOMMUN,
    NOON,
    OFFICE,
    PERSON,
    PSYCHIATRY,
    REGION,
    SCHOOL,
    WARD,
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
    message,
    misdirected,
    need,
    plan,
    removed,
    reply,
    revised,
    slot,
    telling,
    withdrawn,
)
from build_discharge import interruption, of_stay, ready, recall
from cases import BOTH, answered, case_in, invited, of_unit, opened, refusal
from exchange import ReceivingParty

from gateway.clock import local_date
from gateway.messages import (
    ClosureReason,
    FollowUpOutcome,
    InformationType,
    InvitationAnswer,
    Person,
    Placement,
    PlacementCare,
    PlacementKind,
    ProtectedLevel,
    RemovalReason,
    ReserveRoutine,
    ReserveWay,
    SharedCaseState,
    Substitute,
)
from gateway.process import (
    TERMINAL,
    Awaited,
    CaseState,
    MeetingState,
    Participant,
    ParticipationState,
    SipCase,
    apply,
    deadlines,
)

TODAY = local_date(NOON)
OPEN_WITH_CONSENT = [
    CaseState.PREPARING,
    CaseState.INVITED,
    CaseState.MEETING_DONE,
    CaseState.ACTIVE,
    CaseState.FOLLOW_UP_CALLED,
]


# --- consent --------------------------------------------------------------------------------------------------------


def test_consent_declined() -> None:
    case = apply(opened(), message(declined()))
    assert (case.state, case.consent) == (CaseState.CONSENT_DECLINED, None)
    assert not case.may_receive(message(need(), CLINIC), party=REGION, unit=CLINIC, on=TODAY)
    assert refusal(case, message(consent(), CLINIC)) == ("case.closed",)  # asked again later, it is a new case


@pytest.mark.parametrize("state", OPEN_WITH_CONSENT)
def test_consent_withdrawn_mid_way(state: CaseState) -> None:
    before = case_in(state, *BOTH)
    case = apply(before, message(withdrawn()))
    assert (case.state, case.consent, case.consent_ref) == (CaseState.CLOSED, None, None)
    assert case.meeting is not MeetingState.BOOKED
    for body in (booking(), change(before.slot), plan(case.plan_version + 1), added(WARD), consent()):
        assert refusal(case, message(body, *BOTH)) == ("case.closed",)
    for body in (booking(), plan(), telling()):
        assert not case.may_receive(message(body, CLINIC), party=REGION, unit=CLINIC, on=TODAY)
    told = message(closure(ClosureReason.CONSENT_WITHDRAWN), CLINIC)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=TODAY)
    assert apply(case, told) == case


def test_consent_withdrawn_in_part_narrows_the_scope_and_the_case_goes_on() -> None:
    case = apply(case_in(CaseState.INVITED, *BOTH), message(consent(CLINIC), CLINIC))
    assert case.state is CaseState.INVITED
    assert case.shares(InformationType.PLAN, party=REGION, unit=CLINIC, on=TODAY)
    assert not case.shares(InformationType.PLAN, party=REGION, unit=PSYCHIATRY, on=TODAY)
    gone = apply(case, message(removed(PSYCHIATRY, RemovalReason.CONSENT), PSYCHIATRY))
    assert [one.unit for one in gone.called] == [CLINIC]


def test_emergency_information_does_not_leave_without_a_consent() -> None:
    case = opened()
    for body in (telling(), booking(), plan(), need()):
        assert not case.may_receive(message(body, CLINIC), party=REGION, unit=CLINIC, on=TODAY)


def of_child() -> SipCase:
    """Return the case of a child, whose guardian has consented and who is called to a meeting."""
    case = apply(None, message(need(), CLINIC, person=CHILD))
    case = apply(case, message(consent(guardian=True), CLINIC, person=CHILD))
    return apply(case, message(booking(), CLINIC, person=CHILD))


def test_child_consent_of_the_guardian_is_enough_until_the_child_comes_of_age() -> None:
    told = message(plan(), CLINIC, person=CHILD)
    assert of_child().may_receive(told, party=REGION, unit=CLINIC, on=TODAY)


def test_becomes_18() -> None:
    case, birthday = of_child(), date(2028, 3, 4)
    told = message(plan(), CLINIC, person=CHILD)
    assert case.may_receive(told, party=REGION, unit=CLINIC, on=birthday - timedelta(days=1))
    assert not case.may_receive(told, party=REGION, unit=CLINIC, on=birthday)
    assert case.state is CaseState.INVITED  # the case waits for the consent of the person, and goes on with it
    own = apply(case, message(consent(), CLINIC, person=CHILD))
    assert own.may_receive(told, party=REGION, unit=CLINIC, on=birthday)


# --- the meeting ----------------------------------------------------------------------------------------------------


def test_meeting_cancelled() -> None:
    case = apply(invited(), message(cancellation(), *BOTH))
    assert (case.state, case.meeting) == (CaseState.PREPARING, MeetingState.CANCELLED)
    assert (case.slot, case.called, case.opened_at) == (None, (), NOON)
    again = apply(case, message(booking(), *BOTH))
    assert (again.state, again.booking_version) == (CaseState.INVITED, 2)


def test_meeting_cancelled_when_a_plan_is_to_be_followed_up() -> None:
    case = apply(case_in(CaseState.FOLLOW_UP_CALLED), message(cancellation(), CLINIC))
    assert (case.state, case.meeting, case.plan_version) == (CaseState.ACTIVE, MeetingState.CANCELLED, 1)


def test_rescheduled() -> None:
    case = answered(invited(), InvitationAnswer.CONFIRM)
    case = answered(case, InvitationAnswer.DECLINE, unit=PSYCHIATRY)
    moved = message(change(), *BOTH)
    after = apply(case, moved)
    assert (after.state, after.meeting, after.booking_version) == (CaseState.INVITED, MeetingState.BOOKED, 2)
    assert after.slot is not None
    assert after.slot.start == slot().start + timedelta(days=3)
    assert {(one.state, one.ref) for one in after.called} == {(ParticipationState.SENT, moved.header.message_id)}
    again = apply(after, message(change(after.slot), *BOTH))
    assert again.booking_version == 3
    assert refusal(again, message(change(after.slot), *BOTH)) == ("case.other-meeting",)


def test_wrong_unit() -> None:
    case = invited(CLINIC)
    told = message(forward(PSYCHIATRY), OFFICE, sender=CLINIC, in_reply_to=case.booking_ref)
    case = apply(case, told)
    assert case.number == told.header.case_number
    call = message(booking(), PSYCHIATRY, in_reply_to=told.header.message_id)
    case = answered(apply(case, call), InvitationAnswer.CONFIRM, unit=PSYCHIATRY)
    assert of_unit(case, CLINIC).state is ParticipationState.REDIRECTED
    assert of_unit(case, PSYCHIATRY).state is ParticipationState.CONFIRMED
    assert of_unit(case, PSYCHIATRY).instead_of == CLINIC


def test_wrong_unit_that_knows_of_no_other() -> None:
    call = message(booking(), *BOTH)
    case = apply(case_in(CaseState.PREPARING), call)
    wrong = message(misdirected(call), OFFICE, sender=PSYCHIATRY, in_reply_to=call.header.message_id)
    case = apply(case, wrong)
    assert of_unit(case, PSYCHIATRY).state is ParticipationState.MISDIRECTED
    assert of_unit(case, CLINIC).state is ParticipationState.SENT


def test_substitute() -> None:
    case = invited()
    no = reply(InvitationAnswer.DECLINE)
    alone = message(replace(no, substitute=None), OFFICE, sender=CLINIC, in_reply_to=case.booking_ref)
    assert refusal(case, alone) == ("case.substitute-missing",)
    other = replace(no, substitute=Substitute(name="Sara Prövlund", role="sjuksköterska", unit=WARD))
    sent = message(other, OFFICE, sender=CLINIC, in_reply_to=case.booking_ref)
    assert of_unit(apply(case, sent), CLINIC).state is ParticipationState.DECLINED


# --- the plan -------------------------------------------------------------------------------------------------------


def test_new_sip_versus_revision() -> None:
    case = case_in(CaseState.FOLLOW_UP_CALLED)
    goes_on = apply(case, message(follow_up(1, FollowUpOutcome.REVISE), CLINIC))
    goes_on = apply(goes_on, message(revised(), CLINIC))
    assert (goes_on.state, goes_on.plan_version, goes_on.number) == (CaseState.ACTIVE, 2, case.number)
    ends = apply(case, message(follow_up(1, FollowUpOutcome.CLOSE_AND_NEW), CLINIC))
    assert (ends.state, ends.follow_up_on) == (CaseState.ACTIVE, None)
    ends = apply(ends, message(closure(ClosureReason.SUPERSEDED), CLINIC))
    assert ends.state is CaseState.CLOSED
    for body in (revised(), plan(2), follow_up_call(), need()):
        assert refusal(ends, message(body, CLINIC)) in {("case.closed",), ("case.already-started",)}


def test_duplicate_sip_case() -> None:
    for state, end in ((CaseState.PREPARING, CaseState.CANCELLED), (CaseState.ACTIVE, CaseState.CLOSED)):
        assert apply(case_in(state), message(closure(ClosureReason.DUPLICATE), CLINIC)).state is end


def test_unsigned_plan_waits_with_the_convener_alone() -> None:
    office, region = case_in(CaseState.INVITED), ReceivingParty(REGION, case_in(CaseState.INVITED))
    office = apply(office, message(held()))
    assert (office.state, office.meeting) == (CaseState.MEETING_DONE, MeetingState.HELD)
    made = message(plan(), CLINIC)
    region.take(made, CLINIC)
    assert region.case is not None
    assert (apply(office, made).state, region.case.state) == (CaseState.ACTIVE, CaseState.ACTIVE)


def test_concurrency() -> None:
    case = case_in(CaseState.ACTIVE)
    first, second = message(revised(2), CLINIC), message(revised(2), CLINIC, sender=HOME_CARE)
    case = apply(case, first)
    assert refusal(case, second) == ("case.plan-version",)
    assert apply(case, message(revised(3), CLINIC, sender=HOME_CARE)).plan_version == 3


def test_concurrency_of_a_follow_up_and_a_revision() -> None:
    case = apply(case_in(CaseState.FOLLOW_UP_CALLED), message(revised(2), CLINIC))
    case = apply(case, message(follow_up_call(version=2), CLINIC))
    assert refusal(case, message(follow_up(1), CLINIC)) == ("case.plan-version",)
    assert apply(case, message(follow_up(2), CLINIC)).state is CaseState.ACTIVE


# --- the person -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", OPEN_WITH_CONSENT)
@pytest.mark.parametrize("told_by", [CLINIC, OFFICE])
def test_death(state: CaseState, told_by: str) -> None:
    told = message(closure(ClosureReason.DIED), OFFICE if told_by == CLINIC else CLINIC, sender=told_by)
    case = apply(case_in(state), told)
    assert case.state in TERMINAL
    assert case.meeting is not MeetingState.BOOKED
    assert case.transfer is None
    assert refusal(case, message(booking(), CLINIC)) == ("case.closed",)


def test_death_before_the_person_has_decided() -> None:
    assert apply(opened(), message(closure(ClosureReason.DIED))).state is CaseState.CANCELLED


@pytest.mark.parametrize("state", [CaseState.ADMITTED, CaseState.DISCHARGE_READY])
def test_death_during_a_stay(state: CaseState) -> None:
    case = apply(case_in(state), of_stay(interruption(), WARD, sender=OFFICE))
    assert case.state is CaseState.INTERRUPTED
    assert apply(case, of_stay(interruption(), OFFICE)) == case  # both have told of it


def test_move_within_the_region() -> None:
    case = apply(case_in(CaseState.ACTIVE), message(consent(PSYCHIATRY), PSYCHIATRY))
    case = apply(case, message(added(PSYCHIATRY), PSYCHIATRY))
    case = apply(case, message(removed(CLINIC, RemovalReason.MOVED), CLINIC))
    assert case.participants == (Participant(party=REGION, unit=PSYCHIATRY),)
    assert (case.state, case.responsible_unit) == (CaseState.ACTIVE, OFFICE)
    assert not case.shares(InformationType.PLAN, party=REGION, unit=CLINIC, on=TODAY)


def test_move_out_of_the_region() -> None:
    assert apply(case_in(CaseState.ACTIVE), message(closure(ClosureReason.MOVED), CLINIC)).state is CaseState.CLOSED


def test_school_takes_part_as_a_party_of_its_own() -> None:
    case = apply(case_in(CaseState.PREPARING), message(added(SCHOOL), SCHOOL))
    assert case.parties == {KOMMUN, REGION, "skola"}
    assert not case.may_receive(message(booking(), SCHOOL), party="skola", unit=SCHOOL, on=TODAY)


PLACED = Placement(municipality="0581", kind=PlacementKind.HVB)
CARE = PlacementCare(health_care="Vårdcentralen på placeringsorten ger vården; psykiatrin följer upp per video.")


def placed() -> SipCase:
    """Return the case of a person who is placed elsewhere, and who is called to a meeting."""
    case = apply(None, message(replace(need(), placement=PLACED), CLINIC))
    return apply(apply(case, message(consent(), CLINIC)), message(booking(CLINIC), CLINIC))


def test_placement_in_another_region() -> None:
    case = placed()
    assert (case.is_placed, case.leader) == (True, Participant(party=KOMMUN, unit=OFFICE))
    assert replace(case, is_placed=False, opening_ref=None, consent_ref=None, booking_ref=None, called=()) == replace(
        invited(CLINIC), opening_ref=None, consent_ref=None, booking_ref=None, called=()
    )  # nothing else is different: who convenes, leads and takes part
    assert [(one.party, one.unit) for one in case.called] == [(REGION, CLINIC)]
    assert refusal(case, message(plan(), CLINIC)) == ("case.placement-care-missing",)
    case = apply(case, message(replace(plan(), placement=CARE), CLINIC))
    assert (case.state, case.responsible_unit) == (CaseState.ACTIVE, OFFICE)
    assert refusal(case, message(revised(), CLINIC)) == ("case.placement-care-missing",)
    assert apply(case, message(replace(revised(), placement=CARE), CLINIC)).plan_version == 2


def test_placement_in_another_region_is_known_to_the_side_that_receives_and_to_whoever_joins() -> None:
    region = ReceivingParty()
    region.take(message(replace(need(), placement=PLACED), CLINIC), CLINIC)
    assert region.case is not None
    assert region.case.is_placed
    told = replace(added(SCHOOL, SharedCaseState.INVITED, booking_version=1), person_placed=True)
    joined = apply(None, message(told, SCHOOL))
    assert joined.is_placed
    assert refusal(joined, message(plan(), SCHOOL)) == ("case.placement-care-missing",)


def test_placement_in_another_region_may_be_told_by_the_plan() -> None:
    case = apply(invited(CLINIC), message(replace(plan(), placement=CARE), CLINIC))
    assert case.is_placed
    assert refusal(case, message(revised(), CLINIC)) == ("case.placement-care-missing",)


# --- protected identity ---------------------------------------------------------------------------------------------


def protected(level: ProtectedLevel) -> Person:
    """Return the person with that protection of the identity."""
    return replace(PERSON, protected_level=level)


@pytest.mark.parametrize("level", [level for level in ProtectedLevel if level is not ProtectedLevel.NONE])
def test_protected_identity(level: ProtectedLevel) -> None:
    case = case_in(CaseState.PREPARING)
    assert (case.protected_level, case.is_frozen) == (ProtectedLevel.NONE, False)
    frozen = apply(case, message(booking(), CLINIC, person=protected(level)))
    assert (frozen.protected_level, frozen.is_frozen) == (level, True)
    still = apply(frozen, message(change(), CLINIC, person=protected(level)))
    assert (still.protected_level, still.is_frozen) == (level, True)


def test_protected_identity_from_the_start_freezes_nothing() -> None:
    marked = protected(ProtectedLevel.CONFIDENTIALITY_MARKED)
    case = apply(None, message(need(), CLINIC, person=marked))
    case = apply(case, message(consent(), CLINIC, person=marked))
    assert (case.protected_level, case.is_frozen) == (ProtectedLevel.CONFIDENTIALITY_MARKED, False)


def test_protected_identity_that_ends_freezes_the_case_as_well() -> None:
    case = apply(None, message(need(), CLINIC, person=protected(ProtectedLevel.PROTECTED_REGISTRATION)))
    case = apply(case, message(consent(), CLINIC))
    assert (case.protected_level, case.is_frozen) == (ProtectedLevel.NONE, True)


def test_protected_identity_is_noticed_from_a_participant_too_and_by_the_side_that_receives() -> None:
    office = ReceivingParty(KOMMUN, case_in(CaseState.INVITED))
    marked = protected(ProtectedLevel.CONFIDENTIALITY_MARKED)
    office.take(message(telling(), OFFICE, sender=CLINIC, person=marked), OFFICE)
    assert office.case is not None
    assert office.case.is_frozen


# --- the stay -------------------------------------------------------------------------------------------------------


def test_second_discharge_ready_after_recall() -> None:
    case = case_in(CaseState.ADMITTED)
    first = of_stay(ready(), OFFICE)
    case = apply(case, first)
    assert refusal(case, of_stay(ready(), OFFICE)) == ("case.not-now",)
    case = apply(case, of_stay(recall(first.header.message_id), OFFICE))
    later = NOON + timedelta(days=2)
    second = of_stay(ready(at=later), OFFICE, at=later)
    case = apply(case, second)
    assert case.state is CaseState.DISCHARGE_READY
    assert case.stay is not None
    assert (case.stay.ready_ref, case.stay.ready_sent_at) == (second.header.message_id, later)


def by_fax(at: datetime) -> ReserveRoutine:
    return ReserveRoutine(at=at, by=ReserveWay.FAX)


def test_system_down() -> None:
    faxed_at, registered_at = NOON - timedelta(hours=1), NOON + timedelta(hours=3)
    faxed = of_stay(ready(at=faxed_at), OFFICE, at=registered_at, reserve_routine=by_fax(faxed_at))
    case = apply(case_in(CaseState.ADMITTED), faxed)
    assert case.stay is not None
    assert case.stay.ready_sent_at == faxed_at
    clocks = {one.awaited: one for one in deadlines(case)}
    assert clocks[Awaited.SIP_CALL].due_at == faxed_at + timedelta(days=3)
    assert local_date(clocks[Awaited.PAYMENT].due_at) == local_date(NOON) + timedelta(days=3)
    late = apply(case_in(CaseState.ADMITTED), of_stay(ready(at=faxed_at), OFFICE, at=registered_at))
    payment = {one.awaited: one.due_at for one in deadlines(late)}[Awaited.PAYMENT]
    assert local_date(payment) == local_date(NOON) + timedelta(days=4)


def test_system_down_when_the_case_began_and_the_meeting_was_called() -> None:
    at, said_at = NOON, NOON - timedelta(hours=5)
    routine = ReserveRoutine(at=said_at, by=ReserveWay.TELEPHONE)
    case = apply(None, message(need(), CLINIC, at=at, reserve_routine=routine))
    assert case.opened_at == said_at
    case = apply(case, message(consent(at=said_at), CLINIC, at=at, reserve_routine=routine))
    case = apply(case, message(booking(CLINIC), CLINIC, at=at, reserve_routine=routine))
    assert of_unit(case, CLINIC).since == said_at
    moved_at = said_at + timedelta(hours=1)
    moved = message(change(), CLINIC, at=at, reserve_routine=ReserveRoutine(at=moved_at, by=ReserveWay.PAPER))
    assert of_unit(apply(case, moved), CLINIC).since == moved_at


def test_readmission_during_an_open_sip_moves_its_follow_up() -> None:
    case = case_in(CaseState.FOLLOW_UP_CALLED)
    moved = apply(case, message(change(case.slot), CLINIC))
    assert (moved.state, moved.booking_version) == (CaseState.FOLLOW_UP_CALLED, 3)
