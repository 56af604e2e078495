"""What an envelope is in AMQP 0-9-1: the properties, the headers, and the frames that carry them.

Every id, address and number of the envelope stands in a property or a header, so that an operator can see with any tool
what a message is. Headers that CloudEvents knows have the names of its binding to AMQP. None of them is about a person.
"""

from __future__ import annotations

from datetime import UTC, datetime
from struct import Struct
from struct import error as StructError  # noqa: N812 - the name tells nothing of where it comes from
from typing import Any, NamedTuple

from pamqp import decode

from gateway.envelope import CONTENT_TYPE, Channel, Envelope
from gateway.trace_context import traceparent
from gateway.transport.rabbitmq_frames import BASIC, BASIC_PUBLISH, BODY, FRAME_OVERHEAD, HEADER, METHOD, frame

APP_ID = b"sip-gateway"

_PUBLISH = Struct(">HHH")
_CONTENT = Struct(">HHQH")
_SHORT = Struct(">H")
_LONG = Struct(">I")
_LONG_LONG = Struct(">Q")
_SIGNED = Struct(">q")

_FLAGS = {
    "content_type": 1 << 15,
    "content_encoding": 1 << 14,
    "headers": 1 << 13,
    "delivery_mode": 1 << 12,
    "priority": 1 << 11,
    "correlation_id": 1 << 10,
    "reply_to": 1 << 9,
    "expiration": 1 << 8,
    "message_id": 1 << 7,
    "timestamp": 1 << 6,
    "type": 1 << 5,
    "user_id": 1 << 4,
    "app_id": 1 << 3,
    "cluster_id": 1 << 2,
}
"""The properties in the order in which they stand in a content header, each with the bit that says it is there."""

_OURS = sum(
    _FLAGS[name] for name in ("content_type", "headers", "delivery_mode", "message_id", "timestamp", "type", "app_id")
)
_CORRELATED = _FLAGS["correlation_id"]
_PERSISTENT = b"\x02"
_OCTETS = {"delivery_mode", "priority"}


class MalformedError(Exception):
    """A delivery that is no message of a gateway. The text says what is missing or wrong, and repeats no content."""


class Properties(NamedTuple):
    """The properties of a content header that mean something here, and its headers."""

    message_id: str | None
    correlation_id: str | None
    type: str | None
    headers: dict[str, Any]


# --- writing ----------------------------------------------------------------------------------------------------------


def publish_frames(channel: int, exchange: str, envelope: Envelope, frame_max: int) -> bytes:
    """Return the frames that publish an envelope: persistent, and returned when no queue is there to take it.

    Raises:
        ValueError: an id or an address is longer than the 255 bytes that AMQP has for it.
    """
    body = envelope.body
    method = b"".join((_PUBLISH.pack(BASIC, BASIC_PUBLISH, 0), _short(exchange), _short(envelope.routing_key), b"\x01"))
    parts = [frame(METHOD, channel, method), frame(HEADER, channel, _content_header(envelope))]
    room = frame_max - FRAME_OVERHEAD
    parts += (frame(BODY, channel, body[start : start + room]) for start in range(0, len(body), room))
    return b"".join(parts)


def _content_header(envelope: Envelope) -> bytes:
    flags = _OURS if envelope.correlation_id is None else _OURS | _CORRELATED
    headers = _headers(envelope)
    return b"".join(
        (
            _CONTENT.pack(BASIC, 0, len(envelope.body), flags),
            _CONTENT_TYPE,
            _LONG.pack(len(headers)),
            headers,
            _PERSISTENT,
            b"" if envelope.correlation_id is None else _short(envelope.correlation_id),
            _short(envelope.message_id),
            _LONG_LONG.pack(int(envelope.created_at.timestamp())),
            _short(envelope.type),
            _APP_ID,
        )
    )


def _headers(envelope: Envelope) -> bytes:
    headers = b"".join(
        (
            _SPECVERSION,
            _ID,
            _long(envelope.message_id),
            _SOURCE,
            _long(envelope.sender),
            _TYPE,
            _long(envelope.type),
            _SUBJECT,
            _long(envelope.case_ref),
            _TIME,
            _long(envelope.created_at.astimezone(UTC).isoformat(timespec="microseconds")),
            _TRACEPARENT,
            _long(traceparent(envelope.message_id, envelope.correlation_id)),
            _UNIT,
            _long(envelope.unit),
            _SENDER_UNIT,
            _long(envelope.sender_unit),
            _VERSION,
            _SIGNED.pack(envelope.version),
        )
    )
    return headers if envelope.sequence is None else headers + _SEQUENCE + _SIGNED.pack(envelope.sequence)


