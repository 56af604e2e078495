"""Forward (Vidarebefordran): an invitation is handed to the right unit of the own principal.

The unit that was called wrongly finds the right one inside its principal and tells the convener ("Riktlinje för SIP i
Västra Götaland"). The convener's gateway then calls the right unit; until that one has been called, the first is still
owed for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import Fault
from gateway.messages.binding import elements
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import Contract, InformationType, MessageType, Rule, SenderKind
from gateway.messages.model import Duty, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardStep:
    """One step on the way: from which unit (HSA-id) to which, and when."""

    from_unit: str
    to_unit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationForward:
    """From which unit to which, why, and the steps before, oldest first."""

    from_unit: str
    to_unit: str
    reason: str
    earlier: tuple[ForwardStep, ...] = elements("earlier")


def _answers_a_message(message: Message) -> Iterable[str]:
    if message.header.in_reply_to is None:
        yield "header"


def _goes_elsewhere(message: Message) -> Iterable[str]:
    forward: InvitationForward = message.body
    passed = {forward.from_unit, *(step.from_unit for step in forward.earlier)}
    if forward.to_unit in passed:
        yield "body/toUnit"


def _chain_hangs_together(message: Message) -> Iterable[str]:
    forward: InvitationForward = message.body
    starts = [*(step.from_unit for step in forward.earlier[1:]), forward.from_unit]
    for n, (step, start) in enumerate(zip(forward.earlier, starts, strict=True) if forward.earlier else (), 1):
        if step.to_unit != start:
            yield f"body/earlier[{n}]/toUnit"


TYPE = MessageType(
    name="invitationForward",
    title_sv="Vidarebefordran",
    title_en="Forward of an invitation",
    body=InvitationForward,
    moves=CaseEvent.FORWARD,
    contract=Contract(
        senders=frozenset({SenderKind.RECIPIENT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for being told; the right unit owes the reply to its invitation",
        consent=InformationType.MEETING,
        carries_person=True,
        answers=("acknowledgement",),
    ),
    rules=(
        Rule(
            Fault(
                "invitation-forward.answers-nothing",
                "Vidarebefordran måste peka ut kallelsen som lämnas vidare.",
                "The forward must name the invitation that is handed on.",
            ),
            _answers_a_message,
        ),
        Rule(
            Fault(
                "invitation-forward.goes-in-a-circle",
                "Kallelsen lämnas till en enhet som redan har lämnat den vidare.",
                "The invitation is handed to a unit that has handed it on before.",
            ),
            _goes_elsewhere,
        ),
        Rule(
            Fault(
                "invitation-forward.broken-chain",
                "Leden hänger inte ihop: nästa led ska utgå från den enhet som tog emot.",
                "The steps do not hang together: the next must begin where the last one ended.",
            ),
            _chain_hangs_together,
        ),
    ),
)
