"""What the events mean that follow a plan: its follow-up, its next version, its measures, and who answers for it."""

from __future__ import annotations

from datetime import date

import pytest
from case_events import CENTRE, PSYCHIATRY, SOCIAL, draft_of

from gateway.messages import Principal, User
from gateway.messages.follow_up import CommitmentKept, Effect, FollowUp, FollowUpOutcome, SubGoalProgress
from gateway.messages.measure import MeasureStatus
from gateway.messages.measure_update import MeasureUpdate
from gateway.messages.meeting import FollowUpDate, OverallResponsible
from gateway.messages.plan import Guardian, GuardianKind
from gateway.messages.responsibility_transfer import ResponsibilityTransfer
from gateway.messages.revised_plan import RevisedPlan
from gateway.messages.sip_start import SipVariant

AMIRA = User(name="Amira Granlid", role="Socialsekreterare", hsa_id="SE2120001355-P000000000117", phone="031-390 06 17")
NOOR = User(
    name="Noor Asklund",
    role="Fast vårdkontakt, sjuksköterska",
    hsa_id="SE2321000131-P000000000208",
    phone="031-390 06 43",
)


def test_uppfoljning_gjord_tells_each_sub_goal_and_each_unit() -> None:
    assert draft_of("treserva", "uppfoljning").body == FollowUp(
        plan_version=1,
        held_on=date(2027, 2, 17),
        progress=(
            SubGoalProgress(sub_goal="D1", status=MeasureStatus.DONE, effect=Effect.FULL),
            SubGoalProgress(
                sub_goal="D2",
                status=MeasureStatus.ONGOING,
                effect=Effect.PART,
                comment="Posten öppnas, städningen har inte kommit igång.",
            ),
            SubGoalProgress(sub_goal="D3", status=MeasureStatus.ONGOING, effect=Effect.PART),
            SubGoalProgress(sub_goal="D4", status=MeasureStatus.NOT_STARTED, effect=Effect.NONE),
        ),
        new_information="Ivar har fått en egen kontaktperson.",
        commitments=(
            CommitmentKept(unit=SOCIAL, done=True),
            CommitmentKept(unit=PSYCHIATRY, done=False, comment="Två av åtta träffar återstår."),
        ),
        new_measure_needed="Hjälp att komma igång med städningen.",
        outcome=FollowUpOutcome.REVISE,
        next_follow_up=FollowUpDate(on=date(2027, 5, 20), place="Socialkontor Hisingen, rum Vallmo"),
        crisis_plan_checked=True,
    )


def test_a_review_tells_each_goal_and_each_organization() -> None:
    assert draft_of("journal", "review").body == FollowUp(
        plan_version=1,
        held_on=date(2026, 10, 23),
        progress=(
            SubGoalProgress(sub_goal="G1", status=MeasureStatus.DONE, effect=Effect.FULL),
            SubGoalProgress(
                sub_goal="G2",
                status=MeasureStatus.ONGOING,
                effect=Effect.PART,
                comment="Tar medicinen de flesta dagar.",
            ),
        ),
        new_information="Henrik har fått en lägenhet.",
        commitments=(
            CommitmentKept(unit=SOCIAL, done=True),
            CommitmentKept(unit=PSYCHIATRY, done=False, comment="Dosetten är inte ordnad."),
        ),
        new_measure_needed="Hjälp med flytten.",
        new_actor_needed="Boendestöd.",
        outcome=FollowUpOutcome.REVISE,
        next_follow_up=FollowUpDate(on=date(2027, 1, 22), place="Psykiatrisk öppenvård Hisingen"),
        crisis_plan_checked=True,
    )


def test_the_last_follow_up_decides_no_next() -> None:
    body: FollowUp = draft_of("treserva", "uppfoljning_avslut").body

    assert (body.outcome, body.next_follow_up, body.crisis_plan_checked) == (FollowUpOutcome.CLOSE, None, None)


@pytest.mark.parametrize(
    ("kind", "name", "goals", "changed"),
    [
        ("treserva", "plan_reviderad", ["D2", "D3"], "Delmålet om hyran är nått och borttaget."),
        ("journal", "careplan_revised", ["G2"], "Boendet är ordnat och borttaget ur planen."),
    ],
)
def test_a_revised_plan_is_a_whole_plan_and_what_has_changed(
    kind: str, name: str, goals: list[str], changed: str
) -> None:
    body: RevisedPlan = draft_of(kind, name).body

    assert type(body) is RevisedPlan
    assert (body.version, body.mode) == (2, SipVariant.FOLLOW_UP)
    assert body.change_summary.startswith(changed)
    assert [goal.id for goal in body.sub_goals] == goals
    assert {measure.sub_goal for measure in body.measures} == set(goals)


def test_a_revised_plan_may_name_a_god_man() -> None:
    assert draft_of("treserva", "plan_reviderad").body.guardians == (
        Guardian(kind=GuardianKind.GOOD_MAN, name="Siri Påhittsson", phone="031-390 06 21"),
    )


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "insats",
            MeasureUpdate(
                plan_version=1,
                measure="I1",
                status=MeasureStatus.DONE,
                on=date(2026, 11, 27),
                comment="Avbetalningsplanen är undertecknad.",
            ),
        ),
        (
            "journal",
            "activity",
            MeasureUpdate(
                plan_version=1,
                measure="A3",
                status=MeasureStatus.STOPPED,
                on=date(2026, 10, 5),
                comment="Läkemedlen ges nu på boendet.",
            ),
        ),
    ],
)
def test_a_measure_is_called_by_its_name_in_a_version_of_the_plan(kind: str, name: str, body: MeasureUpdate) -> None:
    assert draft_of(kind, name).body == body


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        (
            "treserva",
            "ansvar",
            ResponsibilityTransfer(
                previous=OverallResponsible(principal=Principal.MUNICIPALITY, unit=SOCIAL, user=AMIRA),
                next=OverallResponsible(
                    principal=Principal.REGION,
                    unit=CENTRE,
                    user=User(name="Bashir Norrén", role="Specialist i allmänmedicin", phone="031-390 06 42"),
                ),
                reason="Ivar har nu mest kontakt med vårdcentralen och litar på den.",
                effective_on=date(2027, 3, 1),
            ),
        ),
        (
            "journal",
            "custodian",
            ResponsibilityTransfer(
                previous=OverallResponsible(principal=Principal.REGION, unit=PSYCHIATRY, user=NOOR),
                next=OverallResponsible(
                    principal=Principal.MUNICIPALITY,
                    unit=SOCIAL,
                    user=User(name="Amira Granlid", role="Socialsekreterare", phone="031-390 06 17"),
                ),
                reason="Boendet är nu det som behöver följas mest.",
                effective_on=date(2026, 11, 2),
            ),
        ),
    ],
)
def test_responsibility_is_handed_from_one_principal_to_the_other(
    kind: str, name: str, body: ResponsibilityTransfer
) -> None:
    draft = draft_of(kind, name)

    assert draft.body == body
    assert draft.recipients == ()
