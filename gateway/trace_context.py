"""Which trace a message is in (W3C Trace Context): ids that both gateways work out alone, from the ids of messages.

An answer is in the trace of the message it answers; a message is one span of it, and what happens to it are spans
beneath that one.
"""

from __future__ import annotations

from hashlib import blake2b

TRACE_BYTES = 16
SPAN_BYTES = 8


def trace_id(message_id: str) -> bytes:
    """Return the id of the trace that a message began."""
    return blake2b(message_id.encode(), digest_size=TRACE_BYTES).digest()


def span_id(message_id: str) -> bytes:
    """Return the id of the span that a message is."""
    return blake2b(message_id.encode(), digest_size=SPAN_BYTES).digest()


def traceparent(message_id: str, correlation_id: str | None) -> str:
    """Return the header that says so; ``correlation_id`` is the message that this one answers.

    The flags leave it to each gateway whether spans are recorded there.
    """
    return f"00-{trace_id(correlation_id or message_id).hex()}-{span_id(message_id).hex()}-00"
