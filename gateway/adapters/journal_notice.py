"""What the regional journal is told for its units: a task, after the manner of FHIR's, on the list of the unit."""

from __future__ import annotations

from typing import Any, Final

from gateway.adapters import journal_codes as codes
from gateway.adapters.journal_coding import CodeList, organization, written_organization
from gateway.adapters.kinds import line, message_id, moment
from gateway.adapters.outline import all_of
from gateway.adapters.shape import inside, optional, required
from gateway.clock import STOCKHOLM
from gateway.notices import Notice, NoticeKind

KIND: Final = CodeList("task", {kind.value: kind for kind in NoticeKind})
"""Why the unit is told."""

AWAITED: Final = CodeList(
    "awaited",
    {
        "consent": "consent",
        "sending": "sent",
        "receipt": "received",
        "registration": "registered",
        "signature": "acknowledged",
        "decision": "decision",
        "letter": "letter",
        "earlier-message": "earlier message",
        "answer": "reply",
        "meeting": "meeting",
        "careplan": "plan",
        "review": "follow-up",
        "closure": "closure",
        "discharge": "discharge",
        "care-contact": "fixed-contact",
        "appointment-after-discharge-ready": "sip-call",
    },
)
"""What is to be done."""


TASK: Final = all_of(
    required("taskId", line),
    required("code", KIND),
    required("organization", organization),
    required("caseNumber", line),
    optional("awaited", AWAITED),
    optional("performer", organization),
    optional("due", moment),
    inside("message", required("id", message_id)),
    inside("message", required("type", codes.MESSAGE_TYPE)),
    optional("reason", line),
    optional("otherCase", line),
)
"""What stands in a task."""


def task(notice: Notice) -> dict[str, Any]:
    """Write ``notice`` as a task. It names no patient: who is told opens the case."""
    told: dict[str, Any] = {
        "taskId": notice.notice_id,
        "code": KIND.written(notice.kind),
        "organization": written_organization(notice.unit),
        "caseNumber": notice.case_number,
        "awaited": AWAITED.written(notice.awaited) if notice.awaited is not None else None,
        "performer": written_organization(notice.owed_by) if notice.owed_by is not None else None,
        "due": notice.due_at.astimezone(STOCKHOLM).isoformat() if notice.due_at is not None else None,
        "message": (
            {"id": notice.message_id, "type": codes.MESSAGE_TYPE.written(notice.type)}
            if notice.message_id is not None and notice.type is not None
            else None
        ),
        "reason": notice.code,
        "otherCase": notice.other_case,
    }
    return {name: value for name, value in told.items() if value is not None}
