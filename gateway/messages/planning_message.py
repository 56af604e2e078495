"""Planning message (Planeringsmeddelande): what the parties plan before a discharge (lag 2017:612, 2 kap. 6 §)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.binding import elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import DISCHARGE, Contract, MessageType, Rule, SenderKind
from gateway.messages.deadline import working_days
from gateway.messages.model import Duty, Message
from gateway.messages.wanted_reply import reply_by_rules


class PlanningItemKind(StrEnum):
    """What a line of the planning is about."""

    AIDS = "aids"
    MEDICATION = "medication"
    HOME_HELP = "home-help"
    HOME_NURSING = "home-nursing"
    HOUSING = "housing"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningItem:
    """One thing in the planning, which unit (HSA-id) sees to it, and by when."""

    kind: PlanningItemKind
    text: str
    responsible_unit: str | None = None
    by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningMessage:
    """An assessment, a proposal, or single things planned, and whether a reply is wanted."""

    topic: str
    assessment: str | None = None
    proposal: str | None = None
    items: tuple[PlanningItem, ...] = elements("item")
    reply_wanted: bool = False
    reply_by: datetime | None = None


def _says_something(message: Message) -> Iterable[str]:
    planning: PlanningMessage = message.body
    if planning.assessment is None and planning.proposal is None and not planning.items:
        yield "body/topic"


TYPE = MessageType(
    name="planningMessage",
    title_sv="Planeringsmeddelande",
    title_en="Planning message",
    body=PlanningMessage,
    moves=CaseEvent.PLAN_DISCHARGE,
    contract=Contract(
        process=DISCHARGE,
        senders=frozenset({SenderKind.CONVENER, SenderKind.PARTICIPANT}),
        duty=Duty.NOTIFY,
        deadline=working_days(1),
        deadline_source="agreed default when a reply is wanted, no statutory number",
        reply_on_request=True,
        consent=None,
        without_consent="2017:612, 2 kap. 6 §",
        carries_person=True,
        answers=("planningMessage", "misdirectedReport", "acknowledgement"),
        retractable=True,
    ),
    rules=(
        Rule(
            Fault(
                "planning-message.says-nothing",
                "Ange en bedömning, ett förslag eller minst en rad i planeringen.",
                "State an assessment, a proposal or at least one line of the planning.",
            ),
            _says_something,
        ),
        *reply_by_rules("planning-message"),
    ),
)
