"""A Task: somebody takes charge of a message, or asks for a step of the case. A Communication: a free message."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters.fhir_codes import COMMUNICATION_STATUS, NOTICE_SYSTEM, TASK, TASK_STATUS, TASK_SYSTEM
from gateway.adapters.fhir_form import (
    CASE,
    Form,
    acting_unit,
    answered,
    maybe_recipients,
    must_answer,
    performer,
    status,
    subject,
)
from gateway.adapters.fhir_in_case import CLOSE, START, TRANSFER
from gateway.adapters.fhir_parts import extra, in_system, maybe, recorded
from gateway.adapters.kinds import LONGEST_PROSE, TEXT_TOO_LONG, flag, line, mark, moment, one_of, prose
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Shape, always, inside, of_event, optional, required
from gateway.lifecycle import Level, Outcome
from gateway.messages import TYPES, Acknowledgement, GeneralMessage

_SENT_BY: Final = acting_unit(of_role="sender")
_DONE_BY: Final = acting_unit("owner")
_FOCUS: Final = must_answer("focus")


def _taken_at(reader: Reader) -> Any:
    """Read when charge was taken: ``lastModified``, else when it was recorded."""
    return optional("lastModified", moment)(reader) or recorded(reader)


_ACKNOWLEDGEMENT: Final = Form(
    message_type="acknowledgement",
    body=Shape(
        Acknowledgement,
        message_id=_FOCUS,
        message_type=extra("message-type", one_of({name: name for name in TYPES})),
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
_FORMS: Final = {
    "acknowledgement": _ACKNOWLEDGEMENT,
    "sipStart": START,
    "responsibilityTransfer": TRANSFER,
    "closure": CLOSE,
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


def _text(reader: Reader) -> str:
    """Read the text of a Communication, its payloads in order. An attachment cannot be sent, and is refused."""
    array, indices = reader.array("payload", least=1)
    text = "\n\n".join(prose(array.inside(index), "contentString") for index in indices)
    if len(text) > LONGEST_PROSE:
        reader.note(TEXT_TOO_LONG.at(reader.place("payload"), limit=LONGEST_PROSE))
    return text


_GENERAL: Final = Form(
    message_type="generalMessage",
    body=Shape(
        GeneralMessage,
        topic=inside("topic", required("text", line)),
        text=_text,
        reply_wanted=maybe("reply-wanted", flag, False),
        reply_by=maybe("reply-by", moment),
    ).here,
    patient=subject("subject"),
    unit=_SENT_BY,
    user=performer("sender"),
    case_reference=CASE,
    recipients=maybe_recipients(_SENT_BY),
    in_reply_to=answered("inResponseTo"),
)


def communication(reader: Reader) -> Form | None:
    """Return what a Communication becomes; ``None`` where it has not been sent."""
    return _GENERAL if status(reader, COMMUNICATION_STATUS) else None
