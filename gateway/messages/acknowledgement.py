"""Acknowledgement (Kvittens): what became of a message at one of its recipients.

Each level of :class:`~gateway.lifecycle.Level` is answered by a message of its own, for one recipient unit, and is
matched by message id and unit, never by the order of arrival. An acknowledgement is never itself acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from gateway.case_number import CaseKind
from gateway.errors import Fault, Finding
from gateway.lifecycle import Level, Outcome
from gateway.messages.binding import elements
from gateway.messages.contract import Contract, MessageType, Rule, SenderKind
from gateway.messages.model import Duty, Message, User

NAME = "acknowledgement"

LONGEST_PATH = 1000
"""Most characters of the path in a reason."""

TAKEN = frozenset({Outcome.ACCEPTED, Outcome.PARTIAL})
"""Outcomes after which the case system holds something of the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a message was not taken as it is: a stable code, where, and a sentence for staff in Swedish and English.

    ``path`` is an XPath and ``line`` a one-based line number in the message that is answered. The sentences never
    repeat content of it: no names, no numbers, no free text.
    """

    code: str
    path: str | None = None
    line: int | None = None
    sv: str
    en: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Return the reason that tells ``finding`` to the sender.

        The file it was found in is ours alone. A path longer than the schema allows is made of names that nobody gave
        an element in good faith, and is left out.
        """
        path = finding.path if finding.path and len(finding.path) <= LONGEST_PATH else None
        return cls(code=finding.code, path=path, line=finding.line, sv=finding.sv, en=finding.en)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """The verdict on one message, for one recipient unit (HSA-id), at one level.

    ``at`` is when the level was reached, which may be earlier than the acknowledgement was written. ``record_id`` is
    the id under which the recipient's case system keeps the message: the proof that it has committed it.
    ``not_concerned`` is true when the unit took note, is not concerned, and wants no more messages of the case.
    """

    message_id: str
    message_type: str
    unit: str
    level: Level
    outcome: Outcome
    at: datetime
    record_id: str | None = None
    acknowledged_by: User | None = None
    not_concerned: bool | None = None
    reasons: tuple[Reason, ...] = elements("reason")


def _answers_what_it_names(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.message_id != message.header.in_reply_to:
        yield "body/messageId"


def _is_the_last_word(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.message_type == NAME:
        yield "body/messageType"


def _registered_is_proved(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.level is Level.REGISTERED and answer.outcome is Outcome.ACCEPTED and answer.record_id is None:
        yield "body/level"


def _record_is_of_a_registration(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.record_id is not None and not (answer.level is Level.REGISTERED and answer.outcome in TAKEN):
        yield "body/recordId"


def _charge_has_a_name(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    accepted = answer.level is Level.ACKNOWLEDGED and answer.outcome is Outcome.ACCEPTED
    if accepted and answer.acknowledged_by is None:
        yield "body/level"


def _charge_is_taken_whole(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.level is Level.ACKNOWLEDGED and answer.outcome is not Outcome.ACCEPTED:
        yield "body/outcome"


def _charge_tells_concern(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.not_concerned is not None and answer.level is not Level.ACKNOWLEDGED:
        yield "body/notConcerned"


def _refusal_has_reason(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.outcome is not Outcome.ACCEPTED and not answer.reasons:
        yield "body/outcome"


def _success_has_none(message: Message) -> Iterable[str]:
    answer: Acknowledgement = message.body
    if answer.outcome is Outcome.ACCEPTED and answer.reasons:
        yield "body/reason[1]"


TYPE = MessageType(
    name=NAME,
    title_sv="Kvittens",
    title_en="Acknowledgement",
    body=Acknowledgement,
    moves=None,
    contract=Contract(
        process=frozenset(CaseKind),
        senders=frozenset({SenderKind.RECIPIENT}),
        duty=Duty.NOTIFY,
        deadline_source="nothing is owed for an answer: an acknowledgement is never acknowledged",
        consent=None,
        without_consent="it answers a message and says nothing about the person",
        carries_person=False,
        answers=(),
    ),
    rules=(
        Rule(
            Fault(
                "acknowledgement.wrong-message",
                "Kvittensen och dess huvud nämner olika meddelanden.",
                "The acknowledgement and its header name different messages.",
            ),
            _answers_what_it_names,
        ),
        Rule(
            Fault(
                "acknowledgement.of-acknowledgement",
                "En kvittens kvitteras aldrig.",
                "An acknowledgement is never acknowledged.",
            ),
            _is_the_last_word,
        ),
        Rule(  # a positive answer given before the case system has committed is worse than none
            Fault(
                "acknowledgement.record-id-missing",
                "Registrerat kräver det mottagande systemets post-id.",
                "Registered requires the record id of the receiving system.",
            ),
            _registered_is_proved,
        ),
        Rule(
            Fault(
                "acknowledgement.record-id-not-allowed",
                "Post-id anges bara när det mottagande systemet har registrerat meddelandet.",
                "A record id is given only when the receiving system has registered the message.",
            ),
            _record_is_of_a_registration,
        ),
        Rule(
            Fault(
                "acknowledgement.acknowledged-by-missing",
                "Ange vem som har kvitterat.",
                "Say who took charge.",
            ),
            _charge_has_a_name,
        ),
        Rule(
            Fault(
                "acknowledgement.charge-not-accepted",
                "Nivån kvitterat kan bara vara godtagen; avvisa på nivån mottaget eller registrerat.",
                "The level acknowledged can only be accepted; refuse at received or registered.",
            ),
            _charge_is_taken_whole,
        ),
        Rule(
            Fault(
                "acknowledgement.concern-too-early",
                "Bara den som kvitterar kan säga att enheten inte är berörd.",
                "Only whoever takes charge can say that the unit is not concerned.",
            ),
            _charge_tells_concern,
        ),
        Rule(
            Fault(
                "acknowledgement.reason-missing",
                "Minst ett skäl måste anges när meddelandet inte är godtaget.",
                "At least one reason must be given when the message is not accepted.",
            ),
            _refusal_has_reason,
        ),
        Rule(  # a success that goes on with an error is the trap partners fall into
            Fault(
                "acknowledgement.reason-not-allowed",
                "Ett godtaget meddelande har inga skäl.",
                "A message that is accepted has no reasons.",
            ),
            _success_has_none,
        ),
    ),
)
