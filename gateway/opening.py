"""Opening an envelope: the message in it, or what is wrong with it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from gateway.envelope import Envelope, storable
from gateway.errors import Fault, Finding, InvalidDocumentError
from gateway.messages import Header, Message, parse_xml

MISMATCH = Fault(
    "envelope.mismatch",
    "Kuvertets uppgifter stämmer inte med meddelandets huvud.",
    "The envelope does not agree with the header of the message.",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope, as it can be kept, and the message in it; without a message there are findings that say why."""

    envelope: Envelope
    message: Message | None
    findings: tuple[Finding, ...] = ()


def opened(envelope: Envelope) -> Opened:
    """Read what is in ``envelope``: a valid message that says the same about itself as the envelope does."""
    try:
        message = message_in(envelope.body)
    except InvalidDocumentError as error:
        return Opened(storable(envelope), None, error.findings)
    if message.type != envelope.type or not _agrees(message.header, envelope):
        return Opened(storable(envelope), None, (MISMATCH.at(f"/{message.type}/header"),))
    return Opened(storable(envelope), message)


def _agrees(header: Header, envelope: Envelope) -> bool:
    told = (envelope.message_id, envelope.sender, envelope.sender_unit, envelope.case_ref)
    return told == (header.message_id, header.sender.party, header.sender.unit, header.case_number) and any(
        (recipient.party, recipient.unit) == (envelope.recipient, envelope.unit) for recipient in header.recipients
    )


_REMEMBERED = 2048
"""How many messages are kept at hand: those that the hops of this process have not finished with, and some more."""

_at_hand: OrderedDict[bytes, Message] = OrderedDict()


def message_in(xml: bytes) -> Message:
    """Return the message in ``xml``, which every hop of a process reads only once.

    Raises:
        InvalidDocumentError: it is no valid message.
    """
    message = _at_hand.get(xml)
    if message is None:
        message = parse_xml(xml)
        remember(xml, message)
    return message


def remember(xml: bytes, message: Message) -> None:
    """Keep at hand that ``xml`` is ``message``; the oldest makes room for it."""
    _at_hand[xml] = message
    if len(_at_hand) > _REMEMBERED:
        _at_hand.popitem(last=False)
