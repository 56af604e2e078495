"""The characters of an event file: UTF-8, and else ISO-8859-1, which older systems write.

ISO-8859-1 gives every byte a character, so a wrong guess would go unseen and change names. What old systems write in
other encodings (MS-DOS, Macintosh, UTF-16) has bytes that are control characters in ISO-8859-1, and is refused by them.
"""

from __future__ import annotations

import re

from gateway.errors import Fault, InvalidDocumentError

ENCODING = Fault(
    "event.encoding",
    "Texten är varken UTF-8 eller ISO-8859-1.",
    "The text is neither UTF-8 nor ISO-8859-1.",
)

UTF_8 = "utf-8"
UTF_8_MARKED = "utf-8-sig"
"""UTF-8 with a byte-order mark."""
LATIN_1 = "iso-8859-1"

_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def encoding_of(content: bytes) -> str:
    """Return the encoding of ``content``: one of those named here.

    Raises:
        InvalidDocumentError: it is in another, as far as can be told, at the line where that shows.
    """
    try:
        content.decode(UTF_8)
    except UnicodeDecodeError:
        text_of(content, LATIN_1)
        return LATIN_1
    return UTF_8_MARKED if content.startswith(_BOM) else UTF_8


def text_of(content: bytes, encoding: str) -> str:
    """Return ``content`` as text, where it has no control characters but tab and line ends, unless it is UTF-8.

    Raises:
        InvalidDocumentError: it has, or is not in ``encoding``.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidDocumentError(ENCODING.at(line=content.count(b"\n", 0, error.start) + 1)) from None
    control = None if encoding in (UTF_8, UTF_8_MARKED) else _CONTROL.search(text)
    if control is not None:
        raise InvalidDocumentError(ENCODING.at(line=text.count("\n", 0, control.start()) + 1))
    return text
