"""Batches (HL7 v2.5 chapter 2 §2.10.3): many messages in one block, between FHS, BHS, BTS and FTS."""

from __future__ import annotations

import re
from typing import Final

from gateway.adapters.hl7_message import SEGMENT
from gateway.adapters.hl7_text import beginning
from gateway.errors import Fault, InvalidDocumentError

BATCH: Final = Fault(
    "hl7.batch",
    "Batchen är tom, eller dess segment (FHS, BHS, BTS, FTS) står inte i ordning.",
    "The batch is empty, or its segments (FHS, BHS, BTS, FTS) are not in order.",
)
BATCH_COUNT: Final = Fault(
    "hl7.batch-count",
    "Antalet i {place} är inte det antal som kom.",
    "The number in {place} is not how many came.",
)

_LINE = re.compile(rb"\r\n|\r|\n")
_BATCHES = "(?:M |BHS (?:M )+BTS )+"
_SHAPE = re.compile(f"FHS {_BATCHES}FTS |{_BATCHES}")


def is_batch(content: bytes) -> bool:
    """Tell whether ``content`` begins as a batch, or a file of batches, does."""
    return beginning(content)[:3] in ("FHS", "BHS")


def messages_in(content: bytes) -> list[bytes]:
    """Return the messages of a batch, each with its own header, as they came.

    Raises:
        InvalidDocumentError: something is missing from the batch, so that none of it can be trusted to be whole.
    """
    messages: list[list[bytes]] = []
    shape: list[str] = []
    batches, in_batch = 0, 0
    first = beginning(content)
    field = first[3:4].encode("latin-1")
    for number, line in enumerate(_LINE.split(content.lstrip(b"\r\n")), 1):
        # A byte order mark may stand before the first.
        name = first[:3] if number == 1 else line[:3].decode("latin-1").strip()
        if name == "MSH":
            messages.append([line])
            shape.append("M")
            in_batch += 1
        elif name in ("FHS", "BHS", "BTS", "FTS"):
            shape.append(name)
            if name == "BHS":
                in_batch, batches = 0, batches + 1
            stated = line.split(field)[1].strip() if name in ("BTS", "FTS") and field and field in line else b""
            if stated and stated != str(in_batch if name == "BTS" else batches).encode():
                raise InvalidDocumentError(BATCH_COUNT.at(f"{name}-1", number, place=f"{name}-1"))
        elif name and (not messages or shape[-1] != "M"):
            raise InvalidDocumentError(SEGMENT.at(line=number))
        elif name:
            messages[-1].append(line)
    if not _SHAPE.fullmatch("".join(f"{part} " for part in shape)):
        raise InvalidDocumentError(BATCH.at())
    return [b"\r".join([*lines, b""]) for lines in messages]


def refuse_batch(content: bytes) -> None:
    """Refuse a batch that was not parted, saying what is wrong with it; a message is left alone.

    Raises:
        InvalidDocumentError: it is a batch.
    """
    if is_batch(content):
        messages_in(content)
        raise InvalidDocumentError(BATCH.at())
