"""The form of an event in a file is known by how it begins: JSON, XML, or CSV with semicolons."""

from __future__ import annotations

import re
from typing import Final

from gateway.adapters.written import Written, as_json
from gateway.adapters.written_csv import as_csv
from gateway.adapters.written_text import encoding_of
from gateway.adapters.written_xml import as_xml
from gateway.errors import Fault, InvalidDocumentError
from gateway.messages.hardened import EMPTY, ENCODING, MAX_BYTES, TOO_LARGE

UNKNOWN_FORM: Final = Fault(
    "event.unknown-form",
    "Händelsen är varken JSON, XML eller CSV med semikolon mellan cellerna.",
    "The event is neither JSON nor XML nor CSV with semicolons between the cells.",
)

_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*([^\r\n]*)")
_STANDS_FOR_MORE: Final = b"too large: "


def as_any(content: bytes) -> Written:
    """Read an event in any form. JSON may be in ISO-8859-1, as older systems write it.

    Raises:
        InvalidDocumentError: it is in none, or cannot be read in the one it begins as, or is a stand-in.
    """
    beginning = _beginning(content)
    if beginning.startswith(b"<"):
        return as_xml(content)
    if beginning.startswith((b"{", b"[")):
        try:
            return as_json(content)
        except InvalidDocumentError as error:
            if error.codes != (ENCODING.code,):
                raise
        encoding = encoding_of(content)
        return as_json(content.decode(encoding).encode())
    if is_csv(content):
        return as_csv(content)
    if not beginning:
        raise InvalidDocumentError(EMPTY.at())
    if content.startswith(_STANDS_FOR_MORE):
        raise InvalidDocumentError(TOO_LARGE.at(limit=MAX_BYTES))
    encoding_of(content)  # in UTF-16 it may well be one of them
    try:
        return as_json(content)  # a text or a number, which is no event
    except InvalidDocumentError:
        raise InvalidDocumentError(UNKNOWN_FORM.at(line=1)) from None


def is_csv(content: bytes) -> bool:
    """Tell whether an event, or several, can only be CSV: the first line that says anything has a semicolon in it."""
    beginning = _beginning(content)
    return b";" in beginning and not beginning.startswith((b"<", b"{", b"["))


def stand_in(size: int, digest: str) -> bytes:
    """Return what is kept of an event that is too large to be kept: its size, and a hash of what was read of it."""
    return _STANDS_FOR_MORE + f"{size} bytes, sha256 {digest}\n".encode()


def _beginning(content: bytes) -> bytes:
    """Return the first line that says anything, without what stands before it."""
    found = _BEGINNING.match(content)
    return found[1] if found is not None else b""
