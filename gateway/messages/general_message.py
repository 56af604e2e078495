"""General message (Administrativt meddelande): a free message inside a case, to which the sender may want a reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, SenderKind
from gateway.messages.deadline import working_days
from gateway.messages.model import Duty
from gateway.messages.wanted_reply import reply_by_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralMessage:
    """Topic and text, whether a reply is wanted, and by when."""

    topic: str
    text: str
    reply_wanted: bool = False
    reply_by: datetime | None = None


TYPE = MessageType(
    name="generalMessage",
    title_sv="Administrativt meddelande",
    title_en="General message",
    body=GeneralMessage,
    moves=CaseEvent.TELL,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline=working_days(3, remind=2),
        deadline_source="agreed default when a reply is wanted, no statutory number",
        reply_on_request=True,
        consent=InformationType.NEED,
        waits_for_consent=False,
        carries_person=True,
        answers=("generalMessage", "misdirectedReport", "acknowledgement"),
        retractable=True,
    ),
    rules=reply_by_rules("general-message"),
)
