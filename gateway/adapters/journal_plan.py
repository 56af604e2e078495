"""The plan as the regional journal writes it: a care plan with goals and activities, and how it is followed up."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_event import MAYBE_ORGANIZATION, ORGANIZATION, STAFF
from gateway.adapters.journal_meeting import ATTENDEE, MEETING
from gateway.adapters.kinds import count, day, flag, line, phone, plan_item, prose
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Field, Shape, every, optional, required
from gateway.messages.follow_up import CommitmentKept, FollowUp, SubGoalProgress
from gateway.messages.measure import Measure, MeasureStatus, Responsible, SubGoal
from gateway.messages.measure_update import MeasureUpdate
from gateway.messages.meeting import FollowUpDate, OverallResponsible
from gateway.messages.plan import CrisisAction, CrisisPlan, Guardian, PersonCopy, PlacementCare, Plan
from gateway.messages.revised_plan import RevisedPlan

_GUARDIAN = Shape(
    Guardian,
    kind=required("type", codes.REPRESENTATIVE),
    name=required("name", line),
    phone=optional("phone", phone),
)
_GOAL = Shape(
    SubGoal,
    id=required("id", plan_item),
    text=required("description", prose),
    priority=optional("priority", count),
    life_area=required("category", codes.LIFE_AREA),
)
_PERFORMER = Shape(
    Responsible,
    kind=required("type", codes.PERFORMER),
    principal=principal_behind(MAYBE_ORGANIZATION),
    unit=MAYBE_ORGANIZATION,
    name=optional("name", line),
)
_ACTIVITY = Shape(
    Measure,
    id=required("id", plan_item),
    sub_goal=required("goal", plan_item),
    what=required("description", prose),
    when=required("timing", line),
    responsible=required("performer", _PERFORMER),
    legal_basis=required("legalBasis", codes.LEGAL_BASIS),
    evidence_based=optional("evidenceBased", flag),
    status=optional("status", codes.STATUS, MeasureStatus.NOT_STARTED),
    follow_up=optional("followUp", day),
)
CUSTODIAN: Final = Shape(
    OverallResponsible,
    principal=principal_behind(ORGANIZATION),
    unit=ORGANIZATION,
    user=required("performer", STAFF),
)
"""An organization with the overall responsibility, and who there calls the follow-up."""

_CRISIS_ACTION = Shape(
    CrisisAction,
    sign=required("sign", line),
    who=required("actor", line),
    what=required("action", prose),
    contact=optional("contact", line),
)
_CRISIS_PLAN = Shape(
    CrisisPlan,
    early_signs=every("warningSigns", line, least=1),
    actions=every("actions", _CRISIS_ACTION, least=1),
    known_by=every("knownBy", line, least=1),
)
_NEXT = Shape(FollowUpDate, on=required("date", day), place=required("location", line))

_CARE_PLAN: Final[dict[str, Field[Any]]] = {
    "version": required("version", count),
    "mode": required("intent", codes.INTENT),
    "need_noticed_by": every("noticedBy", codes.NOTICED_BY, least=1),
    "need_noticed_by_other": optional("noticedByOther", line),
    "address": optional("patientAddress", line),
    "phone": optional("patientPhone", phone),
    "guardians": every("guardians", _GUARDIAN),
    "meeting": required("conference", MEETING),
    "long_term_goal": required("longTermGoal", prose),
    "questions": every("questions", prose, least=1),
    "works_well": required("strengths", prose),
    "works_not": required("difficulties", prose),
    "kin_needs": optional("relativesNeeds", prose),
    "own_effort": required("ownEffort", prose),
    "sub_goals": every("goals", _GOAL, least=1),
    "measures": every("activities", _ACTIVITY, least=1),
    "overall_responsible": required("custodian", CUSTODIAN),
    "lead_professional": optional("leadProfessional", STAFF),
    "follow_up": required("followUp", _NEXT),
    "crisis_plan": optional("crisisPlan", _CRISIS_PLAN),
    "placement": optional("placement", Shape(PlacementCare, health_care=required("healthCare", prose))),
    "attendees": every("participants", ATTENDEE, least=1),
    "person_present": required("patientPresent", flag),
    "person_absent_reason": optional("patientAbsenceReason", prose),
    "person_copy": required(
        "patientCopy", Shape(PersonCopy, given_on=required("date", day), how=required("method", line))
    ),
}
CARE_PLAN: Final = Shape(Plan, **_CARE_PLAN)
"""The plan (sip.careplan), in the member ``carePlan``."""

REVISED_CARE_PLAN: Final = Shape(RevisedPlan, change_summary=required("changes", prose), **_CARE_PLAN)
"""The whole plan in a later version, and what has changed (sip.careplan-revised), in the member ``carePlan``."""

_PROGRESS = Shape(
    SubGoalProgress,
    sub_goal=required("id", plan_item),
    status=required("status", codes.STATUS),
    effect=required("effect", codes.EFFECT),
    comment=optional("comment", prose),
)
_COMMITMENT = Shape(CommitmentKept, unit=ORGANIZATION, done=required("done", flag), comment=optional("comment", prose))
REVIEW: Final = Shape(
    FollowUp,
    plan_version=required("planVersion", count),
    held_on=required("date", day),
    progress=every("goals", _PROGRESS, least=1),
    new_information=optional("newInformation", prose),
    commitments=every("commitments", _COMMITMENT),
    new_measure_needed=optional("newActivity", prose),
    new_actor_needed=optional("newPerformer", prose),
    outcome=required("outcome", codes.REVIEW_OUTCOME),
    next_follow_up=optional("followUp", _NEXT),
    crisis_plan_checked=optional("crisisPlanChecked", flag),
)
"""What a follow-up found and decided (sip.review), in the member ``review``."""

ACTIVITY_STATUS: Final = Shape(
    MeasureUpdate,
    plan_version=required("planVersion", count),
    measure=required("id", plan_item),
    status=required("status", codes.STATUS),
    on=required("date", day),
    comment=optional("comment", prose),
)
"""How far an activity has come (sip.activity), in the member ``activity``."""
