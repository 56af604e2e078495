"""The plan as the municipal case system writes it, what became of its measures, and how it is followed up."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import count, day, flag, line, one_of, phone, plan_item, prose
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Field, Shape, every, optional, required
from gateway.adapters.treserva_event import HANDLER, MAYBE_UNIT, STAFF, UNIT
from gateway.adapters.treserva_meeting import ATTENDEE, MEETING
from gateway.messages.follow_up import CommitmentKept, FollowUp, SubGoalProgress
from gateway.messages.measure import Measure, MeasureStatus, Responsible, SubGoal
from gateway.messages.measure_update import MeasureUpdate
from gateway.messages.meeting import FollowUpDate, OverallResponsible
from gateway.messages.plan import CrisisAction, CrisisPlan, Guardian, PersonCopy, PlacementCare, Plan
from gateway.messages.revised_plan import RevisedPlan

_REPRESENTATIVE = Shape(
    Guardian,
    kind=required("typ", one_of(codes.REPRESENTATIVE)),
    name=required("namn", line),
    phone=optional("telefon", phone),
)
_SUB_GOAL = Shape(
    SubGoal,
    id=required("id", plan_item),
    text=required("beskrivning", prose),
    priority=optional("prioritet", count),
    life_area=required("livsomrade", one_of(codes.LIFE_AREA)),
)
_RESPONSIBLE = Shape(
    Responsible,
    kind=required("typ", one_of(codes.RESPONSIBLE)),
    principal=principal_behind(MAYBE_UNIT),
    unit=MAYBE_UNIT,
    name=optional("namn", line),
)
_MEASURE = Shape(
    Measure,
    id=required("id", plan_item),
    sub_goal=required("delmal", plan_item),
    what=required("vad", prose),
    when=required("nar", line),
    responsible=required("ansvarig", _RESPONSIBLE),
    legal_basis=required("lagrum", one_of(codes.LEGAL_BASIS)),
    evidence_based=optional("evidensbaserad", flag),
    status=optional("status", one_of(codes.STATUS), MeasureStatus.NOT_STARTED),
    follow_up=optional("uppfoljning", day),
)
OVERALL: Final = Shape(
    OverallResponsible,
    principal=principal_behind(UNIT),
    unit=UNIT,
    user=HANDLER,
)
"""A unit with the overall responsibility, and who there calls the follow-up."""

_CRISIS_ACTION = Shape(
    CrisisAction,
    sign=required("tecken", line),
    who=required("vem", line),
    what=required("vad", prose),
    contact=optional("kontakt", line),
)
_CRISIS_PLAN = Shape(
    CrisisPlan,
    early_signs=every("tidigaTecken", line, least=1),
    actions=every("atgarder", _CRISIS_ACTION, least=1),
    known_by=every("kandAv", line, least=1),
)
_NEXT = Shape(FollowUpDate, on=required("datum", day), place=required("plats", line))

_PLAN: Final[dict[str, Field[Any]]] = {
    "version": required("version", count),
    "mode": required("avser", one_of(codes.VARIANT)),
    "need_noticed_by": every("uppmarksammatAv", one_of(codes.NOTICED_BY), least=1),
    "need_noticed_by_other": optional("uppmarksammatAvAnnan", line),
    "address": optional("adress", line),
    "phone": optional("telefon", phone),
    "guardians": every("foretradare", _REPRESENTATIVE),
    "meeting": required("mote", MEETING),
    "long_term_goal": required("langsiktigtMal", prose),
    "questions": every("fragestallningar", prose, least=1),
    "works_well": required("fungerarBra", prose),
    "works_not": required("fungerarInte", prose),
    "kin_needs": optional("narstaendesBehov", prose),
    "own_effort": required("egenInsats", prose),
    "sub_goals": every("delmal", _SUB_GOAL, least=1),
    "measures": every("insatser", _MEASURE, least=1),
    "overall_responsible": required("overgripandeAnsvar", OVERALL),
    "lead_professional": optional("huvudansvarig", STAFF),
    "follow_up": required("uppfoljning", _NEXT),
    "crisis_plan": optional("krisplan", _CRISIS_PLAN),
    "placement": optional("placering", Shape(PlacementCare, health_care=required("halsoOchSjukvard", prose))),
    "attendees": every("deltagare", ATTENDEE, least=1),
    "person_present": required("denEnskildeDeltog", flag),
    "person_absent_reason": optional("skalTillFranvaro", prose),
    "person_copy": required("kopia", Shape(PersonCopy, given_on=required("datum", day), how=required("hur", line))),
}
PLAN: Final = Shape(Plan, **_PLAN)
"""The plan (PLAN_UPPRATTAD), in the members of the event itself and in the order of the regional SIP template."""

REVISED_PLAN: Final = Shape(RevisedPlan, change_summary=required("andringar", prose), **_PLAN)
"""The whole plan in a later version, and what has changed (PLAN_REVIDERAD)."""

_PROGRESS = Shape(
    SubGoalProgress,
    sub_goal=required("id", plan_item),
    status=required("status", one_of(codes.STATUS)),
    effect=required("effekt", one_of(codes.EFFECT)),
    comment=optional("kommentar", prose),
)
_COMMITMENT = Shape(CommitmentKept, unit=UNIT, done=required("klart", flag), comment=optional("kommentar", prose))
FOLLOW_UP: Final = Shape(
    FollowUp,
    plan_version=required("planversion", count),
    held_on=required("datum", day),
    progress=every("delmal", _PROGRESS, least=1),
    new_information=optional("nyaUppgifter", prose),
    commitments=every("ataganden", _COMMITMENT),
    new_measure_needed=optional("nyInsats", prose),
    new_actor_needed=optional("nyAktor", prose),
    outcome=required("resultat", one_of(codes.FOLLOW_UP_OUTCOME)),
    next_follow_up=optional("nastaUppfoljning", _NEXT),
    crisis_plan_checked=optional("krisplanGenomgangen", flag),
)
"""What a follow-up found and decided (UPPFOLJNING_GJORD)."""

MEASURE_UPDATE: Final = Shape(
    MeasureUpdate,
    plan_version=required("planversion", count),
    measure=required("insats", plan_item),
    status=required("status", one_of(codes.STATUS)),
    on=required("datum", day),
    comment=optional("kommentar", prose),
)
"""How far a measure has come (INSATS_STATUS)."""
