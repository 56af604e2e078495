"""How a case begins, ends and changes hands, which FHIR has no resource for: Tasks with codes of the gateway's own.

A planning before a discharge ends, and gets its fixed contact, in the same way.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.case_facts import case_facts
from gateway.adapters.fhir_codes import codes_of
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, Form, acting_unit, maybe_recipients, performer, recipients, subject
from gateway.adapters.fhir_in_plan import RESPONSIBLE
from gateway.adapters.fhir_parts import extra, maybe, organization, recorded, staff
from gateway.adapters.kinds import case_number, day, flag, line, moment, municipality, one_of, prose
from gateway.adapters.recipients import principal_behind, single
from gateway.adapters.shape import Field, Shape, every, inside, optional, required
from gateway.messages import (
    CareSetting,
    Closure,
    ClosureReason,
    FixedCareContact,
    FixedContactKind,
    InterruptionReason,
    LocalDocumentation,
    NeedNoticedBy,
    ParticipantAdded,
    ParticipantRemoved,
    Placement,
    PlacementKind,
    Principal,
    ProcessInterruption,
    RemovalReason,
    ResponsibilityTransfer,
    SipStart,
    SipVariant,
)

_UNIT: Final = acting_unit(of_role="requester")
_USER: Final = performer("requester")


def asked(
    message_type: str,
    body: Field[Any],
    *,
    names_patient: bool = True,
    recipients: Field[tuple[str, ...]] | None = None,
    in_reply_to: Field[str] | None = None,
) -> Form:
    """Return what a Task becomes that asks for a step of the case; whoever requests it is who acts."""
    return Form(
        message_type=message_type,
        body=body,
        patient=subject("for") if names_patient else None,
        unit=_UNIT,
        user=_USER,
        case_reference=CASE,
        recipients=recipients,
        in_reply_to=in_reply_to,
    )


_PLACEMENT: Final = Shape(
    Placement,
    municipality=optional("municipality", municipality),
    kind=required("kind", one_of(codes_of(PlacementKind))),
    since=optional("since", day),
)
START: Final = asked(
    "sipStart",
    Shape(
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
    recipients=recipients(_UNIT, or_party=True),
)
"""A need of a SIP, which begins a case."""

_DOCUMENTED: Final = Shape(
    LocalDocumentation,
    principal=required("principal", one_of(codes_of(Principal))),
    documented=required("documented", flag),
    on=optional("on", day),
)
CLOSE: Final = asked(
    "closure",
    Shape(
        Closure,
        reason=extra("closure-reason", one_of(codes_of(ClosureReason))),
        other_text=maybe("closure-text", line),
        closed_on=extra("closed-on", day),
        person_informed_how=maybe("person-informed-how", prose),
        where_to_turn=maybe("where-to-turn", prose),
        superseded_by=maybe("superseded-by", case_number),
        documented=every(url("documented"), _DOCUMENTED),
    ).here,
    names_patient=False,
)
"""The end of a case."""

TRANSFER: Final = asked(
    "responsibilityTransfer",
    Shape(
        ResponsibilityTransfer,
        previous=extra("previous-responsible", RESPONSIBLE),
        next=extra("next-responsible", RESPONSIBLE),
        reason=required("description", prose),
        effective_on=extra("effective-on", day),
    ).here,
    recipients=maybe_recipients(_UNIT),
)
"""The overall responsibility is handed over."""

_PARTICIPANT: Final = extra("participant", organization)
_TO_PARTICIPANT: Final = single(url("participant"), organization, own=_UNIT)
ADD: Final = asked(
    "participantAdded",
    Shape(
        ParticipantAdded,
        unit=_PARTICIPANT,
        principal=principal_behind(_PARTICIPANT),
        role=extra("role", line),
        reason=optional("description", prose),
        **case_facts(_UNIT, recorded),
    ).here,
    recipients=_TO_PARTICIPANT,
)
"""A unit joins the case."""

REMOVE: Final = asked(
    "participantRemoved",
    Shape(
        ParticipantRemoved,
        unit=_PARTICIPANT,
        reason=extra("removal-reason", one_of(codes_of(RemovalReason))),
    ).here,
    names_patient=False,
    recipients=_TO_PARTICIPANT,
)
"""A unit no longer takes part in the case."""

CONTACT: Final = asked(
    "fixedCareContact",
    Shape(
        FixedCareContact,
        kind=extra("contact-kind", one_of(codes_of(FixedContactKind))),
        practitioner=extra("practitioner", staff),
        unit=extra("contact-unit", organization),
        valid_from=inside("executionPeriod", required("start", day)),
        valid_until=inside("executionPeriod", optional("end", day)),
    ).here,
    recipients=maybe_recipients(_UNIT),
)
"""A fixed contact in open care is appointed."""

INTERRUPT: Final = asked(
    "processInterruption",
    Shape(
        ProcessInterruption,
        reason=extra("interruption-reason", one_of(codes_of(InterruptionReason))),
        other_text=maybe("interruption-text", line),
        at=extra("interrupted-at", moment),
    ).here,
    names_patient=False,
)
"""The planning before a discharge ends."""
