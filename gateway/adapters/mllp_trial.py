"""Whether the gateway's own MLLP port takes messages: one that is not meant for production, and its answer."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from typing import Final

from gateway.adapters.address import NOBODY_LISTENS, seen_from_here
from gateway.adapters.hl7_message import MAX_BYTES, Hl7Message
from gateway.adapters.mllp_frames import Frames, framed
from gateway.adapters.tls import unverified
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


async def port_answers(host: str, port: int, *, encrypted: bool = False) -> None:
    """Return when what listens on ``host`` and ``port`` answers a message that is for debugging as a gateway does: AR.

    Where it wants a certificate to be shown, that it says so is enough: those are the senders' own.

    Raises:
        DependencyDownError: nobody answers, or not so.
    """
    address = f"{host}:{port}"
    try:
        told = list[bytes]()
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(seen_from_here(host), port, ssl=_tls(encrypted=encrypted))
            with closing(writer):
                writer.write(framed(TRIAL))
                frames = Frames(MAX_BYTES)
                while not told and (data := await reader.read(4096)):
                    told = frames.feed(data)
    except ssl.SSLError as error:
        if "CERTIFICATE_REQUIRED" not in str(error.reason):
            raise DependencyDownError(OTHER_ANSWER.at(address=address)) from None
    except (OSError, TimeoutError):
        raise DependencyDownError(NOBODY_LISTENS.at(address=address)) from None
    if encrypted and not told:
        return  # whoever shows no certificate is turned away after the handshake
    if not told or not _is_refusal(told[0]):
        raise DependencyDownError(OTHER_ANSWER.at(address=address))


def _tls(*, encrypted: bool) -> ssl.SSLContext | None:
    # Its certificate is for other names than this machine's own; nothing secret is told.
    return unverified() if encrypted else None


def _is_refusal(answer: bytes) -> bool:
    try:
        message = Hl7Message.parse(answer)
    except InvalidDocumentError:
        return False
    return any(one.value(1) == "AR" and one.value(2) == _ID for one in message.named("MSA"))
