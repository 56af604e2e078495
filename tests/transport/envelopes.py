"""Envelopes for tests, and nothing that takes long to import: processes start with it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

from gateway.envelope import ACKNOWLEDGEMENT, Envelope

_sequence = count(1)


def envelope(recipient: str = "region", *, sender: str = "kommun", type: str = "plan", body: bytes = b"") -> Envelope:  # noqa: A002 - the field's name
    """Return a new envelope."""
    return Envelope(
        message_id=str(uuid4()),
        type=type,
        sender=sender,
        recipient=recipient,
        unit="SE2321000016-1A2B",
        sender_unit="SE2120001355-SOCHISINGEN",
        case_ref="V12345678",
        created_at=datetime.now(UTC),
        body=body or b"<plan/>",
        sequence=None if type == ACKNOWLEDGEMENT else next(_sequence),
    )
