"""Messages for tests: each is valid as it comes, and a test changes the one thing it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from gateway.clock import local_date
from gateway.messages import (
    TYPES,
    Attendee,
    Attending,
    CaseConvener,
    Chair,
    Closure,
    ClosureReason,
    Consent,
    ConsentDecision,
    ConsentForm,
    ConsentGiver,
    ConsentScope,
    Effect,
    FollowUp,
    FollowUpDate,
    FollowUpInvitation,
    FollowUpOutcome,
    GeneralMessage,
    Header,
    Identifier,
    InformationType,
    InvitationAnswer,
    InvitationForward,
    InvitationReply,
    Invitee,
    InviteeKind,
    LegalBasis,
    LifeArea,
    Measure,
    MeasureStatus,
    MeasureUpdate,
    Meeting,
    MeetingBooking,
    MeetingCancellation,
    MeetingChange,
    MeetingChangeReason,
    MeetingHeld,
    MeetingMode,
    MeetingOutcome,
    Message,
    MisdirectedReason,
    MisdirectedReport,
    NeedNoticedBy,
    OverallResponsible,
    ParticipantAdded,
    ParticipantRemoved,
    Person,
    PersonCopy,
    Plan,
    Principal,
    Recipient,
    RemovalReason,
    ReserveRoutine,
    ResponsibilityTransfer,
    Responsible,
    ResponsibleKind,
    Retraction,
    RetractionReason,
    RevisedPlan,
    Sender,
    SharedCaseState,
    SipStart,
    SipVariant,
    Slot,
    SubGoal,
    SubGoalProgress,
    Substitute,
    User,
)

KOMMUN, REGION = "kommun", "region"
OFFICE, HOME_CARE = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN"
CLINIC, PSYCHIATRY, WARD = (f"SE2321000131-E000000000{number}" for number in (101, 202, 303))
SCHOOL = "SE2321000999-SKOLA1"
PARTY_OF = {OFFICE: KOMMUN, HOME_CARE: KOMMUN, CLINIC: REGION, PSYCHIATRY: REGION, WARD: REGION, SCHOOL: "skola"}

CASE = "SIP100001"
NOON = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
"""Noon in Sweden, on an ordinary Monday."""

STAFF = User(name="Karin Övningsson")
_PERSONNUMMER = "1.2.752.129.2.1.3.1"
PERSON = Person(identifiers=(Identifier(root=_PERSONNUMMER, extension="198509129808"),), name="Alva Testberg")
CHILD = Person(identifiers=(Identifier(root=_PERSONNUMMER, extension="201003049804"),), name="Elsa Testberg")
OTHER_PERSON = Person(identifiers=(Identifier(root=_PERSONNUMMER, extension="197811309819"),), name="Bo Exempelsson")

_NAME_OF = {kind.body: name for name, kind in TYPES.items()}


def need() -> SipStart:
    """Return the need that starts a case."""
    return SipStart(initiated_by=NeedNoticedBy.PERSON, need_text="Behöver stöd från både kommun och region.")


def consent(
    *units: str,
    kinds: Sequence[InformationType] = tuple(InformationType),
    until: date | None = None,
    at: datetime = NOON,
    guardian: bool = False,
) -> Consent:
    """Return a consent for the region: for ``units`` alone, or for all of it when none is named."""
    return _decision(
        ConsentDecision.PARTIAL if units else ConsentDecision.GIVEN,
        at,
        given_by=ConsentGiver.GUARDIAN if guardian else ConsentGiver.PERSON,
        child_attitude="Vill ha hjälp." if guardian else None,
        scope=ConsentScope(parties=(REGION,), units=units, information_types=tuple(kinds)),
        valid_until=until,
    )


def declined(at: datetime = NOON) -> Consent:
    """Return a no."""
    return _decision(ConsentDecision.DECLINED, at)


def withdrawn(at: datetime = NOON) -> Consent:
    """Return a no after a yes."""
    return _decision(ConsentDecision.WITHDRAWN, at)


def _decision(
    decision: ConsentDecision, at: datetime, *, given_by: ConsentGiver = ConsentGiver.PERSON, **more: Any
) -> Consent:
    return Consent(
        decision=decision,
        form=ConsentForm.ORAL,
        given_by=given_by,
        informed_how="Muntligt vid besök.",
        taken_by=STAFF,
        taken_at=at,
        **more,
    )


def booking(*units: str, at: datetime = NOON) -> MeetingBooking:
    """Return the call of ``units`` of the region, and the own office, to a meeting a week after ``at``."""
    start = at + timedelta(days=7)
    return MeetingBooking(
        purpose="Att kunna bo kvar hemma.",
        questions=("Vem hjälper till med medicinen?",),
        meeting=Meeting(start=start, end=start + timedelta(hours=1), place="Socialkontor Hisingen"),
        chair=Chair(name=STAFF.name),
        invitees=tuple(
            Invitee(kind=InviteeKind.SUMMONS, principal=principal, unit=unit)
            for principal, unit in (
                (Principal.MUNICIPALITY, OFFICE),
                *((Principal.REGION, unit) for unit in units or (CLINIC, PSYCHIATRY, WARD)),
            )
        ),
        person_attends=True,
        reply_to=STAFF,
    )


def plan(version: int = 1, *, at: datetime = NOON, led_by: str = OFFICE) -> Plan:
    """Return the plan of a meeting that ended an hour before ``at``; the unit ``led_by`` is overall responsible."""
    ended = at - timedelta(hours=1)
    region = Attendee(name="David Fiktivberg", role="läkare", unit=CLINIC, principal=Principal.REGION, present=True)
    office = Attendee(
        name=STAFF.name, role="socialsekreterare", unit=OFFICE, principal=Principal.MUNICIPALITY, present=True
    )
    return Plan(
        version=version,
        mode=SipVariant.NEW,
        need_noticed_by=(NeedNoticedBy.PERSON,),
        meeting=Meeting(start=ended - timedelta(hours=1), end=ended, place="Socialkontor Hisingen"),
        long_term_goal="Bo kvar hemma.",
        questions=("Vem hjälper till med medicinen?",),
        works_well="Boendestödet.",
        works_not="Helgerna.",
        own_effort="Ringer själv på måndagar.",
        sub_goals=(SubGoal(id="D1", text="Medicin varje dag.", life_area=LifeArea.PHYSICAL_HEALTH),),
        measures=(
            Measure(
                id="I1",
                sub_goal="D1",
                what="Dosett varannan vecka.",
                when="varannan onsdag",
                responsible=Responsible(kind=ResponsibleKind.PRINCIPAL, principal=Principal.REGION, unit=CLINIC),
                legal_basis=LegalBasis.HSL,
            ),
        ),
        overall_responsible=_responsible(led_by),
        follow_up=FollowUpDate(on=local_date(at) + timedelta(days=60), place="Socialkontor Hisingen"),
        attendees=(office, region),
        person_present=True,
        person_copy=PersonCopy(given_on=local_date(at), how="På mötet."),
    )


def revised(version: int = 2, *, at: datetime = NOON, led_by: str = OFFICE) -> RevisedPlan:
    """Return a later version of the plan."""
    whole = plan(version, at=at, led_by=led_by)
    return RevisedPlan(**{one.name: getattr(whole, one.name) for one in fields(whole)}, change_summary="Ny medicin.")


def _responsible(unit: str) -> OverallResponsible:
    principal = Principal.MUNICIPALITY if PARTY_OF[unit] == KOMMUN else Principal.REGION
    return OverallResponsible(principal=principal, unit=unit, user=STAFF)


def closure(reason: ClosureReason = ClosureReason.GOALS_MET, *, at: datetime = NOON) -> Closure:
    """Return a closure, with no word more than its reason allows."""
    silent = reason in (ClosureReason.CONSENT_WITHDRAWN, ClosureReason.DIED)
    return Closure(
        reason=reason,
        closed_on=local_date(at),
        where_to_turn=None if silent else "Socialkontorets mottagning.",
        other_text="Behovet täcks av en annan plan." if reason is ClosureReason.REFUSED else None,
        superseded_by="SIP100002" if reason in (ClosureReason.DUPLICATE, ClosureReason.SUPERSEDED) else None,
    )


# --- around a meeting -----------------------------------------------------------------------------------------------


def slot(*, at: datetime = NOON) -> Slot:
    """Return the time of the meeting that is booked at ``at``."""
    start = at + timedelta(days=7)
    return Slot(start=start, end=start + timedelta(hours=1))


def reply(answer: InvitationAnswer = InvitationAnswer.CONFIRM, *, to: str | None = None) -> InvitationReply:
    """Return the answer of a unit that was called, which redirects to the unit ``to``."""
    comes, declines = answer is InvitationAnswer.CONFIRM, answer is InvitationAnswer.DECLINE
    return InvitationReply(
        answer=answer,
        attendee=Attending(name="David Fiktivberg") if comes else None,
        substitute=Substitute(name="Sara Prövlund", role="sjuksköterska") if declines else None,
        redirect_unit=to,
    )


def forward(to: str = PSYCHIATRY, *, from_unit: str = CLINIC) -> InvitationForward:
    """Return that ``from_unit`` hands its invitation to the unit ``to``."""
    return InvitationForward(from_unit=from_unit, to_unit=to, reason="Patienten är listad där.")


def change(previous: Slot | None = None, *, days: int = 3) -> MeetingChange:
    """Return that the meeting is moved ``days`` days."""
    before = previous or slot()
    later = {"start": before.start + timedelta(days=days), "end": before.end + timedelta(days=days)}
    return MeetingChange(
        previous=before, meeting=Meeting(**later, place="Vårdcentralen"), reason=MeetingChangeReason.ILLNESS
    )


def cancellation(booked: Slot | None = None) -> MeetingCancellation:
    """Return that the meeting is called off."""
    return MeetingCancellation(slot=booked or slot(), reason=MeetingChangeReason.PERSON_REQUEST)


def held(outcome: MeetingOutcome = MeetingOutcome.PLAN, *, at: datetime = NOON) -> MeetingHeld:
    """Return the note of a meeting that ended at ``at``."""
    made = plan(at=at)
    return MeetingHeld(
        meeting=Slot(start=made.meeting.start, end=made.meeting.end),
        mode=MeetingMode.PHYSICAL,
        attendees=made.attendees,
        person_present=True,
        outcome=outcome,
        no_plan_reason="Insatserna räcker." if outcome is MeetingOutcome.NO_PLAN else None,
    )


def follow_up_call(*units: str, version: int = 1, at: datetime = NOON) -> FollowUpInvitation:
    """Return the call of ``units`` to a meeting that follows up ``version`` of the plan."""
    call = booking(*units, at=at)
    return FollowUpInvitation(**{one.name: getattr(call, one.name) for one in fields(call)}, plan_version=version)


def follow_up(
    version: int = 1, outcome: FollowUpOutcome = FollowUpOutcome.CONTINUE, *, at: datetime = NOON
) -> FollowUp:
    """Return what a follow-up on the day of ``at`` found."""
    goes_on = outcome in (FollowUpOutcome.CONTINUE, FollowUpOutcome.REVISE)
    day = local_date(at)
    return FollowUp(
        plan_version=version,
        held_on=day,
        progress=(SubGoalProgress(sub_goal="D1", status=MeasureStatus.ONGOING, effect=Effect.PART),),
        outcome=outcome,
        next_follow_up=FollowUpDate(on=day + timedelta(days=90), place="Vårdcentralen") if goes_on else None,
    )


# --- around a case --------------------------------------------------------------------------------------------------


def transfer(to: str = CLINIC, *, previous: str = OFFICE, at: datetime = NOON) -> ResponsibilityTransfer:
    """Return that ``previous`` hands the overall responsibility to the unit ``to``."""
    return ResponsibilityTransfer(
        previous=_responsible(previous), next=_responsible(to), reason="Vården ges där.", effective_on=local_date(at)
    )


def added(
    unit: str = PSYCHIATRY, state: SharedCaseState = SharedCaseState.PREPARING, *, booking_version: int = 0
) -> ParticipantAdded:
    """Return that ``unit`` joins a case that stands in ``state``."""
    has_plan = state in (SharedCaseState.ACTIVE, SharedCaseState.FOLLOW_UP_CALLED)
    return ParticipantAdded(
        unit=unit,
        principal=Principal.REGION,
        role="Psykiatrisk öppenvård",
        convener=CaseConvener(party=KOMMUN, unit=OFFICE),
        opened_at=NOON,
        state=state,
        booking_version=booking_version,
        plan_version=int(has_plan),
    )


def removed(unit: str = PSYCHIATRY, reason: RemovalReason = RemovalReason.NOT_CONCERNED) -> ParticipantRemoved:
    """Return that ``unit`` no longer takes part."""
    return ParticipantRemoved(unit=unit, reason=reason)


def measure_update(version: int = 1, *, at: datetime = NOON) -> MeasureUpdate:
    """Return that the measure of the plan goes on."""
    return MeasureUpdate(plan_version=version, measure="I1", status=MeasureStatus.ONGOING, on=local_date(at))


def telling(*, reply_wanted: bool = False) -> GeneralMessage:
    """Return a message in free words."""
    return GeneralMessage(topic="Parkering", text="Porten är låst efter klockan 17.", reply_wanted=reply_wanted)


def retraction(target: Message, reason: RetractionReason = RetractionReason.NO_LONGER_HOLDS) -> Retraction:
    """Return that ``target`` is taken back."""
    return Retraction(target_message_id=target.header.message_id, target_type=target.type, reason=reason)


def misdirected(target: Message, suggested: str | None = None) -> MisdirectedReport:
    """Return that ``target`` came to the wrong unit."""
    return MisdirectedReport(
        target_message_id=target.header.message_id,
        target_type=target.type,
        reason=MisdirectedReason.WRONG_UNIT,
        suggested_unit=suggested,
    )


def message(
    body: Any,
    *to: str,
    sender: str = OFFICE,
    at: datetime = NOON,
    person: Person = PERSON,
    number: str = CASE,
    in_reply_to: str | None = None,
    reserve_routine: ReserveRoutine | None = None,
) -> Message:
    """Return ``body`` as a message of case ``number``, from ``sender`` to the units in ``to``."""
    kind = TYPES[_NAME_OF[type(body)]]
    duty = kind.duty_of(body)
    return Message(
        kind.name,
        Header(
            message_id=str(uuid4()),
            case_number=number,
            created_at=at,
            sender=Sender(party=PARTY_OF[sender], unit=sender, user=STAFF),
            recipients=tuple(Recipient(party=PARTY_OF[unit], unit=unit, duty=duty) for unit in to),
            in_reply_to=in_reply_to,
            reserve_routine=reserve_routine,
            person=person if kind.contract.carries_person else None,
        ),
        body,
    )