def _short(text: str) -> bytes:
    encoded = text.encode()
    return bytes((len(encoded),)) + encoded


def _long(text: str) -> bytes:
    encoded = text.encode()
    return _LONG.pack(len(encoded)) + encoded


def _name(name: str, kind: bytes) -> bytes:
    return _short(name) + kind


_CONTENT_TYPE = _short(CONTENT_TYPE)
_APP_ID = bytes((len(APP_ID),)) + APP_ID
_SPECVERSION = _name("cloudEvents_specversion", b"S") + _long("1.0")
_ID = _name("cloudEvents_id", b"S")
_SOURCE = _name("cloudEvents_source", b"S")
_TYPE = _name("cloudEvents_type", b"S")
_SUBJECT = _name("cloudEvents_subject", b"S")
_TIME = _name("cloudEvents_time", b"S")
_TRACEPARENT = _name("traceparent", b"S")
_UNIT = _name("unit", b"S")
_SENDER_UNIT = _name("sender_unit", b"S")
_VERSION = _name("version", b"l")
_SEQUENCE = _name("sequence", b"l")


# --- reading ----------------------------------------------------------------------------------------------------------


def delivery_arguments(arguments: bytes) -> tuple[int, str]:
    """Return the delivery tag and the routing key of a deliver."""
    at = 1 + arguments[0]
    (tag,) = _LONG_LONG.unpack_from(arguments, at)
    at += 9
    at += 1 + arguments[at]
    return tag, arguments[at + 1 :].decode("utf-8", "replace")


def returned_key(arguments: bytes) -> str:
    """Return the routing key of a return."""
    at = 3 + arguments[2]
    at += 1 + arguments[at]
    return arguments[at + 1 :].decode("utf-8", "replace")


def properties(header: bytes) -> Properties:
    """Read a content header.

    Raises:
        MalformedError: it is not what AMQP says it should be.
    """
    found: dict[str, Any] = {"headers": {}}
    try:
        (flags,) = _SHORT.unpack_from(header, 12)
        at = 14
        for name, flag in _FLAGS.items():
            if not flags & flag:
                continue
            if name == "headers":
                at, found[name] = _table(header, at)
            elif name in _OCTETS:
                at += 1
            elif name == "timestamp":
                at += 8
            else:
                end = at + 1 + header[at]
                found[name] = header[at + 1 : end].decode()
                at = end
    except (IndexError, StructError, ValueError) as error:
        raise MalformedError("the content header cannot be read") from error
    return Properties(found.get("message_id"), found.get("correlation_id"), found.get("type"), found["headers"])


def _table(data: bytes, at: int) -> tuple[int, dict[str, Any]]:
    """Read the table of headers at a place; return where it ends, and what is in it."""
    (size,) = _LONG.unpack_from(data, at)
    start, end = at, at + 4 + size
    at += 4
    table: dict[str, Any] = {}
    while at < end:
        kind = at + 1 + data[at]
        name = data[at + 1 : kind].decode()
        at = kind + 1
        if data[kind] == 0x53:  # S, a text
            (length,) = _LONG.unpack_from(data, at)
            at += 4 + length
            table[name] = data[at - length : at].decode()
        elif data[kind] == 0x6C:  # l, a signed number of 64 bits
            (table[name],) = _SIGNED.unpack_from(data, at)
            at += 8
        else:  # dead letters have lists and tables in theirs, and strangers may have anything
            return end, decode.field_table(data[start:end])[1]
    return end, table


def envelope_of(known: Properties, body: bytes, recipient: str, channel: Channel | None) -> Envelope:
    """Return the envelope that was published to ``recipient``; ``channel`` is where it came, unless that says nothing.

    Raises:
        MalformedError: it was published by no gateway, or to another channel than its type has.
    """
    headers = known.headers
    if known.message_id is None or known.type is None:
        raise MalformedError("a property is missing")
    try:
        envelope = Envelope(
            message_id=known.message_id,
            type=known.type,
            sender=_text(headers["cloudEvents_source"]),
            recipient=recipient,
            unit=_text(headers["unit"]),
            sender_unit=_text(headers["sender_unit"]),
            case_ref=_text(headers["cloudEvents_subject"]),
            created_at=datetime.fromisoformat(headers["cloudEvents_time"]),
            body=body,
            correlation_id=known.correlation_id,
            sequence=_number(headers["sequence"]) if "sequence" in headers else None,
            version=_number(headers["version"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError("a header is missing or malformed") from error
    if envelope.created_at.tzinfo is None:
        raise MalformedError("a time has no offset")
    if channel is not None and envelope.channel is not channel:
        raise MalformedError("it came by the wrong channel")
    return envelope


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value
