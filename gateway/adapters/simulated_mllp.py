"""How a simulated journal tells its gateway an HL7 v2 message over MLLP."""

from __future__ import annotations

import asyncio

from gateway.adapters.hl7_message import MAX_BYTES
from gateway.adapters.mllp_frames import Frames, framed

_CHUNK = 64 * 1024


async def tell_over_mllp(host: str, port: int, message: bytes) -> list[str]:
    """Send ``message`` on a connection of its own, and return the MSA segment of each answer to it.

    Raises:
        OSError: nobody listens there, or the connection broke.
    """
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(framed(message))
        writer.write_eof()  # whoever has said all is given the answers that are left, and then the end
        frames = Frames(MAX_BYTES)
        answers: list[bytes] = []
        while data := await reader.read(_CHUNK):
            answers += frames.feed(data)
    finally:
        writer.close()
    segments = [segment for answer in answers for segment in answer.decode("utf-8", "replace").split("\r")]
    return [segment for segment in segments if segment.startswith("MSA")]
