"""One message as it is looked at: its facts, how far it got with each recipient, and what it says, as far as it may."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.access import Right
from gateway.context import Context
from gateway.errors import FAULTS, Fault, Finding, InvalidDocumentError
from gateway.items import Item, ItemKind
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import FAILED, InState
from gateway.messages import Duty, parse_xml
from gateway.messages.schema_words import version_of
from gateway.readable import Part, document_of, xml_of
from gateway.sending_again import NOT_HANDED_OVER_AGAIN, NOT_SENT_AGAIN
from gateway.store import Transaction, conversations, one_message, subjects
from gateway.store.conversations import Answered, Exchanged
from gateway.store.one_message import KeptMessage
from gateway.store.subjects import WITHDRAWN
from gateway.store.verdicts import Verdict
from gateway.web.conversation import thread_of
from gateway.web.levels import LevelShown, levels_of
from gateway.web.masking import MASK, is_protected
from gateway.web.state_words import StateWord, word_of
from gateway.web.timeline import Moment, timeline

THEIR_OWN_WORDS = Fault(
    "web.reason-in-their-own-words",
    "Mottagaren har skrivit ett skäl med egna ord; det visas med innehållet.",
    "The recipient has written a reason in words of its own; it is shown with the content.",
)


class ByHand(StrEnum):
    """What somebody may do with a message, for one recipient, as its state allows."""

    right: Right

    RESEND = "resend", Right.RESEND
    DISCARD = "discard", Right.DISCARD
    RESTORE = "restore", Right.DISCARD
    ACKNOWLEDGE = "acknowledge", Right.ACKNOWLEDGE

    def __new__(cls, value: str, right: Right) -> ByHand:
        """Make what is called ``value``, for whoever has ``right``."""
        one = str.__new__(cls, value)
        one._value_, one.right = value, right
        return one


_PLACE: Final = re.compile(r"\{\w+\}")
"""Where a sentence has the name of an element, or a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShown:
    """Where a message stands with one recipient: its levels, its life, and what can be done with it by hand.

    ``reasons`` are why the recipient did not take all of it, and ``findings`` why this party did not.
    """

    item: Item
    row: Dispatch | Inbound
    word: StateWord
    levels: tuple[LevelShown, ...]
    moments: Sequence[Moment]
    reasons: Sequence[Finding]
    findings: Sequence[Finding]
    by_hand: frozenset[ByHand]

    @property
    def came(self) -> bool:
        """Whether it came to this party."""
        return isinstance(self.row, Inbound)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentShown:
    """What a message says, as a document and as XML; masked but ``in_full``."""

    parts: tuple[Part, ...]
    xml: str
    in_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShown:
    """A message: facts of the ledger, and what it says.

    ``findings`` are what is wrong with the bytes that are kept, when they are held against the schema of today (whose
    version is ``schema``) and the rules of their type. There is no ``content`` where those bytes cannot be read, nor
    where the message ``is_withdrawn``: taken back or misdirected, and no longer to be read here. ``thread`` are the
    messages that it answers and that answer it, with their ``receipts``, and ``others`` the rest of its case.
    """

    message_id: str
    type: str
    case_number: str
    party: str
    from_unit: str
    in_reply_to: str | None
    at: datetime
    content_hash: str
    size: int
    schema: str
    rows: Sequence[RowShown]
    findings: Sequence[Finding]
    content: ContentShown | None
    is_withdrawn: bool
    is_protected: bool
    thread: Sequence[Exchanged]
    others: Sequence[Exchanged]
    receipts: Sequence[Answered]
    has_case: bool
    """Whether the whole case may be looked at: not by a unit that has nothing in it but what was taken back."""


