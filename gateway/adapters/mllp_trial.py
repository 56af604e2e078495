"""Whether the gateway's own MLLP port takes messages: one that is not meant for production, and its answer."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Final

from gateway.adapters.address import NOBODY_LISTENS, seen_from_here
from gateway.adapters.hl7_message import MAX_BYTES, Hl7Message
from gateway.adapters.mllp_frames import Frames, framed
from gateway.errors import DependencyDownError, Fault, InvalidDocumentError

OTHER_ANSWER: Final = Fault(
    "mllp.other-answer",
    "På {address} svarar någon, men inte som en gateway som tar emot HL7 v2.",
    "Somebody answers at {address}, but not as a gateway that takes HL7 v2.",
)

ANSWER_SECONDS: Final = 10.0
"""How long the answer may take: the message is stored first, as all are."""
_ID: Final = "SIP-GATEWAY-TEST"
# MSH-11 is D, debugging. The same bytes each time, so that it is kept among the refused once.
TRIAL: Final = f"MSH|^~\\&|SIP-GATEWAY|TEST|SIP-GATEWAY|TEST|20260101000000||ADT^A08|{_ID}|D|2.5\r".encode()


async def port_answers(host: str, port: int) -> None:
    """Return when what listens on ``host`` and ``port`` answers a message that is for debugging as a gateway does: AR.

    Raises:
        DependencyDownError: nobody answers, or not so.
    """
    address = f"{host}:{port}"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(seen_from_here(host), port)
            with closing(writer):
                writer.write(framed(TRIAL))
                frames, told = Frames(MAX_BYTES), list[bytes]()
                while not told and (data := await reader.read(4096)):
                    told = frames.feed(data)
    except (OSError, TimeoutError):
        raise DependencyDownError(NOBODY_LISTENS.at(address=address)) from None
    if not told or not _is_refusal(told[0]):
        raise DependencyDownError(OTHER_ANSWER.at(address=address))


def _is_refusal(answer: bytes) -> bool:
    try:
        message = Hl7Message.parse(answer)
    except InvalidDocumentError:
        return False
    return any(one.value(1) == "AR" and one.value(2) == _ID for one in message.named("MSA"))
