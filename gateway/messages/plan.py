"""The plan (SIP): what the person, the municipality and the region have agreed on, as in the regional SIP template.

The fields stand in the order of the template. What the schema cannot say is in :mod:`gateway.messages.plan_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.messages.binding import element, elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import (
    Contract,
    InformationType,
    MessageType,
    SenderKind,
)
from gateway.messages.measure import Measure, SubGoal
from gateway.messages.meeting import Attendee, FollowUpDate, Meeting, OverallResponsible
from gateway.messages.model import Duty, NeedNoticedBy, User
from gateway.messages.plan_rules import RULES
from gateway.messages.sip_start import SipVariant


class GuardianKind(StrEnum):
    """In what capacity someone acts for the person."""

    GUARDIAN = "guardian"
    """Vårdnadshavare."""
    GOOD_MAN = "good-man"
    """God man: supports; the person still decides."""
    ADMINISTRATOR = "administrator"
    """Förvaltare: decides within the court's order, not about what is personal."""
    POWER_OF_ATTORNEY = "power-of-attorney"
    """Fullmakt eller framtidsfullmakt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """Someone who acts for the person (vårdnadshavare, god man, förvaltare), with a telephone number."""

    kind: GuardianKind
    name: str
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisAction:
    """What to do at an early sign: who does what, and how to reach them."""

    sign: str
    who: str
    what: str
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisPlan:
    """The crisis and action plan: early signs of relapse, what is done then, and who knows of it."""

    early_signs: tuple[str, ...] = element("earlySign")
    actions: tuple[CrisisAction, ...] = element("action")
    known_by: tuple[str, ...] = element("knownBy")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementCare:
    """What the region does for the ``health_care`` of a person who is placed elsewhere, for as long as that lasts."""

    health_care: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCopy:
    """On which day and how the person gets a copy of the plan."""

    given_on: date
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole plan of one version, counted from 1; a later version replaces an earlier one.

    ``address`` and ``phone`` are the person's own. ``works_well``, ``works_not``, ``own_effort`` and ``kin_needs`` are
    the boxes that are filled in with the person before the meeting. ``lead_professional`` sees to it that the measures
    are delivered. ``placement`` is there when the person is placed elsewhere.
    """

    version: int
    mode: SipVariant
    need_noticed_by: tuple[NeedNoticedBy, ...] = element("needNoticedBy")
    need_noticed_by_other: str | None = None
    address: str | None = None
    phone: str | None = None
    guardians: tuple[Guardian, ...] = elements("guardian")
    meeting: Meeting
    long_term_goal: str
    questions: tuple[str, ...] = element("question")
    works_well: str
    works_not: str
    kin_needs: str | None = None
    own_effort: str
    sub_goals: tuple[SubGoal, ...] = element("subGoal")
    measures: tuple[Measure, ...] = element("measure")
    overall_responsible: OverallResponsible
    lead_professional: User | None = None
    follow_up: FollowUpDate
    crisis_plan: CrisisPlan | None = None
    placement: PlacementCare | None = None
    attendees: tuple[Attendee, ...] = element("attendee")
    person_present: bool
    person_absent_reason: str | None = None
    person_copy: PersonCopy


TYPE = MessageType(
    name="plan",
    title_sv="SIP",
    title_en="Coordinated individual plan",
    body=Plan,
    moves=CaseEvent.PLAN,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed to the sender; each measure has its own time in the plan",
        consent=InformationType.PLAN,
        carries_person=True,
        answers=("misdirectedReport", "acknowledgement"),
    ),
    rules=RULES,
)
