"""An AppointmentResponse becomes the answer to a call, or hands the call on to the right unit."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.fhir_codes import PARTICIPANT_STATUS
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import CASE, SAYS_TWO_THINGS, Form, acting_unit, has_any, must_answer, performer
from gateway.adapters.fhir_parts import PERIOD, extra, maybe, organization
from gateway.adapters.fhir_patient import person
from gateway.adapters.kinds import flag, line, moment, one_of, prose
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field, Shape, every, of_event, optional, required
from gateway.messages import (
    Attending,
    ForwardStep,
    InvitationAnswer,
    InvitationForward,
    InvitationReply,
    Slot,
    Substitute,
)

_ATTENDING: Final = Shape(
    Attending,
    name=required("name", line),
    profession=optional("profession", line),
    may_decide=optional("mandate", flag),
)
_SUBSTITUTE: Final = Shape(
    Substitute, name=required("name", line), role=required("role", line), unit=optional("unit", organization)
)


def _answer(reader: Reader) -> InvitationAnswer:
    answer = one_of(PARTICIPANT_STATUS)(reader, "participantStatus")
    is_redirected = answer is InvitationAnswer.DECLINE and reader.has(url("redirect-unit"))
    return InvitationAnswer.REDIRECT if is_redirected else answer


def _suggested(reader: Reader) -> tuple[Slot, ...]:
    """Read the time that the response suggests instead, where it does."""
    return (PERIOD.here(reader),) if reader.has("start") or reader.has("end") else ()


_STEP: Final = Shape(
    ForwardStep,
    from_unit=required("from", organization),
    to_unit=required("to", organization),
    at=required("at", moment),
)
_UNIT: Final = acting_unit("actor")


def _form(message_type: str, body: Field[Any]) -> Form:
    return Form(
        message_type=message_type,
        body=body,
        patient=of_event(extra("patient", person)),
        unit=_UNIT,
        user=performer(),
        case_reference=CASE,
        in_reply_to=must_answer("appointment"),
    )


_REPLY: Final = _form(
    "invitationReply",
    Shape(
        InvitationReply,
        answer=_answer,
        attendee=maybe("attendee", _ATTENDING),
        substitute=maybe("substitute", _SUBSTITUTE),
        redirect_unit=maybe("redirect-unit", organization),
        clarification=optional("comment", prose),
        alternatives=_suggested,
    ).here,
)
_FORWARD: Final = _form(
    "invitationForward",
    Shape(
        InvitationForward,
        from_unit=_UNIT,
        to_unit=extra("forward-to", organization),
        reason=required("comment", prose),
        earlier=every(url("forward-step"), _STEP),
    ).here,
)


def appointment_response(reader: Reader) -> Form | None:
    """Return what an AppointmentResponse becomes; a call is handed on by who declines it."""
    if not has_any(reader, ("forward-to", "forward-step")):
        return _REPLY
    if reader.has(url("redirect-unit")):
        reader.note(SAYS_TWO_THINGS.at(reader.place("extension"), names="forward-to, redirect-unit"))
    if one_of(PARTICIPANT_STATUS)(reader, "participantStatus") is not InvitationAnswer.DECLINE:
        reader.note(SAYS_TWO_THINGS.at(reader.place("participantStatus"), names="forward-to, participantStatus"))
    return _FORWARD
