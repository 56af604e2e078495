"""The linter of contracts: a gateway does not start with a gap in one, or with an answer that nobody can send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.errors import Fault, Finding
from gateway.messages.contract import MessageType, SenderKind
from gateway.messages.model import Duty

NO_SENDER = Fault(
    "contract.no-sender", "Typen {type} kan inte skickas av någon.", "The type {type} can be sent by nobody."
)
NO_DEADLINE = Fault(
    "contract.no-deadline",
    "Typen {type} kräver något av mottagaren men har ingen tidsgräns.",
    "The type {type} asks something of the recipient and has no deadline.",
)
DEADLINE_FOR_NOTHING = Fault(
    "contract.deadline-for-nothing",
    "Typen {type} har en tidsgräns men kräver inget av mottagaren.",
    "The type {type} has a deadline and asks nothing of the recipient.",
)
REMINDER_TOO_LATE = Fault(
    "contract.reminder-too-late",
    "Typen {type} påminner inte före sin tidsgräns.",
    "The type {type} does not remind before its deadline.",
)
NO_SOURCE = Fault(
    "contract.no-source",
    "Typen {type} säger inte varifrån tidsgränsen kommer.",
    "The type {type} does not say where its deadline comes from.",
)
NO_GROUND = Fault(
    "contract.no-ground",
    "Typen {type} lämnas ut utan samtycke och säger inte med vilket stöd.",
    "The type {type} leaves without a consent and does not say why it may.",
)
NO_RETENTION = Fault(
    "contract.no-retention",
    "Typen {type} säger inte hur länge den sparas.",
    "The type {type} does not say how long it is kept.",
)
UNKNOWN_ANSWER = Fault(
    "contract.unknown-answer",
    "Typen {type} besvaras med {answer}, som inte finns.",
    "The type {type} is answered with {answer}, which does not exist.",
)
ANSWER_BY_NOBODY = Fault(
    "contract.answer-by-nobody",
    "Typen {type} besvaras med {answer}, som mottagaren inte kan skicka.",
    "The type {type} is answered with {answer}, which its recipient cannot send.",
)
NO_ANSWER = Fault(
    "contract.no-answer",
    "Typen {type} kräver svar, och ingen typ kan vara svaret.",
    "The type {type} asks for a reply, and no type can be one.",
)

_ACKNOWLEDGEMENT = "acknowledgement"
_ANSWERING = frozenset({SenderKind.RECIPIENT, SenderKind.PARTICIPANT})
"""Who can answer: what only the convener or the first sender may send is no answer of a recipient."""


def gaps(types: Mapping[str, MessageType]) -> list[Finding]:
    """Return every gap in the contracts of ``types``."""
    return [finding for kind in types.values() for finding in _gaps(kind, types)]


def _gaps(kind: MessageType, types: Mapping[str, MessageType]) -> Iterator[Finding]:
    contract, name = kind.contract, kind.name
    asks = contract.duty is not Duty.NOTIFY or contract.reply_on_request
    if not contract.senders:
        yield NO_SENDER.at(type=name)
    if asks and contract.deadline is None:
        yield NO_DEADLINE.at(type=name)
    if contract.deadline is not None:
        if not asks:
            yield DEADLINE_FOR_NOTHING.at(type=name)
        if not 0 <= (contract.deadline.remind or 0) < contract.deadline.count:
            yield REMINDER_TOO_LATE.at(type=name)
    if not contract.deadline_source.strip():
        yield NO_SOURCE.at(type=name)
    if contract.consent is None and not contract.without_consent.strip():
        yield NO_GROUND.at(type=name)
    if not contract.retention.strip():
        yield NO_RETENTION.at(type=name)
    yield from _unanswerable(kind, types)


def _unanswerable(kind: MessageType, types: Mapping[str, MessageType]) -> Iterator[Finding]:
    contract, name = kind.contract, kind.name
    for answer in contract.answers:
        if answer not in types:
            yield UNKNOWN_ANSWER.at(type=name, answer=answer)
        elif not types[answer].contract.senders & _ANSWERING or not types[answer].contract.process & contract.process:
            yield ANSWER_BY_NOBODY.at(type=name, answer=answer)
    replies = set(contract.answers) - {_ACKNOWLEDGEMENT}
    if (contract.duty is Duty.REPLY or contract.reply_on_request) and not replies:
        yield NO_ANSWER.at(type=name)
    if not contract.answers and name != _ACKNOWLEDGEMENT and not contract.stays_home:
        yield NO_ANSWER.at(type=name)
