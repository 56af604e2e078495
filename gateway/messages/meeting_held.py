"""Note of a meeting (Mötesanteckning): it has been held, with whom, and what came of it.

It stays with the convener's own party: the others were there, and get the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.binding import element
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, MessageType, Rule, SenderKind
from gateway.messages.meeting import Attendee, Slot
from gateway.messages.meeting_rules import meeting_has_length
from gateway.messages.model import Duty, Message, Principal


class MeetingMode(StrEnum):
    """In what way one took part."""

    PHYSICAL = "physical"
    VIDEO = "video"
    PHONE = "phone"
    HYBRID = "hybrid"


class MeetingOutcome(StrEnum):
    """What came of a meeting."""

    PLAN = "plan"
    NO_PLAN = "no-plan"
    NEW_MEETING = "new-meeting"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingHeld:
    """When the meeting was held, how, with whom, and what came of it."""

    meeting: Slot
    mode: MeetingMode
    attendees: tuple[Attendee, ...] = element("attendee")
    person_present: bool
    person_absent_reason: str | None = None
    outcome: MeetingOutcome
    no_plan_reason: str | None = None


def _is_over(message: Message) -> Iterable[str]:
    held: MeetingHeld = message.body
    if held.meeting.start > message.header.happened_at:
        yield "body/meeting/start"


def _both_principals_came(message: Message) -> Iterable[str]:
    held: MeetingHeld = message.body
    came = {attendee.principal for attendee in held.attendees if attendee.present}
    if held.outcome is MeetingOutcome.PLAN and not came.issuperset(Principal):
        yield "body/outcome"


def _absence_has_reason(message: Message) -> Iterable[str]:
    held: MeetingHeld = message.body
    if held.person_present != (held.person_absent_reason is None):
        yield "body/personPresent"


def _missing_plan_has_reason(message: Message) -> Iterable[str]:
    held: MeetingHeld = message.body
    if (held.outcome is MeetingOutcome.NO_PLAN) != (held.no_plan_reason is not None):
        yield "body/outcome"


def _event_of(body: MeetingHeld) -> CaseEvent:
    return CaseEvent.HOLD if body.outcome is MeetingOutcome.PLAN else CaseEvent.HOLD_IN_VAIN


TYPE = MessageType(
    name="meetingHeld",
    title_sv="Mötesanteckning",
    title_en="Note of a meeting",
    body=MeetingHeld,
    moves=_event_of,
    contract=Contract(
        senders=frozenset({SenderKind.CONVENER}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed: it has no recipient",
        consent=None,
        without_consent="it never leaves its own party",
        carries_person=True,
        may_stay_home=True,
        stays_home=True,
        answers=(),
    ),
    rules=(
        Rule(
            Fault(
                "meeting-held.end-before-start",
                "Mötet måste sluta efter att det har börjat.",
                "The meeting must end after it has started.",
            ),
            meeting_has_length,
        ),
        Rule(
            Fault(
                "meeting-held.meeting-in-the-future",
                "Mötet har inte börjat än.",
                "The meeting has not begun yet.",
            ),
            _is_over,
        ),
        Rule(  # "Basnivå för SIP": the person, and at least one from each principal
            Fault(
                "meeting-held.principal-absent",
                "En plan kräver minst en närvarande från vardera huvudmannen.",
                "A plan requires at least one person present from each principal.",
            ),
            _both_principals_came,
        ),
        Rule(  # SFS 2009:981: when possible, the plan is made together with the person
            Fault(
                "meeting-held.absence-reason",
                "Ange skäl när den enskilde inte var med på mötet, och bara då.",
                "Give a reason when the person was not present at the meeting, and only then.",
            ),
            _absence_has_reason,
        ),
        Rule(
            Fault(
                "meeting-held.no-plan-reason",
                "Ange skäl när mötet inte ledde till någon plan, och bara då.",
                "Give a reason when the meeting led to no plan, and only then.",
            ),
            _missing_plan_has_reason,
        ),
    ),
)
