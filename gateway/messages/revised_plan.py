"""Revised plan (Reviderad SIP): the whole plan in a new version, and what has changed.

A plan is revised when the need remains; when the long-term goal has changed greatly, the SIP is closed and a new one
begins ("Riktlinje för SIP i Västra Götaland").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.errors import Fault
from gateway.messages import plan
from gateway.messages.case_event import CaseEvent
from gateway.messages.contract import MessageType, Rule
from gateway.messages.model import Message
from gateway.messages.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisedPlan(Plan):
    """A plan of version 2 or later, with a summary of what has changed since the one before."""

    change_summary: str


def _is_a_later_version(message: Message) -> Iterable[str]:
    revised: RevisedPlan = message.body
    if revised.version < 2:
        yield "body/version"


TYPE = MessageType(
    name="revisedPlan",
    title_sv="Reviderad SIP",
    title_en="Revised plan",
    body=RevisedPlan,
    moves=CaseEvent.REVISE,
    contract=plan.TYPE.contract,
    extends=plan.TYPE,
    rules=(
        Rule(
            Fault(
                "revised-plan.first-version",
                "En reviderad plan är version 2 eller senare.",
                "A revised plan is version 2 or later.",
            ),
            _is_a_later_version,
        ),
    ),
)
