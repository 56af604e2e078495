"""A plan as FHIR: a CarePlan of the category SIP, a Goal for each sub-goal, and the CareTeam that made it."""

from __future__ import annotations

from typing import Any

from gateway.adapters import fhir_written as to
from gateway.adapters.fhir_codes import (
    ACTIVITY_STATUS,
    LIFE_AREA_SYSTEM,
    PLAN_CATEGORY,
    PLAN_CATEGORY_SYSTEM,
)
from gateway.adapters.fhir_extensions import written
from gateway.adapters.fhir_written import Entry, Json
from gateway.adapters.kinds import word_for
from gateway.messages import (
    Attendee,
    CrisisPlan,
    Header,
    Measure,
    Message,
    OverallResponsible,
    Plan,
    Responsible,
    ResponsibleKind,
    RevisedPlan,
    SubGoal,
)


def care_plan(message: Message, unit: str, patient: Json, meta: Json | None) -> list[Entry]:
    """Return the plan of a message for ``unit``: its goals, its team, and the CarePlan, which comes last."""
    plan: Plan = message.body
    header = message.header
    goals = {goal.id: _goal(goal, header, unit, patient, meta) for goal in plan.sub_goals}
    team = to.entry(
        "CareTeam",
        to.key_of(header.message_id, unit, "CareTeam"),
        {
            "meta": meta,
            "status": "active",
            "subject": patient,
            "participant": [_member(one) for one in plan.attendees],
        },
        identifiers=[to.message(header.message_id)],
    )
    whole = to.entry(
        "CarePlan",
        to.key_of(header.message_id, unit, "CarePlan"),
        {
            "meta": meta,
            "extension": _extensions(message, plan),
            "status": "active",
            "intent": "plan",
            "category": [to.concept(PLAN_CATEGORY_SYSTEM, PLAN_CATEGORY, "Samordnad individuell plan")],
            "title": "Samordnad individuell plan",
            "description": plan.long_term_goal,
            "subject": patient,
            "created": to.time(header.created_at),
            "author": to.staff(header.sender.user) if header.sender.user is not None else None,
            "careTeam": [team.reference],
            "goal": [goal.reference for goal in goals.values()],
            "activity": [{"detail": _activity(one, goals)} for one in plan.measures],
        },
        identifiers=[to.message(header.message_id), to.case(header.case_number)],
    )
    return [*goals.values(), team, whole]


def _goal(goal: SubGoal, header: Header, unit: str, patient: Json, meta: Json | None) -> Entry:
    return to.entry(
        "Goal",
        to.key_of(header.message_id, unit, "Goal", goal.id),
        {
            "meta": meta,
            "extension": written("item-id", goal.id) + written("item-priority", goal.priority),
            "lifecycleStatus": "accepted",
            "category": [to.concept(LIFE_AREA_SYSTEM, goal.life_area.value)],
            "description": {"text": goal.text},
            "subject": patient,
        },
    )


def _member(attendee: Attendee) -> Json:
    told: Json = {
        "extension": written("present", attendee.present),
        "role": [{"text": attendee.role}],
        "member": {"display": attendee.name},
    }
    return told | ({"onBehalfOf": to.unit(attendee.unit)} if attendee.unit is not None else {})


def _activity(measure: Measure, goals: dict[str, Entry]) -> Json:
    goal = goals.get(measure.sub_goal)
    performer = _performer(measure.responsible)
    told: Json = {
        "extension": [
            *written("item-id", measure.id),
            *written("legal-basis", measure.legal_basis.value),
            *written("evidence-based", measure.evidence_based),
            *written("item-follow-up", measure.follow_up.isoformat() if measure.follow_up is not None else None),
            *written("performer-kind", measure.responsible.kind.value),
        ],
        "goal": [goal.reference] if goal is not None else None,
        "status": word_for(ACTIVITY_STATUS, measure.status),
        "scheduledString": measure.when,
        "performer": [performer] if performer is not None else None,
        "description": measure.what,
    }
    return {name: value for name, value in told.items() if value is not None}


def _performer(responsible: Responsible) -> Json | None:
    if responsible.kind is ResponsibleKind.PRINCIPAL and responsible.unit is not None:
        return to.unit(responsible.unit)
    return {"display": responsible.name} if responsible.name is not None else None


def _responsible(one: OverallResponsible) -> dict[str, Any]:
    return {"unit": to.unit(one.unit), "user": to.staff(one.user)}


def _extensions(message: Message, plan: Plan) -> list[Json]:
    """Return what the plan says that no element of a CarePlan has. The person's own address and telephone are not."""
    meeting = plan.meeting
    values: dict[str, Any] = {
        "case-reference": message.header.case_number,
        "acting-unit": to.unit(message.header.sender.unit),
        "plan-version": plan.version,
        "variant": plan.mode.value,
        "need-noticed-by": [one.value for one in plan.need_noticed_by],
        "need-noticed-by-other": plan.need_noticed_by_other,
        "guardian": [{"kind": one.kind.value, "name": one.name} for one in plan.guardians],
        "meeting": {
            "start": to.time(meeting.start),
            "end": to.time(meeting.end),
            "place": meeting.place,
            "link": meeting.online_link,
            "phone": meeting.phone,
        },
        "question": plan.questions,
        "works-well": plan.works_well,
        "works-not": plan.works_not,
        "kin-needs": plan.kin_needs,
        "own-effort": plan.own_effort,
        "overall-responsible": _responsible(plan.overall_responsible),
        "lead-professional": to.staff(plan.lead_professional) if plan.lead_professional is not None else None,
        "follow-up": {"day": plan.follow_up.on.isoformat(), "place": plan.follow_up.place},
        "crisis-plan": _crisis(plan.crisis_plan) if plan.crisis_plan is not None else None,
        "placement-care": plan.placement.health_care if plan.placement is not None else None,
        "patient-present": plan.person_present,
        "absence-reason": plan.person_absent_reason,
        "plan-copy": {"day": plan.person_copy.given_on.isoformat(), "how": plan.person_copy.how},
        "change-summary": plan.change_summary if isinstance(plan, RevisedPlan) else None,
    }
    return [one for name, value in values.items() for one in written(name, value)]


def _crisis(crisis: CrisisPlan) -> dict[str, Any]:
    return {
        "sign": crisis.early_signs,
        "action": [
            {"sign": one.sign, "who": one.who, "what": one.what, "contact": one.contact} for one in crisis.actions
        ],
        "known": crisis.known_by,
    }
