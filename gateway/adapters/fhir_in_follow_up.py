"""How a plan has gone: a CarePlan that says how it was followed up, and a Task that is one of its measures."""

from __future__ import annotations

from typing import Final

from gateway.adapters.fhir_codes import ACHIEVEMENT, ACHIEVEMENT_SYSTEM, GOAL_STATUS, MEASURE_TASK_STATUS, codes_of
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, Form, acting_unit, performer, subject
from gateway.adapters.fhir_parts import extra, followed, in_system, joined, maybe, organization
from gateway.adapters.kinds import count, day, flag, line, one_of, plan_item, prose
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Shape, every, optional, required
from gateway.messages import (
    CommitmentKept,
    FollowUp,
    FollowUpDate,
    FollowUpOutcome,
    MeasureUpdate,
    SubGoalProgress,
)

FOLLOW_UP_DATE: Final = Shape(FollowUpDate, on=required("day", day), place=required("place", line))
"""The day and the place of a follow-up: a complex extension."""
SAYS_FOLLOWED_UP: Final = (
    "follow-up-outcome",
    "held-on",
    "new-information",
    "commitment",
    "new-measure-needed",
    "new-actor-needed",
    "next-follow-up",
    "crisis-plan-checked",
)
"""A CarePlan with any of these extensions says how the plan was followed up, and not what it is."""

_PROGRESS: Final = Shape(
    SubGoalProgress,
    sub_goal=extra("item-id", plan_item),
    status=required("lifecycleStatus", one_of(GOAL_STATUS)),
    effect=required("achievementStatus", in_system(ACHIEVEMENT_SYSTEM, ACHIEVEMENT)),
    comment=joined("note", "text"),
)
_COMMITMENT: Final = Shape(
    CommitmentKept,
    unit=required("unit", organization),
    done=required("done", flag),
    comment=optional("comment", prose),
)
FOLLOW_UP: Final = Form(
    message_type="followUp",
    body=Shape(
        FollowUp,
        plan_version=extra("plan-version", count),
        held_on=extra("held-on", day),
        progress=every("goal", followed(_PROGRESS.here, "Goal"), least=1),
        new_information=maybe("new-information", prose),
        commitments=every(url("commitment"), _COMMITMENT),
        new_measure_needed=maybe("new-measure-needed", prose),
        new_actor_needed=maybe("new-actor-needed", prose),
        outcome=extra("follow-up-outcome", one_of(codes_of(FollowUpOutcome))),
        next_follow_up=maybe("next-follow-up", FOLLOW_UP_DATE),
        crisis_plan_checked=maybe("crisis-plan-checked", flag),
    ).here,
    patient=subject("subject"),
    unit=acting_unit(of_role="author"),
    user=performer("author"),
    case_reference=CASE,
)
"""What a follow-up found and decided."""


def _reason(reader: Reader) -> str | None:
    return optional("text", prose)(reader.inside("statusReason")) if reader.has("statusReason") else None


MEASURE: Final = Form(
    message_type="measureUpdate",
    body=Shape(
        MeasureUpdate,
        plan_version=extra("plan-version", count),
        measure=extra("measure", plan_item),
        status=required("status", one_of(MEASURE_TASK_STATUS)),
        on=extra("reached-on", day),
        comment=_reason,
    ).here,
    patient=subject("for"),
    unit=acting_unit("owner"),
    user=performer(),
    case_reference=CASE,
)
"""How far a measure of the plan has come, which is what the status of its Task says."""