async def message_of(
    context: Context, tx: Transaction, message_id: str, units: frozenset[str] | None, *, in_full: bool
) -> MessageShown | None:
    """Return a message as far as it is of ``units``; ``in_full`` where whoever asks may read what it says.

    ``None`` where there is no such message, or none of theirs.
    """
    kept = await one_message.kept(tx, message_id, units)
    if kept is None:
        return None
    head = kept.wrote or kept.came[0]
    readable = kept.wrote or next((row for row in kept.came if row.state not in WITHDRAWN), None)
    content: ContentShown | None = None
    findings: tuple[Finding, ...] = ()
    answers = None
    protected = bool(await subjects.protected(tx, [head.case_number]))
    if readable is not None:
        try:
            message = parse_xml(readable.xml)
        except InvalidDocumentError as error:
            findings = error.findings
        else:
            parts = document_of(message, context.directory, in_full=in_full)
            content = ContentShown(parts=parts, xml=xml_of(message, parts, MASK), in_full=in_full)
            answers = message.header.in_reply_to
            protected = protected or is_protected(message.header.person)
    exchanged = await conversations.of_case(tx, head.case_number, units, with_content=True)
    thread = thread_of(message_id, exchanged)
    now = context.clock.now()
    return MessageShown(
        message_id=message_id,
        type=head.type,
        case_number=head.case_number,
        party=head.party if isinstance(head, Inbound) else context.party,
        from_unit=head.sender_unit,
        in_reply_to=answers,
        at=head.received_at if isinstance(head, Inbound) else head.created_at,
        content_hash=head.content_hash,
        size=len(head.xml),
        schema=version_of(head.type),
        rows=[
            *(_shown(row, kept, now, context, in_full=in_full) for row in kept.sent),
            *(_shown(row, kept, now, context, in_full=in_full) for row in kept.came),
        ],
        findings=findings,
        content=content,
        is_withdrawn=readable is None,
        is_protected=protected,
        thread=thread,
        others=[one for one in exchanged if one not in thread],
        receipts=await conversations.answers_of(tx, {one.message_id for one in thread}),
        has_case=await _has_case(tx, head.case_number, context.party, units),
    )


async def _has_case(tx: Transaction, number: str, party: str, units: frozenset[str] | None) -> bool:
    return units is None or bool(units & (await subjects.units_of_case(tx, number, party) or frozenset()))


def _shown(row: Dispatch | Inbound, kept: KeptMessage, now: datetime, context: Context, *, in_full: bool) -> RowShown:
    came = isinstance(row, Inbound)
    direction = "in" if came else "out"
    lines = [line for line in kept.life if (line.direction, line.unit) == (direction, row.unit)]
    found = row.findings if isinstance(row, Inbound) else None
    verdicts = [] if came else [one for one in kept.verdicts if one.unit == row.unit]
    return RowShown(
        item=Item(ItemKind.RECEIVED if came else ItemKind.SENT, row.id),
        row=row,
        word=word_of(row.state, came=came),
        levels=levels_of(row, now),
        moments=timeline(lines, row, now, context.times),
        reasons=[told for one in verdicts for told in _reasons(one, in_full=in_full)],
        findings=[Finding.from_json(one) for one in found or ()],
        by_hand=by_hand(row),
    )


def _reasons(verdict: Verdict, *, in_full: bool) -> Iterator[Finding]:
    """Yield the reasons of a verdict. In words that a partner has chosen they are told ``in_full`` alone.

    For a code that is one of ours, what we say of it stands in their place.
    """
    for said in verdict.reasons:
        told = Finding.from_json(said)
        if in_full:
            yield told
        else:
            fault = FAULTS.get(told.code, THEIR_OWN_WORDS)
            yield replace(told, sv=_PLACE.sub("…", fault.sv), en=_PLACE.sub("…", fault.en), path=None)


def by_hand(row: Dispatch | Inbound) -> frozenset[ByHand]:
    """Return what can be done by hand with a message for one recipient; whether somebody may is another question."""
    found = set()
    if row.discarded_at is not None:
        return frozenset({ByHand.RESTORE})
    if row.state not in (NOT_SENT_AGAIN if isinstance(row, Dispatch) else NOT_HANDED_OVER_AGAIN):
        found.add(ByHand.RESEND)
    if row.state in (*FAILED, InState.REJECTED):
        found.add(ByHand.DISCARD)
    if isinstance(row, Inbound) and row.duty is not Duty.REPLY and row.state is InState.REGISTERED:
        found.add(ByHand.ACKNOWLEDGE)
    return frozenset(found)
