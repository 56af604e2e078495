"""Messages for tests: each is valid as it comes, and a test changes the one thing it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from gateway.clock import local_date
from gateway.messages import (
    TYPES,
    Attendee,
    Chair,
    Closure,
    ClosureReason,
    Consent,
    ConsentDecision,
    ConsentForm,
    ConsentGiver,
    ConsentScope,
    FollowUpDate,
    Header,
    Identifier,
    InformationType,
    Invitee,
    InviteeKind,
    LegalBasis,
    LifeArea,
    Measure,
    Meeting,
    MeetingBooking,
    Message,
    NeedNoticedBy,
    OverallResponsible,
    Person,
    PersonCopy,
    Plan,
    Principal,
    Recipient,
    Responsible,
    ResponsibleKind,
    Sender,
    SipStart,
    SipVariant,
    SubGoal,
    User,
)

KOMMUN, REGION = "kommun", "region"
OFFICE, HOME_CARE = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN"
CLINIC, PSYCHIATRY, WARD = (f"SE2321000131-E000000000{number}" for number in (101, 202, 303))
PARTY_OF = {OFFICE: KOMMUN, HOME_CARE: KOMMUN, CLINIC: REGION, PSYCHIATRY: REGION, WARD: REGION}

CASE = "SIP100001"
NOON = datetime(2026, 11, 2, 11, 0, tzinfo=UTC)
"""Noon in Sweden, on an ordinary Monday."""

STAFF = User(name="Karin Övningsson")
_PERSONNUMMER = "1.2.752.129.2.1.3.1"
PERSON = Person(identifiers=(Identifier(root=_PERSONNUMMER, extension="198509129808"),), name="Alva Testberg")
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
) -> Consent:
    """Return a consent for the region: for ``units`` alone, or for all of it when none is named."""
    return _decision(
        ConsentDecision.PARTIAL if units else ConsentDecision.GIVEN,
        at,
        scope=ConsentScope(parties=(REGION,), units=units, information_types=tuple(kinds)),
        valid_until=until,
    )


def declined(at: datetime = NOON) -> Consent:
    """Return a no."""
    return _decision(ConsentDecision.DECLINED, at)


def withdrawn(at: datetime = NOON) -> Consent:
    """Return a no after a yes."""
    return _decision(ConsentDecision.WITHDRAWN, at)


def _decision(decision: ConsentDecision, at: datetime, **more: Any) -> Consent:
    return Consent(
        decision=decision,
        form=ConsentForm.ORAL,
        given_by=ConsentGiver.PERSON,
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


def plan(version: int = 1, *, at: datetime = NOON) -> Plan:
    """Return the plan of a meeting that ended an hour before ``at``."""
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
        overall_responsible=OverallResponsible(principal=Principal.MUNICIPALITY, unit=OFFICE, user=STAFF),
        follow_up=FollowUpDate(on=local_date(at) + timedelta(days=60), place="Socialkontor Hisingen"),
        attendees=(office, region),
        person_present=True,
        person_copy=PersonCopy(given_on=local_date(at), how="På mötet."),
    )


def closure(reason: ClosureReason = ClosureReason.GOALS_MET, *, at: datetime = NOON) -> Closure:
    """Return a closure, with no word more than its reason allows."""
    where = None if reason is ClosureReason.CONSENT_WITHDRAWN else "Socialkontorets mottagning."
    return Closure(reason=reason, closed_on=local_date(at), where_to_turn=where)


def message(
    body: Any,
    *to: str,
    sender: str = OFFICE,
    at: datetime = NOON,
    person: Person = PERSON,
) -> Message:
    """Return ``body`` as a message of the case, from ``sender`` to the units in ``to``."""
    kind = TYPES[_NAME_OF[type(body)]]
    return Message(
        kind.name,
        Header(
            message_id=str(uuid4()),
            case_number=CASE,
            created_at=at,
            sender=Sender(party=PARTY_OF[sender], unit=sender, user=STAFF),
            recipients=tuple(Recipient(party=PARTY_OF[unit], unit=unit, duty=kind.contract.duty) for unit in to),
            person=person if kind.contract.carries_person else None,
        ),
        body,
    )
