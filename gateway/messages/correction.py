"""Retraction and misdirected (Återtagande, Felsänt): what was sent is taken back, or came to the wrong unit.

A correction after a positive acknowledgement is a message of its own. Neither names the person nor carries free text,
since both go where the first message should perhaps not have gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.case_number import CaseKind
from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, MessageType, Rule, SenderKind
from gateway.messages.deadline import working_days
from gateway.messages.model import Duty, Message


class RetractionReason(StrEnum):
    """Why a message is taken back."""

    WRONG_PERSON = "wrong-person"
    WRONG_RECIPIENT = "wrong-recipient"
    WRONG_CONTENT = "wrong-content"
    NO_LONGER_HOLDS = "no-longer-holds"


class MisdirectedReason(StrEnum):
    """Why a unit says that it is the wrong one."""

    PERSON_UNKNOWN = "person-unknown"
    WRONG_UNIT = "wrong-unit"
    WRONG_PRINCIPAL = "wrong-principal"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReference:
    """An earlier message: its id and its type."""

    target_message_id: str
    target_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(MessageReference):
    """Which message its sender takes back, and why. The original is hidden from readers, and stays in the log."""

    reason: RetractionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class MisdirectedReport(MessageReference):
    """Which message came to the wrong unit, why, and which unit (HSA-id) is probably the right one."""

    reason: MisdirectedReason
    suggested_unit: str | None = None


def _is_about_another(message: Message) -> Iterable[str]:
    if message.body.target_message_id == message.header.message_id:
        yield "body/targetMessageId"


def _suggests_another(message: Message) -> Iterable[str]:
    report: MisdirectedReport = message.body
    if report.suggested_unit == message.header.sender.unit:
        yield "body/suggestedUnit"


def _answers_what_it_names(message: Message) -> Iterable[str]:
    if message.body.target_message_id != message.header.in_reply_to:
        yield "body/targetMessageId"


RETRACTION = MessageType(
    name="retraction",
    title_sv="Återtagande",
    title_en="Retraction",
    body=Retraction,
    moves=CaseEvent.RETRACT,
    contract=Contract(
        process=frozenset(CaseKind),
        senders=frozenset({SenderKind.SENDER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told",
        consent=None,
        without_consent="it takes back what was sent, and tells nothing about the person",
        carries_person=False,
        may_stay_home=True,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "retraction.of-itself",
                "Ett återtagande kan inte återta sig självt.",
                "A retraction cannot take itself back.",
            ),
            _is_about_another,
        ),
    ),
)

MISDIRECTED = MessageType(
    name="misdirectedReport",
    title_sv="Felsänt",
    title_en="Misdirected",
    body=MisdirectedReport,
    moves=CaseEvent.MISDIRECT,
    contract=Contract(
        process=frozenset(CaseKind),
        senders=frozenset({SenderKind.RECIPIENT}),
        duty=Duty.ACKNOWLEDGE,
        deadline=working_days(1),
        deadline_source="agreed default: the sender finds the right unit within a working day, no statutory number",
        consent=None,
        without_consent="it tells the sender that the unit was the wrong one, and nothing about the person",
        carries_person=False,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "misdirected-report.suggests-itself",
                "Enheten föreslår sig själv som rätt mottagare.",
                "The unit suggests itself as the right recipient.",
            ),
            _suggests_another,
        ),
        Rule(
            Fault(
                "misdirected-report.wrong-message",
                "Felsändningen och dess huvud nämner olika meddelanden.",
                "The report and its header name different messages.",
            ),
            _answers_what_it_names,
        ),
    ),
)
