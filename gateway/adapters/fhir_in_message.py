"""A Task: somebody takes charge of a message, or asks for a step of the case. A Communication: a message in words."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.fhir_codes import (
    COMMUNICATION_CATEGORY,
    COMMUNICATION_CATEGORY_SYSTEM,
    COMMUNICATION_STATUS,
    NOTICE_SYSTEM,
    TASK,
    TASK_STATUS,
    TASK_SYSTEM,
    codes_of,
)
from gateway.adapters.fhir_extensions import url
from gateway.adapters.fhir_form import (
    CASE,
    SAYS_TWO_THINGS,
    Form,
    acting_unit,
    answered,
    has_any,
    maybe_recipients,
    must_answer,
    performer,
    status,
    subject,
)
from gateway.adapters.fhir_in_case import ADD, CLOSE, CONTACT, INTERRUPT, REMOVE, START, TRANSFER, asked
from gateway.adapters.fhir_in_follow_up import MEASURE
from gateway.adapters.fhir_parts import codes_in, extra, in_system, joined, maybe, organization, recorded
from gateway.adapters.kinds import day, flag, line, mark, moment, one_of, prose
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Field, Shape, always, every, inside, of_event, optional, required
from gateway.lifecycle import Level, Outcome
from gateway.messages import (
    TYPES,
    Acknowledgement,
    GeneralMessage,
    MisdirectedReason,
    MisdirectedReport,
    PlanningItem,
    PlanningItemKind,
    PlanningMessage,
    Retraction,
    RetractionReason,
)
from gateway.messages.binding import NOT_ALLOWED

_SENT_BY: Final = acting_unit(of_role="sender")
_DONE_BY: Final = acting_unit("owner")
_FOCUS: Final = must_answer("focus")
_FOCUS_TYPE: Final = extra("message-type", one_of({name: name for name in TYPES}))


def _taken_at(reader: Reader) -> Any:
    """Read when charge was taken: ``lastModified``, else when it was recorded."""
    return optional("lastModified", moment)(reader) or recorded(reader)


_ACKNOWLEDGEMENT: Final = Form(
    message_type="acknowledgement",
    body=Shape(
        Acknowledgement,
        message_id=_FOCUS,
        message_type=_FOCUS_TYPE,
        unit=_DONE_BY,
        level=always(Level.ACKNOWLEDGED),
        outcome=always(Outcome.ACCEPTED),
        at=_taken_at,
        acknowledged_by=performer(),
        not_concerned=of_event(maybe("not-concerned", mark)),
    ).here,
    patient=None,
    unit=_DONE_BY,
    user=performer(),
    case_reference=None,
    in_reply_to=_FOCUS,
)
_RETRACT: Final = asked(
    "retraction",
    Shape(
        Retraction,
        target_message_id=_FOCUS,
        target_type=_FOCUS_TYPE,
        reason=extra("retraction-reason", one_of(codes_of(RetractionReason))),
    ).here,
    names_patient=False,
)
_MISDIRECTED: Final = asked(
    "misdirectedReport",
    Shape(
        MisdirectedReport,
        target_message_id=_FOCUS,
        target_type=_FOCUS_TYPE,
        reason=extra("misdirected-reason", one_of(codes_of(MisdirectedReason))),
        suggested_unit=maybe("suggested-unit", organization),
    ).here,
    names_patient=False,
    in_reply_to=_FOCUS,
)
_FORMS: Final = {
    form.message_type: form
    for form in (
        _ACKNOWLEDGEMENT,
        START,
        TRANSFER,
        CLOSE,
        MEASURE,
        ADD,
        REMOVE,
        _RETRACT,
        _MISDIRECTED,
        CONTACT,
        INTERRUPT,
    )
}


def _is_notice(reader: Reader) -> bool:
    """Tell whether the task is a notice of the gateway's: staff deal with it, and nobody else is told."""
    code = reader.members.get("code") or {}
    return any(coding.get("system") == NOTICE_SYSTEM for coding in code.get("coding") or ())


def task(reader: Reader) -> Form | None:
    """Return what a Task becomes; ``None`` where nothing has been done or asked for yet."""
    if _is_notice(reader):
        return None
    kind = in_system(TASK_SYSTEM, TASK)(reader, "code")
    if kind is None or kind not in TASK_STATUS or not status(reader, TASK_STATUS[kind]):
        return None
    return _FORMS[kind]


_REPLY: Final[dict[str, Field[Any]]] = {
    "topic": inside("topic", required("text", line)),
    "reply_wanted": maybe("reply-wanted", flag, False),
    "reply_by": maybe("reply-by", moment),
}
_ITEM: Final = Shape(
    PlanningItem,
    kind=required("kind", one_of(codes_of(PlanningItemKind))),
    text=required("text", prose),
    responsible_unit=optional("unit", organization),
    by=optional("by", day),
)


def _form(message_type: str, body: Field[Any]) -> Form:
    return Form(
        message_type=message_type,
        body=body,
        patient=subject("subject"),
        unit=_SENT_BY,
        user=performer("sender"),
        case_reference=CASE,
        recipients=maybe_recipients(_SENT_BY),
        in_reply_to=answered("inResponseTo"),
    )


# The payloads are the text, in order. An attachment cannot be sent, and is refused.
_GENERAL: Final = _form(
    "generalMessage", Shape(GeneralMessage, text=joined("payload", "contentString", least=1), **_REPLY).here
)
_PLANNING: Final = _form(
    "planningMessage",
    Shape(
        PlanningMessage,
        assessment=maybe("assessment", prose),
        proposal=maybe("proposal", prose),
        items=every(url("planning-item"), _ITEM),
        **_REPLY,
    ).here,
)


def communication(reader: Reader) -> Form | None:
    """Return what a Communication becomes; ``None`` where it has not been sent."""
    categories = set(codes_in(reader, "category", COMMUNICATION_CATEGORY_SYSTEM))
    if categories - COMMUNICATION_CATEGORY.keys():
        reader.note(NOT_ALLOWED.at(reader.place("category"), allowed=", ".join(COMMUNICATION_CATEGORY)))
    if not status(reader, COMMUNICATION_STATUS):
        return None
    is_planning = "planning" in categories
    if len(categories) > 1:
        reader.note(SAYS_TWO_THINGS.at(reader.place("category"), names=", ".join(COMMUNICATION_CATEGORY)))
    if is_planning and reader.has("payload"):  # it could be the assessment, or the proposal
        reader.note(SAYS_TWO_THINGS.at(reader.place("payload"), names="category planning, payload"))
    if not is_planning and has_any(reader, ("assessment", "proposal", "planning-item")):
        reader.note(SAYS_TWO_THINGS.at(reader.place("extension"), names="category general, assessment, proposal"))
    return _PLANNING if is_planning else _GENERAL
