"""The frames of AMQP 0-9-1 that pass once per message: what publishes and delivers, what settles and confirms.

Everything rarer is left to the AMQP library. It builds an object for every frame and a task for every delivery, which
takes more time per message than all else the gateway does with the exchange; so these frames never reach it.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
FRAME_OVERHEAD = 8
"""Bytes around the payload of a frame."""

BASIC = 60
BASIC_PUBLISH = 40
_BASIC_RETURN, _BASIC_DELIVER, _BASIC_ACK, _BASIC_NACK = 50, 60, 80, 120
_CONNECTION_CLOSE, _CHANNEL_CLOSE = (10, 50), (20, 40)

_END = b"\xce"
_FRAME = Struct(">BHI")
_METHOD = Struct(">HH")
_SHORT = Struct(">H")
_LONG_LONG = Struct(">Q")
_SETTLE = Struct(">BHIHHQBc")


class Content(NamedTuple):
    """What came with a deliver or a return: the method's arguments, the content header and the body, as bytes."""

    arguments: bytes
    header: bytes
    body: bytes


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Return a frame."""
    return b"".join((_FRAME.pack(kind, channel, len(payload)), payload, _END))


HEARTBEAT_FRAME = frame(HEARTBEAT, 0, b"")


def accept_frame(channel: int, tag: int, *, multiple: bool) -> bytes:
    """Return the frame that accepts a delivery or, if ``multiple``, all that were handed over up to it."""
    return _SETTLE.pack(METHOD, channel, 13, BASIC, _BASIC_ACK, tag, multiple, _END)


def refuse_frame(channel: int, tag: int, *, requeue: bool) -> bytes:
    """Return the frame that gives a delivery back, to be delivered again or to be a dead letter."""
    return _SETTLE.pack(METHOD, channel, 13, BASIC, _BASIC_NACK, tag, requeue << 1, _END)


def close_reason(arguments: bytes) -> tuple[int, str]:
    """Return the code and the words with which the broker closes a connection or a channel."""
    return _SHORT.unpack_from(arguments)[0], arguments[3 : 3 + arguments[2]].decode("utf-8", "replace")


class Receiver:
    """What takes the frames of one channel, as they come. Every method returns at once and raises nothing."""

    def delivered(self, content: Content) -> None:
        """Take a delivery."""

    def returned(self, content: Content) -> None:
        """Take back what no queue was there for."""

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Learn that the broker has taken, or has not taken, what was published as ``tag`` or all up to it."""

    def closed(self, code: int, reason: str) -> None:
        """Learn that the broker has closed the channel."""


class Splitter:
    """Cuts a stream of bytes into frames: those a receiver takes go there, all others come back whole.

    ``refused`` is the code with which the broker closed the connection, if it did.
    """

    def __init__(self) -> None:
        self.receivers: dict[int, Receiver] = {}
        self.refused: int | None = None
        self._rest = b""
        self._begun: dict[int, tuple[int, bytes, bytes, int, list[bytes]]] = {}

    def split(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes of the stream; yield the whole frames in them that no receiver takes."""
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while size - at >= FRAME_OVERHEAD:
            kind, channel, length = _FRAME.unpack_from(data, at)
            if kind not in (METHOD, HEADER, BODY, HEARTBEAT):
                break  # no frame: a broker that speaks another version says so and hangs up
            end = at + length + FRAME_OVERHEAD
            if end > size:
                break
            payload = data[at + 7 : end - 1]
            if not self._take(kind, channel, payload):
                yield data[at:end]
            at = end
        self._rest = data[at:]
        if self._rest and self._rest[0] not in (METHOD, HEADER, BODY, HEARTBEAT):
            yield self._rest
            self._rest = b""

    def _take(self, kind: int, channel: int, payload: bytes) -> bool:
        if kind == METHOD and channel == 0 and _METHOD.unpack_from(payload) == _CONNECTION_CLOSE:
            self.refused = close_reason(payload[4:])[0]
        receiver = self.receivers.get(channel)
        if receiver is None:
            return False
        if kind == METHOD:
            return self._take_method(receiver, channel, payload)
        begun = self._begun.get(channel)
        if begun is None:
            return False
        method, arguments, header, missing, pieces = begun
        if kind == HEADER:
            header, (missing,) = payload, _LONG_LONG.unpack_from(payload, 4)
        else:
            pieces.append(payload)
            missing -= len(payload)
        if missing > 0:
            self._begun[channel] = method, arguments, header, missing, pieces
            return True
        del self._begun[channel]
        content = Content(arguments, header, pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if method == _BASIC_DELIVER:
            receiver.delivered(content)
        else:
            receiver.returned(content)
        return True

    def _take_method(self, receiver: Receiver, channel: int, payload: bytes) -> bool:
        group, method = called = _METHOD.unpack_from(payload)
        if called == _CHANNEL_CLOSE:
            receiver.closed(*close_reason(payload[4:]))
            return False  # the library answers it
        if group != BASIC:
            return False
        if method in (_BASIC_DELIVER, _BASIC_RETURN):
            self._begun[channel] = method, payload[4:], b"", 0, []
        elif method in (_BASIC_ACK, _BASIC_NACK):
            (tag,) = _LONG_LONG.unpack_from(payload, 4)
            receiver.confirmed(tag, multiple=bool(payload[12] & 1), taken=method == _BASIC_ACK)
        else:
            return False
        return True
