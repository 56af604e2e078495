"""Frames of MLLP (HL7 v2.5 Appendix C, release 1): VT, a message, FS and CR, over a stream that may be cut anywhere.

Nothing that comes is thrown away unseen. What stands outside a frame, or in one that another began inside of, is handed
on with the sign that broke it, so that it is refused, kept and answered as any bad message is.
"""

from __future__ import annotations

from typing import Final

VT: Final = b"\x0b"
FS: Final = b"\x1c"
_BETWEEN: Final = b"\r\n"


def framed(content: bytes) -> bytes:
    """Return ``content`` in a frame."""
    return VT + content + FS + b"\r"


class Frames:
    """Takes the bytes of a stream as they come, and gives the content of each frame when it is whole.

    Of one that is larger than ``limit`` it keeps ``limit`` + 1 bytes, which is enough to see that it is too large.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._is_inside = False

    @property
    def held(self) -> int:
        """How many bytes have come of what is not whole yet."""
        return len(self._held)

    @property
    def is_open(self) -> bool:
        """Whether a frame, or something else, has begun and not ended."""
        return self._is_inside or bool(self._held)

    @property
    def rest(self) -> bytes:
        """What has come of what will never be whole, with a sign that keeps it from being taken for a message."""
        return bytes(self._held) + VT

    def feed(self, data: bytes) -> list[bytes]:
        """Return what ``data`` has made whole, in order."""
        whole = []
        start = 0
        while start < len(data):
            ends = [at for sign in (VT, FS) if (at := data.find(sign, start)) >= 0]
            end = min(ends, default=len(data))
            self._hold(data[start:end])
            if ends:
                content = self._end(data[end : end + 1])
                if content is not None:
                    whole.append(content)
            start = end + 1
        return whole

    def _hold(self, data: bytes) -> None:
        if not self._is_inside and not self._held:
            data = data.lstrip(_BETWEEN)  # the CR that ends the frame before
        self._held += data[: self._limit + 1 - len(self._held)]

    def _end(self, sign: bytes) -> bytes | None:
        """Return what ``sign`` ends: a frame, or what should have been one and has the sign to show for it."""
        is_frame = self._is_inside and sign == FS
        content = bytes(self._held)
        is_something = self._is_inside or bool(content)
        self._held.clear()
        self._is_inside = sign == VT
        if is_frame:
            return content
        return content[: self._limit] + sign if is_something or sign == FS else None
