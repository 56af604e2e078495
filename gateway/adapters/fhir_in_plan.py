"""A CarePlan of the category SIP, with its Goals and CareTeam: the plan, a later version of it, or its follow-up."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.fhir_codes import (
    ACTIVITY_STATUS,
    FOLLOWED_UP_STATUS,
    LIFE_AREA,
    LIFE_AREA_SYSTEM,
    PLAN_CATEGORY,
    PLAN_CATEGORY_SYSTEM,
    PLAN_STATUS,
    codes_of,
)
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, SAYS_TWO_THINGS, Form, acting_unit, has_any, performer, status, subject
from gateway.adapters.fhir_in_follow_up import FOLLOW_UP, FOLLOW_UP_DATE, SAYS_FOLLOWED_UP
from gateway.adapters.fhir_parts import codes_in, extra, first, followed, in_system, maybe, organization, staff
from gateway.adapters.kinds import count, day, flag, line, moment, one_of, phone, plan_item, prose
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import principal_behind
from gateway.adapters.shape import Field, Shape, every, inside, optional, required
from gateway.messages import (
    Attendee,
    CrisisAction,
    CrisisPlan,
    Guardian,
    GuardianKind,
    LegalBasis,
    Measure,
    Meeting,
    NeedNoticedBy,
    OverallResponsible,
    PersonCopy,
    PlacementCare,
    Plan,
    Responsible,
    ResponsibleKind,
    RevisedPlan,
    SipVariant,
    SubGoal,
)
from gateway.messages.binding import NOT_ALLOWED

_UNIT: Final[Field[str]] = required("unit", organization)
RESPONSIBLE: Final = Shape(
    OverallResponsible, principal=principal_behind(_UNIT), unit=_UNIT, user=required("user", staff)
)
"""A unit with the overall responsibility, and who there calls the follow-up: a complex extension."""


_SUB_GOAL: Final = Shape(
    SubGoal,
    id=extra("item-id", plan_item),
    text=inside("description", required("text", prose)),
    priority=maybe("item-priority", count),
    life_area=first("category", in_system(LIFE_AREA_SYSTEM, LIFE_AREA)),
)
_GOAL: Final = followed(_SUB_GOAL.here, "Goal")
_GOAL_ID: Final = followed(extra("item-id", plan_item), "Goal")


def _responsible_unit(detail: Reader) -> str | None:
    if ResponsibleKind.PRINCIPAL is not _performer_kind(detail):
        return None
    return first("performer", organization)(detail)


def _responsible_name(detail: Reader) -> str | None:
    if _performer_kind(detail) is not ResponsibleKind.OTHER:
        return None
    return first("performer", lambda array, index: line(array.inside(index), "display"))(detail)


_performer_kind: Final = extra("performer-kind", one_of(codes_of(ResponsibleKind)))
_MEASURE: Final = Shape(
    Measure,
    id=extra("item-id", plan_item),
    sub_goal=first("goal", _GOAL_ID),
    what=required("description", prose),
    when=required("scheduledString", line),
    responsible=Shape(
        Responsible,
        kind=_performer_kind,
        principal=principal_behind(_responsible_unit),
        unit=_responsible_unit,
        name=_responsible_name,
    ).here,
    legal_basis=extra("legal-basis", one_of(codes_of(LegalBasis))),
    evidence_based=maybe("evidence-based", flag),
    status=required("status", one_of(ACTIVITY_STATUS)),
    follow_up=maybe("item-follow-up", day),
)


def _measure(array: Reader, name: str) -> Measure:
    return _MEASURE.here(array.inside(name).inside("detail"))


_MEMBER_UNIT: Final[Field[str | None]] = optional("onBehalfOf", organization)
_ATTENDEE: Final = Shape(
    Attendee,
    name=inside("member", required("display", line)),
    role=first("role", lambda array, index: line(array.inside(index), "text")),
    unit=_MEMBER_UNIT,
    principal=principal_behind(_MEMBER_UNIT),
    present=extra("present", flag),
)
_TEAM: Final = followed(
    every("participant", lambda array, index: _ATTENDEE.here(array.inside(index)), least=1), "CareTeam"
)

_MEETING: Final = Shape(
    Meeting,
    start=required("start", moment),
    end=required("end", moment),
    place=optional("place", line),
    online_link=optional("link", line),
    phone=optional("phone", phone),
)
_GUARDIAN: Final = Shape(
    Guardian,
    kind=required("kind", one_of(codes_of(GuardianKind))),
    name=required("name", line),
    phone=optional("phone", phone),
)
_CRISIS: Final = Shape(
    CrisisPlan,
    early_signs=every("sign", line, least=1),
    actions=every(
        "action",
        Shape(
            CrisisAction,
            sign=required("sign", line),
            who=required("who", line),
            what=required("what", prose),
            contact=optional("contact", line),
        ),
        least=1,
    ),
    known_by=every("known", line, least=1),
)


def _placement(reader: Reader) -> PlacementCare | None:
    care = maybe("placement-care", prose)(reader)
    return PlacementCare(health_care=care) if care is not None else None


_PLAN: Final[dict[str, Field[Any]]] = {
    "version": extra("plan-version", count),
    "mode": maybe("variant", one_of(codes_of(SipVariant)), SipVariant.NEW),
    "need_noticed_by": every(url("need-noticed-by"), one_of(codes_of(NeedNoticedBy)), least=1),
    "need_noticed_by_other": maybe("need-noticed-by-other", line),
    "guardians": every(url("guardian"), _GUARDIAN),
    "meeting": extra("meeting", _MEETING),
    "long_term_goal": required("description", prose),
    "questions": every(url("question"), prose, least=1),
    "works_well": extra("works-well", prose),
    "works_not": extra("works-not", prose),
    "kin_needs": maybe("kin-needs", prose),
    "own_effort": extra("own-effort", prose),
    "sub_goals": every("goal", _GOAL, least=1),
    "measures": every("activity", _measure, least=1),
    "overall_responsible": extra("overall-responsible", RESPONSIBLE),
    "lead_professional": maybe("lead-professional", staff),
    "follow_up": extra("follow-up", FOLLOW_UP_DATE),
    "crisis_plan": maybe("crisis-plan", _CRISIS),
    "placement": _placement,
    "attendees": first("careTeam", _TEAM),
    "person_present": extra("patient-present", flag),
    "person_absent_reason": maybe("absence-reason", prose),
    "person_copy": extra("plan-copy", Shape(PersonCopy, given_on=required("day", day), how=required("how", line))),
}


def _form(message_type: str, body: Field[Any]) -> Form:
    return Form(
        message_type=message_type,
        body=body,
        patient=subject("subject"),
        unit=acting_unit(of_role="author"),
        user=performer("author"),
        case_reference=CASE,
    )


_FIRST: Final = _form("plan", Shape(Plan, **_PLAN).here)
_REVISED: Final = _form("revisedPlan", Shape(RevisedPlan, change_summary=extra("change-summary", prose), **_PLAN).here)


def care_plan(reader: Reader) -> Form | None:
    """Return what a CarePlan becomes; ``None`` where it is no SIP, or is not sent."""
    categories = codes_in(reader, "category", PLAN_CATEGORY_SYSTEM)
    if PLAN_CATEGORY not in categories:
        if categories:
            reader.note(NOT_ALLOWED.at(reader.place("category"), allowed=PLAN_CATEGORY))
        return None
    if has_any(reader, SAYS_FOLLOWED_UP):
        if reader.has(url("change-summary")):
            reader.note(SAYS_TWO_THINGS.at(reader.place("extension"), names="change-summary, follow-up-outcome"))
        return FOLLOW_UP if status(reader, FOLLOWED_UP_STATUS) else None
    if not status(reader, PLAN_STATUS):
        return None
    return _REVISED if reader.has(url("change-summary")) else _FIRST
