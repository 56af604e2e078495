"""The rules of whatever states a meeting: it has a length and lies ahead, and one can come and answer in time."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.messages.model import Message


def meeting_has_length(message: Message) -> Iterable[str]:
    """Yield the end of a meeting that does not end after it has started."""
    if not message.body.meeting.ends_after_start:
        yield "body/meeting/end"


def alternatives_have_length(message: Message) -> Iterable[str]:
    """Yield the end of each alternative time that does not end after it has started."""
    for n, alternative in enumerate(message.body.alternatives, 1):
        if not alternative.ends_after_start:
            yield f"body/alternative[{n}]/end"


def meeting_can_be_attended(message: Message) -> Iterable[str]:
    """Yield a meeting that says neither where to go, what to open nor which number to ring."""
    if not message.body.meeting.can_be_attended:
        yield "body/meeting"


def meeting_is_ahead(message: Message) -> Iterable[str]:
    """Yield the start of a meeting that lies before the message was created."""
    if message.body.meeting.start < message.header.happened_at:
        yield "body/meeting/start"


def reply_before_meeting(message: Message) -> Iterable[str]:
    """Yield a time to reply by that is not before the meeting."""
    if message.body.reply_by is not None and message.body.reply_by >= message.body.meeting.start:
        yield "body/replyBy"
