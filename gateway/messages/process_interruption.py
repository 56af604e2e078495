"""Interruption of the process (Avbrott i processen): the planning before a discharge ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import DISCHARGE, Contract, MessageType, Rule, SenderKind
from gateway.messages.model import Duty, Message


class InterruptionReason(StrEnum):
    """Why the planning ended."""

    DIED = "died"
    TRANSFERRED = "transferred"
    NO_NEED = "no-need"
    DETERIORATED = "deteriorated"
    DECLINED = "declined"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInterruption:
    """Why and when the planning ended."""

    reason: InterruptionReason
    other_text: str | None = None
    at: datetime


def _other_is_named(message: Message) -> Iterable[str]:
    interruption: ProcessInterruption = message.body
    if (interruption.reason is InterruptionReason.OTHER) != (interruption.other_text is not None):
        yield "body/reason"


def _is_interrupted(message: Message) -> Iterable[str]:
    interruption: ProcessInterruption = message.body
    if interruption.at > message.header.happened_at:
        yield "body/at"


TYPE = MessageType(
    name="processInterruption",
    title_sv="Avbrott i processen",
    title_en="Process interruption",
    body=ProcessInterruption,
    moves=CaseEvent.INTERRUPT,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed: everything open in the process ends",
        consent=None,
        without_consent="it ends the process, and does not name the person",
        carries_person=False,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "process-interruption.other-not-named",
                "Ange orsaken med ord när ”annat” är valt, och bara då.",
                "Put the reason in words when 'other' is chosen, and only then.",
            ),
            _other_is_named,
        ),
        Rule(
            Fault(
                "process-interruption.in-the-future",
                "Avbrottet har inte inträffat än.",
                "The interruption has not happened yet.",
            ),
            _is_interrupted,
        ),
    ),
)
