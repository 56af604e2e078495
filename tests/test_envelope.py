"""The envelope: what the exchange sees of a message, and nothing about a person."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError, fields, replace

import pytest
from build import CASE, CLINIC, KOMMUN, NOON, OFFICE, REGION

from gateway.envelope import ACKNOWLEDGEMENT, Channel, Envelope, content_hash
from gateway.messages import TYPES

ENVELOPE = Envelope(
    message_id="0199f3a0-5c1e-7a10-8b00-000000000031",
    type="plan",
    sender=KOMMUN,
    recipient=REGION,
    unit=CLINIC,
    sender_unit=OFFICE,
    case_ref=CASE,
    created_at=NOON,
    body=b"<plan/>",
    sequence=1,
)


@pytest.mark.parametrize("name", TYPES)
def test_acknowledgements_travel_on_a_channel_of_their_own(name: str) -> None:
    channel = Channel.ACKNOWLEDGEMENTS if name == ACKNOWLEDGEMENT else Channel.MESSAGES
    assert replace(ENVELOPE, type=name).channel is channel


def test_a_routing_key_names_type_version_and_receiving_party() -> None:
    assert ENVELOPE.routing_key == "plan.1.region"
    assert replace(ENVELOPE, version=2, recipient=KOMMUN).routing_key == "plan.2.kommun"


def test_equal_hashes_mean_the_same_bytes() -> None:
    assert content_hash(b"<plan/>") == hashlib.sha256(b"<plan/>").hexdigest()
    assert content_hash(b"<plan/>") != content_hash(b"<plan />")


def test_an_envelope_has_no_place_for_a_person() -> None:
    assert {field.name for field in fields(Envelope)} == {
        "message_id",
        "type",
        "sender",
        "recipient",
        "unit",
        "sender_unit",
        "case_ref",
        "created_at",
        "body",
        "correlation_id",
        "sequence",
        "version",
    }


def test_an_envelope_is_sealed() -> None:
    with pytest.raises(FrozenInstanceError):
        ENVELOPE.unit = OFFICE  # type: ignore[misc]
