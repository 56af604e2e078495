"""How a case begins, ends and changes hands, which FHIR has no resource for: Tasks with codes of the gateway's own."""

from __future__ import annotations

from typing import Final

from gateway.adapters.fhir_codes import codes_of
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, Form, acting_unit, maybe_recipients, performer, recipients, subject
from gateway.adapters.fhir_in_plan import RESPONSIBLE
from gateway.adapters.fhir_parts import extra, maybe
from gateway.adapters.kinds import case_number, day, flag, line, municipality, one_of, prose
from gateway.adapters.shape import Shape, every, optional, required
from gateway.messages import (
    CareSetting,
    Closure,
    ClosureReason,
    LocalDocumentation,
    NeedNoticedBy,
    Placement,
    PlacementKind,
    Principal,
    ResponsibilityTransfer,
    SipStart,
    SipVariant,
)

_UNIT: Final = acting_unit(of_role="requester")
_USER: Final = performer("requester")

_PLACEMENT: Final = Shape(
    Placement,
    municipality=optional("municipality", municipality),
    kind=required("kind", one_of(codes_of(PlacementKind))),
    since=optional("since", day),
)
START: Final = Form(
    message_type="sipStart",
    body=Shape(
        SipStart,
        initiated_by=extra("initiated-by", one_of(codes_of(NeedNoticedBy))),
        initiated_by_other=maybe("initiated-by-other", line),
        variant=maybe("variant", one_of(codes_of(SipVariant)), SipVariant.NEW),
        setting=maybe("setting", one_of(codes_of(CareSetting)), CareSetting.OPEN_CARE),
        need_text=required("description", prose),
        requested_by_person=maybe("requested-by-person", flag, False),
        pre_meeting_date=maybe("pre-meeting-date", day),
        linked_admission=maybe("linked-admission", line),
        parallel_reason=maybe("parallel-reason", prose),
        placement=maybe("placement", _PLACEMENT),
    ).here,
    patient=subject("for"),
    unit=_UNIT,
    user=_USER,
    case_reference=CASE,
    recipients=recipients(_UNIT, or_party=True),
)
"""A need of a SIP, which begins a case."""

_DOCUMENTED: Final = Shape(
    LocalDocumentation,
    principal=required("principal", one_of(codes_of(Principal))),
    documented=required("documented", flag),
    on=optional("on", day),
)
CLOSE: Final = Form(
    message_type="closure",
    body=Shape(
        Closure,
        reason=extra("closure-reason", one_of(codes_of(ClosureReason))),
        other_text=maybe("closure-text", line),
        closed_on=extra("closed-on", day),
        person_informed_how=maybe("person-informed-how", prose),
        where_to_turn=maybe("where-to-turn", prose),
        superseded_by=maybe("superseded-by", case_number),
        documented=every(url("documented"), _DOCUMENTED),
    ).here,
    patient=None,
    unit=_UNIT,
    user=_USER,
    case_reference=CASE,
)
"""The end of a case."""

TRANSFER: Final = Form(
    message_type="responsibilityTransfer",
    body=Shape(
        ResponsibilityTransfer,
        previous=extra("previous-responsible", RESPONSIBLE),
        next=extra("next-responsible", RESPONSIBLE),
        reason=required("description", prose),
        effective_on=extra("effective-on", day),
    ).here,
    patient=subject("for"),
    unit=_UNIT,
    user=_USER,
    case_reference=CASE,
    recipients=maybe_recipients(_UNIT),
)
"""The overall responsibility is handed over."""
