"""Measure update (Insatsstatus): the unit that does a measure tells how far it has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from gateway.clock import local_date
from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.measure import MeasureStatus
from gateway.messages.model import Duty, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureUpdate:
    """Where a measure, called by its name in one version of the plan, stands since ``on``."""

    plan_version: int
    measure: str
    status: MeasureStatus
    on: date
    comment: str | None = None


def _is_reached(message: Message) -> Iterable[str]:
    update: MeasureUpdate = message.body
    if update.on > local_date(message.header.happened_at):
        yield "body/on"


def _stop_has_reason(message: Message) -> Iterable[str]:
    update: MeasureUpdate = message.body
    if update.status is MeasureStatus.STOPPED and update.comment is None:
        yield "body/status"


TYPE = MessageType(
    name="measureUpdate",
    title_sv="Insatsstatus",
    title_en="Measure update",
    body=MeasureUpdate,
    moves=CaseEvent.UPDATE_MEASURE,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told",
        consent=InformationType.PLAN,
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "measure-update.in-the-future",
                "Dagen då läget nåddes har inte varit än.",
                "The day on which that was reached has not come yet.",
            ),
            _is_reached,
        ),
        Rule(
            Fault(
                "measure-update.stopped-without-reason",
                "Säg i kommentaren varför insatsen är avbruten.",
                "Say in the comment why the measure was stopped.",
            ),
            _stop_has_reason,
        ),
    ),
)
