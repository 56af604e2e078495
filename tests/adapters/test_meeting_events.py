"""What the events about meetings mean: called, answered, handed on, moved, called off, held."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from case_events import (
    CENTRE,
    EARLIER,
    MUNICIPAL_HEALTH,
    PSYCHIATRY,
    SCHOOL,
    SOCIAL,
    WARD,
    draft_of,
)

from gateway.messages import Principal
from gateway.messages.follow_up_invitation import FollowUpInvitation
from gateway.messages.invitation_forward import ForwardStep, InvitationForward
from gateway.messages.invitation_reply import Attending, InvitationAnswer, InvitationReply, Substitute
from gateway.messages.meeting import Attendee, Meeting, Slot
from gateway.messages.meeting_booking import Invitee, InviteeKind
from gateway.messages.meeting_change import MeetingCancellation, MeetingChange, MeetingChangeReason
from gateway.messages.meeting_held import MeetingHeld, MeetingMode, MeetingOutcome


def utc(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "svar",
            InvitationReply(
                answer=InvitationAnswer.CONFIRM,
                attendee=Attending(name="Amira Granlid", profession="Socialsekreterare", may_decide=True),
                clarification="Amira kommer direkt från ett annat möte och kan bli tio minuter sen.",
            ),
        ),
        (
            "treserva",
            "svar_forhindrad",
            InvitationReply(
                answer=InvitationAnswer.DECLINE,
                substitute=Substitute(
                    name="Ylva Kornvik", role="Sjuksköterska, kommunal hälso- och sjukvård", unit=MUNICIPAL_HEALTH
                ),
                alternatives=(
                    Slot(start=utc(11, 19, 8), end=utc(11, 19, 9, 30)),
                    Slot(start=utc(11, 20, 12), end=utc(11, 20, 13, 30)),
                ),
            ),
        ),
        (
            "treserva",
            "svar_fel-enhet",
            InvitationReply(answer=InvitationAnswer.REDIRECT, redirect_unit=MUNICIPAL_HEALTH),
        ),
        ("treserva", "svar_preliminart", InvitationReply(answer=InvitationAnswer.TENTATIVE)),
        (
            "journal",
            "appointment_answered",
            InvitationReply(
                answer=InvitationAnswer.CONFIRM,
                attendee=Attending(name="Noor Asklund", profession="Sjuksköterska", may_decide=True),
                clarification="Noor deltar via länk.",
            ),
        ),
        (
            "journal",
            "appointment_answered_declined",
            InvitationReply(
                answer=InvitationAnswer.DECLINE,
                substitute=Substitute(name="Bashir Norrén", role="Specialist i allmänmedicin", unit=CENTRE),
                alternatives=(Slot(start=utc(11, 19, 8), end=utc(11, 19, 9, 30)),),
            ),
        ),
        (
            "journal",
            "appointment_answered_redirected",
            InvitationReply(answer=InvitationAnswer.REDIRECT, redirect_unit=CENTRE),
        ),
    ],
)
def test_an_answer_says_who_comes_or_why_not(kind: str, name: str, body: InvitationReply) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert (draft.in_reply_to, draft.recipients) == (EARLIER, ())


@pytest.mark.parametrize(
    ("kind", "name", "way", "reason"),
    [
        (
            "treserva",
            "vidarebefordran",
            (SCHOOL, SOCIAL, MUNICIPAL_HEALTH),
            "Ivar har hemsjukvård, och det är där man känner honom.",
        ),
        (
            "journal",
            "appointment_forwarded",
            (WARD, PSYCHIATRY, CENTRE),
            "Henrik är utskriven från oss och följs av vårdcentralen.",
        ),
    ],
)
def test_a_call_is_handed_on_by_the_unit_that_acted(
    kind: str, name: str, way: tuple[str, str, str], reason: str
) -> None:
    draft = draft_of(kind, name)
    first, second, third = way

    assert draft.unit == second
    assert draft.in_reply_to == EARLIER
    assert draft.body == InvitationForward(
        from_unit=second,
        to_unit=third,
        reason=reason,
        earlier=(ForwardStep(from_unit=first, to_unit=second, at=utc(11, 4, 14, 20)),),
    )


# --- changes --------------------------------------------------------------------------------------------------------


def test_mote_ombokat_tells_the_old_time_and_the_new_meeting() -> None:
    draft = draft_of("treserva", "ombokning")

    assert (draft.recipients, draft.in_reply_to) == ((), None)
    assert draft.body == MeetingChange(
        previous=Slot(start=utc(11, 18, 12), end=utc(11, 18, 13, 30)),
        meeting=Meeting(
            start=utc(11, 20, 8),
            end=utc(11, 20, 9, 30),
            place="Socialkontor Hisingen, rum Vallmo",
            phone="031-390 06 20",
        ),
        reason=MeetingChangeReason.PERSON_REQUEST,
        text="Ivar har fått en läkartid samma eftermiddag.",
        reply_by=utc(11, 13, 11),
    )


def test_a_changed_appointment_tells_the_old_time_and_the_new_meeting() -> None:
    assert draft_of("journal", "appointment_changed").body == MeetingChange(
        previous=Slot(start=utc(9, 21, 11), end=utc(9, 21, 12, 30)),
        meeting=Meeting(
            start=utc(9, 24, 11),
            end=utc(9, 24, 12, 30),
            place="Avdelning 303, samtalsrum 2",
            online_link="https://moten.example.se/sip-303",
        ),
        reason=MeetingChangeReason.UNIT_HINDERED,
        text="Överläkaren har jour den 21 september.",
        reply_by=utc(9, 22, 10),
    )


@pytest.mark.parametrize(
    ("kind", "name", "slot"),
    [
        ("treserva", "avbokning", Slot(start=utc(11, 18, 12), end=utc(11, 18, 13, 30))),
        ("journal", "appointment_cancelled", Slot(start=utc(9, 21, 11), end=utc(9, 21, 12, 30))),
    ],
)
def test_a_meeting_is_called_off_by_its_time(kind: str, name: str, slot: Slot) -> None:
    assert draft_of(kind, name).body == MeetingCancellation(slot=slot, reason=MeetingChangeReason.ILLNESS)


# --- held -----------------------------------------------------------------------------------------------------------


def test_mote_hallet_tells_who_came_and_what_came_of_it() -> None:
    body: MeetingHeld = draft_of("treserva", "mote").body

    assert body.attendees[1] == Attendee(
        name="Bashir Norrén",
        role="Specialist i allmänmedicin",
        unit=CENTRE,
        principal=Principal.REGION,
        present=True,
    )
    assert body.attendees[3] == Attendee(name="Bror Testlund", role="Bror", present=True)
    assert [attendee.present for attendee in body.attendees] == [True, True, False, True]
    assert (body.mode, body.outcome, body.no_plan_reason) == (MeetingMode.PHYSICAL, MeetingOutcome.PLAN, None)
    assert body.meeting == Slot(start=utc(11, 18, 12), end=utc(11, 18, 13, 20))


def test_a_meeting_without_a_plan_says_why() -> None:
    body: MeetingHeld = draft_of("treserva", "mote_ingen-plan").body

    assert (body.outcome, body.no_plan_reason) == (MeetingOutcome.NO_PLAN, "Regionen kunde inte koppla upp sig.")
    assert body.person_present is False
    assert body.person_absent_reason == "Ivar orkade inte och bad att få komma en annan dag."


def test_an_appointment_that_was_held_says_so_in_coded_values() -> None:
    body: MeetingHeld = draft_of("journal", "appointment_held").body

    assert (body.mode, body.outcome, body.person_present) == (MeetingMode.HYBRID, MeetingOutcome.PLAN, True)
    assert [attendee.principal for attendee in body.attendees] == [Principal.REGION, Principal.MUNICIPALITY, None]


# --- the call to a follow-up ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "due", "recipients"),
    [
        ("treserva", "uppfoljningskallelse", ("D1", "D3", "I4"), (CENTRE, PSYCHIATRY)),
        ("journal", "review_appointment", ("G1", "A1", "A3"), (SOCIAL,)),
    ],
)
def test_a_follow_up_is_called_as_a_meeting_is_and_about_a_plan(
    kind: str, name: str, due: tuple[str, ...], recipients: tuple[str, ...]
) -> None:
    draft = draft_of(kind, name)
    body: FollowUpInvitation = draft.body

    assert type(body) is FollowUpInvitation
    assert draft.recipients == recipients
    assert (body.plan_version, body.items_due) == (1, due)
    assert body.invitees[0].kind is InviteeKind.SUMMONS
    assert body.invitees[-1] == Invitee(
        kind=InviteeKind.INVITE, name=body.invitees[-1].name, role=body.invitees[-1].role
    )
    assert body.reply_to == draft.user
