"""Transfer of responsibility (Ansvarsöverflyttning): the overall responsibility passes to another unit.

The old one has it until the new one has acknowledged, so that a case is never without an owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.deadline import working_days
from gateway.messages.meeting import OverallResponsible
from gateway.messages.model import Duty, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityTransfer:
    """From whom (``previous``), to whom (``next``), why, and from which day, once the new one has acknowledged."""

    previous: OverallResponsible
    next: OverallResponsible
    reason: str
    effective_on: date


def _goes_to_another(message: Message) -> Iterable[str]:
    transfer: ResponsibilityTransfer = message.body
    if transfer.next.unit == transfer.previous.unit:
        yield "body/next/unit"


def _new_one_is_told(message: Message) -> Iterable[str]:
    transfer: ResponsibilityTransfer = message.body
    if transfer.next.unit not in {recipient.unit for recipient in message.header.recipients}:
        yield "body/next/unit"


TYPE = MessageType(
    name="responsibilityTransfer",
    title_sv="Ansvarsöverflyttning",
    title_en="Transfer of responsibility",
    body=ResponsibilityTransfer,
    moves=CaseEvent.TRANSFER,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.ACKNOWLEDGE,
        deadline=working_days(3, remind=2),
        deadline_source="agreed default of three working days; until then the old one keeps the responsibility",
        consent=InformationType.PLAN,
        carries_person=True,
        answers=("acknowledgement", "misdirectedReport"),
    ),
    rules=(
        Rule(
            Fault(
                "responsibility-transfer.to-itself",
                "Ansvaret lämnas till den enhet som redan har det.",
                "The responsibility is handed to the unit that already has it.",
            ),
            _goes_to_another,
        ),
        Rule(
            Fault(
                "responsibility-transfer.not-told",
                "Den som tar över måste finnas bland mottagarna.",
                "Whoever takes over must be among the recipients.",
            ),
            _new_one_is_told,
        ),
    ),
)
