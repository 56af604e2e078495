"""Acknowledgements as a partner might write them, and messages as a partner should not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from gateway.envelope import ACKNOWLEDGEMENT, Envelope
from gateway.ledger import Dispatch
from gateway.lifecycle import Level, Outcome
from gateway.messages import (
    Acknowledgement,
    Duty,
    Header,
    Message,
    Reason,
    Recipient,
    Sender,
    User,
    parse_xml,
    render_xml,
)
from gateway.messages.acknowledgement import TAKEN

REASON = Reason(code="partner.reason", sv="Ett skäl.", en="A reason.")


def acknowledgement(
    about: Dispatch,
    level: Level,
    outcome: Outcome = Outcome.ACCEPTED,
    *,
    at: datetime,
    record_id: str = "JRN-1",
    reason: Reason = REASON,
    party: str = "region",
) -> Envelope:
    """Return the answer of ``about``'s recipient, complete as its level and outcome demand; each has its own id."""
    body = Acknowledgement(
        message_id=about.message_id,
        message_type=about.type,
        unit=about.unit,
        level=level,
        outcome=outcome,
        at=at,
        record_id=record_id if level is Level.REGISTERED and outcome in TAKEN else None,
        acknowledged_by=User(name="Isak Fjellander") if level is Level.ACKNOWLEDGED else None,
        reasons=() if outcome is Outcome.ACCEPTED else (reason,),
    )
    header = Header(
        message_id=str(uuid5(NAMESPACE_URL, repr((body, party)))),
        case_number=about.case_number,
        created_at=at,
        sender=Sender(party=party, unit=about.unit),
        recipients=(Recipient(party="kommun", unit="SE2120001355-SOCHISINGEN", duty=Duty.NOTIFY),),
        in_reply_to=about.message_id,
    )
    return Envelope(
        message_id=header.message_id,
        type=ACKNOWLEDGEMENT,
        sender=party,
        recipient="kommun",
        unit=header.recipients[0].unit,
        sender_unit=about.unit,
        case_ref=about.case_number,
        created_at=at,
        body=render_xml(Message(ACKNOWLEDGEMENT, header, body)),
        correlation_id=about.message_id,
    )


def with_text(envelope: Envelope, old: str, new: str) -> Envelope:
    """Return the envelope with ``old`` replaced in its document, which need not be valid any more."""
    assert old.encode() in envelope.body
    return replace(envelope, body=envelope.body.replace(old.encode(), new.encode()))


def with_header(envelope: Envelope, **changes: Any) -> Envelope:
    """Return the envelope with another header in its document, which is still valid, and nothing else changed."""
    message = parse_xml(envelope.body)
    return replace(envelope, body=render_xml(replace(message, header=replace(message.header, **changes))))
