"""The conversation that a message is part of: what answers what, and who has answered that it came. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from gateway.errors import InvalidDocumentError
from gateway.lifecycle import InState, OutEvent, OutState
from gateway.messages import TYPES, parse_xml
from gateway.store.conversations import Answered, Exchanged
from gateway.web.sequence import Mark, Step
from gateway.web.state_words import LEVEL_WORDS, OUT_WORDS

_MARKS: Final[Mapping[str, Mark]] = {
    OutState.HELD: Mark.HELD,
    OutState.RETRYING: Mark.RETRYING,
    OutState.PARTIAL: Mark.PARTIAL,
    OutState.REJECTED: Mark.REJECTED,
    OutState.EXPIRED: Mark.FAILED,
    OutState.STOPPED: Mark.STOPPED,
    OutState.RETRACTED: Mark.RETRACTED,
    OutState.LETTER: Mark.LETTER,
    OutState.MAILED: Mark.LETTER,
    InState.WAITING_FOR_SYSTEM: Mark.RETRYING,
}
"""What is to be seen at once about a message in a state. What is called the same on both sides means the same."""

_RECEIPTS: Final[Mapping[OutEvent, tuple[str, str]]] = {
    **{OutEvent(level.value): (word.sv, word.en) for level, word in LEVEL_WORDS.items()},
    OutEvent.PARTIAL: (OUT_WORDS[OutState.PARTIAL].sv, OUT_WORDS[OutState.PARTIAL].en),
    OutEvent.REJECTED: (OUT_WORDS[OutState.REJECTED].sv, OUT_WORDS[OutState.REJECTED].en),
    OutEvent.ANSWERED: ("Besvarat, enligt den som uppgav det", "Answered, as somebody stated"),
}


def steps_of(exchanged: Iterable[Exchanged], answers: Iterable[Answered], now: datetime) -> list[Step]:
    """Return messages and their receipts as the steps of a diagram, in order."""
    steps, between = [], {}
    for one in exchanged:
        between[one.came, one.message_id, one.to_unit] = one
        mark = _MARKS.get(one.state)
        if mark is None and one.due_at is not None and one.due_at < now:
            mark = Mark.LATE
        steps.append(
            Step(
                at=one.at,
                from_lane=one.from_unit,
                to_lane=one.to_unit,
                label=title_of(one.type),
                message_id=one.message_id,
                mark=mark,
            )
        )
    for answer in answers:
        answered = between.get((answer.came, answer.message_id, answer.unit))
        if answered is not None:
            steps.append(
                Step(
                    at=answer.at,
                    from_lane=answered.to_unit,
                    to_lane=answered.from_unit,
                    label=_RECEIPTS[answer.event],
                    message_id=answer.message_id,
                    is_receipt=True,
                )
            )
    return sorted(steps, key=lambda step: step.at)


def title_of(name: str) -> tuple[str, str]:
    """Return what a type of message is called, in Swedish and in English; its name, where it is known no more."""
    kind = TYPES.get(name)
    return (kind.title_sv, kind.title_en) if kind is not None else (name, name)


def thread_of(message_id: str, exchanged: Sequence[Exchanged]) -> list[Exchanged]:
    """Return the messages that lead to one and follow from it, by what each says that it answers, and itself."""
    answers = {one.message_id: replied for one in exchanged if (replied := _answered_by(one)) is not None}
    thread = {message_id}
    grows = True
    while grows:
        near = {one for pair in answers.items() if thread & set(pair) for one in pair} - thread
        thread |= near
        grows = bool(near)
    return [one for one in exchanged if one.message_id in thread]


def _answered_by(one: Exchanged) -> str | None:
    """Return the id of the message that a message answers."""
    if one.xml is None:
        return one.in_reply_to
    try:
        return parse_xml(one.xml).header.in_reply_to
    except InvalidDocumentError:  # kept by an earlier version; what it answers is not known
        return None
