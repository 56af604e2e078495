"""The envelope of a message on the exchange: ids, addresses, correlation, sequence and bytes.

It holds what the exchange and the two gateways need to route, match and order, and nothing about a person: headers
and routing keys are seen by whoever runs the exchange.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

CONTENT_TYPE = "application/xml; charset=utf-8"
ACKNOWLEDGEMENT = "acknowledgement"
"""Type name of acknowledgements, which travel on a channel of their own so that they never wait behind messages."""


class Channel(StrEnum):
    """The two streams a party takes deliveries from."""

    MESSAGES = "messages"
    ACKNOWLEDGEMENTS = "acknowledgements"


def content_hash(body: bytes) -> str:
    """Return the SHA-256 of ``body`` in hexadecimal: equal hashes mean the same content."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message on its way to one unit.

    ``sender_unit`` is where an answer goes, ``case_ref`` the opaque case reference. ``sequence`` counts messages from
    one party about one case to one unit, from 1, and is ``None`` for acknowledgements, which are matched by id and
    never by order.
    """

    message_id: str
    type: str
    sender: str
    recipient: str
    unit: str
    sender_unit: str
    case_ref: str
    created_at: datetime
    body: bytes
    correlation_id: str | None = None
    sequence: int | None = None
    version: int = 1

    @property
    def channel(self) -> Channel:
        """The channel it travels on."""
        return Channel.ACKNOWLEDGEMENTS if self.type == ACKNOWLEDGEMENT else Channel.MESSAGES

    @property
    def routing_key(self) -> str:
        """``<type>.<major>.<party>``."""
        return f"{self.type}.{self.version}.{self.recipient}"


LENGTHS = {"message_id": 36, "type": 64, "sender": 31, "unit": 31, "sender_unit": 31, "case_ref": 64}
"""How long what an envelope says may be where it is kept."""

LAST_SEQUENCE = 2**31 - 1
"""The largest sequence number that can be kept."""


def storable(envelope: Envelope) -> Envelope:
    """Return ``envelope`` with what no database would keep made to fit; for an envelope of a gateway, just that.

    A partner may send anything. What is too long is cut and ends with a part of its hash, so that two of them do not
    look alike; a sequence that is no sequence is none.
    """
    changes: dict[str, Any] = {}
    for name, length in LENGTHS.items():
        said = getattr(envelope, name)
        kept = said.replace("\0", "")
        if len(kept) > length:
            kept = f"{kept[: length - 9]}~{content_hash(kept.encode(errors='replace'))[:8]}"
        if kept != said:
            changes[name] = kept
    if envelope.sequence is not None and not 0 < envelope.sequence <= LAST_SEQUENCE:
        changes["sequence"] = None
    return replace(envelope, **changes) if changes else envelope
