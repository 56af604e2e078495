"""The plan as the municipal case system writes it (PLAN_UPPRATTAD), in the order of the regional SIP template."""

from __future__ import annotations

from typing import Final

from gateway.adapters import treserva_codes as codes
from gateway.adapters.kinds import count, day, flag, line, moment, one_of, phone, plan_item, prose, staff_id, unit
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Shape, every, optional, required
from gateway.messages import User
from gateway.messages.measure import Measure, MeasureStatus, Responsible, SubGoal
from gateway.messages.meeting import Attendee, FollowUpDate, Meeting, OverallResponsible
from gateway.messages.plan import CrisisAction, CrisisPlan, Guardian, PersonCopy, Plan

STAFF: Final = Shape(
    User,
    name=required("namn", line),
    role=optional("roll", line),
    hsa_id=optional("hsaId", staff_id),
    phone=optional("telefon", phone),
)
"""A member of staff, wherever one stands."""

MEETING: Final = Shape(
    Meeting,
    start=required("start", moment),
    end=required("slut", moment),
    place=optional("plats", line),
    online_link=optional("lank", line),
    phone=optional("telefon", phone),
)

_UNIT = required("enhet", unit)
_MAYBE_UNIT = optional("enhet", unit)

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
    principal=principal_behind(_MAYBE_UNIT),
    unit=_MAYBE_UNIT,
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
_OVERALL = Shape(
    OverallResponsible,
    principal=principal_behind(_UNIT),
    unit=_UNIT,
    user=required("handlaggare", STAFF),
)
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
_ATTENDEE = Shape(
    Attendee,
    name=required("namn", line),
    role=required("roll", line),
    unit=_MAYBE_UNIT,
    principal=principal_behind(_MAYBE_UNIT),
    present=required("narvarande", flag),
)

PLAN: Final = Shape(
    Plan,
    version=required("version", count),
    mode=required("avser", one_of(codes.VARIANT)),
    need_noticed_by=every("uppmarksammatAv", one_of(codes.NOTICED_BY), least=1),
    need_noticed_by_other=optional("uppmarksammatAvAnnan", line),
    address=optional("adress", line),
    phone=optional("telefon", phone),
    guardians=every("foretradare", _REPRESENTATIVE),
    meeting=required("mote", MEETING),
    long_term_goal=required("langsiktigtMal", prose),
    questions=every("fragestallningar", prose, least=1),
    works_well=required("fungerarBra", prose),
    works_not=required("fungerarInte", prose),
    kin_needs=optional("narstaendesBehov", prose),
    own_effort=required("egenInsats", prose),
    sub_goals=every("delmal", _SUB_GOAL, least=1),
    measures=every("insatser", _MEASURE, least=1),
    overall_responsible=required("overgripandeAnsvar", _OVERALL),
    lead_professional=optional("huvudansvarig", STAFF),
    follow_up=required("uppfoljning", Shape(FollowUpDate, on=required("datum", day), place=required("plats", line))),
    crisis_plan=optional("krisplan", _CRISIS_PLAN),
    attendees=every("deltagare", _ATTENDEE, least=1),
    person_present=required("denEnskildeDeltog", flag),
    person_absent_reason=optional("skalTillFranvaro", prose),
    person_copy=required("kopia", Shape(PersonCopy, given_on=required("datum", day), how=required("hur", line))),
)
"""The plan, in the members of the event itself."""
