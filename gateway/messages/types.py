"""The table of message types. A new type is one line here, beside its module, its schema and its fixtures."""

from __future__ import annotations

from gateway.messages import acknowledgement, closure, consent, meeting_booking, plan, sip_start
from gateway.messages.contract import MessageType

TYPES: dict[str, MessageType] = {
    kind.name: kind
    for kind in (
        sip_start.TYPE,
        consent.TYPE,
        meeting_booking.TYPE,
        plan.TYPE,
        closure.TYPE,
        acknowledgement.TYPE,
    )
}
"""Every message type by name, in the order of the process."""
