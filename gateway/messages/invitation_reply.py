"""Reply to an invitation (Svar på kallelse): who comes, or why the unit cannot.

Every unit that is called tells the convener who attends; one that is prevented names a substitute ("Göteborgs Stads
rutin för SIP"). Whether it had to, because it was summoned and not only invited, is known by the case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import Fault
from gateway.messages.binding import elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.meeting import Slot
from gateway.messages.meeting_rules import alternatives_have_length
from gateway.messages.model import Duty, Message


class InvitationAnswer(StrEnum):
    """What a unit that was called answers."""

    CONFIRM = "confirm"
    DECLINE = "decline"
    """Prevented; a principal that was summoned names a substitute."""
    TENTATIVE = "tentative"
    """Hopes to come; the final answer is still owed."""
    REDIRECT = "redirect"
    """Another unit of the same principal is the right one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attending:
    """Who comes for the unit, and whether they have a mandate to decide."""

    name: str
    profession: str | None = None
    may_decide: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """Who comes instead, and for which unit (HSA-id) when it is another one."""

    name: str
    role: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationReply:
    """The answer of a unit to the invitation its header names. ``alternatives`` are times that suit better."""

    answer: InvitationAnswer
    attendee: Attending | None = None
    substitute: Substitute | None = None
    redirect_unit: str | None = None
    clarification: str | None = None
    alternatives: tuple[Slot, ...] = elements("alternative")


def _attendee_is_named(message: Message) -> Iterable[str]:
    reply: InvitationReply = message.body
    if (reply.answer is InvitationAnswer.CONFIRM) != (reply.attendee is not None):
        yield "body/answer"


def _substitute_replaces_someone(message: Message) -> Iterable[str]:
    reply: InvitationReply = message.body
    if reply.substitute is not None and reply.answer is not InvitationAnswer.DECLINE:
        yield "body/substitute"


def _right_unit_is_named(message: Message) -> Iterable[str]:
    reply: InvitationReply = message.body
    if (reply.answer is InvitationAnswer.REDIRECT) != (reply.redirect_unit is not None):
        yield "body/answer"


def _right_unit_is_another(message: Message) -> Iterable[str]:
    reply: InvitationReply = message.body
    if reply.redirect_unit == message.header.sender.unit:
        yield "body/redirectUnit"


def _answers_a_message(message: Message) -> Iterable[str]:
    if message.header.in_reply_to is None:
        yield "header"


TYPE = MessageType(
    name="invitationReply",
    title_sv="Svar på kallelse",
    title_en="Reply to an invitation",
    body=InvitationReply,
    moves=CaseEvent.REPLY,
    contract=Contract(
        senders=frozenset({SenderKind.RECIPIENT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for a reply",
        consent=InformationType.MEETING,
        carries_person=True,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "invitation-reply.attendee",
                "Ange vem som kommer när svaret är ja, och bara då.",
                "Say who comes when the answer is yes, and only then.",
            ),
            _attendee_is_named,
        ),
        Rule(
            Fault(
                "invitation-reply.substitute-not-applicable",
                "En ersättare anges bara när enheten har förhinder.",
                "A substitute is named only when the unit is prevented.",
            ),
            _substitute_replaces_someone,
        ),
        Rule(
            Fault(
                "invitation-reply.redirect-unit",
                "Ange rätt enhet när svaret är hänvisning, och bara då.",
                "Name the right unit when the answer is to redirect, and only then.",
            ),
            _right_unit_is_named,
        ),
        Rule(
            Fault(
                "invitation-reply.redirect-to-itself",
                "En enhet kan inte hänvisa till sig själv.",
                "A unit cannot redirect to itself.",
            ),
            _right_unit_is_another,
        ),
        Rule(
            Fault(
                "invitation-reply.alternative-end-before-start",
                "Ett alternativt mötestillfälle måste sluta efter att det har börjat.",
                "An alternative time must end after it has started.",
            ),
            alternatives_have_length,
        ),
        Rule(
            Fault(
                "invitation-reply.answers-nothing",
                "Svaret måste peka ut kallelsen det svarar på.",
                "The reply must name the invitation it answers.",
            ),
            _answers_a_message,
        ),
    ),
)
