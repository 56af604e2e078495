"""Participant added and removed (Deltagare tillagd, borttagen): a unit joins a case, or no longer takes part.

To a party that knows nothing of the case, being added opens it: the message says who convened it and where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.model import Duty, Message, Principal


class SharedCaseState(StrEnum):
    """Where a case stands that a unit can join."""

    PREPARING = "preparing"
    INVITED = "invited"
    ACTIVE = "active"
    FOLLOW_UP_CALLED = "follow-up-called"


class RemovalReason(StrEnum):
    """Why a unit no longer takes part."""

    NOT_CONCERNED = "not-concerned"
    REPLACED = "replaced"
    MOVED = "moved"
    CONSENT = "consent"
    """The consent does not cover the unit any longer."""
    OWN_REQUEST = "own-request"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseConvener:
    """The party and unit (HSA-id) that convened a case."""

    party: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdded:
    """Which unit joins and in which role, and where the case stands; versions are 0 before there is a first.

    Once there is a plan, ``responsible_unit`` (HSA-id) has the overall responsibility, and ``follow_up_on`` is when
    it is followed up. ``person_placed`` says that the person is placed elsewhere, so that the plan must tell of
    health care meanwhile.
    """

    unit: str
    principal: Principal | None = None
    role: str
    reason: str | None = None
    convener: CaseConvener
    opened_at: datetime
    state: SharedCaseState
    booking_version: int
    plan_version: int
    responsible_unit: str | None = None
    follow_up_on: date | None = None
    person_placed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRemoved:
    """Which unit no longer takes part, and why."""

    unit: str
    reason: RemovalReason


def _unit_is_told(message: Message) -> Iterable[str]:
    if message.body.unit not in {recipient.unit for recipient in message.header.recipients}:
        yield "body/unit"


def _state_agrees(message: Message) -> Iterable[str]:
    added: ParticipantAdded = message.body
    has_plan = added.state in (SharedCaseState.ACTIVE, SharedCaseState.FOLLOW_UP_CALLED)
    if has_plan != (added.plan_version > 0):
        yield "body/state"


ADDED = MessageType(
    name="participantAdded",
    title_sv="Deltagare tillagd",
    title_en="Participant added",
    body=ParticipantAdded,
    moves=CaseEvent.JOIN,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for joining",
        consent=InformationType.NEED,
        carries_person=True,
        answers=("acknowledgement", "misdirectedReport"),
    ),
    rules=(
        Rule(
            Fault(
                "participant-added.not-told",
                "Den enhet som läggs till måste finnas bland mottagarna.",
                "The unit that is added must be among the recipients.",
            ),
            _unit_is_told,
        ),
        Rule(
            Fault(
                "participant-added.state",
                "Ärendets läge stämmer inte med planens version.",
                "The state of the case does not agree with the version of the plan.",
            ),
            _state_agrees,
        ),
    ),
)

REMOVED = MessageType(
    name="participantRemoved",
    title_sv="Deltagare borttagen",
    title_en="Participant removed",
    body=ParticipantRemoved,
    moves=CaseEvent.LEAVE,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told",
        consent=None,
        without_consent="it tells a unit that it is no longer part of the case, and nothing about the person",
        carries_person=False,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "participant-removed.not-told",
                "Den enhet som tas bort måste finnas bland mottagarna.",
                "The unit that is removed must be among the recipients.",
            ),
            _unit_is_told,
        ),
    ),
)
