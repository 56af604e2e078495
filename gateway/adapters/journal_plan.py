"""The plan as the regional journal writes it (sip.careplan): a care plan with goals and activities."""

from __future__ import annotations

from typing import Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_codes import organization, practitioner_id
from gateway.adapters.kinds import count, day, flag, line, moment, phone, plan_item, prose
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Shape, every, inside, optional, required
from gateway.messages import User
from gateway.messages.measure import Measure, MeasureStatus, Responsible, SubGoal
from gateway.messages.meeting import Attendee, FollowUpDate, Meeting, OverallResponsible
from gateway.messages.plan import CrisisAction, CrisisPlan, Guardian, PersonCopy, Plan

STAFF: Final = Shape(
    User,
    name=required("name", line),
    role=optional("role", line),
    hsa_id=optional("identifier", practitioner_id),
    phone=optional("phone", phone),
)
"""A member of staff, wherever one stands."""

MEETING: Final = Shape(
    Meeting,
    start=inside("period", required("start", moment)),
    end=inside("period", required("end", moment)),
    place=optional("location", line),
    online_link=optional("virtualService", line),
    phone=optional("phone", phone),
)

_ORGANIZATION = required("organization", organization)
_MAYBE_ORGANIZATION = optional("organization", organization)

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
    principal=principal_behind(_MAYBE_ORGANIZATION),
    unit=_MAYBE_ORGANIZATION,
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
_CUSTODIAN = Shape(
    OverallResponsible,
    principal=principal_behind(_ORGANIZATION),
    unit=_ORGANIZATION,
    user=required("performer", STAFF),
)
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
_PARTICIPANT = Shape(
    Attendee,
    name=required("name", line),
    role=required("role", line),
    unit=_MAYBE_ORGANIZATION,
    principal=principal_behind(_MAYBE_ORGANIZATION),
    present=required("present", flag),
)

CARE_PLAN: Final = Shape(
    Plan,
    version=required("version", count),
    mode=required("intent", codes.INTENT),
    need_noticed_by=every("noticedBy", codes.NOTICED_BY, least=1),
    need_noticed_by_other=optional("noticedByOther", line),
    address=optional("patientAddress", line),
    phone=optional("patientPhone", phone),
    guardians=every("guardians", _GUARDIAN),
    meeting=required("conference", MEETING),
    long_term_goal=required("longTermGoal", prose),
    questions=every("questions", prose, least=1),
    works_well=required("strengths", prose),
    works_not=required("difficulties", prose),
    kin_needs=optional("relativesNeeds", prose),
    own_effort=required("ownEffort", prose),
    sub_goals=every("goals", _GOAL, least=1),
    measures=every("activities", _ACTIVITY, least=1),
    overall_responsible=required("custodian", _CUSTODIAN),
    lead_professional=optional("leadProfessional", STAFF),
    follow_up=required("followUp", Shape(FollowUpDate, on=required("date", day), place=required("location", line))),
    crisis_plan=optional("crisisPlan", _CRISIS_PLAN),
    attendees=every("participants", _PARTICIPANT, least=1),
    person_present=required("patientPresent", flag),
    person_absent_reason=optional("patientAbsenceReason", prose),
    person_copy=required(
        "patientCopy", Shape(PersonCopy, given_on=required("date", day), how=required("method", line))
    ),
)
"""The plan, in the member ``carePlan``."""
