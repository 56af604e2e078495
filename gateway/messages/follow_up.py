"""Follow-up (Uppföljning): how the plan has gone, sub-goal by sub-goal, and what happens now.

Progress towards the goals, new facts, what was done and not done, its effect, and whether another measure or actor is
needed ("Riktlinje för SIP i Västra Götaland").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.clock import local_date
from gateway.errors import Fault
from gateway.messages.binding import element, elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.measure import MeasureStatus
from gateway.messages.meeting import FollowUpDate
from gateway.messages.model import Duty, Message


class Effect(StrEnum):
    """How much what was done has helped."""

    FULL = "full"
    PART = "part"
    NONE = "none"


class FollowUpOutcome(StrEnum):
    """What happens with the plan."""

    CONTINUE = "continue"
    REVISE = "revise"
    """The need remains, and the plan changes."""
    CLOSE_AND_NEW = "close-and-new"
    """The long-term goal has changed greatly: this SIP ends and a new one begins."""
    CLOSE = "close"


GOES_ON = frozenset({FollowUpOutcome.CONTINUE, FollowUpOutcome.REVISE})
"""Outcomes after which there is another follow-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubGoalProgress:
    """How far a sub-goal of the plan has come."""

    sub_goal: str
    status: MeasureStatus
    effect: Effect
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentKept:
    """Whether a unit (HSA-id) has done what it took on."""

    unit: str
    done: bool
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What a follow-up of one version of the plan found, and what it decided."""

    plan_version: int
    held_on: date
    progress: tuple[SubGoalProgress, ...] = element("progress")
    new_information: str | None = None
    commitments: tuple[CommitmentKept, ...] = elements("commitment")
    new_measure_needed: str | None = None
    new_actor_needed: str | None = None
    outcome: FollowUpOutcome
    next_follow_up: FollowUpDate | None = None
    crisis_plan_checked: bool | None = None


def _is_held(message: Message) -> Iterable[str]:
    follow_up: FollowUp = message.body
    if follow_up.held_on > local_date(message.header.happened_at):
        yield "body/heldOn"


def _each_sub_goal_once(message: Message) -> Iterable[str]:
    follow_up: FollowUp = message.body
    seen: set[str] = set()
    for n, progress in enumerate(follow_up.progress, 1):
        if progress.sub_goal in seen:
            yield f"body/progress[{n}]/subGoal"
        seen.add(progress.sub_goal)


def _next_is_decided(message: Message) -> Iterable[str]:
    follow_up: FollowUp = message.body
    if (follow_up.outcome in GOES_ON) != (follow_up.next_follow_up is not None):
        yield "body/outcome"


def _next_is_ahead(message: Message) -> Iterable[str]:
    follow_up: FollowUp = message.body
    if follow_up.next_follow_up is not None and follow_up.next_follow_up.on <= follow_up.held_on:
        yield "body/nextFollowUp/on"


TYPE = MessageType(
    name="followUp",
    title_sv="Uppföljning",
    title_en="Follow-up",
    body=FollowUp,
    moves=CaseEvent.FOLLOW_UP,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed to the sender; what is to be done stands in the plan",
        consent=InformationType.PLAN,
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=(
        Rule(
            Fault(
                "follow-up.held-in-the-future",
                "Uppföljningen är inte hållen än.",
                "The follow-up has not been held yet.",
            ),
            _is_held,
        ),
        Rule(
            Fault(
                "follow-up.sub-goal-twice",
                "Samma delmål står två gånger.",
                "The same sub-goal is named twice.",
            ),
            _each_sub_goal_once,
        ),
        Rule(
            Fault(
                "follow-up.next-not-decided",
                "Ange nästa uppföljning när planen fortsätter eller revideras, och bara då.",
                "State the next follow-up when the plan goes on or is revised, and only then.",
            ),
            _next_is_decided,
        ),
        Rule(
            Fault(
                "follow-up.next-before-this",
                "Nästa uppföljning måste ligga efter den här.",
                "The next follow-up must be after this one.",
            ),
            _next_is_ahead,
        ),
    ),
)
