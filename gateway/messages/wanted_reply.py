"""The rules of the types whose sender chooses whether a reply is wanted."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.errors import Fault
from gateway.messages.contract import Rule
from gateway.messages.model import Message


def _reply_is_wanted(message: Message) -> Iterable[str]:
    if message.body.reply_by is not None and not message.body.reply_wanted:
        yield "body/replyBy"


def _reply_is_ahead(message: Message) -> Iterable[str]:
    if message.body.reply_by is not None and message.body.reply_by <= message.header.happened_at:
        yield "body/replyBy"


def reply_by_rules(prefix: str) -> tuple[Rule, ...]:
    """Return the rules, whose codes begin with ``prefix``."""
    return (
        Rule(
            Fault(
                f"{prefix}.reply-not-wanted",
                "En sista tid för svar anges bara när svar önskas.",
                "A time to reply by is stated only when a reply is wanted.",
            ),
            _reply_is_wanted,
        ),
        Rule(
            Fault(
                f"{prefix}.reply-in-the-past",
                "Svar måste begäras till en tid som inte har varit.",
                "A reply must be asked for at a time that has not been.",
            ),
            _reply_is_ahead,
        ),
    )
